/* SPDX-License-Identifier: MIT */
/* isolation.h - grows isolation trees (Liu, Ting, Zhou: Isolation forest, ICDM 2008; TKDD 2012). */
#pragma once

#include "model/forest.h"
#include "model/random.h"

#define ISOLATION_SAMPLES 256 /* of a tree, at most: "256 generally provides enough details" */
#define ISOLATION_NODES   (2 * ISOLATION_SAMPLES - 1)

/* The mean length of an unsuccessful search in a binary search tree of n: 2 H(n-1) - 2 (n-1)/n,
 * with H(i) = ln(i) + 0.5772156649; 1 for n = 2 and 0 below (the paper's equation 1, TKDD). */
double isolation_c(double n);

/* What a tree is grown from, and the room that takes. */
struct isolation_plot {
    float sample[FOREST_COLUMNS][ISOLATION_SAMPLES];
    uint16_t order[ISOLATION_SAMPLES]; /* samples, those of a node side by side */
    uint32_t samples, width;
};

/* Grows tree number `tree`: a column, uniformly among those in which the node's samples differ, and
 * a threshold, uniformly between their least and largest; down to log2(samples) or a single
 * sample. Its nodes are those from tree * ISOLATION_NODES, its leaves' values those from
 * tree * ISOLATION_SAMPLES. `plot->order` comes back in another order. */
void isolation_grow(struct forest *forest, uint32_t tree, struct isolation_plot *plot,
                    struct random *random);
