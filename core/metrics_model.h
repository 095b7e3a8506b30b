/* SPDX-License-Identifier: MIT */
/* metrics_model.h - what metrics tell of models: of detectors that have one, by role. */
#pragma once

#include "engine.h"
#include "metrics_visit.h"
#include "score/challenge.h"

/* Detectors with a model: their champion is number 2 i of enum model_use, their challenger the
 * next.
 */
#define MODEL_DETECTORS (MODEL_USES / CHALLENGE_ROLES)

struct model_metrics {
    struct model_facts {
        bool any, file; /* is there a model; is it from a file */
        char name[64], version[32], sha256[65];
        double trained_s;
        uint64_t scored, alerts;
        double score_psi; /* NAN: too little was seen */
    } of[MODEL_USES];
    uint64_t agreement[MODEL_DETECTORS][2][2];
    struct {
        uint32_t width;
        const char *feature[FOREST_COLUMNS];
        double psi[FOREST_COLUMNS]; /* NAN: too little was seen */
    } columns[MODEL_DETECTORS];     /* of champions */
    uint64_t failures[MODEL_FAULT_COUNT];
};

/* Under the engine's lock. */
void model_metrics_take(struct model_metrics *out, const eddy_engine *engine,
                        const struct settings *settings);

/* Those of metrics.def. */
int visit_model_info(struct visit *v);
int visit_model_loaded(struct visit *v);
int visit_model_trained_timestamp_seconds(struct visit *v);
int visit_model_load_failures_total(struct visit *v);
int visit_model_scored_total(struct visit *v);
int visit_model_alerts_total(struct visit *v);
int visit_model_agreement_total(struct visit *v);
int visit_model_score_psi(struct visit *v);
int visit_feature_psi(struct visit *v);
