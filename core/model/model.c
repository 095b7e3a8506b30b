/* SPDX-License-Identifier: MIT */
/* model.c - an isolation forest and all that makes its scores mean something. */
#include "model/model.h"

void model_row(const struct model *model, const double *columns, float *out)
{
    for (uint32_t i = 0; i < model->forest.width; i++)
        out[i] = forest_number(columns[model->column[i]]);
    out[model->forest.width] = 0.0f;
}
