/* SPDX-License-Identifier: MIT */
/* forest.h - decision trees in one flat array, and the walk through all of them at once.
 *
 *     node   [ tree 0 ........ | tree 1 ..... | ... ]   8 bytes each, siblings side by side
 *     value  [ one number for each leaf of each tree ]
 *
 * A walk goes left where x[column] <= threshold. Both are compared as keys: whole numbers in the
 * order of the floats, which takes two instructions less a step. A leaf leads to itself: its column
 * is one past the row's last, where the key is 0, and nothing is below 0. So a walk takes as many
 * steps as a tree is deep, or the deepest of those that are walked side by side, without one branch
 * that depends on the row: mispredicted branches are what a plain walk spends its time on.
 *
 * One row is walked through many trees at once. Of many rows, 16 are walked through one tree at
 * once, and the next 16: so a tree is in the cache for all of them. Both add up the leaves' values
 * in the order of the trees, so the sums are the same bit for bit. */
#pragma once

#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FOREST_COLUMNS 64                  /* of a row, at most */
#define FOREST_TREES   1024                /* at most */
#define FOREST_NODES   (UINT32_C(1) << 24) /* at most: a child is named by 24 bits */
#define FOREST_OUTPUTS 64                  /* numbers for each leaf, at most */

struct node {
    uint32_t key; /* of the threshold; of a leaf: its number in `value` */
    uint32_t way; /* left child << 8 | column; the right child is the next */
};

struct forest {
    uint32_t trees, width; /* width: columns of a row */
    uint32_t outputs;      /* numbers for each leaf */
    uint32_t root[FOREST_TREES];
    uint8_t depth[FOREST_TREES]; /* splits above its deepest leaf */
    struct node *node;
    double *value;         /* `outputs` for each leaf */
    uint32_t *cover;       /* of each node: training samples that came by */
    uint8_t *missing_left; /* of each node: 1 if what is missing (NaN) goes left; NULL: all right */
    double normaliser;     /* isolation forests: c(samples of a tree) */
};

/* Of a number that is not NaN: a < b just where its key is below that of b. 0 and -0 have the same;
 * none has 0, and none that of NaN. */
#define FOREST_MISSING UINT32_MAX /* the key of NaN: above all thresholds, so it goes right */

static inline uint32_t forest_key(float number)
{
    uint32_t bits;
    number += 0.0f; /* -0 becomes 0 */
    memcpy(&bits, &number, sizeof bits);
    if (isnan(number))
        return FOREST_MISSING;
    return bits >> 31 != 0 ? ~bits : bits | UINT32_C(1) << 31;
}

/* Makes a node. */
static inline struct node node_split(uint32_t left, uint32_t column, float threshold)
{
    return (struct node){forest_key(threshold), left << 8 | column};
}

static inline struct node node_leaf(uint32_t self, uint32_t width, uint32_t leaf)
{
    return (struct node){leaf, self << 8 | width};
}

/* Of a split. */
static inline float node_threshold(struct node node)
{
    uint32_t bits = node.key >> 31 != 0 ? node.key & INT32_MAX : ~node.key;
    float threshold;
    memcpy(&threshold, &bits, sizeof threshold);
    return threshold;
}

static inline uint32_t node_left(struct node node)
{
    return node.way >> 8;
}

static inline uint32_t node_column(struct node node)
{
    return node.way & 0xff;
}

/* A number of a row. As the trainers do it, a double is rounded to the nearest float; what is
 * beyond one becomes the largest. NaN stays: it is missing. */
float forest_number(double value);

/* Adds to `sums` the values of the leaves that the row comes to, tree by tree in their order. */
void forest_sums(const struct forest *forest, const float *row, double *sums);

#define FOREST_BATCH 1024 /* rows at a time, at most */

/* The row for a batch: its keys, of which there is room for FOREST_COLUMNS. */
void forest_keys(const struct forest *forest, const float *row, uint32_t *keys);

/* As forest_sums(), of `count` rows, up to FOREST_BATCH, each FOREST_COLUMNS after the last, to
 * `outputs` sums each. The more rows, the more they share of a forest that is larger than the
 * cache. */
void forest_sums_batch(const struct forest *forest, const uint32_t *rows, size_t count,
                       double *sums);

/* Of a forest with one output. */
double forest_sum(const struct forest *forest, const float *row);

/* An isolation forest's score: 2^(-mean path length / c(samples)), from 0 to 1; 0.5 is usual. The
 * second: of the row's sum. */
double forest_score(const struct forest *forest, const float *row);
double forest_score_of(const struct forest *forest, double sum);

/* Which columns isolate the row: credit[column] is by how much the splits on it have shortened its
 * paths, in steps of an average tree. A split takes one step and leaves `n` of `m` samples, so it
 * shortens the path that is to be expected by c(m) - c(n) - 1. The credits add up to
 * c(samples) - the mean path length. (Attribution along the path: Saabas 2014, for random forests;
 * for isolation forests, with other weights, DIFFI: Carletti, Terzi, Susto 2023.) */
void forest_credit(const struct forest *forest, const float *row, double *credit);
