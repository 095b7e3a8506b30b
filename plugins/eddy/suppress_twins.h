/* SPDX-License-Identifier: MIT */
/* suppress_twins.h - rules of a file that match the same as a new one: these are renewed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "said.h"

#define TWINS_MAX 16 /* with ids of their own; there should be one */

struct twins {
    size_t count;
    unsigned line[TWINS_MAX];  /* rising */
    char first[SAID_LINE + 1]; /* its text */
};

/* Finds the rules of `text`, a file without faults, that have the fields of `line`, whatever their
 * ids, ends, owners and whys are. With `keep_id`, `line` gets the id of the first. */
void twins_take(struct twins *out, const char *text, struct said_line *line, bool keep_id);

/* The text with `line` in the place of the twins, at the end if there are none; NULL: just without
 * them. The caller frees it; NULL: no memory. */
char *twins_put(const struct twins *twins, const char *text, const struct said_line *line);
