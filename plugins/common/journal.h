/* SPDX-License-Identifier: MIT */
/* journal.h - what a host has done so far, on disk: the flows file and the checkpoint.
 *
 * A checkpoint holds the position in every log *and* the length of the flows file at the same
 * moment, between two turns of the one scoring thread. After a kill the flows file is cut back to
 * that length and the logs are read on from there: every record has its line exactly once. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "checkpoint.h"
#include "eddy.h"
#include "inputs.h"
#include "say.h"

struct journal;

struct journal_stats {
    uint64_t lost_lines;  /* of the flows file, while it could not be written */
    uint64_t failures;    /* checkpoints that could not be written */
    int64_t checkpoint_s; /* when the last one was made, Unix time; 0: none yet */
};

struct journal_options {
    const char *checkpoint; /* a path; empty: none */
    const char *flows;      /* a path; empty: none */
    bool logs;              /* logs are followed: what is cut off the flows file is read again */
};

/* Reads the checkpoint and opens the flows file as it was then. */
int journal_open(const struct journal_options *options, const struct say *say, struct journal **out,
                 eddy_error *err);

/* Can `path`, the value of the setting `key`, be written by us: is its directory there, and is it
 * itself no directory and no symlink? An empty path is fine. */
int journal_check(const char *key, const char *path, eddy_error *err);

/* Where the inputs were; also of those no longer configured, should they come back. */
const struct checkpoint *journal_positions(const struct journal *j);

/* One line of the flows file. The `scored` hook calls it. */
void journal_scored(struct journal *j, const eddy_flow *flow, const eddy_verdict *verdict);

/* Writes the flows collected so far, without waiting for the disk. */
void journal_flush(struct journal *j);

/* Writes the flows and the checkpoint; journal_positions() are those of now even if nothing is
 * written. Failures are told (once), counted and tried again at the next call. */
void journal_save(struct journal *j, const struct inputs *in);

/* Can't the flows file be written now? Then logs are to wait: they are safe where they are. */
bool journal_stuck(const struct journal *j);

/* After SIGHUP: logrotate may have moved the flows file. */
void journal_reopen(struct journal *j);

void journal_stats(const struct journal *j, struct journal_stats *out);
void journal_close(struct journal *j);
