/* SPDX-License-Identifier: MIT */
/* pump.h - scores what a host's threads hand over, in a thread of its own; or sends it to eddyd. */
#pragma once

#include <stddef.h>

#include "eddy.h"
#include "say.h"

struct pump;

struct pump_options {
    eddy_engine *engine;       /* scores; given once pump_new() has succeeded. NULL: `socket` */
    const char *name, *format; /* of the engine's worker */
    /* Without an engine: where records are sent instead, as unix_dgram:PATH; and a file, unless
     * "", for what became of them: see metrics_file.h. */
    const char *socket, *textfile, *sensor;
    int64_t interval_ms;
    size_t ring;           /* bytes; see ring_new() */
    const struct say *say; /* kept */
};

/* Starts its threads, with all signals blocked. Borrows what `options` points to, but for `say`. */
int pump_new(const struct pump_options *options, struct pump **out, eddy_error *err);

/* Any thread: one record without newline. It is copied, or counted as dropped if there is no
 * room; nobody waits. */
void pump_put(struct pump *pump, const char *record, size_t length);

/* Any thread: a record that is of no interest, to be counted. */
void pump_skip(struct pump *pump);

/* Nobody puts records any more: scores what is there, ends and frees the engine, frees the pump,
 * within 7 seconds. What can't be scored within 4 seconds is dropped and counted. Should the thread
 * still be busy, because a disk hangs, it is left behind with all it uses: EDDY_EIO, and nothing is
 * freed. In `out` (may be NULL) a record that was sent counts as scored. */
int pump_stop(struct pump *pump, eddy_counts *out);
