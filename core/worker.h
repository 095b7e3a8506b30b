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
    struct settings *settings; /* held */
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
