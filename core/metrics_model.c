/* SPDX-License-Identifier: MIT */
/* metrics_model.c - what metrics tell of the model in use. */
#include "metrics_model.h"

#include <string.h>

#include "features/features.h"
#include "score/iforest.h"

void model_metrics_take(struct model_metrics *out, const eddy_engine *engine,
                        const struct settings *settings)
{
    struct iforest_view view = iforest_view(engine->score);
    const struct model_file *file = settings->model[IFOREST_MODEL];
    const struct model *model = file != NULL ? &file->model : view.grown;
    *out = (struct model_metrics){.any = model != NULL, .file = file != NULL};
    memcpy(out->failures, engine->model_failures, sizeof out->failures);
    if (model == NULL)
        return;
    memcpy(out->name, "in place", sizeof "in place");
    if (file != NULL) {
        memcpy(out->name, file->name, sizeof out->name);
        memcpy(out->version, file->version, sizeof out->version);
        memcpy(out->sha256, file->sha256, sizeof out->sha256);
    }
    out->trained_s = (double)model->trained_us * 1e-6;
    out->width = model->forest.width;
    for (uint32_t i = 0; i < out->width; i++) {
        out->feature[i] = feature_of((enum column)model->column[i])->name;
        out->psi[i] = drift_psi(view.drift, model, i);
    }
}
