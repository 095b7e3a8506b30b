/* SPDX-License-Identifier: MIT */
/* looks.c - how many windows of hosts are looked at in a day: the chances that chance has. */
#include "decide/looks.h"

#include <math.h>

#define DAY_US      86400e6
#define LEAST_US    600e6
#define LEAST_SHARE 1e-3

void looks_add(struct looks *l, int64_t now_us)
{
    if (!l->begun || now_us < l->since_us) /* at first, or time was set back */
        *l = (struct looks){.since_us = now_us, .last_us = now_us, .begun = true};
    if (now_us > l->last_us) {
        l->faded *= exp(-(double)(now_us - l->last_us) / DAY_US);
        l->last_us = now_us;
    }
    l->faded += 1.0;
}

double looks_per_day(const struct looks *l)
{
    double span_us = fmax(LEAST_US, (double)(l->last_us - l->since_us));
    return l->faded / -expm1(-span_us / DAY_US);
}

double looks_limit(const struct looks *l, double false_per_day, double ceiling)
{
    double per_day = looks_per_day(l);
    double limit = per_day > 0.0 ? false_per_day / per_day : ceiling;
    return fmax(ceiling * LEAST_SHARE, fmin(ceiling, limit));
}
