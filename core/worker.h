/* SPDX-License-Identifier: MIT */
/* worker.h - one stream of flows on its way through the pipeline. */
#pragma once

#include "engine.h"
#include "enrich/enrich.h"
#include "ingest/stream.h"

struct eddy_worker {
    eddy_engine *engine;
    eddy_worker *next, *previous; /* in the engine's list, under its lock */
    char name[64];                /* for labels: printable */
    struct stream *stream;
    /* Set by the worker during a call and, under its lock, by the engine between two: whoever has
     * set it owns the next two. Acquired and released, so that they see each other's writes. */
    atomic_bool busy;
    struct settings *settings; /* held */
    bool forget;               /* the cache is of other databases or networks */
    struct enrich_cache *cache;
    struct worker_counts counts;
    bool said[REASON_COUNT]; /* the first of each reason is logged, with where it was */
    int scored;              /* in the call under way */
    /* Of the engine's hooks, or the worker's own. */
    void (*tell)(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                 void *user);
    void *user;
    struct row row;
};

/* For the engine: begins what excludes a call; false: one is under way. */
bool worker_try(struct eddy_worker *worker);

/* Gives the worker other settings, taking over the caller's hold, and returns those it held. */
struct settings *worker_take(struct eddy_worker *worker, struct settings *now);

/* Ends it. */
void worker_leave(struct eddy_worker *worker);
