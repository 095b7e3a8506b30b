/* SPDX-License-Identifier: MIT */
/* cms.h - about how often each key was counted, for any number of keys in fixed memory.
 *
 * Count-min sketch (Cormode, Muthukrishnan, J. Algorithms 55, 2005) with conservative update
 * (Estan, Varghese, 2002): never below the truth; above it by more than 2 N / CMS_WIDTH with
 * probability below 2^-CMS_DEPTH after N counts. When N reaches a limit all counters are
 * halved, so that old counts fade and the error stays bounded: from then on it is the truth of
 * the recent past, give or take. */
#pragma once

#include <stdint.h>

#define CMS_DEPTH 4
#define CMS_WIDTH 16384 /* counters in a row, a power of two: 256 KiB in all */

struct cms {
    uint32_t count[CMS_DEPTH][CMS_WIDTH];
    uint64_t total;
};

/* Counts the key once and returns its estimate. */
uint32_t cms_add(struct cms *cms, uint64_t hash);
uint32_t cms_estimate(const struct cms *cms, uint64_t hash);
