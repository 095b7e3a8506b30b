/* SPDX-License-Identifier: MIT */
/* engine.c - opens and owns what workers share. */
#include "engine.h"

#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "util/error.h"
#include "worker.h"

/* ---- settings in force ---- */

struct settings *engine_hold(eddy_engine *e)
{
    pthread_mutex_lock(&e->lock);
    struct settings *now = atomic_load_explicit(&e->settings, memory_order_relaxed);
    now->holders++;
    pthread_mutex_unlock(&e->lock);
    return now;
}

void engine_release(eddy_engine *e, struct settings *settings)
{
    pthread_mutex_lock(&e->lock);
    settings_drop(settings);
    pthread_mutex_unlock(&e->lock);
}

void engine_publish(eddy_engine *e, struct settings *settings)
{
    pthread_mutex_lock(&e->lock);
    struct settings *old = atomic_load_explicit(&e->settings, memory_order_relaxed);
    atomic_store_explicit(&e->settings, settings, memory_order_release);
    settings_drop(old);
    pthread_mutex_unlock(&e->lock);
}

void engine_count_model(eddy_engine *e, const eddy_config *config)
{
    enum model_fault fault = settings_model_fault(config);
    pthread_mutex_lock(&e->lock);
    e->model_failures[fault] += fault != MODEL_FINE;
    pthread_mutex_unlock(&e->lock);
}

/* ---- workers ---- */

void engine_join(eddy_engine *e, eddy_worker *worker)
{
    pthread_mutex_lock(&e->lock);
    worker->next = e->workers;
    if (e->workers != NULL)
        e->workers->previous = worker;
    e->workers = worker;
    e->holders++;
    pthread_mutex_unlock(&e->lock);
}

static void fold(struct worker_counts *into, const struct worker_counts *from)
{
    counter_add(&into->read, counter_read(&from->read));
    counter_add(&into->scored, counter_read(&from->scored));
    counter_add(&into->dropped, counter_read(&from->dropped));
    for (size_t i = 0; i < REASON_COUNT; i++)
        counter_add(&into->reason[i], counter_read(&from->reason[i]));
    for (size_t i = 0; i < CORRECTION_COUNT; i++)
        counter_add(&into->corrected[i], counter_read(&from->corrected[i]));
}

static void retire(eddy_engine *e, const eddy_worker *worker)
{
    size_t i = 0;
    while (i < e->retired_count && strcmp(e->retired[i].name, worker->name) != 0)
        i++;
    if (i == e->retired_count && i < INPUTS_MAX) {
        memcpy(e->retired[i].name, worker->name, sizeof worker->name);
        e->retired_count++;
    }
    fold(&e->retired[i].counts, &worker->counts);
}

static void destroy(eddy_engine *e)
{
    keeper_free(e->keeper); /* first: its last round still needs the rest */
    settings_drop(atomic_load(&e->settings));
    decide_free(e->decide);
    vet_done(&e->vet);
    score_free(e->score);
    state_free(e->state);
    free(e->retired);
    pthread_mutex_destroy(&e->lock);
    free(e);
}

/* Gives up one hold; the last one takes the engine with it. */
static void drop(eddy_engine *e)
{
    pthread_mutex_lock(&e->lock);
    bool last = --e->holders == 0;
    if (last && e->decide != NULL)
        decide_end(e->decide);
    pthread_mutex_unlock(&e->lock);
    if (last)
        destroy(e);
}

void engine_leave(eddy_engine *e, eddy_worker *worker)
{
    pthread_mutex_lock(&e->lock);
    if (worker->previous != NULL)
        worker->previous->next = worker->next;
    else
        e->workers = worker->next;
    if (worker->next != NULL)
        worker->next->previous = worker->previous;
    retire(e, worker);
    pthread_mutex_unlock(&e->lock);
    drop(e);
}

/* ---- incidents on their way out ---- */

/* Called by decide, with the engine's lock held. */
static void tell(const struct incident_event *event, void *user)
{
    eddy_engine *e = user;
    if (e->hooks.incident != NULL) {
        struct incident_room room;
        eddy_incident incident;
        incident_view(event, &room, &incident);
        e->hooks.incident(&incident, e->hooks.user);
    }
    keeper_tell(e->keeper, event); /* withheld ones too: an output may want them */
}

/* ---- life ---- */

static void take_hooks(eddy_engine *e, const eddy_hooks *hooks)
{
    if (hooks == NULL)
        return;
    size_t size = hooks->size < sizeof e->hooks ? hooks->size : sizeof e->hooks;
    memcpy(&e->hooks, hooks, size);
    e->log.hook = e->hooks.log;
    e->log.user = e->hooks.user;
}

int eddy_engine_new(const eddy_config *config, const eddy_hooks *hooks, eddy_engine **out,
                    eddy_error *err)
{
    eddy_engine *e = calloc(1, sizeof *e);
    if (e == NULL)
        return error_nomem(err);
    pthread_mutex_init(&e->lock, NULL);
    e->holders = 1;
    take_hooks(e, hooks);
    struct settings *settings = NULL;
    int status = settings_new(config, &settings, err);
    atomic_store(&e->settings, settings);
    e->retired = calloc(INPUTS_MAX + 1, sizeof *e->retired);
    if (status == EDDY_OK && e->retired == NULL)
        status = error_nomem(err);
    if (status == EDDY_OK)
        status = state_new(settings->state, &e->state, err);
    if (status == EDDY_OK)
        status = score_new(&settings->score, &e->score, err);
    if (status == EDDY_OK)
        status = decide_new(tell, e, &e->decide, err);
    if (status == EDDY_OK)
        e->decide->names = &e->state->names;
    if (status == EDDY_OK)
        status = keeper_new(e, &e->keeper, err);
    if (status == EDDY_OK && settings->engine->thread)
        status = keeper_start(e->keeper, err);
    if (status != EDDY_OK) {
        destroy(e);
        return status;
    }
    *out = e;
    return EDDY_OK;
}

void eddy_engine_free(eddy_engine *e)
{
    if (e == NULL)
        return;
    (void)eddy_engine_end(e);
    drop(e);
}

/* What was allocated at start stays; everything else is looked up in the settings. */
static void warn_of_restart(eddy_engine *e, const struct settings *was, const struct settings *now)
{
    if (was->state->memory != now->state->memory || was->state->seed != now->state->seed ||
        was->state->names != now->state->names)
        log_line(&e->log, LOG_LEVEL_WARNING,
                 "state.memory, state.names and state.seed change with a restart");
    if (was->engine->thread != now->engine->thread)
        log_line(&e->log, LOG_LEVEL_WARNING, "engine.thread changes with a restart");
    if (was->ingest->max_line != now->ingest->max_line ||
        was->ingest->link_header != now->ingest->link_header ||
        was->ingest->context != now->ingest->context)
        log_line(
            &e->log, LOG_LEVEL_WARNING,
            "ingest.max_line, ingest.link_header and ingest.context change for streams that begin "
            "now");
}

int eddy_engine_reload(eddy_engine *e, const eddy_config *config, eddy_error *err)
{
    struct settings *renewed;
    int status = settings_new(config, &renewed, err);
    if (status == EDDY_OK) {
        struct settings *was = engine_hold(e);
        renewed->holders++; /* ours: nobody else knows it yet */
        status = keeper_reopen(e->keeper, renewed, err);
        if (status == EDDY_OK)
            warn_of_restart(e, was, renewed);
        else
            engine_release(e, renewed); /* the hold that was not taken over */
        engine_release(e, renewed);
        engine_release(e, was);
    }
    if (status != EDDY_OK)
        engine_count_model(e, config);
    pthread_mutex_lock(&e->lock);
    e->reloads += status == EDDY_OK;
    e->reloads_failed += status != EDDY_OK;
    pthread_mutex_unlock(&e->lock);
    return status;
}

int eddy_engine_set(eddy_engine *e, const char *key, const char *value, eddy_error *err)
{
    struct settings *held = engine_hold(e);
    eddy_config *config = NULL;
    int status = config_copy(held->config, &config);
    engine_release(e, held);
    if (status != EDDY_OK)
        return error_nomem(err);
    status = eddy_config_set(config, key, value, err);
    if (status == EDDY_OK)
        status = eddy_engine_reload(e, config, err);
    eddy_config_free(config);
    return status;
}

int eddy_engine_tick(eddy_engine *e)
{
    keeper_tick(e->keeper);
    return EDDY_OK;
}

int eddy_engine_end(eddy_engine *e)
{
    pthread_mutex_lock(&e->lock);
    decide_end(e->decide);
    pthread_mutex_unlock(&e->lock);
    return EDDY_OK;
}

int eddy_engine_begin(eddy_engine *e, eddy_pass pass)
{
    pthread_mutex_lock(&e->lock);
    decide_end(e->decide);
    state_rewind(e->state);
    e->learning = pass == EDDY_PASS_LEARN;
    pthread_mutex_unlock(&e->lock);
    return EDDY_OK;
}
