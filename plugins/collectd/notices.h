/* SPDX-License-Identifier: MIT */
/* notices.h - incidents as collectd's notifications, from a thread of their own: collectd delivers
 * a notification in the thread that dispatches it, and a receiver may take for ever. */
#pragma once

#include "eddy.h"
#include "say.h"
#include "told.h"

struct notices;

/* Starts the thread: not before collectd's init. Nothing is told before told_limit(). */
int notices_new(const struct say *say, struct notices **out, eddy_error *err);

/* The hook of the engine: never waits for a receiver. */
void notices_incident(struct notices *n, const eddy_incident *incident, int64_t now_ms);

/* What is told, and what is left out. */
struct told *notices_told(struct notices *n);

/* Tells the log what was left out since it was told last, if that is a minute ago. To be called now
 * and then by the thread that calls the hook: the one that sends may hang. */
void notices_say(struct notices *n, int64_t now_ms);

/* Sends what waits, for at most four seconds; then a receiver that hangs is left by force, for
 * which it has two more. To be called when nothing calls the others any more. */
void notices_free(struct notices *n);
