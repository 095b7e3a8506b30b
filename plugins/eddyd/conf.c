/* SPDX-License-Identifier: MIT */
/* conf.c - eddyd's own settings, section [eddyd] of eddy.conf. */
#include "conf.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "follow.h"
#include "host_options.h"
#include "say.h"
#include "sockets.h"

/* A duration that the library has checked: NUMBER and ms, s, m or h (us and d are out of range or
 * odd, and read too). eddyd never sets a locale, so strtod() reads a decimal point. */
static int64_t milliseconds(const char *text)
{
    char *unit;
    double value = strtod(text, &unit);
    double factor = strcmp(unit, "us") == 0   ? 0.001
                    : strcmp(unit, "ms") == 0 ? 1
                    : strcmp(unit, "m") == 0  ? 60e3
                    : strcmp(unit, "h") == 0  ? 3600e3
                    : strcmp(unit, "d") == 0  ? 86400e3
                                              : 1000;
    return (int64_t)(value * factor);
}

static int take(const eddy_config *config, const char *key, char **out, eddy_error *err)
{
    const char *value = eddy_config_value(config, key);
    *out = strdup(value != NULL ? value : "");
    return *out != NULL ? EDDY_OK : fault(err, EDDY_ENOMEM, "out of memory");
}

static int read_conf(const eddy_config *config, struct conf *out, eddy_error *err)
{
    struct conf c = {0};
    int status = take(config, "eddyd.follow", &c.follow, err);
    if (status == EDDY_OK)
        status = take(config, "eddyd.archive", &c.archive, err);
    if (status == EDDY_OK)
        status = take(config, "eddyd.listen", &c.listen, err);
    if (status == EDDY_OK)
        status = take(config, "eddyd.http", &c.http, err);
    if (status == EDDY_OK)
        status = take(config, "eddyd.checkpoint", &c.checkpoint, err);
    if (status == EDDY_OK)
        status = take(config, "eddyd.flows", &c.flows, err);
    if (status < 0) {
        conf_done(&c);
        return status;
    }
    c.skip_existing = strcmp(eddy_config_value(config, "eddyd.existing"), "skip") == 0;
    c.checkpoint_ms = milliseconds(eddy_config_value(config, "eddyd.checkpoint_interval"));
    *out = c;
    return EDDY_OK;
}

static int set_all(eddy_config *config, const struct conf_source *source, eddy_error *err)
{
    for (int i = 0; i < source->set_count; i++) {
        const char *equals = strchr(source->sets[i], '=');
        char key[128];
        size_t length = equals != NULL ? (size_t)(equals - source->sets[i]) : sizeof key;
        if (length >= sizeof key)
            return fault(err, EDDY_ECONFIG, "-s %s: not KEY=VALUE", source->sets[i]);
        memcpy(key, source->sets[i], length);
        key[length] = '\0';
        int status = eddy_config_set(config, key, equals + 1, err);
        if (status < 0)
            return status;
    }
    return EDDY_OK;
}

int conf_load(const struct conf_source *source, eddy_config **config, struct conf *out,
              eddy_error *err)
{
    eddy_config *c = eddy_config_new();
    if (c == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = host_options_declare(c, err);
    if (status == EDDY_OK && source->file != NULL)
        status = eddy_config_load(c, source->file, err);
    if (status == EDDY_OK)
        status = set_all(c, source, err);
    if (status == EDDY_OK)
        status = read_conf(c, out, err);
    if (status < 0) {
        eddy_config_free(c);
        return status;
    }
    *config = c;
    return EDDY_OK;
}

void conf_done(struct conf *c)
{
    free(c->follow);
    free(c->archive);
    free(c->listen);
    free(c->http);
    free(c->checkpoint);
    free(c->flows);
    *c = (struct conf){0};
}

int conf_each(const char *list, conf_entry_fn *each, void *user, eddy_error *err)
{
    while (*list != '\0') {
        char entry[PATH_MAX + 32];
        size_t length = strcspn(list, "\n");
        if (length >= sizeof entry)
            return fault(err, EDDY_ECONFIG, "'%.60s...': too long", list);
        memcpy(entry, list, length);
        entry[length] = '\0';
        int status = length > 0 ? each(entry, user, err) : 0;
        if (status < 0)
            return status;
        list += length;
        list += *list == '\n';
    }
    return EDDY_OK;
}

void conf_follow_entry(const char *entry, const char **format, const char **path)
{
    static const char *const formats[] = {"eve", "zeek-json", "zeek-tsv"};
    *format = NULL;
    *path = entry;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        size_t length = strlen(formats[i]);
        if (strncmp(entry, formats[i], length) == 0 && entry[length] == ':') {
            *format = formats[i];
            *path = entry + length + 1;
        }
    }
}

static int check_follow(const char *entry, void *user, eddy_error *err)
{
    const char *format;
    const char *path;
    (void)user;
    conf_follow_entry(entry, &format, &path);
    eddy_error why;
    if (follow_check(path, &why) < 0)
        return fault(err, EDDY_ECONFIG, "eddyd.follow = %s", why.message);
    return EDDY_OK;
}

static int check_listen(const char *entry, void *user, eddy_error *err)
{
    struct socket_at at;
    (void)user;
    eddy_error why;
    if (socket_parse(entry, &at, &why) < 0)
        return fault(err, EDDY_ECONFIG, "eddyd.listen = %s", why.message);
    return EDDY_OK;
}

/* A file that eddyd is to write: its directory must be there. */
static int check_output(const char *key, const char *path, eddy_error *err)
{
    char folder[PATH_MAX];
    size_t length = strlen(path);
    struct stat st;
    if (length == 0)
        return EDDY_OK;
    if (length >= sizeof folder || path[length - 1] == '/')
        return fault(err, EDDY_ECONFIG, "%s = '%s': not the name of a file", key, path);
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
        return fault(err, EDDY_ECONFIG, "%s = '%s': is a symlink, which is not followed", key,
                     path);
    if (lstat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return fault(err, EDDY_ECONFIG, "%s = '%s': is a directory", key, path);
    memcpy(folder, path, length + 1);
    char *slash = strrchr(folder, '/');
    if (slash == NULL)
        memcpy(folder, ".", 2);
    else
        slash[slash == folder ? 1 : 0] = '\0';
    if (stat(folder, &st) != 0)
        return fault(err, EDDY_ECONFIG, "%s = '%s': directory %s: %s", key, path, folder,
                     strerror(errno));
    return S_ISDIR(st.st_mode)
               ? EDDY_OK
               : fault(err, EDDY_ECONFIG, "%s = '%s': %s is not a directory", key, path, folder);
}

int conf_check(const struct conf *c, eddy_error *err)
{
    struct socket_at at;
    eddy_error why;
    int status = conf_each(c->follow, check_follow, NULL, err);
    if (status == EDDY_OK)
        status = conf_each(c->listen, check_listen, NULL, err);
    if (status == EDDY_OK && strcmp(c->http, "off") != 0 &&
        socket_parse_host(c->http, &at, &why) < 0)
        status = fault(err, EDDY_ECONFIG, "eddyd.http = %s", why.message);
    if (status == EDDY_OK)
        status = check_output("eddyd.checkpoint", c->checkpoint, err);
    if (status == EDDY_OK)
        status = check_output("eddyd.flows", c->flows, err);
    return status;
}
