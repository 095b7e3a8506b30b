/* SPDX-License-Identifier: MIT */
/* test_threads.c - workers, reloads, metrics and ticks at once: nothing races, nothing is lost. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "eddy.h"
#include "scratch.h"

enum { WORKERS = 4, ROUNDS = 6, LINES = 1500 };

/* What all threads share. Failures are counted: an assertion may only leave the main thread. */
struct stage {
    eddy_engine *engine;
    eddy_config *configs[3]; /* two that are good, one that is not */
    atomic_uint at_work;     /* workers not done yet */
    atomic_uint failures;
    atomic_ullong scored, skipped, rejected; /* as the workers' own counts say */
    atomic_ullong hooked;
    /* The hook for incidents is called by one worker at a time. */
    char open[256][20];
    size_t opened, closed;
};

static void expect(struct stage *s, bool good)
{
    if (!good)
        atomic_fetch_add(&s->failures, 1);
}

/* ---- what the threads do ---- */

static size_t add_line(char *at, size_t room, unsigned worker, unsigned i)
{
    if (i % 10 == 3)
        return (size_t)snprintf(at, room, "{\"event_type\":\"dns\"}\n");
    if (i % 10 == 7)
        return (size_t)snprintf(at, room, "{\"event_type\":\"flow\",\"flow\":}\n");
    unsigned minute = i / 60 % 60, second = i % 60;
    return (size_t)snprintf(
        at, room,
        "{\"event_type\":\"flow\",\"flow_id\":%u,\"src_ip\":\"10.%u.0.%u\",\"src_port\":5000,"
        "\"dest_ip\":\"203.0.%u.%u\",\"dest_port\":%u,\"proto\":\"UDP\",\"flow\":{"
        "\"pkts_toserver\":%u,\"pkts_toclient\":%u,\"bytes_toserver\":500,\"bytes_toclient\":%u,"
        "\"start\":\"2026-01-02T03:%02u:%02u.000000+0000\","
        "\"end\":\"2026-01-02T03:%02u:%02u.500000+0000\",\"state\":\"%s\"}}\n",
        i, worker, i % 4 ? i % 7 : 99, i % 250, i % 11, i % 4 == 0 ? 161 : 443, i % 4 ? 6 : 1,
        i % 4 ? 5 : 0, i % 4 ? 900 : 0, minute, second, minute, second, i % 4 ? "closed" : "new");
}

struct own {
    struct stage *stage;
    unsigned number;
};

static void feed_once(struct stage *s, unsigned number, const char *text, size_t length)
{
    eddy_worker *worker;
    char name[16];
    (void)snprintf(name, sizeof name, "log%u", number);
    if (eddy_worker_new(s->engine, name, NULL, &worker, NULL) != EDDY_OK) {
        expect(s, false);
        return;
    }
    for (size_t at = 0, piece; at < length; at += piece) {
        piece = length - at < 4001 ? length - at : 4001;
        expect(s, eddy_worker_feed(worker, text + at, piece) >= 0);
    }
    expect(s, eddy_worker_end(worker) >= 0);
    eddy_counts counts;
    eddy_worker_counts(worker, &counts);
    expect(s, counts.read == LINES);
    expect(s, counts.read == counts.scored + counts.skipped + counts.rejected);
    atomic_fetch_add(&s->scored, counts.scored);
    atomic_fetch_add(&s->skipped, counts.skipped);
    atomic_fetch_add(&s->rejected, counts.rejected);
    eddy_worker_free(worker);
}

static void *work(void *user)
{
    const struct own *own = user;
    struct stage *s = own->stage;
    size_t room = LINES * 512, length = 0;
    char *text = malloc(room);
    expect(s, text != NULL);
    for (unsigned i = 0; text != NULL && i < LINES; i++)
        length += add_line(text + length, room - length, own->number, i);
    for (unsigned round = 0; text != NULL && round < ROUNDS; round++)
        feed_once(s, own->number, text, length);
    free(text);
    atomic_fetch_sub(&s->at_work, 1);
    return NULL;
}

static void pause_ms(long ms)
{
    (void)nanosleep(&(struct timespec){.tv_nsec = ms * 1000000}, NULL);
}

static void *reload(void *user)
{
    struct stage *s = user;
    for (unsigned i = 0; atomic_load(&s->at_work) > 0 || i < 6; i++) {
        int status = eddy_engine_reload(s->engine, s->configs[i % 3], NULL);
        expect(s, i % 3 == 2 ? status < 0 : status == EDDY_OK);
        pause_ms(1);
    }
    return NULL;
}

static int add_scored(const eddy_metric *metric, void *user)
{
    if (strcmp(metric->name, "eddy_flows_total") == 0)
        *(double *)user += metric->value;
    return 0;
}

/* The sum over inputs never falls, though workers come and go. */
static void *measure(void *user)
{
    struct stage *s = user;
    static char text[65536];
    double before = 0;
    while (atomic_load(&s->at_work) > 0) {
        double now = 0;
        (void)eddy_engine_metrics(s->engine, add_scored, &now);
        expect(s, now >= before);
        before = now;
        expect(s, eddy_engine_metrics_text(s->engine, text, sizeof text) > 1000);
        pause_ms(1);
    }
    return NULL;
}

static void *tick(void *user)
{
    struct stage *s = user;
    while (atomic_load(&s->at_work) > 0) {
        expect(s, eddy_engine_tick(s->engine) == EDDY_OK);
        pause_ms(1);
    }
    return NULL;
}

/* ---- the stage ---- */

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct stage *s = user;
    (void)columns;
    atomic_fetch_add(&s->hooked, 1);
    expect(s, flow->src[12] == 10 && verdict->p > 0 && verdict->p <= 1);
}

/* Where the id is among the open ones, or the first free place. */
static char *place_of(struct stage *s, const char *id)
{
    size_t spare = 0;
    for (size_t i = 0; i < 256; i++) {
        if (strcmp(s->open[i], id) == 0)
            return s->open[i];
        if (s->open[i][0] == '\0')
            spare = i;
    }
    return s->open[spare];
}

/* Each opens before it closes, and closes once. */
static void on_incident(const eddy_incident *incident, void *user)
{
    struct stage *s = user;
    char *place = place_of(s, incident->id);
    bool was_open = place[0] != '\0';
    if (incident->state == EDDY_INCIDENT_NEW && !was_open) {
        (void)snprintf(place, 20, "%s", incident->id);
        s->opened++;
        return;
    }
    expect(s, was_open);
    if (incident->state == EDDY_INCIDENT_CLOSED) {
        place[0] = '\0';
        s->closed++;
    }
}

static void on_log(int level, const char *message, void *user)
{
    (void)level;
    expect(user, message[0] != '\0');
}

static eddy_config *config_of(const char *thread, const char *incidents, const char *metrics)
{
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "state.memory", "8M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "engine.thread", thread, NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "jsonl.path", incidents, NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "textfile.path", metrics, NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "emit.interval", "1s", NULL), EDDY_OK);
    return config;
}

static void run_all(struct stage *s)
{
    pthread_t thread[WORKERS + 3];
    struct own own[WORKERS];
    static void *(*const others[])(void *) = {reload, measure, tick};
    atomic_store(&s->at_work, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++) {
        own[i] = (struct own){s, i};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &own[i]), 0);
    }
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&thread[WORKERS + i], NULL, others[i], s), 0);
    for (unsigned i = 0; i < WORKERS + 3; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
}

static void everything_at_once(void **state, const char *thread)
{
    static struct stage s;
    memset(&s, 0, sizeof s);
    s.configs[0] = config_of(thread, scratch_path(state, "a.json"), scratch_path(state, "a.prom"));
    s.configs[1] = config_of(thread, scratch_path(state, "b.json"), scratch_path(state, "b.prom"));
    s.configs[2] = config_of(thread, "/nonexistent/c.json", scratch_path(state, "c.prom"));
    const eddy_hooks hooks = {.size = sizeof hooks,
                              .user = &s,
                              .scored = on_scored,
                              .incident = on_incident,
                              .log = on_log};
    assert_int_equal(eddy_engine_new(s.configs[0], &hooks, &s.engine, NULL), EDDY_OK);
    run_all(&s);
    const unsigned total = WORKERS * ROUNDS * LINES;
    assert_int_equal(s.failures, 0);
    assert_int_equal(s.scored, total / 10 * 8);
    assert_int_equal(s.skipped, total / 10);
    assert_int_equal(s.rejected, total / 10);
    assert_int_equal(s.hooked, s.scored);
    double counted = 0;
    (void)eddy_engine_metrics(s.engine, add_scored, &counted);
    assert_true(counted == (double)s.scored);
    assert_int_equal(eddy_engine_end(s.engine), EDDY_OK);
    assert_true(s.opened > 0); /* 10.x.0.99 tries one port of many hosts */
    assert_int_equal(s.opened, s.closed);
    eddy_engine_free(s.engine);
    for (size_t i = 0; i < 3; i++)
        eddy_config_free(s.configs[i]);
}

static void nothing_is_lost_with_a_thread_of_the_engines_own(void **state)
{
    everything_at_once(state, "on");
}

static void nothing_is_lost_without_one(void **state)
{
    everything_at_once(state, "off");
}

/* The host gives the engine up while workers are still feeding. */
static void workers_outlive_the_hosts_hold(void **state)
{
    static struct stage s;
    memset(&s, 0, sizeof s);
    eddy_config *config =
        config_of("on", scratch_path(state, "a.json"), scratch_path(state, "a.prom"));
    const eddy_hooks hooks = {.size = sizeof hooks, .user = &s, .log = on_log};
    eddy_worker *worker[WORKERS];
    assert_int_equal(eddy_engine_new(config, &hooks, &s.engine, NULL), EDDY_OK);
    eddy_config_free(config);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(eddy_worker_new(s.engine, "w", "eve", &worker[i], NULL), EDDY_OK);
    eddy_engine_free(s.engine);
    for (unsigned i = 0; i < WORKERS; i++) {
        char line[512];
        size_t length = add_line(line, sizeof line, i, 1);
        assert_int_equal(eddy_worker_feed(worker[i], line, length), 1);
    }
    for (unsigned i = 0; i < WORKERS; i++)
        eddy_worker_free(worker[(i + 2) % WORKERS]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_lost_with_a_thread_of_the_engines_own),
        TEST(nothing_is_lost_without_one),
        TEST(workers_outlive_the_hosts_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
