/* SPDX-License-Identifier: MIT */
/* engine.h - what workers share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "clean/clean.h"
#include "counter.h"
#include "decide/decide.h"
#include "keeper.h"
#include "reason.h"
#include "score/score.h"
#include "settings.h"
#include "state/state.h"
#include "util/log.h"
#include "vet/vet.h"

#define INPUTS_MAX 64 /* streams named in metrics; all others are summed as "other" */

struct worker_counts {
    struct counter read, scored, dropped;
    struct counter reason[REASON_COUNT];
    struct counter corrected[CORRECTION_COUNT];
};

/* What freed workers of one name have counted: totals never go back. */
struct retired {
    char name[64];
    struct worker_counts counts;
};

struct eddy_engine {
    /* Held while new settings are made and put in force: one at a time. Taken before all others. */
    pthread_mutex_t change_lock;
    pthread_mutex_t lock; /* guards everything below but what says otherwise */
    unsigned holders;     /* the host and each worker */
    /* Also read without the lock, to notice a change: written under the lock, released there,
     * acquired by workers, who then take the lock to hold the new one. */
    struct settings *_Atomic settings;
    struct settings *discarded; /* that nobody holds any more: to be freed, but not here */
    bool stale;                 /* some worker may hold settings that are not in force */
    struct state *state;
    struct score_state *score;
    struct vet_state vet;
    struct decide_state *decide;
    bool learning;           /* the first of two passes */
    eddy_worker *workers;    /* a list */
    struct retired *retired; /* INPUTS_MAX + 1, the last one for all other names */
    size_t retired_count;
    uint64_t reloads, reloads_failed;
    uint64_t model_failures[MODEL_FAULT_COUNT];

    eddy_hooks hooks;      /* never changes */
    struct log log;        /* locks itself */
    struct keeper *keeper; /* locks itself */
};

/* The settings in force, held for the caller; give them back with engine_release. */
struct settings *engine_hold(eddy_engine *engine);

/* The last holder leaves them to engine_sweep(): packet threads free nothing. */
void engine_release(eddy_engine *engine, struct settings *settings);

/* Replaces the settings in force, taking over the caller's hold. With change_lock held. */
void engine_publish(eddy_engine *engine, struct settings *settings);

/* Opens anew what has changed on disk, and puts it in force. */
void engine_look(eddy_engine *engine);

/* Takes old settings from workers that have nothing to do, and frees what nobody holds any more. */
void engine_sweep(eddy_engine *engine);

void engine_join(eddy_engine *engine, eddy_worker *worker);
void engine_leave(eddy_engine *engine, eddy_worker *worker);
