/* SPDX-License-Identifier: MIT */
/* hll.h - how many distinct things were seen, in 64 bytes, give or take 13 %.
 *
 * HyperLogLog (Flajolet, Fusy, Gandouet, Meunier, AofA 2007) with 64 registers, one byte
 * each, and linear counting below 160 as in that paper: exact within one or two up to
 * about 20. Standard error 1.04/sqrt(64). Two sketches merge by the larger register. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define HLL_REGISTERS 64

struct hll {
    uint8_t rank[HLL_REGISTERS]; /* of the rarest hash seen: leading zeros + 1; 0 = none */
};

/* Adds the thing with this hash; true if the sketch has changed. */
bool hll_add(struct hll *hll, uint64_t hash);

double hll_estimate(const struct hll *hll);

void hll_merge(struct hll *into, const struct hll *from);
