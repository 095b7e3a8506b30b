/* SPDX-License-Identifier: MIT */
/* forest.c - decision trees in one flat array, and the walk through all of them at once. */
#include "model/forest.h"

#include <float.h>
#include <math.h>

#include "model/isolation.h"

float forest_number(double value)
{
    if (fabs(value) > (double)FLT_MAX)
        return value > 0 ? FLT_MAX : -FLT_MAX;
    return (float)value;
}

/* ---- the walk ---- */

#define LANES 20 /* trees that one row is walked through at once: best of 8 to 32 */
#define ROWS  16 /* rows that are walked through one tree at once */

static inline uint32_t step(const struct node *nodes, uint32_t at, const uint32_t *row)
{
    struct node node = nodes[at];
    uint32_t value = row[node_column(node)], next = node_left(node);
    next += node.key < value; /* written like this, gcc adds the carry of the comparison */
    return next;
}

/* Written out: gcc leaves a loop over lanes a loop at -O2, and that took a third longer. */
#define LANES_16(LANE)                                                                             \
    LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7), LANE(8), LANE(9),      \
        LANE(10), LANE(11), LANE(12), LANE(13), LANE(14), LANE(15)
#define LANES_20(LANE) LANES_16(LANE), LANE(16), LANE(17), LANE(18), LANE(19)

/* The leaves of a row in LANES trees from `first` on, or in as many as there are: returns that. */
static uint32_t walk_trees(const struct forest *forest, uint32_t first, const uint32_t *row,
                           uint32_t leaf[LANES])
{
    const struct node *nodes = forest->node;
    uint32_t at[LANES], real = forest->trees - first, deepest = 0;
    for (uint32_t i = 0; i < LANES; i++) { /* the last group may walk a tree twice */
        uint32_t tree = i < real ? first + i : first, depth = forest->depth[tree];
        at[i] = forest->root[tree];
        deepest = depth > deepest ? depth : deepest;
    }
    for (; deepest > 0; deepest--) {
#define LANE(i) at[i] = step(nodes, at[i], row)
        LANES_20(LANE);
#undef LANE
    }
    memcpy(leaf, at, sizeof at);
    return real < LANES ? real : LANES;
}

/* The leaves of ROWS rows in one tree. */
static void walk_rows(const struct forest *forest, uint32_t tree, const uint32_t *rows,
                      uint32_t leaf[ROWS])
{
    const struct node *nodes = forest->node;
    uint32_t at[ROWS];
    for (uint32_t i = 0; i < ROWS; i++)
        at[i] = forest->root[tree];
    for (unsigned n = forest->depth[tree]; n > 0; n--) {
#define LANE(i) at[i] = step(nodes, at[i], rows + (i)*FOREST_COLUMNS)
        LANES_16(LANE);
#undef LANE
    }
    memcpy(leaf, at, sizeof at);
}

/* A step of a row in which something may be missing. */
static uint32_t step_gaps(const struct forest *forest, uint32_t at, const uint32_t *row)
{
    struct node node = forest->node[at];
    bool left = forest->missing_left != NULL && forest->missing_left[at] &&
                row[node_column(node)] == FOREST_MISSING;
    return left ? node_left(node) : step(forest->node, at, row);
}

/* The leaf of a row in which something is missing: rare, so one tree at a time. */
static uint32_t walk_gaps(const struct forest *forest, uint32_t at, const uint32_t *row)
{
    for (;;) {
        uint32_t next = step_gaps(forest, at, row);
        if (next == at)
            return at;
        at = next;
    }
}

/* ---- sums ---- */

static const double *value_of(const struct forest *forest, uint32_t leaf)
{
    return forest->value + (size_t)forest->node[leaf].key * forest->outputs;
}

/* Adds up leaves of one row. */
static void add_leaves(const struct forest *forest, const uint32_t *leaf, uint32_t count,
                       double *sums)
{
    if (forest->outputs == 1) {
        double sum = sums[0];
        for (uint32_t i = 0; i < count; i++)
            sum += *value_of(forest, leaf[i]);
        sums[0] = sum;
    } else if (forest->outputs == 2) {
        double first = sums[0], second = sums[1];
        for (uint32_t i = 0; i < count; i++) {
            const double *value = value_of(forest, leaf[i]);
            first += value[0];
            second += value[1];
        }
        sums[0] = first;
        sums[1] = second;
    } else {
        for (uint32_t i = 0; i < count; i++) {
            const double *value = value_of(forest, leaf[i]);
            for (uint32_t output = 0; output < forest->outputs; output++)
                sums[output] += value[output];
        }
    }
}

/* The keys of a row. True if something is missing, and that matters. */
static bool take_row(const struct forest *forest, const float *row, uint32_t *keys)
{
    bool gaps = false;
    for (uint32_t i = 0; i < forest->width; i++) {
        keys[i] = forest_key(row[i]);
        gaps |= keys[i] == FOREST_MISSING;
    }
    keys[forest->width] = 0; /* leaves look at it */
    return gaps && forest->missing_left != NULL;
}

static void sum_gaps(const struct forest *forest, const uint32_t *row, double *sums)
{
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t leaf = walk_gaps(forest, forest->root[tree], row);
        add_leaves(forest, &leaf, 1, sums);
    }
}

static void sum_row(const struct forest *forest, const uint32_t *row, double *sums)
{
    uint32_t leaf[LANES];
    for (uint32_t tree = 0; tree < forest->trees; tree += LANES)
        add_leaves(forest, leaf, walk_trees(forest, tree, row, leaf), sums);
}

void forest_sums(const struct forest *forest, const float *row, double *sums)
{
    uint32_t keys[FOREST_COLUMNS];
    if (take_row(forest, row, keys))
        sum_gaps(forest, keys, sums);
    else
        sum_row(forest, keys, sums);
}

double forest_sum(const struct forest *forest, const float *row)
{
    double sum = 0.0;
    forest_sums(forest, row, &sum);
    return sum;
}

/* ---- many rows ---- */

void forest_keys(const struct forest *forest, const float *row, uint32_t *keys)
{
    (void)take_row(forest, row, keys);
}

static bool has_gaps(const struct forest *forest, const uint32_t *row)
{
    bool gaps = false;
    for (uint32_t i = 0; forest->missing_left != NULL && i < forest->width; i++)
        gaps |= row[i] == FOREST_MISSING;
    return gaps;
}

/* Adds the leaf of each of ROWS rows to the row's own sums. */
static void add_leaf_each(const struct forest *forest, const uint32_t leaf[ROWS], double *sums)
{
    size_t outputs = forest->outputs;
    if (outputs == 1) {
        for (uint32_t i = 0; i < ROWS; i++)
            sums[i] += *value_of(forest, leaf[i]);
    } else if (outputs == 2) {
        for (uint32_t i = 0; i < ROWS; i++) {
            const double *value = value_of(forest, leaf[i]);
            sums[(size_t)i * 2] += value[0];
            sums[(size_t)i * 2 + 1] += value[1];
        }
    } else {
        for (uint32_t i = 0; i < ROWS; i++)
            add_leaves(forest, &leaf[i], 1, sums + i * outputs);
    }
}

/* Groups of ROWS rows with nothing missing, tree by tree; the other rows one by one. */
void forest_sums_batch(const struct forest *forest, const uint32_t *rows, size_t count,
                       double *sums)
{
    size_t whole[FOREST_BATCH / ROWS], groups = 0, outputs = forest->outputs;
    for (size_t first = 0; first < count; first += ROWS) {
        size_t real = count - first < ROWS ? count - first : ROWS;
        bool gaps = real < ROWS;
        for (size_t i = first; i < first + real && !gaps; i++)
            gaps = has_gaps(forest, rows + i * FOREST_COLUMNS);
        if (!gaps)
            whole[groups++] = first;
        for (size_t i = first; i < first + real && gaps; i++) {
            const uint32_t *row = rows + i * FOREST_COLUMNS;
            (has_gaps(forest, row) ? sum_gaps : sum_row)(forest, row, sums + i * outputs);
        }
    }
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        for (size_t i = 0; i < groups; i++) {
            uint32_t leaf[ROWS];
            walk_rows(forest, tree, rows + whole[i] * FOREST_COLUMNS, leaf);
            add_leaf_each(forest, leaf, sums + whole[i] * outputs);
        }
    }
}

/* ---- isolation forests ---- */

double forest_score_of(const struct forest *forest, double sum)
{
    return exp2(-sum / (forest->trees * forest->normaliser));
}

double forest_score(const struct forest *forest, const float *row)
{
    return forest_score_of(forest, forest_sum(forest, row));
}

void forest_credit(const struct forest *forest, const float *row, double *credit)
{
    uint32_t keys[FOREST_COLUMNS];
    (void)take_row(forest, row, keys);
    for (uint32_t i = 0; i < forest->width; i++)
        credit[i] = 0.0;
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t at = forest->root[tree];
        for (uint32_t next = step_gaps(forest, at, keys); next != at;
             next = step_gaps(forest, at, keys)) {
            double gain = isolation_c(forest->cover[at]) - isolation_c(forest->cover[next]) - 1.0;
            credit[node_column(forest->node[at])] += gain / forest->trees;
            at = next;
        }
    }
}
