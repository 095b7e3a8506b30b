/* SPDX-License-Identifier: MIT */
/* history_path.c - where the history is, by eddy.conf. */
#include "history_path.h"

#include <stdio.h>

#include "host_options.h"

static int read_text(eddy_config *config, const char *config_path, const char *key, char *out,
                     size_t size, eddy_error *err)
{
    int status = host_options_declare(config, err);
    if (status == EDDY_OK)
        status = eddy_config_load(config, config_path, err);
    if (status != EDDY_OK)
        return status;
    const char *text = eddy_config_value(config, key);
    if (snprintf(out, size, "%s", text != NULL ? text : "") < (int)size)
        return EDDY_OK;
    err->code = EDDY_ECONFIG;
    (void)snprintf(err->message, sizeof err->message, "%s is too long", key);
    return EDDY_ECONFIG;
}

int config_text(const char *config_path, const char *key, char *out, size_t size, eddy_error *err)
{
    eddy_config *config = eddy_config_new();
    if (config == NULL) {
        *err = (eddy_error){EDDY_ENOMEM, "out of memory"};
        return EDDY_ENOMEM;
    }
    int status =
        read_text(config, config_path != NULL ? config_path : EDDY_CONF, key, out, size, err);
    eddy_config_free(config);
    return status;
}

int history_path(const char *config_path, char *out, size_t size, eddy_error *err)
{
    int status = config_text(config_path, "history.path", out, size, err);
    if (status != EDDY_OK || out[0] != '\0')
        return status;
    err->code = EDDY_ECONFIG;
    (void)snprintf(err->message, sizeof err->message,
                   "%.150s: history.path is not set, so no history is kept; name a FILE",
                   config_path != NULL ? config_path : EDDY_CONF);
    return EDDY_ECONFIG;
}
