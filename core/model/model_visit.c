/* SPDX-License-Identifier: MIT */
/* model_visit.c - visits what is in a model file and not kept: nodes as they are written, golden
 * rows. The file was checked before. */
#include "model/model_read.h"

/* A section of a file that was read once before. */
static struct wire section_of(const void *bytes, size_t length, enum model_section section)
{
    struct model_read read = {0};
    if (model_read_begin(&read, bytes, length) != EDDY_OK)
        return wire_over(NULL, 0);
    return read.section[section];
}

struct visit {
    const struct forest *forest;
    struct wire nodes, values; /* of all trees */
    uint32_t threshold_size, count;
    double value[FOREST_OUTPUTS];
};

static struct visit begin(const struct model_file *file, struct wire trees)
{
    struct visit v = {.forest = &file->model.forest};
    (void)wire_u64(&trees); /* kind, trees */
    v.count = wire_u32(&trees);
    (void)wire_u32(&trees); /* leaves */
    (void)wire_f64(&trees); /* normaliser */
    v.threshold_size = wire_u32(&trees);
    (void)wire_u32(&trees); /* outputs */
    (void)wire_bytes(&trees, v.forest->trees * sizeof *v.forest->root);
    v.nodes = trees;
    v.values = wire_from(&trees, v.count * model_record_size(v.threshold_size));
    return v;
}

static eddy_model_node next(struct visit *v, uint32_t tree, uint32_t first, uint32_t number)
{
    struct model_record record = model_record(&v->nodes, v->threshold_size);
    eddy_model_node node = {.tree = tree, .number = number - first, .cover = record.cover};
    if (record.column != MODEL_LEAF) {
        node.column = record.column & ~MODEL_MISSING_LEFT;
        node.missing_left = (record.column & MODEL_MISSING_LEFT) != 0;
        node.threshold = record.threshold;
        node.left = record.left - first;
        return node;
    }
    struct wire own = wire_from(&v->values, (size_t)record.left * v->forest->outputs * 8);
    for (uint32_t i = 0; i < v->forest->outputs; i++)
        v->value[i] = wire_f64(&own);
    node.value = v->value;
    return node;
}

int model_file_nodes(const struct model_file *file, const void *bytes, size_t length,
                     eddy_model_node_fn *each, void *user)
{
    struct visit v = begin(file, section_of(bytes, length, TREE));
    struct wire roots = wire_from(&v.nodes, 0);
    roots.at -= v.forest->trees * sizeof *v.forest->root; /* they lie in front of the nodes */
    roots.left += v.forest->trees * sizeof *v.forest->root;
    uint32_t first = wire_u32(&roots);
    int stop = 0;
    for (uint32_t tree = 0; tree < v.forest->trees; tree++) {
        uint32_t end = tree + 1 < v.forest->trees ? wire_u32(&roots) : v.count;
        for (uint32_t i = first; i < end && stop == 0; i++) {
            eddy_model_node node = next(&v, tree, first, i);
            stop = each(&node, user);
        }
        first = end;
    }
    return stop;
}

int model_file_golden(const struct model_file *file, const void *bytes, size_t length,
                      eddy_model_golden_fn *each, void *user)
{
    struct wire gold = section_of(bytes, length, GOLD);
    uint32_t rows = wire_u32(&gold), width = wire_u32(&gold);
    double row[FOREST_COLUMNS];
    int stop = 0;
    for (uint32_t i = 0; i < rows && stop == 0; i++) {
        for (uint32_t column = 0; column < width; column++)
            row[column] = wire_f64(&gold);
        (void)wire_bytes(&gold, file->model.forest.outputs * (size_t)8);
        stop = each(row, user);
    }
    return stop;
}
