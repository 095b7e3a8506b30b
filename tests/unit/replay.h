/* SPDX-License-Identifier: MIT */
/* replay.h - for tests: a whole log through the pipeline, with a look at each row after it is
 * judged and before it teaches. */
#pragma once

#include "ingest/stream.h"
#include "pipeline.h"

typedef void replay_fn(struct pipeline *p, void *user);

struct replay {
    struct pipeline *pipeline;
    replay_fn *judged;
    void *user;
    size_t flows;
};

static inline void replay_record(void *user, const struct stream_record *record)
{
    struct replay *r = user;
    if (record->reason != REASON_NONE)
        return;
    struct pipeline *p = r->pipeline;
    uint64_t corrected[CORRECTION_COUNT] = {0};
    p->row.flow = *record->flow;
    if (clean(config_part(p->config, &clean_part), &p->row, corrected) != REASON_NONE)
        return;
    enrich(p->geoip, p->nets, p->cache, &p->row);
    state_prepare(p->state, &p->row);
    state_update(p->state, p->conf, &p->row);
    features(&p->row);
    score(p->score, &p->score_conf, &p->row);
    r->judged(p, r->user);
    score_learn(p->score, &p->score_conf, &p->row);
    r->flows++;
}

/* How many flows were judged; 0 if there is no such file. */
static inline size_t replay_file(struct pipeline *p, const char *path, replay_fn *judged,
                                 void *user)
{
    static char buffer[65536];
    struct replay r = {.pipeline = p, .judged = judged, .user = user};
    struct stream *stream;
    FILE *f = fopen(path, "rb");
    if (f == NULL)
        return 0;
    assert_int_equal(stream_new(config_part(p->config, &ingest_part), NULL, &stream, NULL),
                     EDDY_OK);
    for (size_t n; (n = fread(buffer, 1, sizeof buffer, f)) > 0;)
        assert_int_equal(stream_feed(stream, buffer, n, replay_record, &r), EDDY_OK);
    assert_int_equal(stream_end(stream, replay_record, &r), EDDY_OK);
    stream_free(stream);
    (void)fclose(f);
    return r.flows;
}
