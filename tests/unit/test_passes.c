/* SPDX-License-Identifier: MIT */
/* test_passes.c - what one pass over a file finds, two passes find, too, and more of it. */
#include "pipeline.h"
#include "random.h"

enum { FLOWS = 20000 };

struct log {
    size_t count;
    eddy_flow flow[FLOWS];
};

struct found {
    unsigned count;
    char detector[16];
    uint8_t host[16];
    uint64_t flows;
};

static void note(const eddy_incident *incident, void *user)
{
    struct found *found = user;
    found->count += incident->state == EDDY_INCIDENT_NEW;
    (void)snprintf(found->detector, sizeof found->detector, "%s", incident->detector);
    memcpy(found->host, incident->host, 16);
    found->flows = incident->flows;
}

static int setup(void **state)
{
    *state = calloc(1, sizeof(struct log));
    return *state == NULL;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void add(struct log *log, const eddy_flow *flow)
{
    assert_true(log->count < FLOWS);
    log->flow[log->count++] = *flow;
}

static int by_end(const void *a, const void *b)
{
    const eddy_flow *x = a, *y = b;
    int64_t x_us = x->start_us + (int64_t)x->duration_us,
            y_us = y->start_us + (int64_t)y->duration_us;
    return (x_us > y_us) - (x_us < y_us);
}

/* 25 hosts talk to 300 services of much the same sizes, at random times. */
static void add_office(struct log *log, double hours, unsigned flows)
{
    struct rng rng = {11};
    for (unsigned i = 0; i < flows; i++) {
        eddy_flow flow = flow_at(rng_uniform(&rng) * hours * 3600,
                                 numbered("10.0", (unsigned)rng_below(&rng, 25)),
                                 numbered("198.51", (unsigned)rng_below(&rng, 300)), 443);
        flow.bytes_out += rng_below(&rng, 500);
        flow.bytes_in += rng_below(&rng, 5000);
        add(log, &flow);
    }
}

/* 1500 hosts within five minutes, and all of them answer; before and after, its usual work. */
static void add_sweep(struct log *log, double start_s)
{
    for (unsigned i = 0; i < 1500; i++) {
        eddy_flow flow = flow_at(start_s + i * 0.2, "10.0.5.5", numbered("203.7", i), 443);
        add(log, &flow);
    }
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = flow_at(i * start_s / 50, "10.0.5.5", numbered("198.51", i % 9), 443);
        add(log, &flow);
    }
}

static void add_beacon(struct log *log, unsigned calls, double every_s)
{
    for (unsigned i = 0; i < calls; i++) {
        eddy_flow flow = flow_at(i * every_s, "10.0.6.6", "203.0.113.66", 443);
        add(log, &flow);
    }
}

static void feed(eddy_engine *engine, const struct log *log)
{
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, "flows", NULL, &worker, NULL), EDDY_OK);
    for (size_t i = 0; i < log->count; i++)
        assert_int_equal(eddy_worker_score(worker, &log->flow[i], NULL), 1);
    eddy_worker_free(worker);
    assert_int_equal(eddy_engine_end(engine), EDDY_OK);
}

static struct found passes(struct log *log, unsigned count)
{
    struct found found = {.count = 0};
    const eddy_hooks hooks = {.size = sizeof hooks, .user = &found, .incident = note};
    eddy_engine *engine;
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "engine.thread", "off", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "state.memory", "16M", NULL), EDDY_OK);
    /* What other detectors make of it is not the question here. */
    assert_int_equal(eddy_config_set(config, "decide.p", "1e-6", NULL), EDDY_OK);
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, NULL), EDDY_OK);
    eddy_config_free(config);
    qsort(log->flow, log->count, sizeof *log->flow, by_end);
    if (count == 2) {
        assert_int_equal(eddy_engine_begin(engine, EDDY_PASS_LEARN), EDDY_OK);
        feed(engine, log);
        assert_int_equal(found.count, 0);
        assert_int_equal(eddy_engine_begin(engine, EDDY_PASS_SCORE), EDDY_OK);
    }
    feed(engine, log);
    eddy_engine_free(engine);
    return found;
}

static void assert_found(const struct found *found, const char *detector, const char *host)
{
    uint8_t address[16];
    address_of(host, address);
    assert_int_equal(found->count, 1);
    assert_string_equal(found->detector, detector);
    assert_memory_equal(found->host, address, 16);
}

static void a_sweep_that_succeeds_is_found_in_one_pass_and_in_two(void **state)
{
    struct log *log = *state;
    add_office(log, 3, 9000);
    add_sweep(log, 5400);
    for (unsigned count = 1; count <= 2; count++) {
        struct found found = passes(log, count);
        assert_found(&found, "fanout", "10.0.5.5");
        assert_true(found.flows > 50);
    }
}

/* At its first call the second pass knows all calls: its ring was kept. */
static void a_beacon_that_fills_the_file_is_found_by_all_its_calls_in_two_passes(void **state)
{
    struct log *log = *state;
    add_office(log, 2, 5000);
    add_beacon(log, 24, 300);
    struct found once = passes(log, 1), twice = passes(log, 2);
    assert_found(&twice, "beacon", "10.0.6.6");
    assert_int_equal(twice.flows, 24);
    assert_true(once.flows < 24);
}

static void a_beacon_longer_than_a_ring_is_found_in_two_passes(void **state)
{
    struct log *log = *state;
    add_office(log, 6, 8000);
    add_beacon(log, 360, 60);
    struct found found = passes(log, 2);
    assert_found(&found, "beacon", "10.0.6.6");
    assert_int_equal(found.flows, 360);
}

static void an_office_alone_has_no_incident_in_either(void **state)
{
    struct log *log = *state;
    add_office(log, 3, 9000);
    for (unsigned count = 1; count <= 2; count++)
        assert_int_equal(passes(log, count).count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sweep_that_succeeds_is_found_in_one_pass_and_in_two),
        TEST(a_beacon_that_fills_the_file_is_found_by_all_its_calls_in_two_passes),
        TEST(a_beacon_longer_than_a_ring_is_found_in_two_passes),
        TEST(an_office_alone_has_no_incident_in_either),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
