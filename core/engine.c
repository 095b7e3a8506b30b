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

static void give_up(eddy_engine *e, struct settings *settings)
{
    if (--settings->holders > 0)
        return;
    settings->next = e->discarded;
    e->discarded = settings;
}

void engine_release(eddy_engine *e, struct settings *settings)
{
    pthread_mutex_lock(&e->lock);
    give_up(e, settings);
    pthread_mutex_unlock(&e->lock);
}

void engine_publish(eddy_engine *e, struct settings *settings)
{
    pthread_mutex_lock(&e->lock);
    struct settings *old = atomic_load_explicit(&e->settings, memory_order_relaxed);
    atomic_store_explicit(&e->settings, settings, memory_order_release);
    e->stale = true;
    give_up(e, old);
    pthread_mutex_unlock(&e->lock);
}

static void free_all(struct settings *list)
{
    while (list != NULL) {
        struct settings *next = list->next;
        settings_free(list);
        list = next;
    }
}

void engine_sweep(eddy_engine *e)
{
    pthread_mutex_lock(&e->lock);
    if (e->stale) {
        struct settings *now = atomic_load_explicit(&e->settings, memory_order_relaxed);
        e->stale = false;
        for (eddy_worker *w = e->workers; w != NULL; w = w->next) {
            if (!worker_try(w)) {
                e->stale = true; /* at work: it takes them itself with the next record */
                continue;
            }
            if (w->settings != now) {
                now->holders++;
                give_up(e, worker_take(w, now));
            }
            worker_leave(w);
        }
    }
    struct settings *discarded = e->discarded;
    e->discarded = NULL;
    pthread_mutex_unlock(&e->lock);
    free_all(discarded);
}

static void count_faults(eddy_engine *e, const struct settings_order *order)
{
    pthread_mutex_lock(&e->lock);
    for (size_t i = 0; i < MODEL_FAULT_COUNT; i++)
        e->model_failures[i] += order->faults[i];
    pthread_mutex_unlock(&e->lock);
}

void engine_look(eddy_engine *e)
{
    eddy_error err;
    struct settings *now;
    pthread_mutex_lock(&e->change_lock);
    struct settings_order order = {.before = engine_hold(e), .log = &e->log};
    int status = settings_look(&order, &now, &err);
    if (status > 0)
        engine_publish(e, now);
    else if (status < 0)
        log_line(&e->log, LOG_LEVEL_ERROR, "keeping databases and models in use: %s", err.message);
    count_faults(e, &order);
    engine_release(e, order.before);
    pthread_mutex_unlock(&e->change_lock);
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
    if (worker->settings != atomic_load_explicit(&e->settings, memory_order_relaxed))
        e->stale = true; /* replaced since the worker took them */
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
    settings_free(atomic_load(&e->settings));
    free_all(e->discarded);
    decide_free(e->decide);
    vet_done(&e->vet);
    score_free(e->score);
    state_free(e->state);
    free(e->retired);
    pthread_mutex_destroy(&e->lock);
    pthread_mutex_destroy(&e->change_lock);
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
    pthread_mutex_init(&e->change_lock, NULL);
    e->holders = 1;
    take_hooks(e, hooks);
    struct settings *settings = NULL;
    struct settings_order order = {.config = config, .log = &e->log};
    int status = settings_new(&order, &settings, err);
    atomic_store(&e->settings, settings);
    count_faults(e, &order);
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

/* Puts other settings in force. With change_lock held. */
static int change(eddy_engine *e, const eddy_config *config, const char *only, eddy_error *err)
{
    struct settings *renewed;
    struct settings_order order = {
        .config = config, .before = engine_hold(e), .must = only, .log = &e->log};
    int status = settings_new(&order, &renewed, err);
    if (status == EDDY_OK && only != NULL && !keeper_is_output(only)) {
        engine_publish(e, renewed);
    } else if (status == EDDY_OK) {
        status = keeper_reopen(e->keeper, renewed, err);
        if (status != EDDY_OK)
            settings_free(renewed);
    }
    if (status == EDDY_OK)
        warn_of_restart(e, order.before, renewed); /* nobody replaces it before we are done */
    count_faults(e, &order);
    engine_release(e, order.before);
    return status;
}

static int finish_change(eddy_engine *e, int status)
{
    pthread_mutex_lock(&e->lock);
    e->reloads += status == EDDY_OK;
    e->reloads_failed += status != EDDY_OK;
    pthread_mutex_unlock(&e->lock);
    pthread_mutex_unlock(&e->change_lock);
    engine_sweep(e);
    return status;
}

int eddy_engine_reload(eddy_engine *e, const eddy_config *config, eddy_error *err)
{
    pthread_mutex_lock(&e->change_lock);
    return finish_change(e, change(e, config, NULL, err));
}

int eddy_engine_set(eddy_engine *e, const char *key, const char *value, eddy_error *err)
{
    eddy_config *config = NULL;
    pthread_mutex_lock(&e->change_lock);
    struct settings *held = engine_hold(e);
    int status = config_copy(held->config, &config);
    engine_release(e, held);
    if (status != EDDY_OK)
        status = error_nomem(err);
    else
        status = eddy_config_set(config, key, value, err);
    if (status == EDDY_OK)
        status = change(e, config, key, err);
    eddy_config_free(config);
    return finish_change(e, status);
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
