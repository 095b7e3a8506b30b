/* SPDX-License-Identifier: MIT */
/* isolation.c - grows isolation trees. */
#include "model/isolation.h"

#include <math.h>

#define EULER_GAMMA 0.57721566490153286 /* Euler-Mascheroni */

double isolation_c(double n)
{
    if (n <= 1.0)
        return 0.0;
    if (n <= 2.0)
        return 1.0;
    return 2.0 * (log(n - 1.0) + EULER_GAMMA) - 2.0 * (n - 1.0) / n;
}

/* A node that is to be split, or not: its samples are order[begin..end-1]. */
struct task {
    uint32_t node;
    uint16_t begin, end, depth;
};

struct gardener {
    struct forest *forest;
    struct isolation_plot *plot;
    struct random *random;
    uint32_t next_node, next_leaf;
    unsigned limit, deepest;
};

struct split {
    uint32_t column;
    float threshold;
};

static void range_of_column(const struct isolation_plot *plot, const struct task *task,
                            uint32_t column, float *low, float *high)
{
    const float *sample = plot->sample[column];
    *low = *high = sample[plot->order[task->begin]];
    for (uint32_t i = task->begin + 1u; i < task->end; i++) {
        float x = sample[plot->order[i]];
        *low = x < *low ? x : *low;
        *high = x > *high ? x : *high;
    }
}

/* Columns are tried in random order until the samples differ in one: that is uniform among those
 * in which they do. False if they are all the same. */
static bool choose(struct gardener *g, const struct task *task, struct split *out)
{
    uint8_t column[FOREST_COLUMNS];
    uint32_t width = g->plot->width;
    for (uint32_t i = 0; i < width; i++)
        column[i] = (uint8_t)i;
    for (uint32_t tried = 0; tried < width; tried++) {
        uint32_t pick = tried + (uint32_t)random_below(g->random, width - tried);
        uint8_t chosen = column[pick];
        column[pick] = column[tried];
        float low, high;
        range_of_column(g->plot, task, chosen, &low, &high);
        if (!(low < high))
            continue;
        double span = (double)high - (double)low;
        float threshold = (float)((double)low + random_uniform(g->random) * span);
        if (!(threshold < high)) /* rounded up: the largest must go right */
            threshold = low;
        *out = (struct split){chosen, threshold < low ? low : threshold};
        return true;
    }
    return false;
}

/* Those that go left come first. Returns where the others begin. */
static uint16_t part(struct isolation_plot *plot, const struct task *task,
                     const struct split *split)
{
    const float *sample = plot->sample[split->column];
    uint16_t *order = plot->order;
    uint32_t middle = task->begin;
    for (uint32_t i = task->begin; i < task->end; i++) {
        uint16_t own = order[i];
        if (sample[own] <= split->threshold) {
            order[i] = order[middle];
            order[middle++] = own;
        }
    }
    return (uint16_t)middle;
}

static void make_leaf(struct gardener *g, const struct task *task)
{
    struct forest *forest = g->forest;
    uint32_t leaf = g->next_leaf++;
    forest->node[task->node] = node_leaf(task->node, forest->width, leaf);
    /* in scikit-learn's order, so that equal trees give equal bits */
    forest->value[leaf] = ((double)task->depth + 1.0 + isolation_c(task->end - task->begin)) - 1.0;
    if (task->depth > g->deepest)
        g->deepest = task->depth;
}

/* Whichever child has more samples is dealt with next, so that its own children follow it closely:
 * most rows walk there. */
static size_t make_split(struct gardener *g, const struct task *task, const struct split *split,
                         struct task *tasks)
{
    uint32_t left = g->next_node;
    g->next_node += 2;
    g->forest->node[task->node] = node_split(left, split->column, split->threshold);
    uint16_t middle = part(g->plot, task, split), depth = (uint16_t)(task->depth + 1);
    struct task low = {left, task->begin, middle, depth};
    struct task high = {left + 1, middle, task->end, depth};
    bool low_larger = middle - task->begin > task->end - middle;
    tasks[0] = low_larger ? high : low;
    tasks[1] = low_larger ? low : high;
    return 2;
}

void isolation_grow(struct forest *forest, uint32_t tree, struct isolation_plot *plot,
                    struct random *random)
{
    struct task tasks[2 * 16]; /* each level leaves one behind, and there are at most 8 */
    size_t count = 1;
    struct gardener g = {.forest = forest,
                         .plot = plot,
                         .random = random,
                         .next_node = tree * ISOLATION_NODES + 1,
                         .next_leaf = tree * ISOLATION_SAMPLES,
                         .limit = (unsigned)ceil(log2(plot->samples))};
    forest->root[tree] = tree * ISOLATION_NODES;
    tasks[0] = (struct task){forest->root[tree], 0, (uint16_t)plot->samples, 0};
    while (count > 0) {
        struct task task = tasks[--count];
        struct split split;
        forest->cover[task.node] = (uint32_t)(task.end - task.begin);
        if (task.depth >= g.limit || task.end - task.begin < 2 || !choose(&g, &task, &split))
            make_leaf(&g, &task);
        else
            count += make_split(&g, &task, &split, tasks + count);
    }
    forest->depth[tree] = (uint8_t)g.deepest;
}
