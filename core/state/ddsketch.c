/* SPDX-License-Identifier: MIT */
/* ddsketch.c - quantiles and tail weights of positive numbers, within 2 % of their value. */
#include "ddsketch.h"

#include <math.h>

#define ACCURACY  0.02
#define LOG_GAMMA 0.0400053354 /* ln((1 + ACCURACY) / (1 - ACCURACY)) */

size_t ddsketch_bucket(double value)
{
    if (!(value > DDSKETCH_LEAST))
        return 0;
    double index = ceil(log(value / DDSKETCH_LEAST) / LOG_GAMMA);
    return index >= DDSKETCH_BUCKETS - 1 ? DDSKETCH_BUCKETS - 1 : (size_t)index;
}

double ddsketch_value(size_t bucket)
{
    if (bucket == 0)
        return 0.0;
    /* 2 gamma^i / (gamma + 1), as in the paper */
    double gamma = (1 + ACCURACY) / (1 - ACCURACY);
    return DDSKETCH_LEAST * 2.0 * exp((double)bucket * LOG_GAMMA) / (gamma + 1.0);
}

void ddsketch_add(struct ddsketch *sketch, double value, double weight)
{
    sketch->weight[ddsketch_bucket(value)] += weight;
    sketch->total += weight;
}

double ddsketch_quantile(const struct ddsketch *sketch, double q)
{
    double rank = q * sketch->total, below = 0.0;
    size_t last = 0;
    for (size_t i = 0; i < DDSKETCH_BUCKETS; i++) {
        if (sketch->weight[i] <= 0.0)
            continue;
        last = i;
        below += sketch->weight[i];
        if (below >= rank)
            break;
    }
    return ddsketch_value(last);
}

void ddsketch_merge(struct ddsketch *into, const struct ddsketch *from)
{
    for (size_t i = 0; i < DDSKETCH_BUCKETS; i++)
        into->weight[i] += from->weight[i];
    into->total += from->total;
}

void ddsketch_scale(struct ddsketch *sketch, double factor)
{
    for (size_t i = 0; i < DDSKETCH_BUCKETS; i++)
        sketch->weight[i] *= factor;
    sketch->total *= factor;
}
