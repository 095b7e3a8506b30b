/* SPDX-License-Identifier: MIT */
/* follow.h - reads a growing log into a worker: through rotations, truncations and restarts. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"
#include "follow_state.h"
#include "say.h"

struct follow_options {
    const char *path;    /* need not exist yet */
    const char *archive; /* further directories with old parts, joined by newlines; or NULL */
    bool skip_existing;  /* at the very first start: begin at the end of what is there */
    const struct say *say;
    struct follow_family *family; /* kept: the logs that share archives with this one; or NULL */
};

struct follow_stats {
    bool reading;      /* a part is open */
    bool unresolved;   /* the part that was read at the last stop is not found yet */
    uint64_t lag;      /* bytes in the current part not yet read */
    uint64_t finished; /* parts read to their end */
    uint64_t restarts; /* truncated or rewritten in place */
    uint64_t gaps;     /* parts that vanished before they were read to the end */
    uint64_t bytes;    /* fed */
};

struct follow;

/* Is `path` something that can be followed: a regular file, or nothing yet in a directory? */
int follow_check(const char *path, eddy_error *err);

/* `worker` and `options->say` are kept. `state` is that of a checkpoint, or NULL at the very first
 * start. Fails with EDDY_EIO if the path is a directory, a FIFO or the like. */
int follow_new(eddy_worker *worker, const struct follow_options *options,
               const struct follow_state *state, struct follow **out, eddy_error *err);
void follow_free(struct follow *f); /* leaves the worker as it is */

/* Feeds the next piece, at most FOLLOW_PIECE bytes. Returns the bytes fed, 0 if there is nothing
 * to do now: call it again after some time, 100 ms say. */
#define FOLLOW_PIECE (256 * 1024)
size_t follow_turn(struct follow *f);

/* What a checkpoint taken now must hold; valid until the next call. NULL while no checkpoint may
 * be taken, in the middle of a zstd file. */
const struct follow_state *follow_state(const struct follow *f);

void follow_stats(const struct follow *f, struct follow_stats *out);
