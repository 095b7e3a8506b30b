/* SPDX-License-Identifier: MIT */
/* hash.h - 64-bit hashes of small keys, for tables and sketches (not for secrets). */
#pragma once

#include <stdint.h>
#include <string.h>

/* A bijection on 64 bits whose output bits all depend on all input bits: the finaliser of
 * splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014). */
static inline uint64_t hash_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= 0xbf58476d1ce4e5b9u;
    x ^= x >> 27;
    x *= 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static inline uint64_t hash_add(uint64_t hash, uint64_t value)
{
    return hash_mix(hash ^ (value + 0x9e3779b97f4a7c15u)); /* 2^64 / golden ratio */
}

static inline uint64_t hash_address(const uint8_t address[16], uint64_t seed)
{
    uint64_t half[2];
    memcpy(half, address, sizeof half);
    return hash_add(hash_add(seed, half[0]), half[1]);
}
