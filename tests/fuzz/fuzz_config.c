/* SPDX-License-Identifier: MIT */
/* fuzz_config.c - any bytes as an eddy.conf. */
#include "fuzz.h"

#include "config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char name[] = "fuzz.conf";
    eddy_config *config = eddy_config_new();
    promise(config != NULL);
    eddy_error err = {0};
    int status = config_load_text(config, name, (const char *)data, size, &err);
    promise(status <= EDDY_OK);
    if (status != EDDY_OK) { /* it says where, in one line */
        promise(err.code == status && strnlen(err.message, sizeof err.message) > 0);
        promise(strnlen(err.message, sizeof err.message) < sizeof err.message);
        promise(strchr(err.message, '\n') == NULL);
    }
    eddy_config_free(config);
    return 0;
}
