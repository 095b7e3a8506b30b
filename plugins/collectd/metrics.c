/* SPDX-License-Identifier: MIT */
/* metrics.c - libeddy's metrics, and ours, as collectd's values. */
#include "metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "collectd_abi.h"
#include "inputs.h"

static const eddy_metric own[OWN_COUNT] = {
    [OWN_CONFIG_OK] = {"config_ok", "1 if the settings are good and the plugin works.", "", 0,
                       EDDY_GAUGE},
    [OWN_SLOW_READS] = {"slow_reads_total", "Read callbacks that took over a millisecond.", "", 0,
                        EDDY_COUNTER},
    [OWN_CHECKPOINT_TIMESTAMP] = {"checkpoint_timestamp_seconds",
                                  "When positions were last written.", "", 0, EDDY_GAUGE},
    [OWN_CHECKPOINT_FAILURES] = {"checkpoint_failures_total", "Checkpoints not written.", "", 0,
                                 EDDY_COUNTER},
    [OWN_NOTIFICATIONS] = {"notifications_total", "Notifications by what became of them.", "", 0,
                           EDDY_COUNTER},
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
    for (size_t i = 0; i < OWN_COUNT; i++)
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

/* The label `input` becomes the instance, the others the instance of the type. */
static void take_labels(const char *labels, struct cd_values *out)
{
    char name[64];
    char value[64];
    char *rest = out->type_instance;
    size_t used = 0;
    (void)snprintf(out->plugin_instance, CD_NAME, METRICS_ALL);
    while ((labels = next_label(labels, name, value, sizeof name)) != NULL) {
        if (strcmp(name, "input") == 0)
            (void)snprintf(out->plugin_instance, CD_NAME, "%s", value);
        else if (used + strlen(value) + 2 < CD_NAME)
            used +=
                (size_t)snprintf(rest + used, CD_NAME - used, "%s%s", used > 0 ? "-" : "", value);
    }
}

int metrics_add(const eddy_metric *metric, void *user)
{
    union cd_value value = {.derive = 0};
    struct cd_values list = {.values = &value, .count = 1, .plugin = "eddy"};
    (void)user;
    if (unwanted(metric) || isnan(metric->value))
        return 0;
    type_of(metric->name, list.type, sizeof list.type);
    if (metric->kind == EDDY_COUNTER)
        value.derive = (int64_t)metric->value;
    else
        value.gauge = metric->value;
    take_labels(metric->labels, &list);
    (void)plugin_dispatch_values(&list); /* copied; a failure was logged */
    return 0;
}

void metrics_own(enum own which, const char *labels, double value)
{
    eddy_metric metric = own[which];
    metric.labels = labels;
    metric.value = value;
    (void)metrics_add(&metric, NULL); /* never stops */
}
