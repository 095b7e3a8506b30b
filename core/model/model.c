/* SPDX-License-Identifier: MIT */
/* model.c - a forest and all that makes its scores mean something. */
#include "model/model.h"

#include <math.h>
#include <string.h>

const char *const model_kind_names[] = {"", "isolation", "classes", "boosted"};
const char *const model_settings[MODEL_USES] = {"iforest.model", "iforest.challenger",
                                                "forest.model", "forest.challenger"};

static inline float place(const struct model *model, uint32_t i, double value)
{
    return model->ruler == NULL ? forest_number(value) : ruler_place(model->ruler, i, value);
}

void model_row(const struct model *model, const double *columns, float *out)
{
    for (uint32_t i = 0; i < model->forest.width; i++)
        out[i] = place(model, i, columns[model->column[i]]);
    out[model->forest.width] = 0.0f;
}

void model_own_row(const struct model *model, const double *own, float *out)
{
    for (uint32_t i = 0; i < model->forest.width; i++)
        out[i] = place(model, i, own[i]);
    out[model->forest.width] = 0.0f;
}

/* What sums begin with. */
static void begin(const struct model *model, double *sums)
{
    size_t outputs = model->forest.outputs;
    if (model->kind == MODEL_BOOSTED)
        memcpy(sums, model->classes->base, outputs * sizeof *sums);
    else
        memset(sums, 0, outputs * sizeof *sums);
}

void model_sums(const struct model *model, const float *row, double *out)
{
    begin(model, out);
    forest_sums(&model->forest, row, out);
}

void model_sums_batch(const struct model *model, const uint32_t *rows, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++)
        begin(model, out + i * model->forest.outputs);
    forest_sums_batch(&model->forest, rows, count, out);
}

uint32_t model_outputs(const struct model *model)
{
    return model->classes == NULL ? 1 : model->classes->count;
}

/* From log-odds to probabilities; the largest is taken off first, so that nothing overflows. */
static void softmax(double *out, uint32_t count)
{
    double most = out[0], all = 0.0;
    for (uint32_t i = 1; i < count; i++)
        most = fmax(most, out[i]);
    for (uint32_t i = 0; i < count; i++)
        all += out[i] = exp(out[i] - most);
    for (uint32_t i = 0; i < count; i++)
        out[i] /= all;
}

/* From sums to the answer, which may lie where the sums do. */
static void finish(const struct model *model, const double *sums, double *out)
{
    const struct forest *forest = &model->forest;
    double sum = sums[0];
    switch (model->kind) {
    case MODEL_ISOLATION:
        out[0] = forest_score_of(forest, sum);
        break;
    case MODEL_CLASSES:
        for (uint32_t i = 0; i < forest->outputs; i++)
            out[i] = sums[i] / forest->trees;
        break;
    case MODEL_BOOSTED:
        if (forest->outputs == 1) {
            out[1] = 1.0 / (1.0 + exp(-sum));
            out[0] = 1.0 - out[1];
        } else {
            memmove(out, sums, forest->outputs * sizeof *out);
            softmax(out, forest->outputs);
        }
    }
}

void model_answer(const struct model *model, const float *row, double *out)
{
    model_sums(model, row, out);
    finish(model, out, out);
}

/* Where there are more answers than sums, the sums are put at the end: answers, from the first on,
 * take no place of a sum that is still to be read. */
void model_answer_batch(const struct model *model, const uint32_t *rows, size_t count, double *out)
{
    size_t outputs = model_outputs(model), summed = model->forest.outputs;
    double *sums = out + count * (outputs - summed);
    model_sums_batch(model, rows, count, sums);
    for (size_t i = 0; i < count; i++)
        finish(model, sums + i * summed, out + i * outputs);
}

double model_score(const struct model *model, const float *row)
{
    double out[FOREST_OUTPUTS];
    model_answer(model, row, out);
    return model->classes == NULL ? out[0] : 1.0 - out[model->classes->benign];
}
