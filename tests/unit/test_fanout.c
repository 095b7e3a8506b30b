/* SPDX-License-Identifier: MIT */
/* test_fanout.c - sweeps and scans are found, file sharing is not, and a host's past counts. */
#include <math.h>

#include "pipeline.h"
#include "random.h"
#include "state/host.h"

static int setup(void **state)
{
    *state = pipeline_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    pipeline_free(*state);
    return 0;
}

static double ask(struct pipeline *p, const eddy_flow *flow)
{
    return pipeline_ask(p, detector_named("fanout"), flow).score;
}

/* The highest score of a sweep of one port, a host a second. */
static double sweep(struct pipeline *p, double start_s, const char *src, unsigned hosts)
{
    double most = 0;
    for (unsigned i = 0; i < hosts; i++) {
        eddy_flow flow = refused_at(start_s + i, src, numbered("203.0", i), 22);
        most = fmax(most, ask(p, &flow));
    }
    return most;
}

static void thirty_failed_hosts_on_one_port_score_over_5(void **state)
{
    double score = sweep(*state, 0, "10.0.0.1", 30);
    /* 30 over 1.5, to the fifth, less log10(2): 6.5 - 0.3 */
    assert_true(fabs(score - 6.204) < 0.01);
}

static void thirty_failed_ports_of_one_host_score_as_much(void **state)
{
    double most = 0;
    for (unsigned i = 0; i < 30; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.1", "203.0.113.1", (uint16_t)(1 + i));
        most = fmax(most, ask(*state, &flow));
    }
    assert_true(fabs(most - 6.204) < 0.01);
}

static void a_grid_of_ports_and_hosts_is_found(void **state)
{
    double most = 0;
    for (unsigned i = 0; i < 100; i++) { /* 10 ports of 10 hosts, mixed */
        eddy_flow flow =
            refused_at(i, "10.0.0.1", numbered("203.0", i * 7 % 10), (uint16_t)(1 + i / 10));
        most = fmax(most, ask(*state, &flow));
    }
    assert_true(most > 5);
}

/* A file-sharing program tries peers that are gone, each on a port of its own. */
static void two_hundred_one_to_one_failures_are_no_scan(void **state)
{
    struct rng rng = {1};
    double most = 0;
    for (unsigned i = 0; i < 200; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.1", numbered("203.0", i),
                                    (uint16_t)(10000 + rng_below(&rng, 50000)));
        most = fmax(most, ask(*state, &flow));
    }
    assert_true(most < 2);
}

static void the_same_target_again_and_again_is_no_scan(void **state)
{
    for (unsigned i = 0; i < 300; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.1", "203.0.113.1", 22);
        assert_true(ask(*state, &flow) == 0);
    }
}

static void what_answers_lowers_the_score(void **state)
{
    double alone = sweep(*state, 0, "10.0.0.1", 30);
    for (unsigned i = 0; i < 90; i++) {
        eddy_flow flow = flow_at(i * 0.3, "10.0.0.2", numbered("198.51", i), 443);
        (void)pipeline_pass(*state, &flow);
    }
    double among_others = sweep(*state, 30, "10.0.0.2", 30);
    assert_true(among_others < alone - 2); /* a quarter failed: 5 log10(4) = 3 less */
    assert_true(among_others > 1);
}

static void an_answered_flow_is_no_part_of_a_scan_that_fails(void **state)
{
    (void)sweep(*state, 0, "10.0.0.1", 30);
    eddy_flow flow = flow_at(31, "10.0.0.1", "198.51.100.1", 443);
    assert_true(isnan(ask(*state, &flow)));
}

static void four_failed_targets_are_no_scan_whatever_the_past(void **state)
{
    assert_true(sweep(*state, 0, "10.0.0.1", 4) == 0);
}

static void many_peers_that_answer_score_beyond_spread_times_the_usual(void **state)
{
    double at_80 = 0, most = 0;
    for (unsigned i = 0; i < 400; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.1", numbered("203.0", i), 443);
        most = fmax(most, ask(*state, &flow));
        at_80 = i < 50 ? most : at_80;
    }
    assert_true(at_80 == 0); /* 20 peers are usual, and vary fourfold */
    assert_true(most > 2 && most < 5);
}

/* The window of a sweep is evicted: the next one, which is quiet, is not taken for it. */
static void an_evicted_window_leaves_no_score(void **state)
{
    struct pipeline *p = *state;
    assert_true(sweep(p, 0, "10.0.0.1", 30) > 6);
    p->row.window->flows = 0; /* as state.c finds it when it was not in the table */
    assert_true(sweep(p, 40, "10.0.0.1", 1) == 0);
    eddy_flow next = flow_at(700, "10.0.0.1", "10.0.0.9", 443);
    assert_true(pipeline_ask(p, detector_named("fanout"), &next).sample == 0);
    assert_true(p->row.host->fanout.weight == 1.0f); /* not fanout.leak */
}

/* One window of sweeping `hosts`, and what it scored. */
static double window(struct pipeline *p, unsigned number, unsigned hosts)
{
    return sweep(p, 700.0 * number, "10.0.0.1", hosts);
}

static void a_host_that_always_fails_at_ten_is_usual_in_time(void **state)
{
    struct pipeline *p = *state;
    double first = window(p, 0, 10);
    assert_true(first > 3);
    for (unsigned i = 1; i < 2000; i++)
        (void)window(p, i, 10);
    assert_true(window(p, 2000, 10) < 1);
    assert_true(window(p, 2001, 10) < 1);
    assert_true(window(p, 2002, 100) > 4); /* ten times its usual is still a scan */
}

/* One sweep of 200 among quiet windows teaches a twentieth of a window. */
static void a_suspicious_window_teaches_by_the_leak(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 20; i++)
        (void)window(p, i, 1);
    (void)window(p, 20, 200);
    const struct fanout_memory *memory = &p->row.host->fanout;
    double weight = (double)memory->weight, mean = (double)memory->width_mean;
    (void)window(p, 21, 1); /* closes the window of the sweep */
    assert_true(fabs((double)memory->weight - weight - 0.05) < 1e-4);
    assert_true((double)memory->width_mean < mean + 0.02);
}

/* A resolver that fails at 30 servers of 120: what it is taught is what it is judged by. */
static void a_window_teaches_the_width_less_what_succeeded(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 90; i++) {
        eddy_flow flow = flow_at(i * 0.3, "10.0.0.1", numbered("198.51", i), 443);
        (void)ask(p, &flow);
    }
    (void)sweep(p, 30, "10.0.0.1", 30);
    const struct host *host = p->row.host;
    double width = window_width(p->row.window), weight = (double)host->fanout.weight;
    assert_int_equal(p->row.window->on_port, 30);
    assert_true(fabs(width - 7.5) < 0.5);
    assert_true(weight == 0);
    eddy_flow flow = flow_at(700, "10.0.0.1", "198.51.100.1", 443);
    (void)ask(p, &flow);
    assert_true(p->row.closed);
    assert_true(fabs((double)p->row.was.width - width) < 1e-5);
    assert_true(host->fanout.weight > 0);
    assert_true(fabs((double)host->fanout.width_mean - log(width)) < 1e-5);
}

static void a_closed_window_is_a_sample_for_the_calibration(void **state)
{
    struct pipeline *p = *state;
    double score = window(p, 0, 30);
    eddy_flow flow = flow_at(650, "10.0.0.1", "203.0.113.1", 443);
    struct finding finding = pipeline_ask(p, detector_named("fanout"), &flow);
    assert_true(fabs(finding.sample - score) < 1e-5);
    finding = pipeline_ask(p, detector_named("fanout"), &flow);
    assert_true(isnan(finding.sample));
}

static void a_late_flow_says_nothing(void **state)
{
    struct pipeline *p = *state;
    eddy_flow now = flow_at(20000, "10.0.0.9", "203.0.113.1", 443);
    (void)pipeline_pass(p, &now);
    (void)pipeline_pass(p, &now);
    assert_true(sweep(p, 0, "10.0.0.1", 100) == 0);
}

static void the_sentence_says_what_was_swept(void **state)
{
    struct pipeline *p = *state;
    (void)sweep(p, 0, "10.0.0.1", 30);
    struct explanation why;
    score_explain(p->score, &p->score_conf, detector_named("fanout"), &p->row, &why);
    assert_non_null(strstr(why.sentence, "10.0.0.1 sweeps port 22/tcp: 30 hosts did not answer"));
    assert_false(why.names_peer);
    assert_string_equal(why.reason[0].feature, "window_width");
    double share = 0;
    for (size_t i = 0; i < why.count; i++)
        share += fmax(0, why.reason[i].share);
    assert_true(fabs(share - 1) < 1e-6);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(thirty_failed_hosts_on_one_port_score_over_5),
        TEST(thirty_failed_ports_of_one_host_score_as_much),
        TEST(a_grid_of_ports_and_hosts_is_found),
        TEST(two_hundred_one_to_one_failures_are_no_scan),
        TEST(the_same_target_again_and_again_is_no_scan),
        TEST(what_answers_lowers_the_score),
        TEST(an_answered_flow_is_no_part_of_a_scan_that_fails),
        TEST(four_failed_targets_are_no_scan_whatever_the_past),
        TEST(many_peers_that_answer_score_beyond_spread_times_the_usual),
        TEST(a_host_that_always_fails_at_ten_is_usual_in_time),
        TEST(a_suspicious_window_teaches_by_the_leak),
        TEST(a_window_teaches_the_width_less_what_succeeded),
        TEST(a_closed_window_is_a_sample_for_the_calibration),
        TEST(a_late_flow_says_nothing),
        TEST(the_sentence_says_what_was_swept),
        TEST(an_evicted_window_leaves_no_score),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
