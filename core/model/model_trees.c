/* SPDX-License-Identifier: MIT */
/* model_trees.c - reads the trees of a model file: every walk through them stays inside and ends.
 */
#include <math.h>
#include <stdlib.h>

#include "model/model_read.h"
#include "util/error.h"

/* What a walk through all trees takes at most, in steps: the bound on a flow's time. */
#define MODEL_DEPTHS 65536

/* The trees on their way in. */
struct survey {
    struct model_read *read;
    struct forest *forest;
    struct wire nodes; /* all of them */
    uint32_t count, leaves, threshold_size;
    uint8_t *seen;            /* of each node: it has a parent */
    uint8_t *depth;           /* of each node */
    struct ruler_mark *marks; /* NULL where thresholds are floats */
    size_t splits;
    uint32_t depths; /* of the trees, added up */
    bool gaps;       /* somewhere what is missing goes left */
};

struct model_record model_record(struct wire *nodes, uint32_t threshold_size)
{
    struct model_record record;
    record.threshold = threshold_size == 8 ? wire_f64(nodes) : (double)wire_f32(nodes);
    record.column = wire_u32(nodes);
    record.left = wire_u32(nodes);
    record.cover = wire_u32(nodes);
    record.rest = threshold_size == 8 ? wire_u32(nodes) : 0;
    return record;
}

/* ---- one tree ---- */

static const char *check_children(struct survey *s, uint32_t own, uint32_t child, uint32_t end)
{
    if (child <= own || child >= end - 1 || s->seen[child] != 0 || s->seen[child + 1] != 0)
        return "a node's children are not its own";
    if (s->depth[own] == UINT8_MAX)
        return "a tree is too deep";
    s->seen[child] = s->seen[child + 1] = 1;
    s->depth[child] = s->depth[child + 1] = (uint8_t)(s->depth[own] + 1);
    return NULL;
}

static const char *take_leaf(struct survey *s, uint32_t own, const struct model_record *record)
{
    if (record->left >= s->leaves)
        return "a leaf has no value";
    s->forest->node[own] = node_leaf(own, s->forest->width, record->left);
    return NULL;
}

static const char *take_split(struct survey *s, uint32_t own, const struct model_record *record,
                              uint32_t end)
{
    struct forest *forest = s->forest;
    uint32_t column = record->column & ~MODEL_MISSING_LEFT;
    if (column >= forest->width || !isfinite(record->threshold))
        return "a node splits on what is no column, or at what is no number";
    const char *fault = check_children(s, own, record->left, end);
    if (fault != NULL)
        return fault;
    float threshold = 0.0f; /* of 8 bytes: take_places() */
    if (s->marks != NULL)
        s->marks[s->splits++] = (struct ruler_mark){record->threshold, column};
    else
        threshold = (float)record->threshold; /* as it was */
    forest->node[own] = node_split(record->left, column, threshold);
    forest->missing_left[own] = (record->column & MODEL_MISSING_LEFT) != 0;
    s->gaps |= forest->missing_left[own] != 0;
    return NULL;
}

/* A node's children come after it, inside its tree, and are nobody else's: so a walk ends. */
static const char *check_tree(struct survey *s, uint32_t first, uint32_t end, uint32_t *deepest)
{
    struct wire nodes = wire_from(&s->nodes, first * model_record_size(s->threshold_size));
    const char *fault = NULL;
    *deepest = 0;
    for (uint32_t i = first; i < end && fault == NULL; i++) {
        struct model_record record = model_record(&nodes, s->threshold_size);
        s->forest->cover[i] = record.cover;
        if (i > first && s->seen[i] == 0)
            return "a node has no parent";
        if (record.rest != 0)
            return "something is behind a node where 0 should be";
        *deepest = s->depth[i] > *deepest ? s->depth[i] : *deepest;
        fault =
            record.column == MODEL_LEAF ? take_leaf(s, i, &record) : take_split(s, i, &record, end);
    }
    return fault;
}

/* ---- all trees ---- */

static const char *check_trees(struct survey *s)
{
    struct forest *forest = s->forest;
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t first = forest->root[tree], deepest;
        uint32_t end = tree + 1 < forest->trees ? forest->root[tree + 1] : s->count;
        if (first >= end || end > s->count || (tree == 0 && first != 0))
            return "its trees are not one after the other";
        const char *fault = check_tree(s, first, end, &deepest);
        if (fault != NULL)
            return fault;
        forest->depth[tree] = (uint8_t)deepest; /* take_split() allows no more */
        s->depths += deepest;
    }
    return s->depths > MODEL_DEPTHS ? "its trees take more steps than a flow may" : NULL;
}

/* The values of a leaf. Bounded, so that no sum of them overflows. */
static const char *check_values(enum model_kind kind, const double *value, uint32_t outputs)
{
    double sum = 0.0;
    for (uint32_t i = 0; i < outputs; i++) {
        double least = kind == MODEL_BOOSTED ? -1e6 : 0.0, most = kind == MODEL_CLASSES ? 1.0 : 1e6;
        if (!(value[i] >= least && value[i] <= most))
            return kind == MODEL_ISOLATION ? "a leaf's value is no path length"
                   : kind == MODEL_CLASSES ? "a leaf's shares are not in 0..1"
                                           : "a leaf's value is beyond a million, or no number";
        sum += value[i];
    }
    if (kind == MODEL_CLASSES && fabs(sum - 1.0) > 1e-6)
        return "a leaf's shares do not add up to 1";
    return NULL;
}

static const char *take_values(struct survey *s, struct wire *values)
{
    struct forest *forest = s->forest;
    const char *fault = NULL;
    for (uint32_t leaf = 0; leaf < s->leaves && fault == NULL; leaf++) {
        double *value = forest->value + (size_t)leaf * forest->outputs;
        for (uint32_t i = 0; i < forest->outputs; i++)
            value[i] = wire_f64(values);
        fault = check_values(s->read->file->model.kind, value, forest->outputs);
    }
    return fault;
}

/* Thresholds of 8 bytes become their places on the ruler. False when out of memory. */
static bool take_places(struct survey *s)
{
    struct model_file *file = s->read->file;
    struct wire nodes = s->nodes;
    struct node *node = s->forest->node;
    file->ruler = ruler_new(s->marks, s->splits, s->forest->width);
    if (file->ruler == NULL)
        return false;
    file->model.ruler = file->ruler;
    for (uint32_t i = 0; i < s->count; i++) {
        struct model_record record = model_record(&nodes, 8);
        if (record.column != MODEL_LEAF)
            node[i].key =
                forest_key(ruler_mark(file->ruler, node_column(node[i]), record.threshold));
    }
    return true;
}

/* ---- the section ---- */

static bool outputs_fit(uint32_t kind, uint32_t outputs)
{
    switch (kind) {
    case MODEL_ISOLATION:
        return outputs == 1;
    case MODEL_CLASSES:
        return outputs >= 2 && outputs <= FOREST_OUTPUTS;
    case MODEL_BOOSTED:
        return outputs == 1 || (outputs >= 3 && outputs <= FOREST_OUTPUTS);
    default:
        return false;
    }
}

static bool normaliser_fits(uint32_t kind, double normaliser)
{
    return kind == MODEL_ISOLATION ? normaliser >= 1.0 && normaliser < 1e6
                                   : fabs(normaliser - 1.0) <= 0.0;
}

static int read_head(struct survey *s, struct wire *trees)
{
    struct forest *forest = s->forest;
    uint32_t kind = wire_u32(trees);
    forest->trees = wire_u32(trees);
    s->count = wire_u32(trees);
    s->leaves = wire_u32(trees);
    forest->normaliser = wire_f64(trees);
    s->threshold_size = wire_u32(trees);
    forest->outputs = wire_u32(trees);
    if (!wire_good(trees) || !outputs_fit(kind, forest->outputs) ||
        (s->threshold_size != 4 && s->threshold_size != 8))
        return model_refuse(s->read, MODEL_MALFORMED,
                            "its trees are of a kind this eddy does not walk");
    s->read->file->model.kind = (enum model_kind)kind;
    if (forest->trees == 0 || forest->trees > FOREST_TREES || s->count < forest->trees ||
        s->count >= FOREST_NODES || s->leaves == 0 || s->leaves > s->count ||
        !normaliser_fits(kind, forest->normaliser))
        return model_refuse(s->read, MODEL_MALFORMED, "it has no trees, or too many");
    uint64_t need = forest->trees * UINT64_C(4) +
                    s->count * (uint64_t)model_record_size(s->threshold_size) +
                    s->leaves * UINT64_C(8) * forest->outputs; /* all below 2^34 */
    if (need != trees->left)
        return model_refuse(s->read, MODEL_MALFORMED, "its trees are not as long as they say");
    return EDDY_OK;
}

/* In one piece: values, nodes, covers, where the missing goes. */
static bool make_room(struct survey *s)
{
    struct forest *forest = s->forest;
    size_t nodes = s->count, values = s->leaves * sizeof *forest->value * forest->outputs;
    void *room = calloc(1, values + nodes * (sizeof *forest->node + sizeof *forest->cover + 1));
    s->read->file->room = room;
    s->seen = calloc(nodes, sizeof *s->seen);
    s->depth = calloc(nodes, sizeof *s->depth);
    if (s->threshold_size == 8) /* each split has two nodes of its own below it */
        s->marks = malloc((nodes / 2 + 1) * sizeof *s->marks);
    if (room == NULL || s->seen == NULL || s->depth == NULL ||
        (s->threshold_size == 8 && s->marks == NULL))
        return false;
    forest->value = room;
    forest->node = (struct node *)(void *)((char *)room + values);
    forest->cover = (uint32_t *)(void *)(forest->node + nodes);
    forest->missing_left = (uint8_t *)(forest->cover + nodes);
    return true;
}

static int take_trees(struct survey *s, struct wire *trees)
{
    struct forest *forest = s->forest;
    if (!make_room(s))
        return error_nomem(s->read->err);
    for (uint32_t i = 0; i < forest->trees; i++)
        forest->root[i] = wire_u32(trees);
    s->nodes = *trees;
    (void)wire_bytes(trees, s->count * model_record_size(s->threshold_size));
    const char *fault = take_values(s, trees);
    if (fault == NULL)
        fault = check_trees(s);
    if (fault != NULL)
        return model_refuse(s->read, MODEL_MALFORMED, "%s", fault);
    if (s->marks != NULL && !take_places(s))
        return error_nomem(s->read->err);
    if (!s->gaps)
        forest->missing_left = NULL;
    return EDDY_OK;
}

int model_read_trees(struct model_read *read)
{
    struct wire *trees = &read->section[TREE];
    struct survey survey = {.read = read, .forest = &read->file->model.forest};
    int status = read_head(&survey, trees);
    if (status == EDDY_OK)
        status = take_trees(&survey, trees);
    free(survey.seen);
    free(survey.depth);
    free(survey.marks);
    return status;
}
