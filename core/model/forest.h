/* SPDX-License-Identifier: MIT */
/* forest.h - decision trees in one flat array, and the walk through all of them at once.
 *
 *     node   [ tree 0 ........ | tree 1 ..... | ... ]   8 bytes each, siblings side by side
 *     value  [ one number for each leaf of each tree ]
 *
 * A walk goes left where x[column] <= threshold. A leaf leads to itself: its column is one past
 * the row's last, where there is a zero, and 0 <= threshold. So each tree takes as many steps as
 * its group of FOREST_LANES is deep, without one branch that depends on the row: mispredicted
 * branches are what a plain walk spends its time on. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FOREST_COLUMNS 64   /* of a row, at most */
#define FOREST_TREES   1024 /* at most */
#define FOREST_NODES                                                                               \
    (UINT32_C(1) << 24)   /* at most: a child is named by 24 bits, and a leaf's                    \
                             number must be exact in a float */
#define FOREST_LANES   16 /* trees walked side by side */
#define FOREST_OUTPUTS 64 /* numbers for each leaf, at most */

struct node {
    float threshold; /* of a leaf: its number in `value` */
    uint32_t way;    /* left child << 8 | column; the right child is the next */
};

struct forest {
    uint32_t trees, width; /* width: columns of a row */
    uint32_t outputs;      /* numbers for each leaf */
    uint32_t root[FOREST_TREES];
    uint16_t steps[FOREST_TREES / FOREST_LANES]; /* of each group: its deepest leaf */
    struct node *node;
    double *value;         /* `outputs` for each leaf */
    uint32_t *cover;       /* of each node: training samples that came by */
    uint8_t *missing_left; /* of each node: 1 if what is missing (NaN) goes left; NULL: all right */
    double normaliser;     /* isolation forests: c(samples of a tree) */
};

/* Makes a node. */
static inline struct node node_split(uint32_t left, uint32_t column, float threshold)
{
    return (struct node){threshold, left << 8 | column};
}

static inline struct node node_leaf(uint32_t self, uint32_t width, uint32_t leaf)
{
    return (struct node){(float)leaf, self << 8 | width};
}

static inline uint32_t node_left(struct node node)
{
    return node.way >> 8;
}

static inline uint32_t node_column(struct node node)
{
    return node.way & 0xff;
}

/* The row as trees see it: `width` numbers and a zero. As the trainers do it, a double is rounded
 * to the nearest float; what is beyond one becomes the largest. NaN stays: it is missing. */
float forest_number(double value);

/* Adds to `sums` the values of the leaves that the row comes to, tree by tree in their order. */
void forest_sums(const struct forest *forest, const float *row, double *sums);

/* Of a forest with one output. */
double forest_sum(const struct forest *forest, const float *row);

/* An isolation forest's score: 2^(-mean path length / c(samples)), from 0 to 1; 0.5 is usual. */
double forest_score(const struct forest *forest, const float *row);

/* Which columns isolate the row: credit[column] is by how much the splits on it have shortened its
 * paths, in steps of an average tree. A split takes one step and leaves `n` of `m` samples, so it
 * shortens the path that is to be expected by c(m) - c(n) - 1. The credits add up to
 * c(samples) - the mean path length. (Attribution along the path: Saabas 2014, for random forests;
 * for isolation forests, with other weights, DIFFI: Carletti, Terzi, Susto 2023.) */
void forest_credit(const struct forest *forest, const float *row, double *credit);
