/* SPDX-License-Identifier: MIT */
/* nursery.h - grows the next model in place, a little with each flow, while the last one is in use.
 *
 *     reservoir   6144 vetted flows, a uniform sample; every third is for growing trees from, the
 *                 others are held out and tell how usual which score is
 *     growing     one tree with every GROW_EVERY-th flow, about 100 microseconds each
 *     ranking     RANK_EACH held-out flows with each flow
 *     swapped     the new model is in use from the next flow on
 *
 * No thread and no clock: after how many flows a model is in use depends on nothing but the flows.
 * A model is grown when NURSERY_FIRST vetted flows have been seen, then when there are four times
 * as many as for the last one (the first was young), and each `retrain_us` of event time. */
#pragma once

#include <stdbool.h>

#include "model/isolation.h"
#include "model/model.h"
#include "model/reservoir.h"

#define NURSERY_ROWS  6144 /* of which 4096 are held out: p down to 1/4097 is counted */
#define NURSERY_FIRST 1024
#define NURSERY_TREES 128 /* at most */

struct nursery_conf {
    uint64_t trees, samples;
    int64_t retrain_us;
};

/* A model and the room for its trees. */
struct plant {
    struct model model;
    struct node node[NURSERY_TREES * ISOLATION_NODES];
    double value[NURSERY_TREES * ISOLATION_SAMPLES];
    uint32_t cover[NURSERY_TREES * ISOLATION_NODES];
};

enum nursery_phase { NURSERY_RESTING, NURSERY_GROWING, NURSERY_RANKING };

struct nursery {
    struct reservoir reservoir;
    struct random random; /* of the trees */
    uint32_t width;
    uint8_t column[FOREST_COLUMNS];
    enum nursery_phase phase;
    uint32_t done;         /* trees grown, or rows ranked, in this phase */
    uint32_t wait;         /* flows until the next tree */
    uint64_t learned;      /* vetted flows ever */
    uint64_t learned_then; /* when the last model was begun */
    int64_t begun_us;      /* event time then */
    unsigned in_use;       /* plant[in_use] is, if `ready` */
    bool ready;
    struct plant plant[2];
    struct isolation_plot plot;
    float row[NURSERY_ROWS][FOREST_COLUMNS / 2]; /* the columns that are used */
};

#define NURSERY_COLUMNS (FOREST_COLUMNS / 2)

/* `nursery` is zeroed. `column`: of features.def, at most NURSERY_COLUMNS - 1. */
void nursery_begin(struct nursery *nursery, const enum column *column, uint32_t width);

/* A copy is of no use before its pointers are its own. */
void nursery_settle(struct nursery *nursery);

/* A vetted flow, as model_row() gives it. */
void nursery_add(struct nursery *nursery, const float *row);

/* To be called with each flow; `now_us` is its time. */
void nursery_step(struct nursery *nursery, const struct nursery_conf *conf, int64_t now_us);

/* Grows a model from what there is at once, which takes milliseconds. False: there is too little.
 */
bool nursery_finish(struct nursery *nursery, const struct nursery_conf *conf, int64_t now_us);

/* The one in use, or NULL. */
const struct model *nursery_model(const struct nursery *nursery);
