/* SPDX-License-Identifier: MIT */
/* telemetry.c - what eddyd tells about itself: its own metrics, whether it is alive and ready. */
#include "telemetry.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"

#define TEXT_MAX (256 * 1024)

struct telemetry {
    /* Written by the scoring thread, read by the HTTP thread; each stands for itself, so no order
     * between them is needed. */
    _Atomic int64_t turn_ms;
    atomic_bool ready;
    /* Only the scoring thread. */
    uint64_t reloads, failed_reloads;
    int64_t start_s;
    char *draft;
    size_t draft_used;
    const char *headed; /* the metric that had its HELP last */
    /* Under the lock: the scoring thread replaces it, the HTTP thread copies it. */
    pthread_mutex_t lock;
    char *text;
    size_t used;
};

struct telemetry *telemetry_new(void)
{
    struct telemetry *t = calloc(1, sizeof *t);
    if (t == NULL)
        return NULL;
    t->text = calloc(1, TEXT_MAX);
    t->draft = calloc(1, TEXT_MAX);
    if (t->text == NULL || t->draft == NULL || pthread_mutex_init(&t->lock, NULL) != 0) {
        free(t->text);
        free(t->draft);
        free(t);
        return NULL;
    }
    t->start_s = (int64_t)time(NULL);
    telemetry_turn(t);
    return t;
}

void telemetry_free(struct telemetry *t)
{
    if (t == NULL)
        return;
    (void)pthread_mutex_destroy(&t->lock);
    free(t->text);
    free(t->draft);
    free(t);
}

void telemetry_turn(struct telemetry *t)
{
    atomic_store_explicit(&t->turn_ms, clock_ms(), memory_order_relaxed);
}

void telemetry_ready(struct telemetry *t, bool ready)
{
    atomic_store_explicit(&t->ready, ready, memory_order_relaxed);
}

void telemetry_reload(struct telemetry *t, bool worked)
{
    if (worked)
        t->reloads++;
    else
        t->failed_reloads++;
}

bool telemetry_is_ready(const struct telemetry *t)
{
    return atomic_load_explicit(&t->ready, memory_order_relaxed);
}

int64_t telemetry_silent_ms(const struct telemetry *t)
{
    return clock_ms() - atomic_load_explicit(&t->turn_ms, memory_order_relaxed);
}

/* ---- the text ---- */

/* Adds a line, or nothing at all if it does not fit any more. */
__attribute__((format(printf, 2, 3))) static void add(struct telemetry *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = TEXT_MAX - t->draft_used;
    int length = vsnprintf(t->draft + t->draft_used, room, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < room)
        t->draft_used += (size_t)length;
}

static void head(struct telemetry *t, const char *name, const char *type, const char *help)
{
    add(t, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void simple(struct telemetry *t, const char *name, const char *type, const char *help,
                   uint64_t value)
{
    head(t, name, type, help);
    add(t, "%s %" PRIu64 "\n", name, value);
}

/* One sample; samples of one name come together. */
static int add_sample(const eddy_metric *metric, void *user)
{
    struct telemetry *t = user;
    char name[64];
    (void)snprintf(name, sizeof name, "eddyd_%s", metric->name); /* short constants */
    if (strcmp(metric->name, t->headed) != 0)
        head(t, name, metric->kind == EDDY_GAUGE ? "gauge" : "counter", metric->help);
    t->headed = metric->name;
    add(t, "%s{%s} %.0f\n", name, metric->labels, metric->value);
    return 0;
}

void telemetry_update(struct telemetry *t, const struct inputs *in, const struct journal *j)
{
    struct journal_stats journal;
    journal_stats(j, &journal);
    t->draft_used = 0;
    t->headed = "";
    (void)inputs_metrics(in, add_sample, t); /* add_sample() never stops it */
    simple(t, "eddyd_start_time_seconds", "gauge", "When eddyd was started, Unix time.",
           (uint64_t)t->start_s);
    simple(t, "eddyd_checkpoint_timestamp_seconds", "gauge",
           "When positions were last written to disk, Unix time; 0: not since the start.",
           (uint64_t)journal.checkpoint_s);
    simple(t, "eddyd_checkpoint_failures_total", "counter",
           "Attempts to write positions or the flows file that failed.", journal.failures);
    simple(t, "eddyd_flows_lost_total", "counter",
           "Lines that are missing in the flows file because it could not be written.",
           journal.lost_lines);
    head(t, "eddyd_reloads_total", "counter", "Reloads of the configuration.");
    add(t, "eddyd_reloads_total{result=\"ok\"} %" PRIu64 "\n", t->reloads);
    add(t, "eddyd_reloads_total{result=\"failed\"} %" PRIu64 "\n", t->failed_reloads);
    (void)pthread_mutex_lock(&t->lock); /* a normal mutex, locked by its own rules: cannot fail */
    memcpy(t->text, t->draft, t->draft_used);
    t->used = t->draft_used;
    (void)pthread_mutex_unlock(&t->lock);
}

size_t telemetry_text(struct telemetry *t, char *buf, size_t size)
{
    (void)pthread_mutex_lock(&t->lock);
    size_t used = t->used;
    if (size > 0) {
        size_t n = used < size ? used : size - 1;
        memcpy(buf, t->text, n);
        buf[n] = '\0';
    }
    (void)pthread_mutex_unlock(&t->lock);
    return used;
}
