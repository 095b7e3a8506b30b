/* SPDX-License-Identifier: MIT */
/* rest_stats.h - how many requests there were, and how long they took. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct rest_stats;

struct rest_stats *rest_stats_new(void); /* NULL: out of memory */
void rest_stats_free(struct rest_stats *stats);

/* For any thread. `route` is its place in the table; `status` 0: the connection was lost or cut. */
void rest_stats_add(struct rest_stats *stats, size_t route, unsigned status, int64_t took_ns);

/* As Prometheus reads it. Like snprintf. */
size_t rest_stats_text(const struct rest_stats *stats, char *buf, size_t size);
