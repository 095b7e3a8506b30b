/* SPDX-License-Identifier: MIT */
/* trial.c - `suricata -T`: would these settings do? */
#include "trial.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host.h"
#include "said_check.h"
#include "say.h"
#include "sender.h"

/* Whether a file could be appended to, or made. */
static int check_path(const char *path, eddy_error *err)
{
    struct stat info;
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (lstat(path, &info) == 0)
        return !S_ISREG(info.st_mode) ? fault(err, EDDY_EIO, "%.200s: not a regular file", path)
               : access(path, W_OK) == 0
                   ? EDDY_OK
                   : fault(err, EDDY_EIO, "%.200s: %s", path, strerror(errno));
    if (slash != NULL)
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    return access(folder, W_OK | X_OK) == 0
               ? EDDY_OK
               : fault(err, EDDY_EIO, "%.200s: %s", path, strerror(errno));
}

struct paths {
    eddy_config *config;
    eddy_error *err;
};

/* What needs no check of whether it can be written. */
static bool is_checked(const char *key)
{
    return strcmp(key, "textfile.path") == 0 || /* is at every start */
           strcmp(key, "suppress.path") == 0 || /* is read only; see trial() */
           strcmp(key, "feedback.path") == 0;   /* likewise */
}

/* Every other x.path is a file that the library writes. Checked, and set to "": not wanted. */
static int check_option(const eddy_option *option, void *user)
{
    struct paths *p = user;
    size_t length = strlen(option->key);
    const char *path = eddy_config_value(p->config, option->key);
    if (length < 5 || strcmp(option->key + length - 5, ".path") != 0 || *path == '\0')
        return EDDY_OK;
    int status = is_checked(option->key) ? EDDY_OK : check_path(path, p->err);
    return status == EDDY_OK ? eddy_config_set(p->config, option->key, "", p->err) : status;
}

static int isolated(const eddy_config *config, eddy_error *err)
{
    struct sender *sender = NULL; /* connects when there is something to send */
    int status = sender_new(eddy_config_value(config, "suricata.socket"), NULL, &sender, err);
    sender_free(sender);
    return status;
}

int trial(eddy_config *config, eddy_error *err)
{
    eddy_engine *engine = NULL;
    eddy_hooks hooks = {.size = sizeof hooks, .log = host_line};
    struct paths paths = {config, err};
    if (strcmp(eddy_config_value(config, "suricata.isolate"), "on") == 0)
        return isolated(config, err);
    int status = said_check(config, err);
    if (status == EDDY_OK)
        status = eddy_config_options(config, check_option, &paths);
    if (status == EDDY_OK)
        status = eddy_config_set(config, "engine.thread", "off", err);
    if (status == EDDY_OK)
        status = eddy_config_set(config, "engine.need_models", "on", err);
    if (status == EDDY_OK)
        status = eddy_engine_new(config, &hooks, &engine, err);
    eddy_engine_free(engine);
    return status;
}
