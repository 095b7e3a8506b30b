/* SPDX-License-Identifier: MIT */
/* budget.h - how many incidents a day, and which: a closed loop.
 *
 * No 24 hours of event time bring more than `per_day`. Of what asks to be sent,
 *
 *   - only what is among the `per_day` most unusual of the last 24 hours, sent or not, may be:
 *     on a noisy day the bar is where so many would pass;
 *   - once half is spent, the limit falls from `p`, evenly in log p, to `extreme` when three
 * quarters are;
 *   - the last quarter is for the extreme.
 *
 * So a calm day sends all there is, and a noisy morning can't use up what the evening needs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BUDGET_MOST 1000 /* a day */

struct budget_conf {
    uint64_t per_day; /* up to BUDGET_MOST */
    double p;         /* an incident needs at least this */
    double extreme;   /* below this the last quarter may be spent */
};

/* Zeroed at birth. */
struct budget {
    /* Those who have asked within 24 hours: the most unusual ones if there are more. */
    struct budget_asked {
        uint64_t key;
        int64_t at_us;
        float score; /* -log10 p, at its best */
        bool used, sent;
    } asked[BUDGET_MOST];
};

/* May the incident called `key`, with this p, be sent at this time? It may ask again. */
bool budget_take(struct budget *budget, const struct budget_conf *conf, uint64_t key, double p,
                 int64_t now_us);

/* Incidents that could be sent now. */
size_t budget_left(const struct budget *budget, const struct budget_conf *conf, int64_t now_us);
