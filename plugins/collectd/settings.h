/* SPDX-License-Identifier: MIT */
/* settings.h - <Plugin eddy> of collectd.conf as settings of libeddy and as inputs. */
#pragma once

#include "collectd_abi.h"
#include "inputs.h"

struct settings {
    eddy_config *config;
    struct input_list inputs;
    const char *file; /* `Config`, borrowed from the blocks; NULL: none */
};

/* Reads all blocks: first the file that `Config` names, then what stands in the blocks, so that
 * the latter wins. May be called again, to read a file that has changed. */
int settings_read(struct cd_config *const *blocks, size_t count, struct settings *out,
                  eddy_error *err);

/* Does the file name inputs for eddyd, which are not read here? */
bool settings_lose_inputs(const struct settings *s);

void settings_done(struct settings *s);
