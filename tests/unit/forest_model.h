/* SPDX-License-Identifier: MIT */
/* forest_model.h - for tests of detector forest: a classifier drawn by hand, and hosts that are
 * asked about with it. */
#pragma once

#include "model/model.h"
#include "pipeline.h"
#include "state/host.h"

/* Unanswered: a scan, in nine of ten; else no attack, in 97 of 100.
 *
 *         attempt <= 0.5                  benign  scan  calling
 *          /        \
 *       leaf 0    bytes_out <= 10          0.97   0.02   0.01
 *                  /     \
 *              leaf 1   leaf 2             0.10   0.85   0.05;   0.20   0.10   0.70
 *
 * Of 9999 benign flows held out, 9 were alerts: (1 + 9) / (1 + 9999) = 0.001. */
struct planted {
    struct model model;
    struct models models;
    struct model_classes classes;
    struct node node[5];
    double value[9];
    uint32_t cover[5];
};

#define QUIET_SCORE (1.0 - 0.97)
#define SCAN_SCORE  (1.0 - 0.10)

static inline struct planted *plant(uint64_t id)
{
    struct planted *m = calloc(1, sizeof *m);
    assert_non_null(m);
    memcpy(m->node,
           (struct node[]){node_split(1, 0, 0.5f), node_leaf(1, 2, 0), node_split(3, 1, 10.0f),
                           node_leaf(3, 2, 1), node_leaf(4, 2, 2)},
           sizeof m->node);
    memcpy(m->value, (double[]){0.97, 0.02, 0.01, 0.10, 0.85, 0.05, 0.20, 0.10, 0.70},
           sizeof m->value);
    memcpy(m->cover, (uint32_t[]){1000, 800, 200, 150, 50}, sizeof m->cover);
    m->classes = (struct model_classes){
        .count = 3,
        .alert = 0.5,
        .weight = 100,
        .of = {{"benign", ""}, {"scan", "T1046"}, {"calling", ""}},
    };
    m->model = (struct model){.kind = MODEL_CLASSES,
                              .classes = &m->classes,
                              .column = {COLUMN_attempt, COLUMN_bytes_out},
                              .id = id,
                              .name = "lab",
                              .version = "1.0"};
    m->model.forest = (struct forest){.trees = 1,
                                      .width = 2,
                                      .outputs = 3,
                                      .depth = {2},
                                      .node = m->node,
                                      .value = m->value,
                                      .cover = m->cover,
                                      .normaliser = 1};
    for (unsigned i = 0; i < 9999; i++)
        heldout_add(&m->model.heldout, i < 9 ? SCAN_SCORE : QUIET_SCORE);
    heldout_fit(&m->model.heldout);
    m->model.bins[0][0] = 9990;
    m->model.bins[0][COLUMN_BINS - 1] = 9;
    m->model.bins[1][column_bin(COLUMN_bytes_out, 10)] = 9999;
    return m;
}

struct fixture {
    struct pipeline *p;
    struct planted *champion, *other;
    size_t own;
};

static inline int setup_with(void **state, const char *const *settings)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->p = pipeline_new(settings);
    f->champion = plant(1);
    f->other = plant(2);
    f->own = detector_named("forest");
    f->champion->models.in[FOREST_MODEL] = &f->champion->model;
    f->p->row.models = &f->champion->models;
    *state = f;
    return 0;
}

static inline int setup(void **state)
{
    return setup_with(state, NULL);
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    pipeline_free(f->p);
    free(f->champion);
    free(f->other);
    free(f);
    return 0;
}

static inline struct finding see(struct fixture *f, const eddy_flow *flow)
{
    return pipeline_score(f->p, flow)->finding[f->own];
}

static inline struct finding attempt(struct fixture *f, double start_s, unsigned peer)
{
    eddy_flow flow = refused_at(start_s, "10.0.0.1", numbered("203.0", peer), 23);
    return see(f, &flow);
}

static inline struct finding browse(struct fixture *f, double start_s)
{
    eddy_flow flow = flow_at(start_s, "10.0.0.1", "198.51.100.1", 443);
    return see(f, &flow);
}

static inline bool near(double a, double b)
{
    return fabs(a - b) < 0.006; /* scores of windows are kept in hundredths */
}
