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

void model_sums(const struct model *model, const float *row, double *out)
{
    size_t outputs = model->forest.outputs;
    if (model->kind == MODEL_BOOSTED)
        memcpy(out, model->classes->base, outputs * sizeof *out);
    else
        memset(out, 0, outputs * sizeof *out);
    forest_sums(&model->forest, row, out);
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

void model_answer(const struct model *model, const float *row, double *out)
{
    const struct forest *forest = &model->forest;
    model_sums(model, row, out);
    switch (model->kind) {
    case MODEL_ISOLATION:
        out[0] = exp2(-out[0] / (forest->trees * forest->normaliser));
        break;
    case MODEL_CLASSES:
        for (uint32_t i = 0; i < forest->outputs; i++)
            out[i] /= forest->trees;
        break;
    case MODEL_BOOSTED:
        if (forest->outputs == 1) {
            out[1] = 1.0 / (1.0 + exp(-out[0]));
            out[0] = 1.0 - out[1];
        } else {
            softmax(out, forest->outputs);
        }
    }
}

double model_score(const struct model *model, const float *row)
{
    double out[FOREST_OUTPUTS];
    model_answer(model, row, out);
    return model->classes == NULL ? out[0] : 1.0 - out[model->classes->benign];
}
