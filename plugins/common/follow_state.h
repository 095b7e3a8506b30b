/* SPDX-License-Identifier: MIT */
/* follow_state.h - how far a log was read, so that it can be found again after a restart. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "generation.h"
#include "places.h"
#include "siblings.h"

#define FOLLOW_DONE_MAX 256 /* finished parts remembered, so that none is read again */

/* A sibling may have been written this much earlier than the part just read and still be newer:
 * clocks of file systems are coarse, and a writer may finish its old file late. */
#define FOLLOW_SLACK_NS INT64_C(10000000000)

/* All that must survive a restart: which part is being read, up to where, and which parts are
 * finished. `offset` is always the start of a line. */
struct follow_state {
    bool reading; /* a part is open; else the next four mean nothing */
    uint64_t dev, ino;
    struct print print;
    uint64_t offset;   /* of the text, decompressed */
    int64_t newest_ns; /* when the last part read was last written: older ones are history;
                          0: the directory was never looked at */
    size_t done_count; /* ever added */
    struct print done[FOLLOW_DONE_MAX]; /* a ring: entry n is at n % FOLLOW_DONE_MAX */
};

bool follow_state_finished(const struct follow_state *s, struct print print);
void follow_state_finish(struct follow_state *s, struct print print);

/* Logs that are read side by side: several loggers of one Zeek cluster archive their parts into the
 * same directories, under names that don't tell whose they are. What one has read, is reading or
 * will read on is not the others'. Zeroed at birth. */
#define FOLLOW_FAMILY_MAX 128 /* INPUTS_MAX, old and new during a reload */
struct follow;
struct follow_member {
    const struct follow_state *state; /* all borrowed until it leaves */
    const struct generation *now;
    /* Looks now for the part that the log was reading before a restart, if it has not been found
     * yet. false: that can't be told now. True also if it is nowhere: what is there is not it. */
    bool (*look)(struct follow *f);
    struct follow *follow;
};
struct follow_family {
    struct follow_member members[FOLLOW_FAMILY_MAX];
    size_t count;
};

/* Both do nothing if `family` is NULL or full. */
void follow_family_join(struct follow_family *family, struct follow_member member);
void follow_family_leave(struct follow_family *family, const struct follow_state *state);

/* May the log of `self` read this part? 1; 0 if it is another's; PART_HELD if it may be the one
 * that another log, which can't look for it now, was reading before a restart. */
int follow_family_free(const struct follow_family *family, const struct follow_state *self,
                       const struct generation *part);

#define PART_HELD 2

struct follow_want {
    uint64_t size; /* at least so many bytes (not known of compressed files) */
    bool copy;     /* only under another inode */
};

/* Opens the part that `s` names under whatever name it has now: the path itself, or a renamed,
 * copied or compressed sibling. Returns 1, 0 if there is none, -1 if that can't be told now. */
int follow_state_find(const struct follow_state *s, const struct places *p, const char *base,
                      const struct follow_want *want, struct generation *out,
                      struct sibling *where);
