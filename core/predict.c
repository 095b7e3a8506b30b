/* SPDX-License-Identifier: MIT */
/* predict.c - models for hosts: opened by themselves and asked row by row, and those in use. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "model/columns.h"
#include "model/model_file.h"
#include "model/schema.h"
#include "util/error.h"

struct eddy_model {
    const struct model_file *file;
    struct model_file *own; /* the same, if it is to be freed */
    const char *output[MODEL_CLASSES_MAX];
    const char *technique[MODEL_CLASSES_MAX]; /* of each output */
};

static void view(eddy_model *m, const struct model_file *file)
{
    const struct model_classes *classes = file->model.classes;
    *m = (eddy_model){.file = file};
    m->output[0] = "score";
    m->technique[0] = "";
    for (uint32_t i = 0; classes != NULL && i < classes->count; i++) {
        m->output[i] = classes->of[i].name;
        m->technique[i] = classes->of[i].technique;
    }
}

int eddy_model_open(const char *path, eddy_model **out, eddy_error *err)
{
    struct model_file *file = NULL;
    int status = model_file_load(path, &file, NULL, err);
    if (status != EDDY_OK)
        return status;
    eddy_model *m = malloc(sizeof *m);
    if (m == NULL) {
        model_file_free(file);
        return error_nomem(err);
    }
    view(m, file);
    m->own = file;
    *out = m;
    return EDDY_OK;
}

void eddy_model_free(eddy_model *m)
{
    if (m == NULL)
        return;
    model_file_free(m->own);
    free(m);
}

void eddy_model_describe(const eddy_model *m, eddy_model_info *out)
{
    const struct model_file *file = m->file;
    const struct model *model = &file->model;
    const struct model_classes *classes = model->classes;
    size_t outputs = model_outputs(model);
    eddy_model_info info = {.size = out->size,
                            .name = file->name,
                            .version = file->version,
                            .kind = model_kind_names[model->kind],
                            .sha256 = file->sha256,
                            .metadata = file->metadata,
                            .trees = model->forest.trees,
                            .columns = model->forest.width,
                            .outputs = outputs,
                            .column = model->column,
                            .output = m->output,
                            .benign = classes == NULL ? outputs : classes->benign,
                            .sums = model->forest.outputs,
                            .threshold_bytes = model->ruler == NULL ? 4 : 8,
                            .normaliser = model->forest.normaliser,
                            .base = model->kind == MODEL_BOOSTED ? classes->base : NULL,
                            .technique = m->technique,
                            .alert = classes == NULL ? 0.0 : classes->alert,
                            .weight = classes == NULL ? 0.0 : classes->weight};
    memcpy(out, &info, out->size < sizeof info ? out->size : sizeof info);
}

#define FEW 16 /* rows from which a batch is worth its memory */

/* Rows on their way to answers: in batches, or one by one where they are few or there is no memory
 * for more. The numbers are the same. */
struct question {
    const struct model *model;
    const double *rows; /* those left */
    size_t left;
    uint32_t *keys; /* NULL: one by one */
};

static struct question ask(const struct model *model, const double *rows, size_t count)
{
    size_t room = count < FOREST_BATCH ? count : FOREST_BATCH;
    struct question asked = {.model = model, .rows = rows, .left = count};
    if (count >= FEW)
        asked.keys = malloc(room * FOREST_COLUMNS * sizeof *asked.keys);
    return asked;
}

/* Takes the next rows; returns how many, 0 at the end. `row` is the only one where there are no
 * keys. */
static size_t next_rows(struct question *asked, float row[FOREST_COLUMNS])
{
    size_t most = asked->keys == NULL ? 1 : FOREST_BATCH;
    size_t count = asked->left < most ? asked->left : most;
    for (size_t i = 0; i < count; i++) {
        model_own_row(asked->model, asked->rows, row);
        if (asked->keys != NULL)
            forest_keys(&asked->model->forest, row, asked->keys + i * FOREST_COLUMNS);
        asked->rows += asked->model->forest.width;
    }
    asked->left -= count;
    return count;
}

void eddy_model_predict(const eddy_model *m, const double *rows, size_t count, double *out)
{
    const struct model *model = &m->file->model;
    struct question asked = ask(model, rows, count);
    float row[FOREST_COLUMNS];
    for (size_t n; (n = next_rows(&asked, row)) > 0; out += n * model_outputs(model)) {
        if (asked.keys != NULL)
            model_answer_batch(model, asked.keys, n, out);
        else
            model_answer(model, row, out);
    }
    free(asked.keys);
}

/* Boosted trees of two classes have one sum and two answers: the second is 0. */
static void spread(const struct model *model, size_t count, double *out)
{
    if (model_outputs(model) == model->forest.outputs)
        return;
    for (size_t i = count; i-- > 0;) {
        out[2 * i] = out[i];
        out[2 * i + 1] = 0.0;
    }
}

void eddy_model_sums(const eddy_model *m, const double *rows, size_t count, double *out)
{
    const struct model *model = &m->file->model;
    struct question asked = ask(model, rows, count);
    float row[FOREST_COLUMNS];
    for (size_t n; (n = next_rows(&asked, row)) > 0; out += n * model_outputs(model)) {
        if (asked.keys != NULL)
            model_sums_batch(model, asked.keys, n, out);
        else
            model_sums(model, row, out);
        spread(model, n, out);
    }
    free(asked.keys);
}

int eddy_engine_models(eddy_engine *engine, eddy_model_use_fn *each, void *user)
{
    struct settings *held = engine_hold(engine);
    int stop = 0;
    for (size_t use = 0; use < MODEL_USES && stop == 0; use++) {
        eddy_model model;
        if (held->model[use] == NULL)
            continue;
        view(&model, held->model[use]);
        eddy_model_use told = {model_settings[use], held->model[use]->path, &model};
        stop = each(&told, user);
    }
    engine_release(engine, held);
    return stop;
}

int eddy_feature_bins(size_t column, const double *values, size_t count,
                      uint32_t bins[EDDY_FEATURE_BINS])
{
    static_assert(EDDY_FEATURE_BINS == COLUMN_BINS, "the same number");
    if (column >= COLUMN_COUNT)
        return EDDY_EUSAGE;
    for (size_t i = 0; i < count; i++)
        bins[column_bin((enum column)column, values[i])]++;
    return EDDY_OK;
}

int eddy_feature_fingerprint(const uint8_t *columns, size_t count, char out[65])
{
    uint8_t digest[SHA256_SIZE];
    for (size_t i = 0; i < count; i++)
        if (columns[i] >= COLUMN_COUNT)
            return EDDY_EUSAGE;
    if (count >= FOREST_COLUMNS || !schema_fingerprint(columns, (uint32_t)count, digest))
        return EDDY_EUSAGE;
    sha256_hex(digest, out);
    return EDDY_OK;
}
