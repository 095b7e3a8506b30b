/* SPDX-License-Identifier: MIT */
/* test_swap.c - models are swapped hundreds of times while two threads score without pause: no flow
 * is lost, and each score is what one of the two models says of it, to the last bit. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine.h"
#include "grown_model.h"
#include "scratch.h"
#include "worker.h"

enum { SCORERS = 2, SWAPS = 400, FLOWS = 64 };

struct stage {
    eddy_engine *engine;
    struct model_file *model[2]; /* our own copies, to work out what is right */
    const char *path[2], *path_in_use, *staging;
    eddy_config *config[2];
    size_t iforest; /* its place among the detectors */
    atomic_bool done;
    atomic_uint failures;
    atomic_ullong scored, by[2], by_both;
};

static void expect(struct stage *s, bool good)
{
    if (!good)
        atomic_fetch_add(&s->failures, 1);
}

/* ---- scoring ---- */

/* What the model says: nothing but the row and the model goes into it. */
static double says(const struct model_file *file, const struct row *row)
{
    float x[FOREST_COLUMNS + 1];
    model_row(&file->model, row->column, x);
    return heldout_surprise(&file->model.heldout, model_score(&file->model, x));
}

static void check(struct stage *s, const struct row *row)
{
    double found = row->finding[s->iforest].score;
    bool first = found == says(s->model[0], row), second = found == says(s->model[1], row);
    expect(s, first || second);
    if (first && second)
        atomic_fetch_add(&s->by_both, 1);
    else if (first || second)
        atomic_fetch_add(&s->by[second], 1);
}

static eddy_flow flow_of(unsigned thread, unsigned i)
{
    unsigned kind = i * 37 % FLOWS;
    return (eddy_flow){.size = sizeof(eddy_flow),
                       .src_port = 40000,
                       .dst_port = 443,
                       .src = {[10] = 0xff, [11] = 0xff, 10, 0, (uint8_t)thread, 1},
                       .dst = {[10] = 0xff, [11] = 0xff, 203, 0, 113, (uint8_t)kind},
                       .start_us = INT64_C(1700000000000000) + INT64_C(1000) * i,
                       .duration_us = UINT64_C(1) << kind / 2 % 30,
                       .bytes_out = 60 + 20 * kind,
                       .bytes_in = 100 + 300 * kind,
                       .packets_out = 1 + kind / 8,
                       .packets_in = 1 + kind / 4,
                       .proto = 6,
                       .state = EDDY_CONN_CLOSED};
}

struct scorer {
    struct stage *stage;
    unsigned number;
};

static void *score_all(void *user)
{
    const struct scorer *own = user;
    struct stage *s = own->stage;
    eddy_worker *worker = NULL;
    eddy_counts counts;
    uint64_t calls = 0;
    expect(s, eddy_worker_new(s->engine, "w", NULL, &worker, NULL) == EDDY_OK);
    while (!atomic_load(&s->done)) {
        const eddy_flow flow = flow_of(own->number, (unsigned)calls);
        expect(s, eddy_worker_score(worker, &flow, NULL) == 1);
        calls++;
        check(s, &worker->row);
    }
    eddy_worker_counts(worker, &counts);
    expect(s, counts.read == calls && counts.scored == calls);
    atomic_fetch_add(&s->scored, calls);
    eddy_worker_free(worker);
    return NULL;
}

/* ---- swapping ---- */

/* The file that is in use becomes another one, by way of a rename, as deployments do it. */
static void replace(struct stage *s, unsigned to)
{
    char bytes[65536];
    FILE *from = fopen(s->path[to], "r"), *out = fopen(s->staging, "w");
    expect(s, from != NULL && out != NULL);
    for (size_t n; from != NULL && out != NULL && (n = fread(bytes, 1, sizeof bytes, from)) > 0;)
        expect(s, fwrite(bytes, 1, n, out) == n);
    expect(s, from != NULL && fclose(from) == 0);
    expect(s, out != NULL && fclose(out) == 0);
    expect(s, rename(s->staging, s->path_in_use) == 0);
    engine_look(s->engine);
    engine_sweep(s->engine);
}

static void *swap_all(void *user)
{
    struct stage *s = user;
    for (unsigned i = 0; i < SWAPS; i++) {
        unsigned to = i % 2;
        if (i % 3 == 0)
            expect(s, eddy_engine_set(s->engine, "iforest.model", s->path[to], NULL) == EDDY_OK);
        else if (i % 3 == 1)
            expect(s, eddy_engine_reload(s->engine, s->config[to], NULL) == EDDY_OK);
        else if (eddy_engine_set(s->engine, "iforest.model", s->path_in_use, NULL) == EDDY_OK)
            replace(s, to);
        else
            expect(s, false);
        if (i % 10 == 0) /* one that is refused leaves what is in use */
            expect(s, eddy_engine_set(s->engine, "iforest.model", "/nonexistent", NULL) < 0);
    }
    atomic_store(&s->done, true);
    return NULL;
}

/* ---- the stage ---- */

static void on_log(int level, const char *message, void *user)
{
    (void)level;
    (void)message;
    (void)user;
}

static eddy_config *config_of(const char *path)
{
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "state.memory", "8M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "iforest.model", path, NULL), EDDY_OK);
    return config;
}

static void set_up(struct stage *s, void **state)
{
    static char paths[4][4400];
    static const char *const names[] = {"a.eddy", "b.eddy", "use.eddy", "staging.eddy"};
    const eddy_hooks hooks = {.size = sizeof hooks, .log = on_log};
    memset(s, 0, sizeof *s);
    for (unsigned i = 0; i < 4; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%s", scratch_path(state, names[i]));
        assert_true(write_grown_model(paths[i], 1 + i % 2, "1"));
    }
    for (unsigned i = 0; i < 2; i++) {
        s->path[i] = paths[i];
        s->config[i] = config_of(paths[i]);
        assert_int_equal(model_file_load(paths[i], &s->model[i], NULL, NULL), EDDY_OK);
    }
    s->path_in_use = paths[2];
    s->staging = paths[3];
    while (strcmp(registry_detectors[s->iforest]->part.name, "iforest") != 0)
        s->iforest++;
    assert_int_equal(eddy_engine_new(s->config[0], &hooks, &s->engine, NULL), EDDY_OK);
}

static int add_scored(const eddy_metric *metric, void *user)
{
    if (strcmp(metric->name, "eddy_flows_total") == 0)
        *(double *)user += metric->value;
    return 0;
}

static void no_score_is_lost_or_mixed(void **state)
{
    static struct stage s;
    pthread_t thread[SCORERS + 1];
    struct scorer scorer[SCORERS];
    double counted = 0;
    set_up(&s, state);
    for (unsigned i = 0; i < SCORERS; i++) {
        scorer[i] = (struct scorer){&s, i};
        assert_int_equal(pthread_create(&thread[i], NULL, score_all, &scorer[i]), 0);
    }
    assert_int_equal(pthread_create(&thread[SCORERS], NULL, swap_all, &s), 0);
    for (unsigned i = 0; i <= SCORERS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    (void)eddy_engine_metrics(s.engine, add_scored, &counted);
    print_message(
        "%llu flows, %llu by one model and %llu by the other; of %llu both say the same\n",
        (unsigned long long)s.scored, (unsigned long long)s.by[0], (unsigned long long)s.by[1],
        (unsigned long long)s.by_both);
    assert_int_equal(s.failures, 0);
    assert_true(counted == (double)s.scored);
    assert_true(s.by[0] > 100 && s.by[1] > 100); /* they differ, and both were in use */
    assert_true(s.by_both * 10 < s.scored);
    engine_sweep(s.engine);
    assert_null(s.engine->discarded);
    assert_int_equal(atomic_load(&s.engine->settings)->holders, 1); /* nobody holds old ones */
    eddy_engine_free(s.engine);
    for (unsigned i = 0; i < 2; i++) {
        model_file_free(s.model[i]);
        eddy_config_free(s.config[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_score_is_lost_or_mixed, scratch_new, scratch_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
