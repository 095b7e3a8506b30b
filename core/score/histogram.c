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

/* Flows in bins above (or below) this one, and half of those in it. All sums run over all bins and
 * leave out by a mask: that is what a compiler makes short work of. */
static double further_out(const struct histogram *h, unsigned bin, bool low)
{
    uint32_t sum = 0, own = bin / WIDE, inside = bin % WIDE;
    const uint32_t *fine = h->count + own * WIDE;
    if (low) {
        for (unsigned i = 0; i < COARSE; i++)
            sum += i < own ? h->coarse[i] : 0;
        for (unsigned i = 0; i < WIDE; i++)
            sum += i < inside ? fine[i] : 0;
    } else {
        for (unsigned i = 0; i < COARSE; i++)
            sum += i > own ? h->coarse[i] : 0;
        for (unsigned i = 0; i < WIDE; i++)
            sum += i > inside ? fine[i] : 0;
    }
    return sum + 0.5 * fine[inside];
}

double histogram_p(const struct histogram *h, unsigned bin, bool low, double above, double weight)
{
    if (h->total == 0)
        return weight > 0 ? above : 1.0;
    double out = fmax(1.0, further_out(h, bin, low)), n = h->total + 1.0;
    double beyond = low ? (double)h->lowest - bin : (double)bin - h->highest;
    if (beyond > 0) /* half-octaves */
        out = exp2(-beyond / 2.0);
    double p = (out + weight * above) / (n + weight);
    return fmax(p, 1.0 / (n * n));
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
