/* SPDX-License-Identifier: MIT */
/* history_path.c - where the history is, by eddy.conf. */
#include "history_path.h"

#include <stdio.h>

#include "host_options.h"

#define EDDY_CONF "/etc/eddy/eddy.conf"

static int read_path(eddy_config *config, const char *config_path, char *out, size_t size,
                     eddy_error *err)
{
    int status = host_options_declare(config, err);
    if (status == EDDY_OK)
        status = eddy_config_load(config, config_path, err);
    if (status != EDDY_OK)
        return status;
    const char *path = eddy_config_value(config, "history.path");
    if (path == NULL || path[0] == '\0') {
        err->code = EDDY_ECONFIG;
        (void)snprintf(err->message, sizeof err->message,
                       "%.150s: history.path is not set, so no history is kept; name a FILE",
                       config_path);
        return EDDY_ECONFIG;
    }
    if (snprintf(out, size, "%s", path) < (int)size)
        return EDDY_OK;
    err->code = EDDY_ECONFIG;
    (void)snprintf(err->message, sizeof err->message, "history.path is too long");
    return EDDY_ECONFIG;
}

int history_path(const char *config_path, char *out, size_t size, eddy_error *err)
{
    eddy_config *config = eddy_config_new();
    if (config == NULL) {
        *err = (eddy_error){EDDY_ENOMEM, "out of memory"};
        return EDDY_ENOMEM;
    }
    int status = read_path(config, config_path != NULL ? config_path : EDDY_CONF, out, size, err);
    eddy_config_free(config);
    return status;
}
