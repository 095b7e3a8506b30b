/* SPDX-License-Identifier: MIT */
/* attribution.c - which columns made a classifier say what it says of a row. */
#include "model/attribution.h"

#include <math.h>
#include <stdbool.h>

#define DEPTH   256  /* nodes from a root to a leaf: files have no deeper trees */
#define NOTHING 1e-9 /* of a sample: where no leaf knows of any, all weigh the same */

/* Leaves below a node. */
struct sum {
    double weight, value;
};

struct reading {
    const struct forest *forest;
    uint32_t output;
    uint32_t room; /* nodes that may still be read */
};

static bool is_leaf(const struct forest *forest, uint32_t at)
{
    return node_column(forest->node[at]) == forest->width;
}

/* Where the row goes from an inner node. */
static uint32_t next(const struct forest *forest, uint32_t at, const float *row)
{
    struct node node = forest->node[at];
    float x = row[node_column(node)];
    if (isnan(x) && forest->missing_left != NULL && forest->missing_left[at] != 0)
        return node_left(node);
    return node_left(node) + (node.key < forest_key(x));
}

static void add_leaf(const struct reading *r, uint32_t at, struct sum *sum)
{
    size_t leaf = r->forest->node[at].key;
    double weight = r->forest->cover[at] + NOTHING;
    sum->weight += weight;
    sum->value += weight * r->forest->value[leaf * r->forest->outputs + r->output];
}

/* Adds the leaves at and below a node. False: there is no room to read them. */
static bool add_below(struct reading *r, uint32_t top, struct sum *sum)
{
    uint32_t stack[DEPTH], count = 1;
    stack[0] = top;
    while (count > 0) {
        uint32_t at = stack[--count];
        if (r->room == 0)
            return false;
        r->room--;
        if (is_leaf(r->forest, at)) {
            add_leaf(r, at, sum);
            continue;
        }
        if (count + 2 > DEPTH)
            return false;
        stack[count++] = node_left(r->forest->node[at]) + 1;
        stack[count++] = node_left(r->forest->node[at]);
    }
    return true;
}

/* The nodes that the row comes by, the leaf last. 0: too many. */
static uint32_t walk(const struct forest *forest, uint32_t at, const float *row,
                     uint32_t path[DEPTH])
{
    uint32_t length = 0;
    for (; length < DEPTH; at = next(forest, at, row)) {
        path[length++] = at;
        if (is_leaf(forest, at))
            return length;
    }
    return 0;
}

/* From the leaf up: what is below a node is what is below its child on the path, and below the
 * other one. */
static bool add_tree(struct reading *r, uint32_t tree, const float *row, double *credit)
{
    const struct forest *forest = r->forest;
    uint32_t path[DEPTH], length = walk(forest, forest->root[tree], row, path);
    double gain[DEPTH];
    struct sum sum = {0.0, 0.0};
    if (length == 0)
        return false;
    add_leaf(r, path[length - 1], &sum);
    for (uint32_t i = length - 1; i-- > 0;) {
        double below = sum.value / sum.weight;
        uint32_t left = node_left(forest->node[path[i]]);
        if (!add_below(r, path[i + 1] == left ? left + 1 : left, &sum))
            return false;
        gain[i] = below - sum.value / sum.weight;
    }
    for (uint32_t i = 0; i + 1 < length; i++)
        credit[node_column(forest->node[path[i]])] += gain[i];
    return true;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

uint32_t attribution(const struct forest *forest, const float *row, uint32_t output, double *credit)
{
    struct reading r = {forest, output, ATTRIBUTION_NODES};
    uint32_t trees = forest->trees, read = 0;
    for (uint32_t i = 0; i < forest->width; i++)
        credit[i] = 0.0;
    /* In steps of about the golden section, so that any number of them is evenly spread. */
    uint32_t step = (uint32_t)(0.6180339887 * trees) + 1;
    while (common_divisor(step, trees) != 1)
        step++;
    for (uint32_t i = 0, tree = 0; i < trees && r.room > 0; i++, tree = (tree + step) % trees)
        read += add_tree(&r, tree, row, credit);
    for (uint32_t i = 0; i < forest->width && read > 0; i++)
        credit[i] /= read;
    return read;
}
