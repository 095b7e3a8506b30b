/* SPDX-License-Identifier: MIT */
/* conf.h - eddyd's own settings, section [eddyd] of eddy.conf. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eddy.h"
#include "inputs.h"
#include "rest_conf.h"

struct conf {
    struct input_list inputs;
    struct rest_conf rest;
    char *checkpoint; /* a path; empty: none */
    char *flows;      /* a path; empty: none */
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

/* Is a log among the inputs? */
bool conf_follows(const struct conf *c);
