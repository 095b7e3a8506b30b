/* SPDX-License-Identifier: MIT */
/* prior.h - what flows are like anywhere, for a first day that is not blind: counts of tail's
 * columns in benign traffic, site-wide and by kind of flow, made by models/prior/make. */
#pragma once

#include <stddef.h>

#include "score/histogram.h"

/* One histogram. */
struct prior_line {
    uint8_t kind;   /* of flow, as tail numbers them; one more than the last: all flows */
    uint8_t column; /* of tail's */
    uint8_t lowest; /* bin of the first count */
    uint8_t bins;
    const uint16_t *count;
};

extern const struct prior_line prior_lines[];
extern const size_t prior_line_count;

/* Adds the line's counts to the histogram, worth `weight` flows but no more than were counted. */
void prior_fill(struct histogram *h, const struct prior_line *line, double weight);
