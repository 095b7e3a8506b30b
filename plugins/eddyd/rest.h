/* SPDX-License-Identifier: MIT */
/* rest.h - what eddyd serves over HTTP: metrics, health, scoring, models. */
#pragma once

#include "eddy.h"
#include "rest_conf.h"
#include "say.h"
#include "telemetry.h"

struct rest;

/* Serves in threads of its own, one a connection: a slow or hung client delays nobody.
 * `engine`, `telemetry` and `to` are kept, settings are copied. */
int rest_open(const struct rest_conf *conf, eddy_engine *engine, struct telemetry *telemetry,
              const struct say *to, struct rest **out, eddy_error *err);

/* Reads the token anew; all else needs a restart. On failure the old one stays, and it is told. */
void rest_reload(struct rest *r, const struct rest_conf *conf);

/* All take NULL. From now on nothing is scored or loaded any more for new requests; health and
 * metrics go on. */
void rest_refuse(struct rest *r);

/* Waits for requests under way, each of which has its deadline. */
void rest_close(struct rest *r);
