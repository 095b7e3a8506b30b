/* SPDX-License-Identifier: MIT */
/* test_state.c - windows, rings and records, by event time and within their bytes. */
#include <math.h>
#include <stdio.h>

#include "pipeline.h"
#include "random.h"

#define DAY_S 86400.0

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

/* From one host, another destination each time, so that only its window is of interest. */
static const struct host *host_does(struct pipeline *p, double start_s, unsigned peer)
{
    eddy_flow flow = flow_at(start_s, "10.0.0.1", numbered("203.0", peer), 443);
    return pipeline_pass(p, &flow)->host;
}

/* ---- windows ---- */

static void a_window_opens_with_the_first_flow_and_lasts_ten_minutes(void **state)
{
    struct pipeline *p = *state;
    (void)host_does(p, 100, 1);
    assert_int_equal(p->row.window->flows, 1);
    assert_int_equal(p->row.window->start_us, (T0 + 101) * US); /* by its end */
    assert_false(p->row.closed);
    (void)host_does(p, 100 + 599.9, 2);
    assert_int_equal(p->row.window->flows, 2);
    assert_false(p->row.closed);
    (void)host_does(p, 100 + 600, 3);
    assert_true(p->row.closed);
    assert_int_equal((int)round((double)p->row.was.peers), 2);
    assert_int_equal(p->row.window->flows, 1);
    assert_int_equal(p->row.window->start_us, (T0 + 701) * US);
    (void)host_does(p, 100 + 601, 4);
    assert_false(p->row.closed);
}

static void a_window_follows_its_own_host_only(void **state)
{
    struct pipeline *p = *state;
    (void)host_does(p, 0, 1);
    eddy_flow flow = flow_at(3000, "10.0.0.2", "203.0.113.1", 443);
    (void)pipeline_pass(p, &flow);
    (void)host_does(p, 500, 2); /* late, but within state.lateness */
    assert_false(p->row.late);
    assert_int_equal(p->row.window->flows, 2);
}

static void a_flow_before_the_window_began_counts_in_it(void **state)
{
    struct pipeline *p = *state;
    (void)host_does(p, 1000, 1);
    (void)host_does(p, 400, 2);
    assert_false(p->row.late);
    assert_int_equal(p->row.window->flows, 2);
}

static void a_late_flow_is_in_no_window_and_counted(void **state)
{
    struct pipeline *p = *state;
    (void)host_does(p, 10000, 1);
    const struct host *host = host_does(p, 10000 - 3600, 2);
    assert_false(p->row.late); /* an hour is on time */
    assert_int_equal(p->row.window->flows, 2);
    host = host_does(p, 10000 - 3601, 3);
    assert_true(p->row.late);
    assert_int_equal(p->row.window->flows, 2);
    assert_int_equal(p->state->late, 1);
    assert_int_equal(host->flows, 3); /* but the host has had it */
}

static void failures_count_a_target_once_in_a_window(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 9; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.1", numbered("203.0", i % 3), 22);
        (void)pipeline_pass(p, &flow);
    }
    const struct window *w = p->row.window;
    assert_int_equal(w->failed, 9);
    assert_int_equal(w->failed_targets, 3);
    assert_int_equal(w->on_port, 3);
    assert_int_equal(w->at_peer, 1);
    assert_int_equal(w->port, 22 << 8 | 6);
    eddy_flow flow = refused_at(700, "10.0.0.1", numbered("203.0", 0), 22);
    (void)pipeline_pass(p, &flow);
    assert_int_equal(w->failed_targets, 1); /* and again in the next window */
}

static void one_to_one_failures_are_one_wide_and_a_sweep_is_as_wide_as_its_hosts(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.1", numbered("203.0", i), (uint16_t)(20000 + i));
        (void)pipeline_pass(p, &flow);
    }
    assert_true(window_width(p->row.window) < 2.5);
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.2", numbered("203.0", i), 22);
        (void)pipeline_pass(p, &flow);
    }
    assert_true(window_width(p->row.window) >= 100);
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.3", "203.0.113.9", (uint16_t)(1 + i));
        (void)pipeline_pass(p, &flow);
    }
    assert_true(window_width(p->row.window) >= 100);
}

static void speaking_to_a_group_is_no_peer(void **state)
{
    struct pipeline *p = *state;
    static const char *const groups[] = {"224.0.0.251", "255.255.255.255", "10.0.0.255",
                                         "ff02::fb"};
    for (size_t i = 0; i < 4; i++) {
        eddy_flow flow = refused_at((double)i, "10.0.0.1", groups[i], 5353);
        (void)pipeline_pass(p, &flow);
    }
    assert_int_equal(p->row.window->flows, 4);
    assert_int_equal(p->row.window->failed_targets, 0);
    assert_true(p->row.window->peer_count < 0.5f);
}

/* ---- clocks that are wrong ---- */

static void a_flow_from_the_future_leaves_windows_and_rings_alone(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 6; i++) {
        eddy_flow flow = flow_at(i * 10, "10.0.0.1", "203.0.113.1", 443);
        (void)pipeline_pass(p, &flow);
    }
    uint32_t times = p->row.ring->count;
    eddy_flow wrong = flow_at(10000 * DAY_S / 100, "10.0.0.1", "203.0.113.1", 443);
    (void)pipeline_pass(p, &wrong);
    assert_true(p->row.late);
    assert_int_equal(p->row.window->flows, 6);
    assert_int_equal(p->row.ring->count, times);
    eddy_flow next = flow_at(60, "10.0.0.1", "203.0.113.1", 443);
    (void)pipeline_pass(p, &next);
    assert_int_equal(p->row.window->flows, 7);
    assert_int_equal(p->row.ring->count, times + 1);
    next = flow_at(700, "10.0.0.1", "203.0.113.1", 443);
    (void)pipeline_pass(p, &next);
    assert_true(p->row.closed); /* windows go on closing */
    assert_int_equal((int)p->row.window->flows, 1);
}

static void a_first_flow_from_the_future_does_not_hold_its_window_open(void **state)
{
    struct pipeline *p = *state;
    (void)host_does(p, 1000 * DAY_S, 1);
    (void)host_does(p, 0, 2);
    assert_int_equal(p->row.window->flows, 1);
    (void)host_does(p, 10, 3);
    assert_false(p->row.late);
    assert_int_equal(p->row.window->flows, 2);
    (void)host_does(p, 700, 4);
    assert_true(p->row.closed);
}

/* A record is worth keeping by the time all agree on, or one wrong clock would fill the table
 * with hosts that stay for ever. */
static void hosts_from_the_future_are_evicted_like_others(void **state)
{
    struct pipeline *p = *state;
    (void)host_does(p, 0, 1);
    (void)host_does(p, 1, 1);
    uint64_t capacity = table_capacity(&p->state->hosts);
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = flow_at((100 + 10.0 * i) * DAY_S, numbered("10.9", i), "203.0.113.1", 443);
        (void)pipeline_pass(p, &flow);
        assert_true(p->row.late);
        (void)host_does(p, 2 + 0.01 * i, 1); /* refutes it */
    }
    for (unsigned i = 0; i < 4 * capacity; i++) {
        eddy_flow flow = flow_at(8000 + i * 0.01, numbered(i / 62500 % 2 ? "10.20" : "10.21", i),
                                 "203.0.113.1", 443);
        flow.src[9] = (uint8_t)(i >> 16); /* more addresses than IPv4 text gives */
        (void)pipeline_pass(p, &flow);
    }
    for (unsigned i = 0; i < 100; i++) {
        uint8_t address[16];
        address_of(numbered("10.9", i), address);
        assert_null(table_find(&p->state->hosts, hash_address(address, p->state->seed), address));
    }
}

/* ---- rings ---- */

static double ring_time_s(const struct ring *ring, size_t i)
{
    return (double)(ring->base_us + (int64_t)ring->time_ms[i] * 1000) * 1e-6 - (double)T0;
}

static void pass_at(struct pipeline *p, double start_s, uint64_t bytes)
{
    eddy_flow flow = flow_at(start_s, "10.0.0.1", "203.0.113.1", 443);
    flow.bytes_out = bytes;
    (void)pipeline_pass(p, &flow);
}

static void a_ring_is_made_with_the_fourth_flow_and_knows_all_four(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 3; i++) {
        pass_at(p, i * 60, 1000 + i);
        assert_null(p->row.ring);
    }
    pass_at(p, 180, 1003);
    const struct ring *ring = p->row.ring;
    assert_non_null(ring);
    assert_int_equal(ring->count, 4);
    for (unsigned i = 0; i < 4; i++) {
        assert_true(fabs(ring_time_s(ring, i) - i * 60) < 0.0011);
        assert_int_equal(ring->size[i], 1000 + i);
    }
}

static void a_ring_is_sorted_whatever_the_order_of_arrival(void **state)
{
    struct pipeline *p = *state;
    struct rng rng = {3};
    unsigned order[RING_TIMES];
    for (unsigned i = 0; i < RING_TIMES; i++) {
        unsigned j = (unsigned)rng_below(&rng, i + 1);
        order[i] = order[j];
        order[j] = i;
    }
    for (unsigned i = 0; i < RING_TIMES; i++)
        pass_at(p, 20.0 * order[i], 1000 + order[i]); /* all within the hour of lateness */
    const struct ring *ring = p->row.ring;
    assert_int_equal(ring->count, RING_TIMES);
    for (unsigned i = 0; i < RING_TIMES; i++) {
        assert_true(fabs(ring_time_s(ring, i) - 20.0 * i) < 0.0011);
        assert_int_equal(ring->size[i], 1000 + i); /* sizes move with their times */
    }
}

static void a_full_ring_keeps_the_latest(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 200; i++)
        pass_at(p, 10.0 * i, 1000 + i);
    const struct ring *ring = p->row.ring;
    assert_int_equal(ring->count, RING_TIMES);
    for (unsigned i = 0; i < RING_TIMES; i++)
        assert_int_equal(ring->size[i], 1000 + 200 - RING_TIMES + i);
    pass_at(p, 5, 1077); /* older than all that is kept */
    assert_int_equal(ring->size[0], 1000 + 200 - RING_TIMES);
    pass_at(p, 1365, 1078); /* between the first two: the oldest goes */
    assert_int_equal(ring->count, RING_TIMES);
    assert_int_equal(ring->size[0], 1078);
    assert_int_equal(ring->size[1], 1000 + 200 - RING_TIMES + 1);
}

static void the_same_flow_again_changes_nothing(void **state)
{
    struct pipeline *p = *state;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 20; i++)
            pass_at(p, 60.0 * i, 1000 + i);
    assert_int_equal(p->row.ring->count, 20);
}

static void flows_of_one_millisecond_are_told_apart_by_their_size(void **state)
{
    struct pipeline *p = *state;
    for (unsigned round = 0; round < 3; round++)
        for (unsigned i = 0; i < 10; i++)
            pass_at(p, 60.0, 1000 + i);
    assert_int_equal(p->row.ring->count, 10);
}

static void after_49_days_a_ring_has_a_new_base_and_its_latest_times(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 87; i++) { /* the pair comes every three days, others every day */
        eddy_flow flow = flow_at(i * DAY_S, "10.0.0.2", "203.0.113.9", 53);
        (void)pipeline_pass(p, &flow);
        if (i % 3 == 0)
            pass_at(p, i * DAY_S, 1000 + i / 3);
    }
    pass_at(p, 87 * DAY_S, 1029);
    const struct ring *ring = p->row.ring;
    assert_in_range(ring->count, 8, 17); /* 24.8 to 49.7 days of them */
    for (uint32_t i = 0; i < ring->count; i++) {
        unsigned number = 30 - ring->count + i;
        assert_int_equal(ring->size[i], 1000 + number);
        assert_true(fabs(ring_time_s(ring, i) - number * 3 * DAY_S) < 0.0021);
    }
}

static void sizes_beyond_four_gigabytes_are_capped(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 4; i++) {
        eddy_flow flow = flow_at(i * 60, "10.0.0.1", "203.0.113.1", 443);
        flow.bytes_out = UINT64_C(5) << 30;
        flow.packets_out = 4000000;
        (void)pipeline_pass(p, &flow);
    }
    assert_int_equal(p->row.ring->size[3], UINT32_MAX);
}

/* ---- pairs ---- */

static void a_pair_knows_the_gap_to_its_flow_before(void **state)
{
    struct pipeline *p = *state;
    pass_at(p, 0, 1000);
    assert_true(p->row.gap_s == 0.0f);
    pass_at(p, 90, 1000);
    assert_true(p->row.gap_s == 90.0f);
    pass_at(p, 50, 1000); /* out of order */
    assert_true(p->row.gap_s == 0.0f);
    pass_at(p, 100, 1000);
    assert_true(p->row.gap_s == 10.0f);
}

static void port_and_protocol_make_another_pair(void **state)
{
    struct pipeline *p = *state;
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    const struct pair *first = pipeline_pass(p, &flow)->pair;
    flow.proto = 17;
    assert_ptr_not_equal(pipeline_pass(p, &flow)->pair, first);
    flow.proto = 6;
    flow.dst_port = 444;
    assert_ptr_not_equal(pipeline_pass(p, &flow)->pair, first);
    flow.dst_port = 443;
    flow.src_port = 1;
    assert_ptr_equal(pipeline_pass(p, &flow)->pair, first);
}

static void prevalence_counts_local_hosts_of_a_service(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 5; i++)
        for (unsigned repeat = 0; repeat < 3; repeat++) {
            eddy_flow flow = flow_at(i, numbered("10.1", i), "203.0.113.1", 443);
            assert_int_equal(pipeline_pass(p, &flow)->users, i + 1);
        }
    eddy_flow flow = flow_at(9, "198.51.100.7", "203.0.113.1", 443); /* not ours */
    assert_int_equal(pipeline_pass(p, &flow)->users, 5);
}

/* ---- memory and order ---- */

static uint64_t bytes_of(const struct table *table)
{
    return table->set_count *
           (sizeof(struct table_set) + TABLE_WAYS * (uint64_t)table->record_size);
}

static void memory_stays_within_the_setting(void **state)
{
    (void)state;
    static const uint64_t sizes[] = {4194304, 8388608, 8388609, 134217728};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const struct state_conf conf = {.memory = sizes[i], .window_us = 1};
        struct state *s;
        assert_int_equal(state_new(&conf, &s, NULL), EDDY_OK);
        uint64_t bytes = sizeof *s + sizeof *s->popular + sizeof *s->busiest + bytes_of(&s->hosts) +
                         bytes_of(&s->windows) + bytes_of(&s->pairs) + bytes_of(&s->rings) +
                         bytes_of(&s->services);
        assert_true(bytes <= sizes[i]);
        assert_true(bytes > sizes[i] - sizes[i] / 50); /* and nearly all of it is used */
        state_free(s);
    }
}

static void a_flood_of_addresses_stays_in_the_tables(void **state)
{
    struct pipeline *p = *state;
    for (uint32_t i = 0; i < 200000; i++) {
        eddy_flow flow = flow_at(i * 0.01, "2001:db8::1", "203.0.113.1", 443);
        memcpy(flow.src + 8, &i, sizeof i);
        (void)pipeline_pass(p, &flow);
    }
    assert_int_equal(p->state->hosts.used, table_capacity(&p->state->hosts));
    assert_int_equal(p->state->hosts.used + p->state->hosts.evictions, 200000);
}

static void a_host_with_a_past_survives_a_flood(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 64; i++)
        (void)host_does(p, i, 1);
    for (uint32_t i = 0; i < 100000; i++) { /* within 16 minutes; its credit is an hour */
        eddy_flow flow = flow_at(100 + i * 0.01, "2001:db8::1", "203.0.113.1", 443);
        memcpy(flow.src + 8, &i, sizeof i);
        (void)pipeline_pass(p, &flow);
    }
    assert_int_equal(host_does(p, 1200, 1)->flows, 65);
}

static void the_second_pass_starts_with_empty_windows(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 20; i++)
        pass_at(p, 60.0 * i, 1000 + i);
    uint32_t known = p->row.ring->count;
    state_rewind(p->state);
    pass_at(p, 0, 1000);
    assert_false(p->row.late);
    assert_false(p->row.closed);
    assert_int_equal(p->row.window->flows, 1);
    assert_int_equal(p->row.host->flows, 1);
    assert_int_equal(p->row.ring->count, known);
}

/* A day of mixed traffic of 30 hosts; the checksum of all columns and scores. */
static uint64_t digest(const char *seed)
{
    const char *const settings[] = {"state.seed", seed, "state.memory", "4M", NULL};
    struct pipeline *p = pipeline_new(settings);
    struct rng rng = {42};
    uint64_t hash = 0;
    for (unsigned i = 0; i < 20000; i++) {
        eddy_flow flow = flow_at(i * 4 + rng_exponential(&rng) * 100,
                                 numbered("10.1", (unsigned)rng_below(&rng, 30)),
                                 numbered("203.0", (unsigned)rng_below(&rng, 3000)),
                                 (uint16_t)(rng_below(&rng, 3) ? 443 : 22));
        flow.bytes_out = 40 + (uint64_t)(3000 * rng_exponential(&rng));
        const struct row *row = pipeline_score(p, &flow);
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            uint64_t bits;
            memcpy(&bits, &row->column[c], sizeof bits);
            hash = hash_add(hash, bits);
        }
        uint64_t bits;
        memcpy(&bits, &row->verdict.p, sizeof bits);
        hash = hash_add(hash, bits);
    }
    pipeline_free(p);
    return hash;
}

static void the_same_flows_give_the_same_bytes(void **state)
{
    (void)state;
    uint64_t first = digest("1");
    assert_true(first == digest("1"));
    assert_true(first != digest("2")); /* estimates differ: the digest sees them */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_window_opens_with_the_first_flow_and_lasts_ten_minutes),
        TEST(a_window_follows_its_own_host_only),
        TEST(a_flow_before_the_window_began_counts_in_it),
        TEST(a_late_flow_is_in_no_window_and_counted),
        TEST(failures_count_a_target_once_in_a_window),
        TEST(one_to_one_failures_are_one_wide_and_a_sweep_is_as_wide_as_its_hosts),
        TEST(speaking_to_a_group_is_no_peer),
        TEST(a_flow_from_the_future_leaves_windows_and_rings_alone),
        TEST(a_first_flow_from_the_future_does_not_hold_its_window_open),
        TEST(hosts_from_the_future_are_evicted_like_others),
        TEST(a_ring_is_made_with_the_fourth_flow_and_knows_all_four),
        TEST(a_ring_is_sorted_whatever_the_order_of_arrival),
        TEST(a_full_ring_keeps_the_latest),
        TEST(the_same_flow_again_changes_nothing),
        TEST(flows_of_one_millisecond_are_told_apart_by_their_size),
        TEST(after_49_days_a_ring_has_a_new_base_and_its_latest_times),
        TEST(sizes_beyond_four_gigabytes_are_capped),
        TEST(a_pair_knows_the_gap_to_its_flow_before),
        TEST(port_and_protocol_make_another_pair),
        TEST(prevalence_counts_local_hosts_of_a_service),
        TEST(memory_stays_within_the_setting),
        TEST(a_flood_of_addresses_stays_in_the_tables),
        TEST(a_host_with_a_past_survives_a_flood),
        TEST(the_second_pass_starts_with_empty_windows),
        TEST(the_same_flows_give_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
