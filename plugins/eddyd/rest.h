/* SPDX-License-Identifier: MIT */
/* rest.h - /metrics, /healthz and /readyz over HTTP. */
#pragma once

#include "eddy.h"
#include "telemetry.h"

struct rest;

/* Serves `where` (HOST:PORT) from a thread of its own: a slow or hung client never delays scoring.
 * GET and HEAD only, few connections, short timeouts. `engine` and `telemetry` are kept. */
int rest_open(const char *where, eddy_engine *engine, struct telemetry *telemetry,
              struct rest **out, eddy_error *err);
void rest_close(struct rest *r);
