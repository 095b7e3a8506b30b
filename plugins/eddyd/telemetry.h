/* SPDX-License-Identifier: MIT */
/* telemetry.h - what eddyd tells about itself: its own metrics, whether it is alive and ready. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inputs.h"
#include "journal.h"

struct telemetry;

struct telemetry *telemetry_new(void); /* NULL: out of memory */
void telemetry_free(struct telemetry *t);

/* For the scoring thread. */
void telemetry_turn(struct telemetry *t); /* the loop has made a turn */
void telemetry_ready(struct telemetry *t, bool ready);
void telemetry_reload(struct telemetry *t, bool worked);
void telemetry_update(struct telemetry *t, const struct inputs *in, const struct journal *j);

/* For any thread. */
bool telemetry_is_ready(const struct telemetry *t);
int64_t telemetry_silent_ms(const struct telemetry *t); /* since the last turn */

/* The text of the last update, Prometheus format. Like snprintf. */
size_t telemetry_text(struct telemetry *t, char *buf, size_t size);
