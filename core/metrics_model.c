/* SPDX-License-Identifier: MIT */
/* metrics_model.c - what metrics tell of models. */
#include "metrics_model.h"

#include <math.h>
#include <string.h>

#include "features/features.h"
#include "score/forest.h"
#include "score/iforest.h"

static const char *const detectors[MODEL_DETECTORS] = {"iforest", "forest"};

/* ---- what there is ---- */

static void take_facts(struct model_facts *out, const struct model_file *file,
                       const struct model *model, const struct challenge *challenge,
                       enum challenge_role role)
{
    *out = (struct model_facts){.any = model != NULL,
                                .file = file != NULL,
                                .scored = challenge->of[role].scored,
                                .alerts = challenge->of[role].alerts,
                                .score_psi =
                                    model == NULL ? (double)NAN : challenge_psi(challenge, role)};
    if (model == NULL)
        return;
    out->trained_s = (double)model->trained_us * 1e-6;
    memcpy(out->name, "in place", sizeof "in place");
    if (file != NULL) {
        memcpy(out->name, file->name, sizeof out->name);
        memcpy(out->version, file->version, sizeof out->version);
        memcpy(out->sha256, file->sha256, sizeof out->sha256);
    }
}

static void take_columns(struct model_metrics *out, size_t detector, const struct drift *drift,
                         const struct model *model)
{
    out->columns[detector].width = model == NULL ? 0 : model->forest.width;
    for (uint32_t i = 0; i < out->columns[detector].width; i++) {
        out->columns[detector].feature[i] = feature_of((enum column)model->column[i])->name;
        out->columns[detector].psi[i] = drift_psi(drift, model, i);
    }
}

void model_metrics_take(struct model_metrics *out, const eddy_engine *engine,
                        const struct settings *settings)
{
    struct iforest_view view = iforest_view(engine->score);
    const struct challenge *challenge[MODEL_DETECTORS] = {view.challenge,
                                                          forest_challenge(engine->score)};
    for (size_t use = 0; use < MODEL_USES; use++) {
        const struct model_file *file = settings->model[use];
        const struct model *model = file != NULL ? &file->model : NULL;
        size_t detector = use / CHALLENGE_ROLES;
        enum challenge_role role = (enum challenge_role)(use % CHALLENGE_ROLES);
        if (use == IFOREST_MODEL && file == NULL)
            model = view.grown;
        take_facts(&out->of[use], file, model, challenge[detector], role);
        if (role == CHAMPION)
            take_columns(out, detector, view.drift, model);
    }
    for (size_t i = 0; i < MODEL_DETECTORS; i++)
        memcpy(out->agreement[i], challenge[i]->agreement, sizeof out->agreement[i]);
    memcpy(out->failures, engine->model_failures, sizeof out->failures);
}

/* ---- samples ---- */

/* `name`, `version` and `sha256` only of model_info. */
static int by_use(struct visit *v, size_t use, const struct model_facts *named, double value)
{
    char buffer[480];
    struct text labels = text_over(buffer, sizeof buffer);
    promtext_label(&labels, "model", detectors[use / CHALLENGE_ROLES]);
    promtext_label(&labels, "role", challenge_names[use % CHALLENGE_ROLES]);
    if (named != NULL) {
        promtext_label(&labels, "name", named->name);
        promtext_label(&labels, "version", named->version);
        promtext_label(&labels, "sha256", named->sha256);
    }
    return sample(v, buffer, value);
}

int visit_model_info(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_USES && stop == 0; i++)
        if (v->model->of[i].any)
            stop = by_use(v, i, &v->model->of[i], 1);
    return stop;
}

int visit_model_loaded(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_USES && stop == 0; i++)
        stop = by_use(v, i, NULL, v->model->of[i].file);
    return stop;
}

int visit_model_trained_timestamp_seconds(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_USES && stop == 0; i++)
        if (v->model->of[i].any && v->model->of[i].trained_s > 0)
            stop = by_use(v, i, NULL, v->model->of[i].trained_s);
    return stop;
}

int visit_model_load_failures_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = MODEL_FINE + 1; i < MODEL_FAULT_COUNT && stop == 0; i++)
        stop = labelled(v, "reason", model_fault_names[i], (double)v->model->failures[i]);
    return stop;
}

int visit_model_scored_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_USES && stop == 0; i++)
        stop = by_use(v, i, NULL, (double)v->model->of[i].scored);
    return stop;
}

int visit_model_alerts_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_USES && stop == 0; i++)
        stop = by_use(v, i, NULL, (double)v->model->of[i].alerts);
    return stop;
}

static int agreement(struct visit *v, size_t detector, size_t champion, size_t challenger)
{
    static const char *const words[2] = {"quiet", "alert"};
    char buffer[160];
    struct text labels = text_over(buffer, sizeof buffer);
    promtext_label(&labels, "model", detectors[detector]);
    promtext_label(&labels, challenge_names[CHAMPION], words[champion]);
    promtext_label(&labels, challenge_names[CHALLENGER], words[challenger]);
    return sample(v, buffer, (double)v->model->agreement[detector][champion][challenger]);
}

int visit_model_agreement_total(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_DETECTORS; i++)
        for (size_t both = 0; both < 4 && stop == 0; both++)
            stop = agreement(v, i, both / 2, both % 2);
    return stop;
}

int visit_model_score_psi(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_USES && stop == 0; i++)
        if (!isnan(v->model->of[i].score_psi))
            stop = by_use(v, i, NULL, v->model->of[i].score_psi);
    return stop;
}

static int column_psi(struct visit *v, size_t detector, uint32_t index)
{
    char buffer[160];
    struct text labels = text_over(buffer, sizeof buffer);
    promtext_label(&labels, "model", detectors[detector]);
    promtext_label(&labels, "feature", v->model->columns[detector].feature[index]);
    return sample(v, buffer, v->model->columns[detector].psi[index]);
}

int visit_feature_psi(struct visit *v)
{
    int stop = 0;
    for (size_t i = 0; i < MODEL_DETECTORS; i++)
        for (uint32_t n = 0; n < v->model->columns[i].width && stop == 0; n++)
            if (!isnan(v->model->columns[i].psi[n]))
                stop = column_psi(v, i, n);
    return stop;
}
