/* SPDX-License-Identifier: MIT */
/* probes.h - looks at the clock between the steps of the pipeline itself: nothing of it is copied.
 *
 * The linker (--wrap, see CMakeLists.txt) puts a probe in the place of each step's function and of
 * the list of detectors. It calls the real one, and charges the time since the last look at the
 * clock to what was under way until then. Without rows to look at, a probe is a call and a branch.
 */
#pragma once

#include <stdint.h>

#include "part.h"

enum step {
    CLEAN,
    ENRICH,
    LOCK, /* what run() does between its steps */
    STATE,
    FEATURES,
    SCORE, /* of each detector */
    LEARN = SCORE + DETECTOR_MAX,
    CALIBRATE = LEARN + DETECTOR_MAX,
    ROLES,
    COMBINE, /* what is left of score() and score_learn() */
    VET,
    DECIDE,
    STEP_COUNT
};

/* What was seen of one kind of row, on one row in `stride`. */
struct probed {
    uint64_t ticks[STEP_COUNT], looks[STEP_COUNT];
    uint64_t rows;     /* all of them: those that came past clean */
    uint64_t timed;    /* of them */
    uint64_t too_long; /* taken for interrupted, and left out */
};

#define PROBE_KINDS (ROW_NAME + 1)

struct probes {
    uint64_t stride; /* 0: no row is timed; a prime does not fall into step with the log */
    double longest;  /* ns of a row */
    double ns_per_tick, ticks_per_look;
    struct probed kind[PROBE_KINDS];
};

extern struct probes probes;

/* Measures the clock and forgets what was seen. */
void probes_begin(uint64_t stride, double longest_ns);

/* After the last row. */
void probes_end(void);

/* ns of a step, for each row of that kind, without the looks at the clock. */
double probes_ns(enum row_kind kind, size_t step);
