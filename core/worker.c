/* SPDX-License-Identifier: MIT */
/* worker.c - THE PIPELINE. run() is its table of contents: one call for each step. */
#include "worker.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "clean/clean.h"
#include "decide/decide.h"
#include "enrich/enrich.h"
#include "features/features.h"
#include "score/score.h"
#include "state/state.h"
#include "util/error.h"
#include "vet/vet.h"

/* Everything behind the lock is shared by all workers of the engine; it takes a few microseconds
 * (tests/bench/README.md), with the deepest model file that is taken, hundreds (models/README.md).
 * There, the settings are those in force, not those the worker holds: all workers score with other
 * models from the same flow on, and no score is made with some of each. */
static enum reason run(eddy_worker *w, struct row *row)
{
    const struct settings *own = w->settings;
    eddy_engine *e = w->engine;
    uint64_t corrected[CORRECTION_COUNT] = {0};

    enum reason reason = clean(own->clean, row, corrected);
    if (reason != REASON_NONE)
        return reason;
    state_prepare(e->state, row);
    enrich(own->geoip, own->nets, w->cache, row);

    pthread_mutex_lock(&e->lock);
    const struct settings *set = atomic_load_explicit(&e->settings, memory_order_relaxed);
    row->first_pass = e->learning;
    state_update(e->state, set->state, row);
    row->models = &set->models;
    if (row->kind == ROW_FLOW)
        features(row);
    if (row->host != NULL) { /* else it was a name to remember, nothing to judge */
        score(e->score, &set->score, row);
        vet(&e->vet, &set->vet, e->score, &set->score, row, state_now_us(e->state));
        if (!e->learning)
            decide(e->decide, set->decide, e->score, &set->score, row, state_now_us(e->state));
        /* Last: what decide says of the row is of the state before it. */
        score_learn(e->score, &set->score, row);
    }
    pthread_mutex_unlock(&e->lock);

    if (row->kind != ROW_FLOW)
        return REASON_NONE;
    for (size_t i = 0; i < CORRECTION_COUNT; i++)
        if (corrected[i] != 0)
            counter_add(&w->counts.corrected[i], corrected[i]);
    if (w->tell != NULL)
        w->tell(&row->flow, row->column, &row->verdict, w->user);
    return REASON_NONE;
}

/* ---- records ---- */

static void count(eddy_worker *w, enum reason reason)
{
    counter_add(&w->counts.read, 1);
    if (reason == REASON_NONE) {
        counter_add(&w->counts.scored, 1);
        w->scored++;
    } else {
        counter_add(&w->counts.reason[reason], 1);
    }
}

/* Says it once for each reason, with the place: the counters tell how often. */
static void complain(eddy_worker *w, enum reason reason, const struct stream_record *record)
{
    if (w->said[reason] || reason_table[reason].result != REASON_REJECTED)
        return;
    w->said[reason] = true;
    size_t shown = record->length < 60 ? record->length : 60;
    log_line(&w->engine->log, LOG_LEVEL_WARNING,
             "%s: record at byte %llu rejected (%s): %s; the first of them, others are only "
             "counted: %.*s%s",
             w->name, (unsigned long long)record->offset, reason_table[reason].name,
             reason_table[reason].help, (int)shown, record->line == NULL ? "" : record->line,
             record->length > shown ? "..." : "");
}

/* Takes up other settings, if there are any in force. */
static void renew(eddy_worker *w)
{
    eddy_engine *e = w->engine;
    if (atomic_load_explicit(&e->settings, memory_order_acquire) != w->settings)
        engine_release(e, worker_take(w, engine_hold(e)));
    if (w->forget) {
        enrich_forget(w->cache);
        w->forget = false;
    }
}

static void take(void *user, const struct stream_record *record)
{
    eddy_worker *w = user;
    enum reason reason = record->reason;
    if (record->flow != NULL) {
        w->row.kind = record->context == NULL ? ROW_FLOW : ROW_NAME;
        w->row.context = record->context;
        w->row.flow = *record->flow;
        renew(w);
        enum reason wrong = run(w, &w->row);
        reason = wrong != REASON_NONE ? wrong : reason;
    }
    count(w, reason);
    if (reason != REASON_NONE)
        complain(w, reason, record);
}

/* ---- calls ---- */

bool worker_try(eddy_worker *w)
{
    return !atomic_exchange_explicit(&w->busy, true, memory_order_acquire);
}

void worker_leave(eddy_worker *w)
{
    atomic_store_explicit(&w->busy, false, memory_order_release);
}

struct settings *worker_take(eddy_worker *w, struct settings *now)
{
    struct settings *was = w->settings;
    w->forget = w->forget || was->geoip != now->geoip || was->nets != now->nets;
    w->settings = now;
    return was;
}

/* A call begins; if the engine is just renewing the idle worker's settings, behind its lock. */
static void enter(eddy_worker *w)
{
    while (!worker_try(w)) {
        pthread_mutex_lock(&w->engine->lock);
        pthread_mutex_unlock(&w->engine->lock);
    }
    renew(w);
}

/* ---- the public part ---- */

static void set_name(eddy_worker *w, const char *name)
{
    size_t length = 0;
    for (; name[length] != '\0' && length < sizeof w->name - 1; length++) {
        unsigned char c = (unsigned char)name[length];
        w->name[length] = c < 0x20 || c == 0x7f ? '?' : (char)c;
    }
    w->name[length] = '\0';
}

int eddy_worker_new(eddy_engine *engine, const char *name, const char *format, eddy_worker **out,
                    eddy_error *err)
{
    eddy_worker *w = calloc(1, sizeof *w);
    if (w == NULL)
        return error_nomem(err);
    w->engine = engine;
    w->tell = engine->hooks.scored;
    w->user = engine->hooks.user;
    set_name(w, name);
    w->settings = engine_hold(engine);
    w->cache = calloc(1, sizeof *w->cache);
    int status = w->cache == NULL ? error_nomem(err)
                                  : stream_new(w->settings->ingest, format, &w->stream, err);
    if (status != EDDY_OK) {
        engine_release(engine, w->settings);
        free(w->cache);
        free(w);
        return status;
    }
    engine_join(engine, w);
    *out = w;
    return EDDY_OK;
}

void eddy_worker_free(eddy_worker *w)
{
    if (w == NULL)
        return;
    enter(w); /* for good */
    engine_release(w->engine, w->settings);
    stream_free(w->stream);
    free(w->cache);
    engine_leave(w->engine, w);
    free(w);
}

void eddy_worker_scored(eddy_worker *w,
                        void (*scored)(const eddy_flow *flow, const double *columns,
                                       const eddy_verdict *verdict, void *user),
                        void *user)
{
    w->tell = scored;
    w->user = user;
}

int eddy_worker_feed(eddy_worker *w, const void *bytes, size_t length)
{
    enter(w);
    w->scored = 0;
    int status = stream_feed(w->stream, bytes, length, take, w);
    worker_leave(w);
    return status != EDDY_OK ? status : w->scored;
}

int eddy_worker_end(eddy_worker *w)
{
    enter(w);
    w->scored = 0;
    int status = stream_end(w->stream, take, w);
    worker_leave(w);
    return status != EDDY_OK ? status : w->scored;
}

int eddy_worker_skip(eddy_worker *w, uint64_t bytes)
{
    stream_skip(w->stream, bytes);
    return EDDY_OK;
}

/* Text from a caller may lack its end, or hold what would break a CSV or JSON line. */
static void tidy(char *text, size_t size)
{
    text[size - 1] = '\0';
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == ',' || *text == '\\')
            *text = '?';
}

int eddy_worker_score(eddy_worker *w, const eddy_flow *flow, eddy_verdict *out)
{
    enter(w);
    struct row *row = &w->row;
    row->kind = ROW_FLOW;
    size_t size = flow->size < sizeof row->flow ? flow->size : sizeof row->flow;
    memset(&row->flow, 0, sizeof row->flow);
    memcpy(&row->flow, flow, size);
    tidy(row->flow.id, sizeof row->flow.id);
    tidy(row->flow.app, sizeof row->flow.app);
    enum reason reason = run(w, row);
    count(w, reason);
    if (reason != REASON_NONE)
        row->verdict =
            (eddy_verdict){.score = NAN, .p = 1.0, .detector = "", .flags = EDDY_REJECTED};
    if (out != NULL)
        *out = row->verdict;
    worker_leave(w);
    return reason == REASON_NONE;
}

void eddy_worker_missed(eddy_worker *w, uint64_t skipped, uint64_t dropped)
{
    counter_add(&w->counts.read, skipped + dropped);
    counter_add(&w->counts.reason[REASON_other_event], skipped);
    counter_add(&w->counts.dropped, dropped);
}

void eddy_worker_counts(const eddy_worker *w, eddy_counts *out)
{
    *out = (eddy_counts){.read = counter_read(&w->counts.read),
                         .scored = counter_read(&w->counts.scored),
                         .dropped = counter_read(&w->counts.dropped)};
    for (size_t i = 1; i < REASON_COUNT; i++) {
        uint64_t n = counter_read(&w->counts.reason[i]);
        if (reason_table[i].result == REASON_REJECTED)
            out->rejected += n;
        else
            out->skipped += n;
    }
}

int eddy_worker_rejects(const eddy_worker *w, eddy_reject_fn *each, void *user)
{
    for (size_t i = 1; i < REASON_COUNT; i++) {
        uint64_t n = counter_read(&w->counts.reason[i]);
        if (n == 0)
            continue;
        int stop = each(reason_table[i].name, reason_table[i].help, n,
                        reason_table[i].result == REASON_REJECTED, user);
        if (stop != 0)
            return stop;
    }
    return 0;
}
