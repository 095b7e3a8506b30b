/* SPDX-License-Identifier: MIT */
/* model_read.h - the readers of a model file's sections. Whoever sends a file may have written any
 * byte of it: nothing is used before it was checked, and nothing is allocated that the file's own
 * length does not allow. */
#pragma once

#include "model/model_file.h"
#include "model/wire.h"

/* In the order of the file. */
enum model_section { META, FEAT, TREE, CLAS, BASE, SCOR, BINS, GOLD, MODEL_SECTIONS };

/* One file on its way in. */
struct model_read {
    struct model_file *file;
    struct wire section[MODEL_SECTIONS]; /* `at` is NULL where there is none */
    enum model_fault fault;
    eddy_error *err;
};

/* Says why; returns the status. */
int model_refuse(struct model_read *read, enum model_fault fault, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Each returns EDDY_OK, or a status with `fault` and `err` set. In this order, the first for header
 * and sections, the second for all but the golden rows: */
int model_read_begin(struct model_read *read, const void *bytes, size_t length);
int model_read_body(struct model_read *read);
int model_run_golden(struct model_read *read);

/* The steps of model_read_body(), in their order. */
int model_read_meta(struct model_read *read);
int model_read_features(struct model_read *read);
int model_read_trees(struct model_read *read);
int model_read_classes(struct model_read *read);
int model_read_scores(struct model_read *read);
int model_read_bins(struct model_read *read);

#define MODEL_LEAF         UINT32_MAX          /* as a node's column */
#define MODEL_MISSING_LEFT (UINT32_C(1) << 31) /* in a node's column */

/* A node as the file has it, 16 or 24 bytes by the size of its threshold. */
struct model_record {
    double threshold;
    uint32_t column, left, cover;
    uint32_t rest; /* of 24 bytes the last 4: 0 */
};

static inline size_t model_record_size(uint32_t threshold_size)
{
    return threshold_size == 8 ? 24 : 16;
}

struct model_record model_record(struct wire *nodes, uint32_t threshold_size);

/* What bytes are that are no model file: "a Python pickle, which ..."; never NULL. */
const char *model_foreign(const void *bytes, size_t length);
