/* SPDX-License-Identifier: MIT */
/* inputs.h - everything a host reads: followed logs and sockets, in the order they are configured.
 * One thread at a time. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "checkpoint.h"
#include "eddy.h"
#include "follow.h"
#include "input_conf.h"
#include "listen.h"
#include "say.h"

#define INPUTS_MAX    64
#define LISTENERS_MAX 16

struct inputs;

/* What the configuration names. */
struct input_list {
    struct input_conf *items;
    size_t count;
};

/* Takes over `conf`, also on failure: more than INPUTS_MAX, a name or a place named twice. */
int input_list_add(struct input_list *list, struct input_conf *conf, eddy_error *err);
void input_list_done(struct input_list *list);

int inputs_new(eddy_engine *engine, const struct say *say, struct inputs **out, eddy_error *err);

/* Ends the streams of sockets. A followed log goes on after the restart: it is not ended. */
void inputs_free(struct inputs *in);

/* Closes all sockets; what their peers had begun counts as their last records. For the end. */
void inputs_hang_up(struct inputs *in);

/* Opens what the list has and is not open yet, closes what it no longer has. New logs begin where
 * `positions` says. What is open at the same place under another name, format or archive goes on
 * where it is. On failure everything stays as it was. */
int inputs_apply(struct inputs *in, const struct input_list *list,
                 const struct checkpoint *positions, eddy_error *err);

/* One turn: a piece from each log (unless `hold_logs`), then from each socket that has something.
 * Waits up to `idle_ms` if the logs had nothing, or until `wake_fd` is readable. Returns the bytes
 * taken. */
size_t inputs_turn(struct inputs *in, bool hold_logs, int wake_fd, int idle_ms);

/* Adds the positions of all logs. 1: done; 0: not possible now (in the middle of a zstd file). */
int inputs_positions(const struct inputs *in, struct checkpoint *out, eddy_error *err);

size_t inputs_count(const struct inputs *in);

/* Visits what is known of the inputs as eddy_engine_metrics() does, in names without a prefix
 * ("input_lag_bytes") and one label, `input`. With `in` NULL: each name once, without samples, as
 * eddy_metrics() does. */
int inputs_metrics(const struct inputs *in, eddy_metric_fn *each, void *user);
