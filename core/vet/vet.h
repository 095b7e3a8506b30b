/* SPDX-License-Identifier: MIT */
/* vet.h - what people have said: suppressions and marks, applied to what the detectors found. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "part.h"
#include "row.h"
#include "score/score.h"

struct marks;
struct rules;

extern const struct part suppress_part, feedback_part;

struct suppress_conf {
    const char *path; /* "": none */
    double max_share; /* for `eddy suppress`: the library lets a person do what they want */
    bool count_all;
};

struct feedback_conf {
    const char *path; /* "": none */
    int64_t half_life_us;
};

struct vet_counts {
    uint64_t loaded, failed; /* readings of a file that changed */
};

/* Under the engine's lock. */
struct vet_state {
    struct rules *rules; /* NULL: none */
    struct marks *marks; /* NULL: none */
    struct vet_counts suppressions, feedback;
};

/* What the step needs of others. */
struct vet_conf {
    const struct suppress_conf *suppress;
    const struct feedback_conf *feedback;
    double join; /* decide.join: findings above this p open and join nothing */
};

/* Zeroed is ready. */
void vet_done(struct vet_state *state);

/* Lowers findings that were marked benign, names the suppression that covers a finding
 * (finding.rule), and sets row->teach to 0 for what is suppressed or known to be malicious. The
 * verdict stays what the detectors made of the row. `now_us` is the watermark. */
void vet(struct vet_state *state, const struct vet_conf *conf, const struct score_state *score,
         const struct score_conf *score_conf, struct row *row, int64_t now_us);
