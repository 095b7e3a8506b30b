/* SPDX-License-Identifier: MIT */
/* settings.h - everything that a reload replaces at once: settings, databases, networks, models.
 *
 * Immutable once published. Counted: the engine holds the one in force, each worker the one it
 * works with; all counting is done under the engine's lock. What takes long to open (databases,
 * models) is counted by itself: settings that follow take over what has not changed. */
#pragma once

#include "clean/clean.h"
#include "decide/decide.h"
#include "emit/emit.h"
#include "enrich/geoip.h"
#include "enrich/nets.h"
#include "ingest/stream.h"
#include "loaded.h"
#include "score/score.h"
#include "state/state.h"
#include "vet/vet.h"

struct engine_conf {
    bool thread;
    bool need_models;
};

struct settings {
    unsigned holders;
    struct settings *next; /* once nobody holds it: the next one to be freed */
    eddy_config *config;   /* a copy; the conf structs below are its */
    const struct engine_conf *engine;
    const struct ingest_conf *ingest;
    const struct clean_conf *clean;
    const struct state_conf *state;
    const struct decide_conf *decide;
    const struct emit_conf *emit;
    struct score_conf score;
    struct vet_conf vet;
    struct geoip *geoip;
    struct loaded_set loaded;
    struct model_file *model[MODEL_USES]; /* those in it, by setting; NULL: none */
    struct models models;                 /* what is in them */
    struct nets *nets;
};

/* What new settings are to be, and what came of it. */
struct settings_order {
    const eddy_config *config;
    struct settings *before; /* held by the caller; NULL at the start */
    const char *must;        /* eddy_engine_set(): the setting, whose model must load; or NULL */
    struct log *log;         /* told what was taken up, and what could not be */
    unsigned faults[MODEL_FAULT_COUNT]; /* out: model files refused */
};

/* Reads and opens everything the config names, but what the settings before have open already. What
 * the same setting had open before stays in use if its file can't be opened any more. Holders: 1,
 * the caller. One at a time for one engine. */
int settings_new(struct settings_order *order, struct settings **out, eddy_error *err);

/* Have databases or models of these settings changed since the last look? Then opens those; `order`
 * needs no config. 1: they did, and `out` is what can be put in force; 0: there is nothing new. */
int settings_look(struct settings_order *order, struct settings **out, eddy_error *err);

/* For those that nobody holds any more. May take a while. */
void settings_free(struct settings *settings);
