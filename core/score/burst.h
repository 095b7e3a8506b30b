/* SPDX-License-Identifier: MIT */
/* burst.h - what burst.c counts and burst_explain.c puts into words. */
#pragma once

#include "row.h"
#include "score/explanation.h"
#include "state/pulse.h"

struct burst_conf {
    int64_t tick_us;
    uint64_t least, sure, common_hosts;
    double usual, usual_failed, usual_logins;
    uint64_t sharp, sharp_failed, sharp_logins;
    double memory, suspicious, leak;
    double common, varied, nature;
};

enum burst_look { EDGE, SOURCE, SERVICE, TARGET, LOOKS };

/* Connections that reach us alike late, and are as usual or not: they share cells only with their
 * like, and logins are few. */
enum burst_crowd { LOGINS, TCP, TCP_FAILED, OTHER, OTHER_FAILED, CROWDS };

#define EDGE_CELLS   8192 /* in a row: 393 KB */
#define END_CELLS    2048 /* in a row of each of the others: 98 KB */
#define MANY         5 /* as many as on one pair are usual with one end: hosts have some five in use */
#define VARIED       12 /* quarter octaves: sizes that span a factor of eight, or several clusters */
#define CLIP         4.0  /* times the mean: the most that a suspicious tick teaches */
#define VICTIM_TESTS 10.0 /* ticks of a window; the destination's own window is not at hand */

struct burst_state {
    struct pulse_cell edge[PULSE_ROWS * EDGE_CELLS];
    struct pulse_cell end[LOOKS - 1][PULSE_ROWS * END_CELLS];
    bool first_pass;
    double owed; /* of what suspicious flows teach: counts are whole */

    /* of the latest row */
    struct pulse pulse[LOOKS];
    bool counted[LOOKS];
    enum burst_look look; /* the one that was told, if any */
    enum burst_crowd crowd;
};

/* ---- the null model: burst.c ---- */

struct burst_model {
    unsigned a;
    double b;
};

struct burst_model burst_model(const struct burst_conf *conf, enum burst_look look,
                               enum burst_crowd crowd, const struct pulse_cell *cell);

/* P(N >= count) */
double burst_model_p(const struct burst_model *m, double count);

/* About how many the key has in this tick: no row has less. */
double burst_count(const struct pulse *pulse);

/* The cell with the smaller count: nearest to the key's own. */
const struct pulse_cell *burst_cell(const struct pulse *pulse);

/* Does the row's source make up more than half of what its service is sent? */
bool burst_one_source(const struct burst_state *s);

/* What is left of the score. */
struct burst_doubts {
    double common, varied, nature;
};

struct burst_doubts burst_doubts(const struct burst_conf *conf, const struct burst_state *s,
                                 const struct row *row);

/* ---- burst_explain.c ---- */

void burst_explain(const void *state, const void *settings, const struct row *row,
                   struct explanation *out);
