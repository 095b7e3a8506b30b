/* SPDX-License-Identifier: MIT */
/* test_features.c - the columns of hand-worked flows. */
#include <math.h>

#include "pipeline.h"

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

static void assert_column(const struct row *row, enum column column, double expected)
{
    if (!(fabs(row->column[column] - expected) < 1e-6))
        fail_msg("%s is %.9g, not %.9g", feature_of(column)->name, row->column[column], expected);
}

static void the_columns_of_one_flow_are_as_worked_by_hand(void **state)
{
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    flow.duration_us = 4000000; /* 4 s */
    flow.bytes_out = 1023;
    flow.bytes_in = 4095;
    flow.packets_out = 7;
    flow.packets_in = 15;
    flow.tcp_in = 4;
    const struct row *row = pipeline_pass(*state, &flow);
    assert_column(row, COLUMN_duration, 21.93156892968); /* log2(4000001) */
    assert_column(row, COLUMN_bytes_out, 10);
    assert_column(row, COLUMN_bytes_in, 12);
    assert_column(row, COLUMN_packets_out, 3);
    assert_column(row, COLUMN_packets_in, 4);
    assert_column(row, COLUMN_packet_size_out, 1023.0 / 7);
    assert_column(row, COLUMN_packet_size_in, 273);
    assert_column(row, COLUMN_balance, -2);
    assert_column(row, COLUMN_rate, 10.322492); /* log2(1 + 5118 / 4) */
    assert_column(row, COLUMN_tcp, 1);
    assert_column(row, COLUMN_udp, 0);
    assert_column(row, COLUMN_icmp, 0);
    assert_column(row, COLUMN_attempt, 0);
    assert_column(row, COLUMN_closed, 1);
    assert_column(row, COLUMN_reset_out, 0);
    assert_column(row, COLUMN_reset_in, 1);
    assert_column(row, COLUMN_web, 1);
    assert_column(row, COLUMN_dns, 0);
    assert_column(row, COLUMN_src_local, 1);
    assert_column(row, COLUMN_dst_local, 0);
    assert_column(row, COLUMN_window_flows, 1);
    assert_column(row, COLUMN_window_failed, 0);
    assert_column(row, COLUMN_pair_flows, 1);
    assert_column(row, COLUMN_pair_gap, 0);
    assert_column(row, COLUMN_prevalence, 1);
}

static void a_flow_of_nothing_has_finite_columns(void **state)
{
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    flow.duration_us = flow.bytes_out = flow.bytes_in = EDDY_UNSET;
    flow.packets_out = flow.packets_in = EDDY_UNSET;
    const struct row *row = pipeline_pass(*state, &flow);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        assert_true(isfinite(row->column[i]));
    assert_column(row, COLUMN_packet_size_out, 0);
    assert_column(row, COLUMN_rate, 0);
    assert_column(row, COLUMN_balance, 0);
}

static void the_largest_flow_has_finite_columns(void **state)
{
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    flow.duration_us = 0;
    flow.bytes_out = flow.bytes_in = UINT64_C(4096) << 40;
    flow.packets_out = flow.packets_in = UINT64_C(1) << 40;
    const struct row *row = pipeline_pass(*state, &flow);
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        assert_true(isfinite(row->column[i]));
    assert_true(row->column[COLUMN_rate] > 60 && row->column[COLUMN_rate] < 64);
}

static void a_second_flow_of_a_pair_has_a_gap(void **state)
{
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    (void)pipeline_pass(*state, &flow);
    flow.start_us += 1048575;
    const struct row *row = pipeline_pass(*state, &flow);
    assert_column(row, COLUMN_pair_flows, log2(3));
    assert_true(fabs(row->column[COLUMN_pair_gap] - 20) < 1e-4); /* log2(1 + 1048575) */
    assert_column(row, COLUMN_window_flows, log2(3));
}

static void failures_show_in_the_window(void **state)
{
    for (unsigned i = 0; i < 4; i++) {
        eddy_flow flow = i % 2 ? refused_at(i, "10.0.0.1", "203.0.113.1", 22)
                               : flow_at(i, "10.0.0.1", "203.0.113.1", 443);
        (void)pipeline_pass(*state, &flow);
    }
    const struct row *row = &((struct pipeline *)*state)->row;
    assert_column(row, COLUMN_window_failed, 0.5);
    assert_column(row, COLUMN_attempt, 1);
    assert_column(row, COLUMN_remote, 1);
}

static int count(const eddy_feature *feature, void *user)
{
    assert_true(feature->name[0] != '\0' && feature->help[0] != '\0');
    return ++*(int *)user == 5 ? 77 : 0;
}

static void features_are_visited_in_order_until_stopped(void **state)
{
    (void)state;
    int visited = 0;
    assert_int_equal(eddy_features(NULL, NULL), COLUMN_COUNT);
    assert_int_equal(eddy_features(count, &visited), 77);
    assert_int_equal(visited, 5);
    assert_string_equal(feature_of(COLUMN_duration)->name, "duration");
    assert_string_equal(feature_of(COLUMN_prevalence)->name, "prevalence");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_columns_of_one_flow_are_as_worked_by_hand),
        TEST(a_flow_of_nothing_has_finite_columns),
        TEST(the_largest_flow_has_finite_columns),
        TEST(a_second_flow_of_a_pair_has_a_gap),
        TEST(failures_show_in_the_window),
        cmocka_unit_test(features_are_visited_in_order_until_stopped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
