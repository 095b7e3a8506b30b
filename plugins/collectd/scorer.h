/* SPDX-License-Identifier: MIT */
/* scorer.h - the thread that reads and scores: everything that works, from init to shutdown. */
#pragma once

#include "settings.h"

struct scorer;

struct scorer_options {              /* all kept */
    struct cd_config *const *blocks; /* what settings are read from again */
    size_t block_count;
    const struct settings *settings;
    const struct say *say;
};

/* Opens everything and starts the thread: not before collectd's init. On failure nothing is left.
 */
int scorer_new(const struct scorer_options *options, struct scorer **out, eddy_error *err);

/* Asks the thread to write the checkpoint, and the library's to write incidents and to read the
 * settings file again if there is one (unless we stop within 0.3 s): an output that hangs then does
 * not hold up scoring. Returns at once. */
void scorer_flush(struct scorer *s);

/* Asks the thread to dispatch all metrics. Returns at once: handing a hundred values to collectd
 * takes over a millisecond when its write threads want the same lock. */
void scorer_show(struct scorer *s, unsigned long slow_reads);

/* Has the thread save the checkpoint, close everything and end. false: something has hung for ten
 * seconds, and is left behind with the thread and all it uses, `options` included: for a process
 * that is about to end. */
bool scorer_free(struct scorer *s);
