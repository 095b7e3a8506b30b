/* SPDX-License-Identifier: MIT */
/* metrics.c - libeddy's metrics, and ours, as collectd's values. */
#include "metrics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collectd_abi.h"
#include "inputs.h"

struct sample {
    char type[64], input[64], label[128];
    bool counter;
    double value;
};

struct board {
    struct sample *samples;
    size_t count, family, left_out;
};

struct metrics {
    struct board *draft; /* the scoring thread's */
    pthread_mutex_t lock;
    struct board *shown; /* under the lock; who holds it does not wait for anything else */
    struct board boards[2];
};

/* ---- names ---- */

static const eddy_metric own[] = {
    {"config_ok", "1 if the settings are good and the plugin works.", "", 0, EDDY_GAUGE},
    {"silent_seconds", "Seconds since the scoring thread's last turn.", "", 0, EDDY_GAUGE},
    {"slow_reads_total", "Read callbacks that took over a millisecond.", "", 0, EDDY_COUNTER},
    {"checkpoint_timestamp_seconds", "When positions were last written.", "", 0, EDDY_GAUGE},
    {"checkpoint_failures_total", "Checkpoints not written.", "", 0, EDDY_COUNTER},
    {"notifications_total", "Incidents by what became of them.", "", 0, EDDY_COUNTER},
    {"series_left_out", "Series over the limit, not shown.", "", 0, EDDY_GAUGE},
};

/* The type of a metric: without "eddy_" and "_total". */
static void type_of(const char *name, char *type, size_t size)
{
    static const char total[] = "_total";
    name += strncmp(name, "eddy_", 5) == 0 ? 5 : 0;
    int length = snprintf(type, size, "%s", name);
    size_t end = (size_t)length < size ? (size_t)length : size - 1;
    if (end > sizeof total - 1 && strcmp(type + end - (sizeof total - 1), total) == 0)
        type[end - (sizeof total - 1)] = '\0';
}

/* Has addresses as labels, which do not belong into a metric's name. */
static bool unwanted(const eddy_metric *metric)
{
    return strcmp(metric->name, "eddy_top_host_flows") == 0;
}

static int register_one(const eddy_metric *metric, void *user)
{
    bool counter = metric->kind == EDDY_COUNTER;
    struct cd_source source = {.name = "value",
                               .type = counter ? CD_DERIVE : CD_GAUGE,
                               .min = counter ? 0 : NAN,
                               .max = NAN};
    struct cd_data_set set = {.count = 1, .sources = &source};
    (void)user;
    type_of(metric->name, set.type, sizeof set.type);
    if (!unwanted(metric))
        (void)plugin_register_data_set(&set); /* copied; a failure was logged */
    return 0;
}

void metrics_register(void)
{
    (void)eddy_metrics(register_one, NULL); /* these never stop a visit */
    (void)inputs_metrics(NULL, register_one, NULL);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        (void)register_one(&own[i], NULL);
}

/* The next `name="value"` of labels, unescaped; NULL after the last one. */
static const char *next_label(const char *labels, char *name, char *value, size_t size)
{
    size_t n = strcspn(labels, "=");
    if (labels[n] == '\0' || labels[n + 1] != '"')
        return NULL;
    (void)snprintf(name, size, "%.*s", (int)n, labels);
    const char *p = labels + n + 2;
    size_t used = 0;
    for (; *p != '\0' && *p != '"'; p++) {
        if (*p == '\\' && p[1] != '\0')
            p++;
        if (used + 1 < size)
            value[used++] = *p;
    }
    value[used] = '\0';
    p += *p == '"';
    return *p == ',' ? p + 1 : p;
}

static void take_labels(const char *labels, struct sample *s)
{
    char name[64];
    char value[64];
    size_t used = 0;
    while ((labels = next_label(labels, name, value, sizeof name)) != NULL) {
        if (strcmp(name, "input") == 0)
            (void)snprintf(s->input, sizeof s->input, "%s", value);
        else if (used + strlen(value) + 2 < sizeof s->label)
            used += (size_t)snprintf(s->label + used, sizeof s->label - used, "%s%s",
                                     used > 0 ? "-" : "", value);
    }
}

/* ---- from the scoring thread to the readers ---- */

struct metrics *metrics_new(void)
{
    struct metrics *m = calloc(1, sizeof *m);
    if (m == NULL)
        return NULL;
    m->draft = &m->boards[0];
    m->shown = &m->boards[1];
    m->boards[0].samples = calloc(METRICS_TOTAL, sizeof(struct sample));
    m->boards[1].samples = calloc(METRICS_TOTAL, sizeof(struct sample));
    if (m->boards[0].samples != NULL && m->boards[1].samples != NULL &&
        pthread_mutex_init(&m->lock, NULL) == 0)
        return m;
    free(m->boards[0].samples);
    free(m->boards[1].samples);
    free(m);
    return NULL;
}

void metrics_free(struct metrics *m)
{
    if (m == NULL)
        return;
    (void)pthread_mutex_destroy(&m->lock); /* nobody holds it any more */
    free(m->boards[0].samples);
    free(m->boards[1].samples);
    free(m);
}

void metrics_begin(struct metrics *m)
{
    m->draft->count = m->draft->family = m->draft->left_out = 0;
}

int metrics_add(const eddy_metric *metric, void *user)
{
    struct metrics *m = user;
    struct board *b = m->draft;
    struct sample s = {.counter = metric->kind == EDDY_COUNTER, .value = metric->value};
    if (unwanted(metric) || isnan(metric->value))
        return 0;
    type_of(metric->name, s.type, sizeof s.type);
    take_labels(metric->labels, &s);
    if (b->count == 0 || strcmp(b->samples[b->count - 1].type, s.type) != 0)
        b->family = 0; /* samples of one name come together */
    if (b->family == METRICS_FAMILY || b->count == METRICS_TOTAL) {
        b->left_out++;
        return 0;
    }
    b->family++;
    b->samples[b->count++] = s;
    return 0;
}

void metrics_own(struct metrics *m, const char *name, const char *labels, double value)
{
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i].name, name) == 0) {
            eddy_metric metric = own[i];
            metric.labels = labels;
            metric.value = value;
            (void)metrics_add(&metric, m); /* never stops */
        }
}

void metrics_show(struct metrics *m)
{
    if (pthread_mutex_trylock(&m->lock) != 0)
        return; /* being read: the next second's will be shown */
    struct board *swap = m->shown;
    m->shown = m->draft;
    m->draft = swap;
    (void)pthread_mutex_unlock(&m->lock);
}

/* ---- to collectd ---- */

static void dispatch(const struct sample *s)
{
    union cd_value value;
    struct cd_values list = {.values = &value, .count = 1, .plugin = "eddy"};
    if (s->counter)
        value.derive = (int64_t)s->value;
    else
        value.gauge = s->value;
    (void)snprintf(list.plugin_instance, sizeof list.plugin_instance, "%s",
                   *s->input != '\0' ? s->input : METRICS_ALL);
    (void)snprintf(list.type, sizeof list.type, "%s", s->type);
    (void)snprintf(list.type_instance, sizeof list.type_instance, "%s", s->label);
    (void)plugin_dispatch_values(&list); /* a failure was logged */
}

void metrics_dispatch(struct metrics *m)
{
    (void)pthread_mutex_lock(&m->lock); /* held elsewhere for the swap of two pointers only */
    for (size_t i = 0; i < m->shown->count; i++)
        dispatch(&m->shown->samples[i]);
    double left_out = (double)m->shown->left_out;
    (void)pthread_mutex_unlock(&m->lock);
    metrics_dispatch_one("series_left_out", left_out);
}

void metrics_dispatch_one(const char *name, double value)
{
    struct sample s = {.value = value};
    type_of(name, s.type, sizeof s.type);
    s.counter = strlen(s.type) < strlen(name); /* "_total" */
    dispatch(&s);
}
