/* SPDX-License-Identifier: MIT */
/* test_watermark.c - no single flow moves the time far; two that agree do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "state/watermark.h"

#define HOUR INT64_C(3600000000)
#define DAY  (24 * HOUR)
#define T0   (INT64_C(1700000000) * 1000000)

/* The watermark after flows that end at these times, relative to T0; ended by INT64_MIN. */
static int64_t after(const int64_t *ends)
{
    struct watermark w = {0};
    for (; *ends != INT64_MIN; ends++)
        (void)watermark_add(&w, T0 + *ends, DAY);
    return w.now_us - T0;
}

#define AFTER(...) after((const int64_t[]){__VA_ARGS__, INT64_MIN})

static void the_latest_end_is_the_watermark(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0), 0);
    assert_int_equal(AFTER(0, HOUR, 2 * HOUR), 2 * HOUR);
}

static void an_older_flow_does_not_move_it_back(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0, HOUR, 10), HOUR);
    assert_int_equal(AFTER(0, HOUR, -100 * DAY), HOUR);
}

static void a_small_step_is_taken_at_once(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0, DAY), DAY);
}

static void one_flow_with_a_clock_far_ahead_does_not_move_it(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0, 1, 5000 * DAY), 1);
    assert_int_equal(AFTER(0, 1, 5000 * DAY, HOUR, 2 * HOUR), 2 * HOUR);
}

static void two_that_agree_do(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0, 1, 50 * DAY, 50 * DAY + HOUR), 50 * DAY + HOUR);
    assert_int_equal(AFTER(0, 1, 50 * DAY, 50 * DAY - HOUR), 50 * DAY);
}

static void what_was_believed_is_given_up_when_many_flows_are_far_behind_it(void **state)
{
    (void)state;
    struct watermark w = {0};
    (void)watermark_add(&w, T0 + 50 * DAY, DAY);
    (void)watermark_add(&w, T0 + 50 * DAY, DAY);
    for (int i = 1; i < WATERMARK_GIVE_UP; i++)
        assert_int_equal(watermark_add(&w, T0 + i, DAY), T0 + 50 * DAY);
    assert_int_equal(watermark_add(&w, T0, DAY), T0);
}

static void a_flow_at_the_old_time_refutes_one_that_was_ahead(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0, 1, 50 * DAY, 2), 2);
    assert_int_equal(AFTER(0, 1, 50 * DAY, 2, 50 * DAY), 2);
    assert_int_equal(AFTER(0, 1, 50 * DAY, 2, 90 * DAY), 2);
}

static void where_flows_are_rare_each_bears_out_the_one_before(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0, 1, 2 * DAY, 4 * DAY, 6 * DAY), 4 * DAY);
    assert_int_equal(AFTER(0, 1, 50 * DAY, 20 * DAY), 20 * DAY);
    assert_int_equal(AFTER(0, 1, 50 * DAY, 90 * DAY, 90 * DAY + 1), 90 * DAY + 1);
}

static void a_first_flow_far_ahead_is_given_up_for_the_next(void **state)
{
    (void)state;
    assert_int_equal(AFTER(5000 * DAY, 0), 0);
    assert_int_equal(AFTER(5000 * DAY, 0, HOUR), HOUR);
}

static void a_watermark_two_flows_agree_on_is_never_given_up(void **state)
{
    (void)state;
    assert_int_equal(AFTER(0, HOUR, -50 * DAY), HOUR);
    assert_int_equal(AFTER(HOUR, 0, -50 * DAY), HOUR);
    assert_int_equal(AFTER(0, 1, 50 * DAY, 50 * DAY, 2, 3), 50 * DAY);
}

static void times_from_1970_on_are_good(void **state)
{
    (void)state;
    struct watermark w = {0};
    assert_int_equal(watermark_add(&w, 5, DAY), 5);
    assert_int_equal(watermark_add(&w, 2000000, DAY), 2000000);
    assert_int_equal(watermark_add(&w, T0, DAY), 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_latest_end_is_the_watermark),
        cmocka_unit_test(an_older_flow_does_not_move_it_back),
        cmocka_unit_test(a_small_step_is_taken_at_once),
        cmocka_unit_test(one_flow_with_a_clock_far_ahead_does_not_move_it),
        cmocka_unit_test(two_that_agree_do),
        cmocka_unit_test(what_was_believed_is_given_up_when_many_flows_are_far_behind_it),
        cmocka_unit_test(a_flow_at_the_old_time_refutes_one_that_was_ahead),
        cmocka_unit_test(where_flows_are_rare_each_bears_out_the_one_before),
        cmocka_unit_test(a_first_flow_far_ahead_is_given_up_for_the_next),
        cmocka_unit_test(a_watermark_two_flows_agree_on_is_never_given_up),
        cmocka_unit_test(times_from_1970_on_are_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
