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

static inline uint32_t step(const struct node *nodes, uint32_t at, const float *row)
{
    struct node node = nodes[at];
    return node_left(node) + !(row[node_column(node)] <= node.threshold);
}

/* One step of each tree of a group. Written out: gcc leaves a loop over lanes a loop at -O2,
 * and that took a third longer. */
static inline void step_all(const struct node *nodes, uint32_t at[FOREST_LANES], const float *row)
{
#define LANE(i) at[i] = step(nodes, at[i], row)
    LANE(0), LANE(1), LANE(2), LANE(3), LANE(4), LANE(5), LANE(6), LANE(7);
    LANE(8), LANE(9), LANE(10), LANE(11), LANE(12), LANE(13), LANE(14), LANE(15);
#undef LANE
}

/* Is anything of the row missing, and does that matter? */
static bool has_gaps(const struct forest *forest, const float *row)
{
    bool gaps = false;
    for (uint32_t i = 0; forest->missing_left != NULL && i < forest->width; i++)
        gaps |= isnan(row[i]);
    return gaps;
}

/* The leaf of a row in which something is missing: rare, so one tree at a time. */
static uint32_t walk_gaps(const struct forest *forest, uint32_t at, const float *row)
{
    for (;;) {
        struct node node = forest->node[at];
        bool missing = isnan(row[node_column(node)]);
        uint32_t next =
            missing && forest->missing_left[at] ? node_left(node) : step(forest->node, at, row);
        if (next == at)
            return at;
        at = next;
    }
}

static void add_leaf(const struct forest *forest, uint32_t leaf, double *sums)
{
    const double *value =
        forest->value + (size_t)(uint32_t)forest->node[leaf].threshold * forest->outputs;
    for (uint32_t i = 0; i < forest->outputs; i++)
        sums[i] += value[i];
}

double forest_sum(const struct forest *forest, const float *row)
{
    double sum = 0.0;
    forest_sums(forest, row, &sum);
    return sum;
}

void forest_sums(const struct forest *forest, const float *row, double *sums)
{
    if (has_gaps(forest, row)) {
        for (uint32_t tree = 0; tree < forest->trees; tree++)
            add_leaf(forest, walk_gaps(forest, forest->root[tree], row), sums);
        return;
    }
    const struct node *nodes = forest->node;
    for (uint32_t first = 0; first < forest->trees; first += FOREST_LANES) {
        uint32_t at[FOREST_LANES], real = forest->trees - first;
        for (uint32_t i = 0; i < FOREST_LANES; i++) /* the last group may walk a tree twice */
            at[i] = forest->root[i < real ? first + i : first];
        for (unsigned n = forest->steps[first / FOREST_LANES]; n > 0; n--)
            step_all(nodes, at, row);
        for (uint32_t i = 0; i < FOREST_LANES && i < real; i++)
            add_leaf(forest, at[i], sums);
    }
}

double forest_score(const struct forest *forest, const float *row)
{
    return exp2(-forest_sum(forest, row) / (forest->trees * forest->normaliser));
}

void forest_credit(const struct forest *forest, const float *row, double *credit)
{
    for (uint32_t i = 0; i < forest->width; i++)
        credit[i] = 0.0;
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t at = forest->root[tree];
        for (uint32_t next = step(forest->node, at, row); next != at;
             next = step(forest->node, at, row)) {
            double gain = isolation_c(forest->cover[at]) - isolation_c(forest->cover[next]) - 1.0;
            credit[node_column(forest->node[at])] += gain / forest->trees;
            at = next;
        }
    }
}
