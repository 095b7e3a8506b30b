/* SPDX-License-Identifier: MIT */
/* histogram.h - the past of a column in 96 fixed bins, and how much of it lies further out.
 *
 * Beyond everything seen, the tail is taken to halve with each octave (a Pareto tail of index 1,
 * as Crovella and Bestavros 1997 found for transfer sizes), but no further than 1/n^2: n flows
 * can't tell more. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_BINS   96 /* half-octaves: up to 2^48 */
#define HISTOGRAM_WIDE   8  /* bins in a wide one */
#define HISTOGRAM_COARSE (HISTOGRAM_BINS / HISTOGRAM_WIDE)

struct histogram {
    uint32_t count[HISTOGRAM_BINS];
    uint32_t coarse[HISTOGRAM_COARSE]; /* sums of the wide bins */
    uint32_t total;
    uint16_t lowest, highest; /* bins seen; meaningless while total is 0 */
};

/* At 2^20 all counts are halved, so that the past fades and nothing overflows. What was seen once
 * is forgotten then. */
void histogram_add(struct histogram *h, unsigned bin);

/* How likely is a value as far out as this bin? `above` is the p of the level above, worth `weight`
 * flows; the topmost level has none (weight 0). */
double histogram_p(const struct histogram *h, unsigned bin, bool low, double above, double weight);

/* What histogram_p will read. */
static inline void histogram_prefetch(const struct histogram *h, unsigned bin)
{
    __builtin_prefetch(&h->count[bin]);
    __builtin_prefetch(&h->total);
}

/* The bin below which half of it lies; HISTOGRAM_BINS for an empty one. */
unsigned histogram_middle(const struct histogram *h);
