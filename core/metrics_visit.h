/* SPDX-License-Identifier: MIT */
/* metrics_visit.h - how visit_<name>() of metrics.def tell their samples. */
#pragma once

#include "eddy.h"
#include "emit/promtext.h"
#include "util/text.h"

struct snapshot;
struct model_metrics;

struct visit {
    const struct snapshot *s;
    const struct model_metrics *model;
    eddy_metric metric; /* name, help and kind of the metric under way */
    eddy_metric_fn *each;
    void *user;
};

static inline int sample(struct visit *v, const char *labels, double value)
{
    v->metric.labels = labels;
    v->metric.value = value;
    return v->each(&v->metric, v->user);
}

static inline int labelled(struct visit *v, const char *name, const char *value, double number)
{
    char buffer[160];
    struct text labels = text_over(buffer, sizeof buffer);
    promtext_label(&labels, name, value);
    return sample(v, buffer, number);
}
