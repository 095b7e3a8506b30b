/* SPDX-License-Identifier: MIT */
/* input_conf.h - one input as it is configured: a log to follow, or a socket. */
#pragma once

#include <stdbool.h>

#include "eddy.h"

#define INPUT_NAME_MAX 63 /* libeddy's metrics name no more */

/* Made by input_parse(), given back to input_conf_done(). */
struct input_conf {
    char *text;         /* the entry; the next three point into it, or to constant text */
    const char *name;   /* in metrics and messages; the same as `where` if it has none */
    const char *format; /* "eve", "zeek-json", "zeek-tsv"; NULL: detected */
    const char *where;  /* the path, or the socket as in socket_parse() */
    char *archive;      /* directories of old parts, joined by newlines; or NULL */
    bool is_log;
    bool skip_existing; /* see struct follow_options */
};

/* Reads `[NAME=][FORMAT:]PATH` of a log, `[NAME=][FORMAT:]SOCKET` of a socket. What begins with '/'
 * or '.' has no name; a name has letters, digits, '-', '_' and '.'. */
int input_parse(const char *entry, bool is_log, struct input_conf *out, eddy_error *err);

/* Does it exist, and can it be what it says? Nothing is opened. */
int input_check(const struct input_conf *c, eddy_error *err);

/* Is this text fit to be a short name? */
bool input_name_good(const char *name);

/* "eve", "zeek-json" or "zeek-tsv" of `length` bytes as constant text; NULL if it is no format. */
const char *input_format(const char *text, size_t length);

void input_conf_done(struct input_conf *c);
