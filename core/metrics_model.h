/* SPDX-License-Identifier: MIT */
/* metrics_model.h - what metrics tell of the model in use. */
#pragma once

#include "engine.h"

struct model_metrics {
    bool any, file; /* is there a model; is it from a file */
    char name[64], version[32], sha256[65];
    double trained_s;
    uint32_t width;
    const char *feature[FOREST_COLUMNS];
    double psi[FOREST_COLUMNS]; /* NAN: too little was seen */
    uint64_t failures[MODEL_FAULT_COUNT];
};

/* Under the engine's lock. */
void model_metrics_take(struct model_metrics *out, const eddy_engine *engine,
                        const struct settings *settings);
