/* SPDX-License-Identifier: MIT */
/* model_diff.h - two models beside each other: what differs is told. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "json_write.h"
#include "model_view.h"
#include "run.h"

struct diff {
    struct model_view a, b;
    bool json;
    struct json_writer w; /* of --json */
    size_t told;          /* differences */
    const char *topic;    /* under which they are listed */
    const char *printed;  /* topic that was the last to be printed; or NULL */
    size_t in_topic;      /* differences told under it */
};

/* Begins a list of differences, or goes on with one: then it may have as many lines again. */
void diff_topic(struct diff *diff, const char *topic);

/* One difference: where, and both values as JSON; NULL: not there. */
void diff_tell(struct diff *diff, const char *where, const char *a, const char *b);

/* The answers of both to the golden rows of each, and to the flows of the run's files, if it has
 * any. Returns an exit status of the run. */
int diff_answers(struct diff *diff, struct run *run);
