/* SPDX-License-Identifier: MIT */
/* test_looks.c - the limit on p follows the size of the network. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decide/looks.h"

#define T0  (INT64_C(1700000000) * 1000000)
#define DAY (INT64_C(86400) * 1000000)

static void near(double seen, double expected, double share)
{
    if (fabs(seen / expected - 1.0) > share)
        fail_msg("%.9g instead of %.9g", seen, expected);
}

static void before_the_first_the_ceiling_holds(void **state)
{
    (void)state;
    const struct looks none = {0};
    assert_true(looks_limit(&none, 1, 1e-4) == 1e-4);
}

/* 38 hosts that begin within a second: as if each had a window every ten minutes. 38 / (1 -
 * exp(-1/144)) is 5491: 1 / 5491 = 1.8e-4. */
static void hosts_that_begin_together_are_taken_over_ten_minutes(void **state)
{
    (void)state;
    struct looks l = {0};
    for (int i = 0; i < 38; i++)
        looks_add(&l, T0 + i * 1000);
    near(looks_per_day(&l), 5491, 1e-3);
    near(looks_limit(&l, 1, 1e-2), 1.0 / 5491, 1e-3);
    assert_true(looks_limit(&l, 1, 1e-4) == 1e-4);
}

/* 14.4 million a day, for five days: the fading sum is of a day and rises to it as the divisor
 * does. */
static void a_steady_rate_is_found_from_the_start(void **state)
{
    (void)state;
    struct looks l = {0};
    int64_t every = DAY / 144000;
    for (int64_t i = 0; i < 5 * 144000; i++) {
        looks_add(&l, T0 + i * every);
        if (i == 14400 || i == 144000 || i == 5 * 144000 - 1)
            near(looks_per_day(&l), 144000, 0.01);
    }
    near(looks_limit(&l, 1, 1e-4), 1.0 / 144000, 0.01);
    near(looks_limit(&l, 5, 1e-2), 5.0 / 144000, 0.01);
    near(looks_limit(&l, 1e-6, 1e-4), 1e-7, 1e-9); /* never below a thousandth of the ceiling */
}

/* A day of silence leaves 1/e of the sum; nothing new came, so the rate falls no further than its
 * span says. */
static void a_network_that_shrinks_is_noticed(void **state)
{
    (void)state;
    struct looks l = {0};
    for (int64_t i = 0; i < 10000; i++)
        looks_add(&l, T0 + i * (DAY / 10000));
    double before = looks_per_day(&l);
    looks_add(&l, T0 + 11 * DAY); /* ten days later: e^-10 is left, and one */
    near(before, 10000, 0.01);
    near(looks_per_day(&l), 1.0 + 6321 * exp(-10), 0.01); /* 10000 (1 - 1/e) = 6321 */
}

static void time_set_back_begins_anew(void **state)
{
    (void)state;
    struct looks l = {0};
    for (int i = 0; i < 1000; i++)
        looks_add(&l, T0 + i);
    looks_add(&l, T0 - 100 * DAY);
    near(looks_per_day(&l), 144.5, 1e-3); /* one in ten minutes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_the_first_the_ceiling_holds),
        cmocka_unit_test(hosts_that_begin_together_are_taken_over_ten_minutes),
        cmocka_unit_test(a_steady_rate_is_found_from_the_start),
        cmocka_unit_test(a_network_that_shrinks_is_noticed),
        cmocka_unit_test(time_set_back_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
