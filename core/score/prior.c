/* SPDX-License-Identifier: MIT */
/* prior.c - what flows are like anywhere, for a first day that is not blind. */
#include "score/prior.h"

#include <math.h>

const struct prior_line prior_lines[] = {
#define PRIOR(kind, column, lowest, bins, ...)                                                     \
    {kind, column, lowest, bins, (const uint16_t[]){__VA_ARGS__}},
#include "score/prior.inc"
#undef PRIOR
};

const size_t prior_line_count = sizeof prior_lines / sizeof *prior_lines;

/* Counts are whole: what is rounded is the sum so far, so that each share of all that lies further
 * out is right within half a flow, and the sum is the weight. */
void prior_fill(struct histogram *h, const struct prior_line *line, double weight)
{
    double flows = 0.0, seen = 0.0;
    for (unsigned i = 0; i < line->bins; i++)
        flows += line->count[i];
    double scale = fmin(weight, flows) / flows;
    for (unsigned i = 0; i < line->bins; i++) {
        double before = round(seen * scale);
        seen += line->count[i];
        for (double n = before; n < round(seen * scale); n++)
            histogram_add(h, line->lowest + i);
    }
}
