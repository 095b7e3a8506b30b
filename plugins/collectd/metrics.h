/* SPDX-License-Identifier: MIT */
/* metrics.h - libeddy's metrics, and ours, as collectd's values.
 *
 * eddy_flows_total{input="dmz"} becomes plugin "eddy", plugin_instance "dmz", type "flows"; what
 * has no input gets the instance METRICS_ALL, since write_prometheus moves labels about where it is
 * empty. Other labels become the type_instance, joined by '-'. */
#pragma once

#include <stddef.h>

#include "eddy.h"

#define METRICS_ALL    "all"
#define METRICS_FAMILY 500 /* series of one type: write_prometheus is quadratic in them */

/* Tells collectd of all types. To be called before anything else. */
void metrics_register(void);

/* One round of dispatching, {0} at first. */
struct metrics {
    char type[64]; /* the family under way */
    size_t family; /* its series */
    size_t left_out;
};

/* Dispatches a sample; never stops the visit. `user` is the struct metrics of the round. Samples of
 * one name come together; those beyond METRICS_FAMILY are left out, and counted. */
int metrics_add(const eddy_metric *metric, void *user);

/* Dispatches a sample of our own; a table in metrics.c has these names. */
void metrics_own(struct metrics *m, const char *name, const char *labels, double value);
