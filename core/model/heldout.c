/* SPDX-License-Identifier: MIT */
/* heldout.c - how unusual a score is, by the scores of flows that the forest was not grown from. */
#include "model/heldout.h"

#include <math.h>

#define TAIL_SHARE 0.01
#define TAIL_LEAST 40.0 /* so a counted p is good to a sixth: 1/sqrt(40) */
#define BEYOND     10.0 /* times rarer than what was counted: p is never lower */
#define LOG10_E    0.43429448190325182

size_t heldout_bin(double score)
{
    double bin = score * HELDOUT_BINS;
    return !(bin > 0.0) ? 0 : bin >= HELDOUT_BINS - 1 ? HELDOUT_BINS - 1 : (size_t)bin;
}

void heldout_add(struct heldout *h, double score)
{
    h->count[heldout_bin(score)]++;
    h->total++;
}

void heldout_fit(struct heldout *h)
{
    double n = h->total, above = 0.0, sum = 0.0; /* sum: of the scores above, by their bins */
    double tail = fmin(n, fmax(TAIL_LEAST, TAIL_SHARE * n));
    size_t bin = HELDOUT_BINS;
    while (bin > 0 && (bin == HELDOUT_BINS || above < tail)) {
        bin--;
        above += h->count[bin];
        sum += h->count[bin] * ((double)bin + 0.5) / HELDOUT_BINS;
    }
    h->from = (double)bin / HELDOUT_BINS;
    h->surprise_from = -log10((above + 1.0) / (n + 1.0));
    double excess = above > 0.0 ? sum / above - h->from : 1.0;
    excess *= 1.0 + 2.0 / sqrt(fmax(above, 1.0));
    h->slope = LOG10_E / excess;
    h->most = log10(BEYOND * (n + 1.0));
    while (bin-- > 0) {
        above += h->count[bin];
        h->surprise[bin] = (float)fmax(0.0, -log10((above + 1.0) / (n + 1.0)));
    }
}

double heldout_surprise(const struct heldout *h, double score)
{
    if (score >= h->from)
        return fmin(h->surprise_from + (score - h->from) * h->slope, h->most);
    return (double)h->surprise[heldout_bin(score)];
}

uint32_t heldout_above(const struct heldout *h, double score)
{
    uint32_t above = 0;
    for (size_t bin = heldout_bin(score); bin < HELDOUT_BINS; bin++)
        above += h->count[bin];
    return above;
}

double heldout_middle(const struct heldout *h)
{
    uint64_t below = 0;
    size_t bin = 0;
    while (bin < HELDOUT_BINS - 1 && 2 * (below + h->count[bin]) <= h->total)
        below += h->count[bin++];
    return ((double)bin + 0.5) / HELDOUT_BINS;
}
