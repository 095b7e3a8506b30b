/* SPDX-License-Identifier: MIT */
/* deciding.h - for tests of decide: made-up evidence, and what was told of it. */
#pragma once

#include <math.h>

#include "decide/decide.h"
#include "pipeline.h"

enum { EVENTS = 20000 };

struct fixture {
    struct pipeline *p;
    struct decide_state *decide;
    struct decide_conf conf;
    size_t quiet;
    const char *rule; /* of all evidence from now on */
    bool of_destination;
    size_t events;
    struct {
        int state;
        bool withheld;
        char id[17], suppressed_by[24];
        uint8_t host[16];
        size_t detector;
        uint64_t flows;
        double p;
        int severity;
        int64_t now_us, end_us;
        size_t reasons, flow_ids;
        char summary[80];
    } event[EVENTS];
};

static inline void told(const struct incident_event *event, void *user)
{
    struct fixture *f = user;
    struct incident_room room;
    eddy_incident view;
    assert_in_range(f->events, 0, EVENTS - 1);
    if (event->state == EDDY_INCIDENT_QUIET) { /* has a test of its own; the others don't mind */
        f->quiet++;
        return;
    }
    incident_view(event, &room, &view);
    size_t i = f->events++;
    f->event[i].state = view.state;
    f->event[i].withheld = view.withheld;
    memcpy(f->event[i].id, view.id, 17);
    (void)snprintf(f->event[i].suppressed_by, 24, "%s", view.suppressed_by);
    memcpy(f->event[i].host, view.host, 16);
    f->event[i].detector = detector_named(view.detector);
    f->event[i].flows = view.flows;
    f->event[i].p = view.p;
    f->event[i].severity = view.severity;
    f->event[i].now_us = f->p->state->watermark.now_us;
    f->event[i].end_us = view.end_us;
    f->event[i].reasons = view.reason_count;
    f->event[i].flow_ids = view.flow_id_count;
    (void)snprintf(f->event[i].summary, sizeof f->event[i].summary, "%.79s", view.summary);
}

static inline int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->p = pipeline_new(NULL);
    f->conf = *(const struct decide_conf *)config_part(f->p->config, &decide_part);
    f->conf.p = 1e-5;
    f->conf.false_per_day = 1e9; /* the size of the network has tests of its own */
    assert_int_equal(decide_new(told, f, &f->decide, NULL), EDDY_OK);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    decide_free(f->decide);
    pipeline_free(f->p);
    free(f);
    return 0;
}

#define TAIL   detector_named("tail")
#define FANOUT detector_named("fanout")

/* A flow of this host, of which one detector says p; the others have nothing to say. */
static inline uint32_t evidence(struct fixture *f, double start_s, unsigned host, size_t detector,
                                double p, double tests)
{
    eddy_flow flow = flow_at(start_s, numbered("10.1", host), "203.0.113.1", 443);
    (void)snprintf(flow.id, sizeof flow.id, "f%.0f", start_s);
    struct row *row = pipeline_score(f->p, &flow);
    for (size_t i = 0; i < f->p->score->count; i++)
        row->finding[i] =
            (struct finding){.score = (double)NAN, .sample = (double)NAN, .tests = 1, .p = 1};
    row->finding[detector] = (struct finding){.score = -log10(p),
                                              .sample = (double)NAN,
                                              .tests = tests,
                                              .p = p,
                                              .rule = f->rule,
                                              .of_destination = f->of_destination};
    decide(f->decide, &f->conf, f->p->score, &f->p->score_conf, row, f->p->state->watermark.now_us);
    return row->verdict.flags & EDDY_IN_INCIDENT;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
