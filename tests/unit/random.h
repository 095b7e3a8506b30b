/* SPDX-License-Identifier: MIT */
/* random.h - seeded random numbers for tests: the same on every machine. */
#pragma once

#include <math.h>
#include <stdint.h>

#include "util/hash.h"

struct rng {
    uint64_t state;
};

/* splitmix64 */
static inline uint64_t rng_bits(struct rng *rng)
{
    rng->state += 0x9e3779b97f4a7c15u;
    return hash_mix(rng->state);
}

/* 0 < u < 1 */
static inline double rng_uniform(struct rng *rng)
{
    return ((double)(rng_bits(rng) >> 12) + 0.5) * 0x1p-52;
}

static inline uint64_t rng_below(struct rng *rng, uint64_t limit)
{
    return rng_bits(rng) % limit;
}

/* With a mean of 1. */
static inline double rng_exponential(struct rng *rng)
{
    return -log(rng_uniform(rng));
}
