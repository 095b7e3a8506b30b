/* SPDX-License-Identifier: MIT */
/* forest.h - what forest.c, its words (forest_explain.c) and metrics share. */
#pragma once

#include "row.h"
#include "score/challenge.h"
#include "score/explanation.h"
#include "score/score.h"
#include "state/host.h"

struct forest_conf {
    const char *model, *challenger; /* read by settings.c, which opens them */
    double alert;
    double memory;
    double suspicious, leak;
};

struct forest_state {
    struct challenge challenge;

    /* of the champion, as long as it is the same */
    uint64_t id;
    uint16_t era;           /* counts champions; 0: none yet */
    double alert;           /* a score from which a flow is an alert */
    uint32_t benign_alerts; /* held-out flows with such a score */
    double share;           /* (1 + those) / (1 + all) */
    int64_t since_us;       /* windows that began before it are not its own */

    /* of the latest row */
    double score;                  /* how probably it is an attack */
    double p;                      /* of that, among held-out flows */
    double answer[FOREST_OUTPUTS]; /* the champion's, of each class */
    float row[FOREST_COLUMNS + 1]; /* as its trees see it */
    double closed_score;           /* of the window that it has closed; NAN: none */
};

/* The most probable class that is an attack. */
uint32_t forest_class(const struct model *champion, const double *answer);

/* Flows of the window that the champion has seen. */
static inline uint32_t forest_seen(const struct window *window)
{
    return window->flows - window->unseen;
}

/* The share of alerts that is to be expected of the host: of the held-out flows, and its own past.
 */
double forest_share(const struct forest_state *state, const struct model *champion,
                    const struct host *host);

/* Its words. */
void forest_explain(const void *state, const void *conf, const struct row *row,
                    struct explanation *out);

/* For metrics; valid under the engine's lock. */
const struct challenge *forest_challenge(const struct score_state *state);
