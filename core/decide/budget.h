/* SPDX-License-Identifier: MIT */
/* budget.h - how many incidents a day, and which: a closed loop.
 *
 * A token bucket in event time (leaky bucket as a meter, ITU-T I.371) that holds and refills half
 * a day's number, so that no 24 hours bring more than `per_day`. The emptier it is, the more
 * extreme an incident must be: from `p` when it is full to p * 1e-4 when it is nearly empty. The
 * last quarter is kept for the extreme. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct budget_conf {
    double per_day;
    double p;       /* an incident needs at least this */
    double extreme; /* below this the reserve may be spent */
};

struct budget {
    double tokens;
    int64_t last_us; /* event time of the last refill; 0 = full and not begun */
};

/* May an incident with this p be sent at this time? Takes its token if so. */
bool budget_take(struct budget *budget, const struct budget_conf *conf, double p, int64_t now_us);

/* Incidents that could be sent now. */
double budget_left(const struct budget *budget, const struct budget_conf *conf);
