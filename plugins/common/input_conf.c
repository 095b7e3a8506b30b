/* SPDX-License-Identifier: MIT */
/* input_conf.c - one input as it is configured: a log to follow, or a socket. */
#include "input_conf.h"

#include <stdlib.h>
#include <string.h>

#include "follow.h"
#include "say.h"
#include "sockets.h"

static const char name_bytes[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "-_.";

bool input_name_good(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= INPUT_NAME_MAX && *name != '.' &&
           strspn(name, name_bytes) == length;
}

const char *input_format(const char *text, size_t length)
{
    static const char *const formats[] = {"eve", "zeek-json", "zeek-tsv"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strlen(formats[i]) == length && strncmp(formats[i], text, length) == 0)
            return formats[i];
    return NULL;
}

/* Cuts `NAME=` off; NULL if there is none. */
static const char *cut_name(char **text)
{
    char *name = *text;
    size_t length = strspn(name, name_bytes);
    if (name[length] != '=' || *name == '.')
        return NULL;
    name[length] = '\0';
    *text = name + length + 1;
    return name;
}

int input_parse(const char *entry, bool is_log, struct input_conf *out, eddy_error *err)
{
    struct input_conf c = {.text = strdup(entry), .is_log = is_log};
    if (c.text == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    char *rest = c.text;
    c.name = cut_name(&rest);
    if (c.name != NULL && !input_name_good(c.name)) {
        int status =
            fault(err, EDDY_ECONFIG, "'%.60s': a name has 1 to %d bytes", entry, INPUT_NAME_MAX);
        input_conf_done(&c);
        return status;
    }
    const char *colon = strchr(rest, ':');
    if (colon != NULL)
        c.format = input_format(rest, (size_t)(colon - rest));
    c.where = c.format != NULL ? colon + 1 : rest;
    if (c.name == NULL)
        c.name = c.where;
    *out = c;
    return EDDY_OK;
}

int input_check(const struct input_conf *c, eddy_error *err)
{
    struct socket_at at;
    return c->is_log ? follow_check(c->where, err) : socket_parse(c->where, &at, err);
}

void input_conf_done(struct input_conf *c)
{
    free(c->text);
    free(c->archive);
    *c = (struct input_conf){0};
}
