/* SPDX-License-Identifier: MIT */
/* topk.h - the keys counted most often, in fixed memory.
 *
 * Space-Saving (Metwally, Agrawal, El Abbadi, ICDT 2005): a key that is not listed takes the
 * place and the count of the least. A count is never below the truth and above it by at most
 * `error`; every key counted more than total / TOPK_SLOTS times is listed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define TOPK_SLOTS 128

struct topk_slot {
    uint8_t key[16];
    uint64_t count, error;
};

struct topk {
    struct topk_slot slot[TOPK_SLOTS]; /* a min-heap by count: slot 0 is the least */
    size_t used;
};

void topk_add(struct topk *topk, const uint8_t key[16]);

/* Copies the `wanted` largest, largest first (ties by key); returns how many there are. */
size_t topk_largest(const struct topk *topk, struct topk_slot *out, size_t wanted);
