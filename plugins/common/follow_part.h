/* SPDX-License-Identifier: MIT */
/* follow_part.h - what a follower is, and the part it is reading. For follow.c only. */
#pragma once

#include <limits.h>

#include "follow.h"

struct follow {
    eddy_worker *worker;
    struct say log;
    struct follow_family *family; /* or NULL */
    char *path, *folder, *archive;
    const char *base;      /* in path */
    struct generation now; /* fd -1: none */
    int home;              /* directory of the last part, which may have been moved; -1: none */
    bool superseded;       /* a newer part with bytes in it was seen before the last read */
    bool refused;          /* the worker said EDDY_EINPUT for this part; told once */
    bool resuming;         /* the part named by `state` is still to be found */
    bool skip_existing;
    uint64_t skip; /* the worker reads these bytes for the headers only */
    char name[NAME_MAX + 1];
    int complaint; /* errno last told about, so that it is told once */
    int64_t
        absent_due_ms; /* the directory was missing: look into the archives then; 0: it was not */
    int64_t held_since_ms; /* a part was held back at the last scan; 0: none. Both monotonic */
    bool held_told, absent_told;
    int64_t vain_until_ms; /* monotonic: the last look into the archives found nothing */
    struct follow_state state;
    struct follow_stats stats;
    unsigned char piece[FOLLOW_PIECE];
};

/* Tells what is wrong with the path, once. */
void follow_complain(struct follow *f, int error);

/* Makes the state that a checkpoint takes that of the current part. */
void follow_keep_state(struct follow *f);

/* Makes an opened generation the current one, to be read on from `offset`, a line start. */
void follow_take_part(struct follow *f, struct generation *g, int place, const char *name,
                      uint64_t offset);

/* The current part is read: its last line, if it has no newline, is a record too. */
void follow_finish_part(struct follow *f);

/* No part is open any more. */
void follow_drop_part(struct follow *f);
