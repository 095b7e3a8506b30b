/* SPDX-License-Identifier: MIT */
/* settings.c - everything that a reload replaces at once: settings, databases, networks, models. */
#include "settings.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "util/error.h"

static const struct option options[] = {
    {"thread", OPTION_FLAG, offsetof(struct engine_conf, thread), "on", 0, 0,
     "Run outputs and reloads on a thread of eddy's own; off: in eddy_engine_tick()."},
    {"need_models", OPTION_FLAG, offsetof(struct engine_conf, need_models), "on", 0, 0,
     "Do not start with a model file that is refused; off: start without it, and take it up once "
     "it "
     "is good (eddyd, collectd, Suricata: off unless set)."},
    {0},
};

const struct part engine_part = {
    .name = "engine",
    .help = "How the library lives in its host.",
    .conf_size = sizeof(struct engine_conf),
    .options = options,
};

/* Views of parts of the config's copy. */
static void take_views(struct settings *s)
{
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
}

static int take_nets(struct settings *s, const struct settings *before, eddy_error *err)
{
    const struct nets_conf *conf = config_part(s->config, &nets_part), *was;
    was = before == NULL ? NULL : config_part(before->config, &nets_part);
    if (was == NULL || strcmp(was->local, conf->local) != 0)
        return nets_new(conf, &s->nets, err);
    s->nets = nets_hold(before->nets);
    return EDDY_OK;
}

static int take_models(struct settings *s, struct settings_order *order, enum loaded_when when,
                       eddy_error *err)
{
    struct loading loading = {.when = when,
                              .before = order->before == NULL ? NULL : &order->before->loaded,
                              .must = order->must,
                              .must_all = s->engine->need_models,
                              .log = order->log};
    int status = loaded_take(&loading, s->config, &s->loaded, err);
    for (size_t i = 0; i < MODEL_FAULT_COUNT; i++)
        order->faults[i] += loading.faults[i];
    for (size_t use = 0; use < MODEL_USES && status == EDDY_OK; use++) {
        const struct loaded *loaded = s->loaded.of[use];
        s->model[use] = loaded == NULL ? NULL : loaded->file;
        s->models.in[use] = s->model[use] == NULL ? NULL : &s->model[use]->model;
    }
    return status;
}

static int make(struct settings_order *order, const eddy_config *config, enum loaded_when when,
                struct settings **out, eddy_error *err)
{
    struct settings *before = order->before, *s = calloc(1, sizeof *s);
    struct geoip_renewal geoip = {.before = before == NULL ? NULL : before->geoip,
                                  .only_changed = when == LOADED_LOOK,
                                  .log = order->log};
    if (s == NULL)
        return error_nomem(err);
    s->holders = 1;
    int status = config_copy(config, &s->config);
    if (status != EDDY_OK) {
        settings_free(s);
        return error_nomem(err);
    }
    take_views(s);
    status = geoip_renew(config_part(s->config, &geoip_part), &geoip, &s->geoip, err);
    if (status == EDDY_OK)
        status = take_nets(s, before, err);
    if (status == EDDY_OK)
        status = take_models(s, order, when, err);
    if (status != EDDY_OK)
        settings_free(s);
    else
        *out = s;
    return status;
}

int settings_new(struct settings_order *order, struct settings **out, eddy_error *err)
{
    return make(order, order->config, order->before == NULL ? LOADED_START : LOADED_CHANGE, out,
                err);
}

int settings_look(struct settings_order *order, struct settings **out, eddy_error *err)
{
    struct settings *before = order->before, *now;
    bool databases = geoip_changed(before->geoip), models = loaded_changed(&before->loaded);
    if (!databases && !models)
        return 0;
    int status = make(order, before->config, LOADED_LOOK, &now, err);
    if (status != EDDY_OK)
        return status;
    if (now->geoip == before->geoip &&
        memcmp(&now->loaded, &before->loaded, sizeof now->loaded) == 0) {
        settings_free(now);
        return 0;
    }
    *out = now;
    return 1;
}

void settings_free(struct settings *s)
{
    if (s == NULL)
        return;
    loaded_drop(&s->loaded);
    geoip_close(s->geoip);
    nets_free(s->nets);
    eddy_config_free(s->config);
    free(s);
}
