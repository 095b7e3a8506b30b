/* SPDX-License-Identifier: MIT */
/* notices.h - incidents as collectd's notifications, from a thread of their own.
 *
 * collectd delivers a notification in the thread that dispatches it, and a receiver may take for
 * ever. So the scoring thread only leaves a copy in a ring; when that is full, or more come than
 * are allowed in a minute, they are counted and left out. */
#pragma once

#include <stdint.h>

#include "eddy.h"
#include "say.h"

struct notices;

struct notices_counts {
    uint64_t sent;
    uint64_t limited; /* over the limit of a minute */
    uint64_t dropped; /* the ring was full: receivers are slow */
};

/* Starts the thread: not before collectd's init. Nothing is told before notices_limit(). */
int notices_new(const struct say *say, struct notices **out, eddy_error *err);

/* The hook of the engine: never waits for a receiver. `user` is the struct notices. */
void notices_incident(const eddy_incident *incident, void *user);

void notices_counts(struct notices *n, struct notices_counts *out);

/* At most so many incidents are told in a minute. */
void notices_limit(struct notices *n, double per_minute);

/* From now on what comes is ignored: incidents that are closed because we stop are not over. */
void notices_stop(struct notices *n);

/* Sends what waits, for at most three seconds; then a receiver that hangs is left by force. */
void notices_free(struct notices *n);
