/* SPDX-License-Identifier: MIT */
/* random.h - seeded random numbers: the same input gives the same forest on every machine. */
#pragma once

#include <stdint.h>

#include "util/hash.h"

/* splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014) */
struct random {
    uint64_t state;
};

static inline uint64_t random_bits(struct random *random)
{
    random->state += 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio */
    return hash_mix(random->state);
}

/* 0..limit-1. The remainder favours small numbers by limit / 2^64, which nobody can measure. */
static inline uint64_t random_below(struct random *random, uint64_t limit)
{
    return random_bits(random) % limit;
}

/* 0 <= u < 1 */
static inline double random_uniform(struct random *random)
{
    return (double)(random_bits(random) >> 11) * 0x1p-53;
}
