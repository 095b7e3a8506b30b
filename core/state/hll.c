/* SPDX-License-Identifier: MIT */
/* hll.c - how many distinct things were seen, in 64 bytes. */
#include "hll.h"

#include <math.h>

#define REGISTER_BITS 6

bool hll_add(struct hll *hll, uint64_t hash)
{
    unsigned index = (unsigned)(hash >> (64 - REGISTER_BITS));
    uint64_t rest = hash << REGISTER_BITS;
    uint8_t rank = rest == 0 ? 64 - REGISTER_BITS + 1 : (uint8_t)(__builtin_clzll(rest) + 1);
    if (rank <= hll->rank[index])
        return false;
    hll->rank[index] = rank;
    return true;
}

double hll_estimate(const struct hll *hll)
{
    const double m = HLL_REGISTERS, alpha = 0.709; /* alpha_64 of the paper */
    double sum = 0.0;
    unsigned zeros = 0;
    for (unsigned i = 0; i < HLL_REGISTERS; i++) {
        sum += 1.0 / (double)(UINT64_C(1) << hll->rank[i]);
        zeros += hll->rank[i] == 0;
    }
    double raw = alpha * m * m / sum;
    if (raw <= 2.5 * m && zeros > 0)
        return m * log(m / zeros); /* linear counting */
    return raw;
}

void hll_merge(struct hll *into, const struct hll *from)
{
    for (unsigned i = 0; i < HLL_REGISTERS; i++)
        if (into->rank[i] < from->rank[i])
            into->rank[i] = from->rank[i];
}
