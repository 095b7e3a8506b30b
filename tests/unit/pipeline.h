/* SPDX-License-Identifier: MIT */
/* pipeline.h - for tests of single steps: a flow on its way through all steps before them. */
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "clean/clean.h"
#include "config.h"
#include "enrich/enrich.h"
#include "features/features.h"
#include "row.h"
#include "score/score.h"
#include "state/state.h"
#include "util/addr.h"

#define US INT64_C(1000000)
#define T0 INT64_C(1700000000) /* seconds: what most tests begin at */

struct pipeline {
    eddy_config *config;
    const struct state_conf *conf;
    struct score_conf score_conf;
    struct nets *nets;
    struct geoip *geoip;
    struct enrich_cache *cache;
    struct state *state;
    struct score_state *score;
    struct row row;
};

/* `settings` are keys and values in turn, ended by NULL; or NULL. */
static inline struct pipeline *pipeline_new(const char *const *settings)
{
    struct pipeline *p = calloc(1, sizeof *p);
    assert_non_null(p);
    p->config = eddy_config_new();
    assert_non_null(p->config);
    assert_int_equal(eddy_config_set(p->config, "state.memory", "8M", NULL), EDDY_OK);
    /* What is learned is what the test teaches. */
    assert_int_equal(eddy_config_set(p->config, "tail.prior_weight", "0", NULL), EDDY_OK);
    for (; settings != NULL && settings[0] != NULL; settings += 2)
        assert_int_equal(eddy_config_set(p->config, settings[0], settings[1], NULL), EDDY_OK);
    p->conf = config_part(p->config, &state_part);
    p->score_conf.calibrate = config_part(p->config, &calibrate_part);
    for (size_t i = 0; registry_detectors[i] != NULL; i++)
        p->score_conf.detector[i] = config_part(p->config, &registry_detectors[i]->part);
    assert_int_equal(nets_new(config_part(p->config, &nets_part), &p->nets, NULL), EDDY_OK);
    assert_int_equal(geoip_open(config_part(p->config, &geoip_part), &p->geoip, NULL), EDDY_OK);
    p->cache = calloc(1, sizeof *p->cache);
    assert_non_null(p->cache);
    assert_int_equal(state_new(p->conf, &p->state, NULL), EDDY_OK);
    assert_int_equal(score_new(&p->score_conf, &p->score, NULL), EDDY_OK);
    return p;
}

static inline void pipeline_free(struct pipeline *p)
{
    score_free(p->score);
    state_free(p->state);
    free(p->cache);
    geoip_close(p->geoip);
    nets_free(p->nets);
    eddy_config_free(p->config);
    free(p);
}

static inline void address_of(const char *text, uint8_t out[16])
{
    assert_true(addr_parse(text, strlen(text), out));
}

/* A small answered TCP connection of a second; `start_s` counts from T0. */
static inline eddy_flow flow_at(double start_s, const char *src, const char *dst, uint16_t port)
{
    eddy_flow flow = {.size = sizeof flow,
                      .src_port = 50000,
                      .dst_port = port,
                      .start_us = T0 * US + (int64_t)(start_s * 1e6),
                      .duration_us = 1000000,
                      .bytes_out = 1000,
                      .bytes_in = 5000,
                      .packets_out = 10,
                      .packets_in = 12,
                      .proto = 6,
                      .state = EDDY_CONN_CLOSED,
                      .tcp_out = 0x1b,
                      .tcp_in = 0x1b};
    address_of(src, flow.src);
    address_of(dst, flow.dst);
    return flow;
}

/* The same, refused: one packet of 60 bytes each way. */
static inline eddy_flow refused_at(double start_s, const char *src, const char *dst, uint16_t port)
{
    eddy_flow flow = flow_at(start_s, src, dst, port);
    flow.duration_us = 1000;
    flow.bytes_out = flow.bytes_in = 60;
    flow.packets_out = flow.packets_in = 1;
    flow.state = EDDY_CONN_ATTEMPT;
    flow.tcp_out = 2;
    flow.tcp_in = 0x14;
    return flow;
}

/* 10.0.x.y and 203.0.x.y: good for four calls. */
static inline const char *numbered(const char *prefix, unsigned number)
{
    static char text[4][32];
    static unsigned next;
    char *out = text[next++ % 4];
    (void)snprintf(out, sizeof text[0], "%s.%u.%u", prefix, number / 250 % 250, 1 + number % 250);
    return out;
}

/* Through clean, enrich, state and features; p->row is what they made of it. */
static inline struct row *pipeline_pass(struct pipeline *p, const eddy_flow *flow)
{
    uint64_t corrected[CORRECTION_COUNT] = {0};
    p->row.flow = *flow;
    assert_int_equal(clean(config_part(p->config, &clean_part), &p->row, corrected), REASON_NONE);
    enrich(p->geoip, p->nets, p->cache, &p->row);
    state_prepare(p->state, &p->row);
    state_update(p->state, p->conf, &p->row);
    features(&p->row);
    return &p->row;
}

/* The same, and through all detectors. */
static inline struct row *pipeline_score(struct pipeline *p, const eddy_flow *flow)
{
    score(p->score, &p->score_conf, pipeline_pass(p, flow));
    score_learn(p->score, &p->score_conf, &p->row);
    return &p->row;
}

static inline size_t detector_named(const char *name)
{
    for (size_t i = 0; registry_detectors[i] != NULL; i++)
        if (strcmp(registry_detectors[i]->part.name, name) == 0)
            return i;
    fail_msg("no detector %s", name);
    return 0;
}

/* What one detector says of the flow, after all steps before it; it learns from it wholly. */
static inline struct finding pipeline_ask(struct pipeline *p, size_t detector,
                                          const eddy_flow *flow)
{
    struct finding finding = {.score = (double)NAN, .sample = (double)NAN, .tests = 1, .p = 1};
    struct row *row = pipeline_pass(p, flow);
    registry_detectors[detector]->score(p->score->detector[detector],
                                        p->score_conf.detector[detector], row, &finding);
    row->teach = 1.0;
    if (registry_detectors[detector]->learn != NULL)
        registry_detectors[detector]->learn(p->score->detector[detector],
                                            p->score_conf.detector[detector], row);
    return finding;
}
