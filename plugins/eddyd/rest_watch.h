/* SPDX-License-Identifier: MIT */
/* rest_watch.h - cuts connections whose time is over: slow clients, one byte at a time. */
#pragma once

#include <stdint.h>

#include "eddy.h"

struct watch;   /* a thread, and the connections it looks at */
struct watched; /* one of them */

#define WATCH_NEVER INT64_MAX

int watch_new(struct watch **out, eddy_error *err);
void watch_free(struct watch *w); /* when no connection is left */

/* `fd` stays the caller's, who takes the connection out before closing it. At `deadline_ms` of
 * clock_ms() it is shut down, which ends reading and writing. NULL: out of memory. */
struct watched *watch_add(struct watch *w, int fd, int64_t deadline_ms);
void watch_until(struct watch *w, struct watched *c, int64_t deadline_ms);
void watch_remove(struct watch *w, struct watched *c);

/* How many were cut. */
uint64_t watch_cut(struct watch *w);
