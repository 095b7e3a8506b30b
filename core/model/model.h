/* SPDX-License-Identifier: MIT */
/* model.h - a forest and all that makes its scores mean something: which columns it reads, what
 * its scores were on flows it was not grown from, what is usual.
 *
 * The same whether it was grown in place (nursery.h) or read from a file (model_file.h). */
#pragma once

#include <stdint.h>

#include "model/columns.h"
#include "model/forest.h"
#include "model/heldout.h"
#include "model/ruler.h"

enum model_kind {
    MODEL_ISOLATION = 1, /* the sum is a path length */
    MODEL_CLASSES = 2,   /* sums over trees are the classes' shares */
    MODEL_BOOSTED = 3    /* sums are log-odds */
};

extern const char *const model_kind_names[]; /* by kind */

#define MODEL_CLASSES_MAX 64

struct model_class {
    char name[64];
    char technique[16]; /* MITRE ATT&CK, or "" */
};

/* What a classifier knows besides its trees. */
struct model_classes {
    uint32_t count;
    uint32_t benign; /* the one that is no attack */
    double alert;    /* a score from which a flow is an alert */
    double weight;   /* flows that the share of alerts among held-out flows is worth */
    struct model_class of[MODEL_CLASSES_MAX];
    double base[FOREST_OUTPUTS]; /* what sums begin with */
};

struct model {
    enum model_kind kind;
    struct forest forest;
    const struct model_classes *classes; /* NULL: of an isolation forest */
    const struct ruler *ruler;           /* NULL: thresholds are floats, not places */
    uint8_t column[FOREST_COLUMNS];      /* of features.def, in the order the forest reads them */
    struct heldout heldout;
    uint32_t bins[FOREST_COLUMNS][COLUMN_BINS]; /* how the held-out flows lie in each column */
    int64_t trained_us;                         /* event time */
    uint64_t id;                /* another for each model: of a file, the begin of its SHA-256 */
    const char *name, *version; /* of a file, and its; NULL: grown in place */
};

/* Who uses models: the champion judges, the challenger beside it is only compared with it. */
enum model_use { IFOREST_MODEL, IFOREST_CHALLENGER, FOREST_MODEL, FOREST_CHALLENGER, MODEL_USES };

extern const char *const model_settings[MODEL_USES]; /* "iforest.model" ... */

/* Those in force; NULL where there is none. */
struct models {
    const struct model *in[MODEL_USES];
};

/* NULL: none, as where there are no models at all. */
static inline const struct model *models_in(const struct models *models, enum model_use use)
{
    return models == NULL ? NULL : models->in[use];
}

/* The row as the forest reads it: out[0..width], the last one zero. `columns` are all of
 * features.def. */
void model_row(const struct model *model, const double *columns, float *out);

/* The same of a row that has only the model's columns, in its order. */
void model_own_row(const struct model *model, const double *own, float *out);

/* What the leaves add up to: forest.outputs numbers. */
void model_sums(const struct model *model, const float *row, double *out);

/* How many numbers model_answer() gives: of an isolation forest one, else the classes. */
uint32_t model_outputs(const struct model *model);

/* The score of an isolation forest, or the probability of each class. */
void model_answer(const struct model *model, const float *row, double *out);

/* The same of `count` rows, as forest_sums_batch() takes them. */
void model_sums_batch(const struct model *model, const uint32_t *rows, size_t count, double *out);
void model_answer_batch(const struct model *model, const uint32_t *rows, size_t count, double *out);

/* 0..1: the score of an isolation forest, or how probably it is an attack. */
double model_score(const struct model *model, const float *row);
