/* SPDX-License-Identifier: MIT */
/* conf.h - eddyd's own settings, section [eddyd] of eddy.conf. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eddy.h"

struct conf {
    char *follow; /* lists: entries joined by newlines */
    char *archive;
    char *listen;
    char *http;       /* HOST:PORT, or "off" */
    char *checkpoint; /* a path; empty: none */
    char *flows;      /* a path; empty: none */
    bool skip_existing;
    int64_t checkpoint_ms;
};

/* Where eddyd's settings come from. */
struct conf_source {
    const char *file;        /* NULL: initial values only */
    const char *const *sets; /* KEY=VALUE of the command line, set after the file */
    int set_count;
};

/* Reads all settings, the library's too. `*config` is given to the caller. */
int conf_load(const struct conf_source *source, eddy_config **config, struct conf *out,
              eddy_error *err);
void conf_done(struct conf *c);

/* Does what the settings name exist, and can it be what they say? Nothing is opened or made. */
int conf_check(const struct conf *c, eddy_error *err);

/* Visits the entries of a list; a result < 0 ends the visit and is returned. */
typedef int conf_entry_fn(const char *entry, void *user, eddy_error *err);
int conf_each(const char *list, conf_entry_fn *each, void *user, eddy_error *err);

/* "FORMAT:PATH" or "PATH" of a follow entry; `format` is NULL if it is to be detected. */
void conf_follow_entry(const char *entry, const char **format, const char **path);
