/* SPDX-License-Identifier: MIT */
/* metrics.h - libeddy's metrics, and ours, as collectd's values.
 *
 * eddy_flows_total{input="dmz"} becomes plugin "eddy", plugin_instance "dmz", type "flows"; what
 * has no input gets the instance METRICS_ALL, since write_prometheus moves labels about where it is
 * empty. Other labels become the type_instance, joined by '-'. */
#pragma once

#include "eddy.h"

#define METRICS_ALL "all"

/* Samples of our own. */
enum own {
    OWN_CONFIG_OK,
    OWN_SLOW_READS,
    OWN_CHECKPOINT_TIMESTAMP,
    OWN_CHECKPOINT_FAILURES,
    OWN_NOTIFICATIONS,
    OWN_COUNT
};

/* Tells collectd of all types. To be called before anything else. */
void metrics_register(void);

/* Dispatches a sample; never stops the visit. */
int metrics_add(const eddy_metric *metric, void *user);

/* Dispatches a sample of our own. */
void metrics_own(enum own which, const char *labels, double value);
