/* SPDX-License-Identifier: MIT */
/* settings.h - everything that a reload replaces at once: settings, databases, networks.
 *
 * Immutable once published. Counted: the engine holds the one in force, each worker the one it
 * works with; all counting is done under the engine's lock. */
#pragma once

#include "clean/clean.h"
#include "decide/decide.h"
#include "emit/emit.h"
#include "enrich/geoip.h"
#include "enrich/nets.h"
#include "ingest/stream.h"
#include "model/model_file.h"
#include "score/score.h"
#include "state/state.h"
#include "vet/vet.h"

struct engine_conf {
    bool thread;
};

struct settings {
    unsigned holders;
    eddy_config *config; /* a copy; the conf structs below are its */
    const struct engine_conf *engine;
    const struct ingest_conf *ingest;
    const struct clean_conf *clean;
    const struct state_conf *state;
    const struct decide_conf *decide;
    const struct emit_conf *emit;
    struct score_conf score;
    struct vet_conf vet;
    struct geoip *geoip;
    struct model_file *model[MODEL_USES]; /* by setting; NULL: none is set */
    struct models models;                 /* what is in them */
    struct nets *nets;
};

/* Reads and opens everything the config names. Holders: 1, the caller. */
int settings_new(const eddy_config *config, struct settings **out, eddy_error *err);

/* Why the model that the config names can't be loaded; MODEL_FINE: it can, or there is none. */
enum model_fault settings_model_fault(const eddy_config *config);

/* Gives up one hold. */
void settings_drop(struct settings *settings);
