/* SPDX-License-Identifier: MIT */
/* score.h - asks every detector, calibrates what it says, combines, and learns. */
#pragma once

#include "part.h"
#include "row.h"
#include "score/calibrate.h"
#include "score/explanation.h"
#include "score/suspects.h"

struct score_state {
    struct calibration calibration[DETECTOR_MAX];
    void *detector[DETECTOR_MAX]; /* each detector's own site-wide memory */
    size_t count;
    size_t looking; /* detectors that are not idle, as of the latest row */
    struct suspects suspects;
    int64_t span_us, last_us; /* event time seen, for the learning phase; the latest of it */
    bool agreed, first_pass;  /* as of the row before */
    double role_owed;         /* of what suspicious rows teach of roles */
};

/* Conf structs of the settings in force. */
struct score_conf {
    const struct calibrate_conf *calibrate;
    const void *detector[DETECTOR_MAX]; /* in the order of parts.def */
};

int score_new(const struct score_conf *conf, struct score_state **out, eddy_error *err);
void score_free(struct score_state *state);

/* Fills row->finding, row->best, row->verdict and row->teach. */
void score(struct score_state *state, const struct score_conf *conf, struct row *row);

/* Teaches the detectors and the calibrations, as much as row->teach allows. After score(). */
void score_learn(struct score_state *state, const struct score_conf *conf, struct row *row);

/* A part of score_learn: teaches the calibration of detector `index` what it said of the row. */
void score_learn_sample(struct score_state *state, const struct score_conf *conf, size_t index,
                        const struct row *row);

/* Is what detector `index` says of little worth yet: in the first calibrate.learning of event time,
 * or before it has seen enough? */
bool score_learning(const struct score_state *state, const struct score_conf *conf, size_t index);

/* Why detector `index` said what it said of the row it saw last. */
void score_explain(const struct score_state *state, const struct score_conf *conf, size_t index,
                   const struct row *row, struct explanation *out);

/* The place in parts.def of the detector with this name; the end of the list if there is none. */
size_t score_place(const char *name);

/* The p of the smallest of `tests` independent p-values (Sidak 1967), exact for tiny p. */
double smallest_of(double p, double tests);
