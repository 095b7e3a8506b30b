/* SPDX-License-Identifier: MIT */
/* naming.h - for tests of names: records of DNS, TLS and HTTP on their way through the steps. */
#pragma once

#include "ingest/context.h"
#include "pipeline.h"
#include "state/asked.h"
#include "state/host.h"

/* A record of this kind at `at_s` after T0, through clean, enrich and state. It is UDP port 53 for
 * DNS, TCP port 443 for all else. */
static inline struct row *name_pass(struct pipeline *p, double at_s, const char *src,
                                    const char *dst, const struct context *context)
{
    uint64_t corrected[CORRECTION_COUNT] = {0};
    bool dns = context->kind == CONTEXT_DNS;
    eddy_flow flow = {.size = sizeof flow,
                      .src_port = 40000,
                      .dst_port = dns ? 53 : 443,
                      .proto = dns ? 17 : 6,
                      .start_us = T0 * US + (int64_t)(at_s * 1e6),
                      .duration_us = EDDY_UNSET,
                      .bytes_out = EDDY_UNSET,
                      .bytes_in = EDDY_UNSET,
                      .packets_out = EDDY_UNSET,
                      .packets_in = EDDY_UNSET};
    address_of(src, flow.src);
    address_of(dst, flow.dst);
    p->row.kind = ROW_NAME;
    p->row.context = context;
    p->row.flow = flow;
    assert_int_equal(clean(config_part(p->config, &clean_part), &p->row, corrected), REASON_NONE);
    enrich(p->geoip, p->nets, p->cache, &p->row);
    state_prepare(p->state, &p->row);
    state_update(p->state, p->conf, &p->row);
    p->row.kind = ROW_FLOW; /* for what comes next; the caller looks at the rest */
    return &p->row;
}

static inline struct context context_of(enum context_kind kind, const char *name)
{
    struct context context;
    context_begin(&context);
    context.kind = kind;
    context_name(&context, name, strlen(name));
    return context;
}
