/* SPDX-License-Identifier: MIT */
/* decide.h - from p-values to incidents: groups evidence by host and detector, keeps the budget. */
#pragma once

#include "decide/budget.h"
#include "decide/incidents.h"
#include "decide/looks.h"
#include "part.h"
#include "row.h"
#include "score/score.h"
#include "state/names.h"

extern const struct part decide_part;

struct decide_conf {
    double p; /* of a host's window, below which it is an incident, however small the network */
    double false_per_day; /* incidents a day that chance may open */
    double join;          /* of a flow, below which it belongs to an open incident */
    double extreme;
    uint64_t per_day;
    int64_t quiet_us;
};

struct decide_counts {
    uint64_t incidents[DETECTOR_MAX], withheld[DETECTOR_MAX], flows[DETECTOR_MAX];
    uint64_t suppressed[DETECTOR_MAX], suppressed_flows[DETECTOR_MAX];
    uint64_t open;
    uint64_t no_place; /* looks that would have opened one more than INCIDENTS_OPEN */
};

/* Told of each incident as it opens, grows, is released from being withheld, falls quiet, and
 * closes. */
typedef void decide_fn(const struct incident_event *event, void *user);

struct decide_state {
    struct incident *pool;           /* INCIDENTS_OPEN */
    float worth[INCIDENTS_OPEN];     /* of a place in the pool, see decide.c */
    uint16_t bucket[INCIDENTS_OPEN]; /* by key: the first open one's number + 1; 0 = none */
    int64_t swept_us;                /* event time of the last look for quiet ones */
    struct looks looks;
    struct budget budget;
    struct decide_counts counts;
    const struct names *names; /* what other ends are called; NULL: nobody knows */
    decide_fn *tell;
    void *user;
};

int decide_new(decide_fn *tell, void *user, struct decide_state **out, eddy_error *err);
void decide_free(struct decide_state *state);

/* Opens or grows incidents with this row's evidence and sets its verdict's flags. `now_us` is the
 * watermark. */
void decide(struct decide_state *state, const struct decide_conf *conf,
            const struct score_state *score, const struct score_conf *score_conf, struct row *row,
            int64_t now_us);

/* The p that an incident needs to be sent, by the size of the network: see looks.h. */
double decide_limit(const struct decide_state *state, const struct decide_conf *conf);

/* Closes all that is open. */
void decide_end(struct decide_state *state);
