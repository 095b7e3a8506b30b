/* SPDX-License-Identifier: MIT */
/* rest_route.h - the table of what can be requested. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"
#include "rest_answer.h"
#include "rest_conf.h"
#include "rest_models.h"
#include "rest_stats.h"
#include "say.h"
#include "telemetry.h"

enum { NAME_MAX_BYTES = 64 }; /* of a model or version */

/* What all requests share. */
struct service {
    eddy_engine *engine;
    struct telemetry *telemetry;
    const struct rest_conf *conf;
    const struct say *say;
    struct models *models;
    struct rest_stats *stats;
};

/* A request that was read. All is valid until it is answered. */
struct request {
    const struct route *route;
    char name[NAME_MAX_BYTES + 1];    /* {name} of the path, or "" */
    char version[NAME_MAX_BYTES + 1]; /* {version} */
    const char *body;
    size_t length;
    const char *encoding; /* Content-Encoding; NULL: none */
    size_t json_length;   /* Inference-Header-Content-Length: tensors are behind; else `length` */
    int64_t deadline_ms;  /* of clock_ms(): when work is to be given up */
};

enum route_flag {
    ROUTE_POST = 1,    /* else GET, and HEAD */
    ROUTE_OPEN = 2,    /* needs no token */
    ROUTE_TURN = 4,    /* is work: has to wait for its turn */
    ROUTE_LINES = 8,   /* the body is lines of a log, else JSON */
    ROUTE_TENSORS = 16 /* ... or tensors */
};

struct route {
    const char *pattern; /* also its label in metrics */
    unsigned flags;      /* of enum route_flag */
    void (*serve)(const struct service *s, const struct request *q, struct answer *a);
};

/* How many there are; the last one stands for all that is not found. */
size_t route_count(void);
const struct route *route_at(size_t i);
size_t route_index(const struct route *route);

/* Finds the route of a path and fills in its names. `*allow`, if there is none with this method but
 * with another, is that; else NULL. */
const struct route *route_find(const char *method, const char *path, struct request *q,
                               const char **allow);

/* What each route does; each in the file of its part. */
void serve_score(const struct service *s, const struct request *q, struct answer *a);
void serve_models(const struct service *s, const struct request *q, struct answer *a);
void serve_model_load(const struct service *s, const struct request *q, struct answer *a);
void serve_model_unload(const struct service *s, const struct request *q, struct answer *a);
void serve_v2(const struct service *s, const struct request *q, struct answer *a);
void serve_v2_live(const struct service *s, const struct request *q, struct answer *a);
void serve_v2_ready(const struct service *s, const struct request *q, struct answer *a);
void serve_v2_model(const struct service *s, const struct request *q, struct answer *a);
void serve_v2_model_ready(const struct service *s, const struct request *q, struct answer *a);
void serve_v2_index(const struct service *s, const struct request *q, struct answer *a);
void serve_v2_load(const struct service *s, const struct request *q, struct answer *a);
void serve_v2_unload(const struct service *s, const struct request *q, struct answer *a);
void serve_infer(const struct service *s, const struct request *q, struct answer *a);
