/* SPDX-License-Identifier: MIT */
/* histogram.c - the past of a column in 96 fixed bins, and how much of it lies further out. */
#include "score/histogram.h"

#include <math.h>
#include <string.h>

#define BINS   HISTOGRAM_BINS
#define WIDE   HISTOGRAM_WIDE
#define COARSE HISTOGRAM_COARSE

static void halve(struct histogram *h)
{
    memset(h->coarse, 0, sizeof h->coarse);
    h->total = 0;
    for (unsigned i = 0; i < BINS; i++) {
        h->count[i] /= 2;
        h->coarse[i / WIDE] += h->count[i];
        if (h->count[i] > 0 && h->total == 0)
            h->lowest = (uint16_t)i;
        if (h->count[i] > 0)
            h->highest = (uint16_t)i;
        h->total += h->count[i];
    }
}

void histogram_add(struct histogram *h, unsigned bin)
{
    if (h->total == 0 || bin < h->lowest)
        h->lowest = (uint16_t)bin;
    if (h->total == 0 || bin > h->highest)
        h->highest = (uint16_t)bin;
    h->count[bin]++;
    h->coarse[bin / WIDE]++;
    if (++h->total == UINT32_C(1) << 20)
        halve(h);
}

/* Masks that slide: as many zeros as there are numbers, then as many ones. */
#define NONE4 0, 0, 0, 0
#define ALL4  UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX
_Static_assert(COARSE == 12 && WIDE == 8, "as many as the masks");
static const uint32_t masks[2][2 * COARSE] = {
    {NONE4, NONE4, NONE4, ALL4, ALL4, ALL4}, /* of COARSE */
    {NONE4, NONE4, ALL4, ALL4},              /* of WIDE */
};

/* The sum of the numbers above, or below, number `own` of `count`. */
static inline uint32_t sum_beyond(const uint32_t *number, const uint32_t *mask, unsigned count,
                                  unsigned own, bool low)
{
    uint32_t sum = 0;
    if (low)
        for (unsigned i = 0; i < count; i++)
            sum += number[i] & ~mask[count - own + i];
    else
        for (unsigned i = 0; i < count; i++)
            sum += number[i] & mask[count - 1 - own + i];
    return sum;
}

/* Flows in bins above (or below) this one, and half of those in it. All sums run over all bins and
 * leave out by a mask from a table: without that, a compiler makes branches of it. */
static double further_out(const struct histogram *h, unsigned bin, bool low)
{
    unsigned own = bin / WIDE, inside = bin % WIDE;
    const uint32_t *fine = h->count + own * WIDE;
    uint32_t sum = sum_beyond(h->coarse, masks[0], COARSE, own, low) +
                   sum_beyond(fine, masks[1], WIDE, inside, low);
    return sum + 0.5 * fine[inside];
}

double histogram_p(const struct histogram *h, unsigned bin, bool low, double above, double weight)
{
    if (h->total == 0)
        return weight > 0 ? above : 1.0;
    double out = further_out(h, bin, low), n = h->total + 1.0;
    double beyond = low ? (double)h->lowest - bin : (double)bin - h->highest;
    out = out < 1.0 ? 1.0 : out;
    if (beyond > 0) /* half-octaves */
        out = exp2(-beyond / 2.0);
    double p = (out + weight * above) / (n + weight), least = 1.0 / (n * n);
    return p > least ? p : least;
}

unsigned histogram_middle(const struct histogram *h)
{
    uint64_t below = 0;
    unsigned bin = 0;
    for (; bin < BINS; bin++) {
        below += h->count[bin];
        if (below * 2 > h->total)
            break;
    }
    return bin;
}
