/* SPDX-License-Identifier: MIT */
/* test_sparse.c - a network where flows are hours apart: each is ahead of the time believed. */
#include "pipeline.h"
#include "state/host.h"

#define HOUR_S 3600.0

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

static double ring_time_s(const struct ring *ring, size_t i)
{
    return (double)(ring->base_us + (int64_t)ring->time_ms[i] * 1000) * 1e-6 - (double)T0;
}

static void a_ring_gets_the_times_of_flows_two_hours_apart(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 40; i++) {
        eddy_flow flow = flow_at(i * 2 * HOUR_S, "10.0.0.1", "203.0.113.1", 443);
        flow.bytes_out = 1000 + i;
        (void)pipeline_pass(p, &flow);
    }
    const struct ring *ring = p->row.ring;
    assert_non_null(ring);
    assert_int_equal(ring->count, 40);
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(ring->size[i], 1000 + i);
        assert_true(fabs(ring_time_s(ring, i) - i * 2 * HOUR_S) < 0.0021);
    }
}

static void time_goes_on_one_flow_behind(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 40; i++) {
        eddy_flow flow = flow_at(i * 2 * HOUR_S, "10.0.0.1", "203.0.113.1", 443);
        (void)pipeline_pass(p, &flow);
        int64_t behind_us = p->row.end_us - p->state->watermark.now_us;
        assert_int_equal(behind_us, i == 0 ? 0 : 7200 * US);
    }
}

/* Once there are ten gaps. */
static void a_beacon_of_two_hours_is_judged_as_soon_as_any_other(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 30; i++) {
        eddy_flow flow = flow_at(i * 2 * HOUR_S, "10.0.0.1", "203.0.113.1", 443);
        struct finding finding = pipeline_ask(p, detector_named("beacon"), &flow);
        if (i < 10)
            assert_true(isnan(finding.score));
        else
            assert_true(finding.score > 11.9);
    }
    assert_true(fabs((double)p->row.ring->gap_s / (2 * HOUR_S) - 1) < 1e-3);
}

/* A clock a year ahead is no part of a pair's pace, not even among its first flows. */
static void a_clock_a_year_ahead_is_in_no_ring(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 20; i++) {
        eddy_flow flow = flow_at(i * 60, "10.0.0.1", "203.0.113.1", 443);
        (void)pipeline_pass(p, &flow);
        if (i == 1 || i == 7) {
            flow = flow_at(365 * 24 * HOUR_S, "10.0.0.1", "203.0.113.1", 443);
            (void)pipeline_pass(p, &flow);
        }
    }
    const struct ring *ring = p->row.ring;
    for (uint32_t i = 0; i < ring->count; i++)
        assert_true(ring_time_s(ring, i) < 20 * 60);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_ring_gets_the_times_of_flows_two_hours_apart),
        TEST(time_goes_on_one_flow_behind),
        TEST(a_beacon_of_two_hours_is_judged_as_soon_as_any_other),
        TEST(a_clock_a_year_ahead_is_in_no_ring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
