/* SPDX-License-Identifier: MIT */
/* inputs.h - everything eddyd reads: followed logs and sockets, in the order of eddy.conf. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "checkpoint.h"
#include "conf.h"
#include "eddy.h"
#include "follow.h"
#include "listen.h"
#include "say.h"

struct inputs;

int inputs_new(eddy_engine *engine, const struct say *say, struct inputs **out, eddy_error *err);

/* Ends the streams of sockets. A followed log goes on after the restart: it is not ended. */
void inputs_free(struct inputs *in);

/* Closes all sockets; what their peers had begun counts as their last records. For the end. */
void inputs_hang_up(struct inputs *in);

/* Opens what the settings name and is not open yet, closes what they no longer name. New logs
 * begin where `positions` says. On failure everything stays as it was. */
int inputs_apply(struct inputs *in, const struct conf *conf, const struct checkpoint *positions,
                 eddy_error *err);

/* One turn: a piece from each log (unless `hold_logs`), then from each socket that has something.
 * Waits up to `idle_ms` if the logs had nothing, or until `wake_fd` is readable. Returns the bytes
 * taken. */
size_t inputs_turn(struct inputs *in, bool hold_logs, int wake_fd, int idle_ms);

/* Adds the positions of all logs. 1: done; 0: not possible now (in the middle of a zstd file). */
int inputs_positions(const struct inputs *in, struct checkpoint *out, eddy_error *err);

struct input_status {
    const char *name; /* the path or the socket, as configured */
    bool is_log;      /* else a socket */
    struct follow_stats log;
    struct listen_stats socket;
};
size_t inputs_count(const struct inputs *in);
void inputs_status(const struct inputs *in, size_t index, struct input_status *out);
