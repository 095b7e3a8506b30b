/* SPDX-License-Identifier: MIT */
/* metrics.h - libeddy's metrics, and ours, as collectd's values.
 *
 * eddy_flows_total{input="dmz"} becomes plugin "eddy", plugin_instance "dmz", type "flows"; what
 * has no input gets the instance METRICS_ALL, since write_prometheus moves labels about where it is
 * empty. Other labels become the type_instance. */
#pragma once

#include <stdbool.h>

#include "eddy.h"

#define METRICS_ALL "all"
#define METRICS_FAMILY                                                                             \
    500 /* series of one type: write_prometheus takes longer for each further one */
#define METRICS_TOTAL 3000 /* series */

/* Tells collectd of all types. To be called before anything else. */
void metrics_register(void);

struct metrics;

struct metrics *metrics_new(void); /* NULL: out of memory */
void metrics_free(struct metrics *m);

/* For the scoring thread: collects samples (metrics_add has the form of an eddy_metric_fn and never
 * stops a visit), then shows them. That never waits: a reader at work keeps what it has. */
void metrics_begin(struct metrics *m);
int metrics_add(const eddy_metric *metric, void *user);
void metrics_show(struct metrics *m);

/* A sample of our own; the name and help are in a table in metrics.c. */
void metrics_own(struct metrics *m, const char *name, const char *labels, double value);

/* For collectd's read threads: dispatches what was shown last. */
void metrics_dispatch(struct metrics *m);

/* Dispatches one value that is not collected. */
void metrics_dispatch_one(const char *name, double value);
