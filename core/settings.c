/* SPDX-License-Identifier: MIT */
/* settings.c - everything that a reload replaces at once: settings, databases, networks. */
#include "settings.h"

#include <stdlib.h>

#include "config.h"
#include "util/error.h"

static const struct option options[] = {
    {"thread", OPTION_FLAG, offsetof(struct engine_conf, thread), "on", 0, 0,
     "Run outputs and reloads on a thread of eddy's own; off: in eddy_engine_tick()."},
    {0},
};

const struct part engine_part = {
    .name = "engine",
    .help = "How the library lives in its host.",
    .conf_size = sizeof(struct engine_conf),
    .options = options,
};

/* A detector can use only what is of its kind. */
static int check_kind(enum model_use use, const struct model_file *file, eddy_error *err)
{
    bool isolation = file->model.kind == MODEL_ISOLATION;
    if (isolation == (use == IFOREST_MODEL || use == IFOREST_CHALLENGER))
        return EDDY_OK;
    return error_set(err, EDDY_ECONFIG, "%s: %s wants %s, and this is a model of kind %s",
                     file->path, model_settings[use],
                     isolation ? "a classifier" : "an isolation forest",
                     model_kind_names[file->model.kind]);
}

static int open_model(const eddy_config *config, enum model_use use, struct model_file **out,
                      enum model_fault *fault, eddy_error *err)
{
    const char *path = eddy_config_value(config, model_settings[use]);
    struct model_file *file = NULL;
    if (path == NULL || path[0] == '\0')
        return EDDY_OK;
    int status = model_file_load(path, &file, fault, err);
    if (status == EDDY_OK && check_kind(use, file, err) != EDDY_OK) {
        if (fault != NULL)
            *fault = MODEL_FEATURES;
        model_file_free(file);
        return EDDY_ECONFIG;
    }
    if (status == EDDY_OK)
        *out = file;
    return status;
}

static int open_models(struct settings *s, eddy_error *err)
{
    int status = EDDY_OK;
    for (size_t use = 0; use < MODEL_USES && status == EDDY_OK; use++) {
        status = open_model(s->config, (enum model_use)use, &s->model[use], NULL, err);
        s->models.in[use] = s->model[use] == NULL ? NULL : &s->model[use]->model;
    }
    return status;
}

enum model_fault settings_model_fault(const eddy_config *config)
{
    enum model_fault fault = MODEL_FINE;
    for (size_t use = 0; use < MODEL_USES && fault == MODEL_FINE; use++) {
        struct model_file *file = NULL;
        (void)open_model(config, (enum model_use)use, &file, &fault, NULL);
        model_file_free(file);
    }
    return fault;
}

int settings_new(const eddy_config *config, struct settings **out, eddy_error *err)
{
    struct settings *s = calloc(1, sizeof *s);
    if (s == NULL)
        return error_nomem(err);
    s->holders = 1;
    int status = config_copy(config, &s->config);
    if (status != EDDY_OK) {
        settings_drop(s);
        return error_nomem(err);
    }
    s->engine = config_part(s->config, &engine_part);
    s->ingest = config_part(s->config, &ingest_part);
    s->clean = config_part(s->config, &clean_part);
    s->state = config_part(s->config, &state_part);
    s->decide = config_part(s->config, &decide_part);
    s->emit = config_part(s->config, &emit_part);
    s->score.calibrate = config_part(s->config, &calibrate_part);
    s->vet = (struct vet_conf){.suppress = config_part(s->config, &suppress_part),
                               .feedback = config_part(s->config, &feedback_part),
                               .join = s->decide->join};
    for (size_t i = 0; registry_detectors[i] != NULL; i++)
        s->score.detector[i] = config_part(s->config, &registry_detectors[i]->part);
    status = geoip_open(config_part(s->config, &geoip_part), &s->geoip, err);
    if (status == EDDY_OK)
        status = nets_new(config_part(s->config, &nets_part), &s->nets, err);
    if (status == EDDY_OK)
        status = open_models(s, err);
    if (status != EDDY_OK) {
        settings_drop(s);
        return status;
    }
    *out = s;
    return EDDY_OK;
}

void settings_drop(struct settings *s)
{
    if (s == NULL || --s->holders > 0)
        return;
    for (size_t use = 0; use < MODEL_USES; use++)
        model_file_free(s->model[use]);
    geoip_close(s->geoip);
    nets_free(s->nets);
    eddy_config_free(s->config);
    free(s);
}
