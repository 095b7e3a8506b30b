/* SPDX-License-Identifier: MIT */
/* lincount.c - how many distinct hosts do something, in 24 bytes. */
#include "lincount.h"

#include <math.h>

void lincount_add(struct lincount *count, uint64_t hash)
{
    uint32_t bit = (uint32_t)(((hash >> 32) * LINCOUNT_BITS) >> 32);
    count->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

uint32_t lincount_estimate(const struct lincount *count)
{
    int set = 0;
    for (unsigned i = 0; i < LINCOUNT_BITS / 64; i++)
        set += __builtin_popcountll(count->bits[i]);
    if (set <= 3) /* by far the most common; the estimate is the same */
        return (uint32_t)set;
    if (set == LINCOUNT_BITS)
        return LINCOUNT_MOST;
    return (uint32_t)lround(-LINCOUNT_BITS * log1p(-(double)set / LINCOUNT_BITS));
}
