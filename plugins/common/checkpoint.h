/* SPDX-License-Identifier: MIT */
/* checkpoint.h - where every input was, and how long the flows file, at one moment; on disk. */
#pragma once

#include "eddy.h"
#include "flows_csv.h"
#include "follow.h"

#define CHECKPOINT_INPUTS_MAX 256

struct checkpoint_input {
    char *path; /* as configured */
    struct follow_state state;
};

struct checkpoint {
    struct flows_csv_place flows; /* regular 0: none */
    size_t count;
    struct checkpoint_input *inputs;
};

/* Adds an input (copied). */
int checkpoint_add(struct checkpoint *c, const char *path, const struct follow_state *state,
                   eddy_error *err);

/* The state of an input; NULL if the checkpoint has none of it. */
const struct follow_state *checkpoint_find(const struct checkpoint *c, const char *path);

void checkpoint_done(struct checkpoint *c);

/* Writes PATH.tmp, waits until the disk has it, renames PATH to PATH.old and PATH.tmp to PATH: at
 * every moment PATH, or else PATH.old, is whole. `*sum` is what was last written, 0 at first (then
 * what is there may be damaged, and does not become PATH.old). The same content is not written
 * again. */
int checkpoint_save(const struct checkpoint *c, const char *path, uint64_t *sum, eddy_error *err);

/* Reads PATH, or PATH.old if PATH is torn, damaged or missing. Returns 1, 2 for PATH.old (`err`
 * says what is wrong with PATH), 0 if there is neither, EDDY_EINPUT if what there is can't be used.
 * `*out` must be given to checkpoint_done() whatever the result. */
int checkpoint_load(const char *path, struct checkpoint *out, eddy_error *err);
