/* SPDX-License-Identifier: MIT */
/* cms.c - about how often each key was counted, for any number of keys in fixed memory. */
#include "cms.h"

#include <stddef.h>

#include "util/hash.h"

#define HALVE_AT (UINT64_C(64) * CMS_WIDTH) /* mean error then is at most 64 counts a row */

static uint32_t column(uint64_t hash, unsigned row)
{
    return (uint32_t)hash_mix(hash + row) & (CMS_WIDTH - 1);
}

uint32_t cms_estimate(const struct cms *cms, uint64_t hash)
{
    uint32_t least = UINT32_MAX;
    for (unsigned row = 0; row < CMS_DEPTH; row++) {
        uint32_t count = cms->count[row][column(hash, row)];
        least = count < least ? count : least;
    }
    return least;
}

static void halve(struct cms *cms)
{
    for (unsigned row = 0; row < CMS_DEPTH; row++)
        for (size_t i = 0; i < CMS_WIDTH; i++)
            cms->count[row][i] /= 2;
    cms->total /= 2;
}

uint32_t cms_add(struct cms *cms, uint64_t hash)
{
    uint32_t now = cms_estimate(cms, hash) + 1;
    for (unsigned row = 0; row < CMS_DEPTH; row++) { /* only counters that are too low move */
        uint32_t *count = &cms->count[row][column(hash, row)];
        *count = *count < now ? now : *count;
    }
    if (++cms->total >= HALVE_AT)
        halve(cms);
    return now;
}
