/* SPDX-License-Identifier: MIT */
/* frequent.h - the most frequent of many things, in 96 bytes, never overstated.
 *
 * Misra, Gries, Finding repeated elements, Science of Computer Programming 2, 1982: a thing
 * without a slot takes one from each. After n things a count is below the truth by at most
 * n / (FREQUENT_SLOTS + 1), and never above it: many different things leave nothing. */
#pragma once

#include <stdint.h>

#define FREQUENT_SLOTS 16

struct frequent {
    uint32_t key[FREQUENT_SLOTS];
    uint16_t count[FREQUENT_SLOTS]; /* 0 = the slot is free; stops at 65535 */
};

void frequent_add(struct frequent *frequent, uint32_t key);

/* The largest count, and whose it is (unchanged if there is none). */
uint16_t frequent_most(const struct frequent *frequent, uint32_t *key);
