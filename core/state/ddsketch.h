/* SPDX-License-Identifier: MIT */
/* ddsketch.h - quantiles and tail weights of positive numbers, within 2 % of their value.
 *
 * DDSketch (Masson, Rim, Lee, VLDB 2019) with fixed logarithmic buckets: bucket i holds
 * (gamma^(i-1), gamma^i] * DDSKETCH_LEAST with gamma = (1 + a) / (1 - a), a = 0.02.
 * Weights are doubles, so that a sample can count for less than one. Sketches merge by adding. */
#pragma once

#include <stddef.h>

#define DDSKETCH_BUCKETS 320
#define DDSKETCH_LEAST   0.001 /* everything up to this is bucket 0 */

struct ddsketch {
    double weight[DDSKETCH_BUCKETS];
    double total;
};

/* The bucket of a value: 0 for those up to DDSKETCH_LEAST, the last for those beyond
 * DDSKETCH_LEAST * gamma^319 = 349. */
size_t ddsketch_bucket(double value);

/* The middle of a bucket: at most 2 % from every value in it. */
double ddsketch_value(size_t bucket);

void ddsketch_add(struct ddsketch *sketch, double value, double weight);

/* The value below which the share q (0..1) of the weight lies; 0 for an empty sketch. */
double ddsketch_quantile(const struct ddsketch *sketch, double q);

void ddsketch_merge(struct ddsketch *into, const struct ddsketch *from);

/* Multiplies every weight: by less than one, the past fades. */
void ddsketch_scale(struct ddsketch *sketch, double factor);
