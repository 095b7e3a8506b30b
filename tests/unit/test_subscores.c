/* SPDX-License-Identifier: MIT */
/* test_subscores.c - the display scores of a series, worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "score/subscores.h"

static void near(double seen, double expected)
{
    if (fabs(seen - expected) > 1e-12)
        fail_msg("%.15g instead of %.15g", seen, expected);
}

static void equal_values_are_perfect(void **state)
{
    (void)state;
    const double v[] = {60, 60, 60, 60};
    near(subscore(v, 4), 1.0);
}

/* 1 2 3 4 10: quartiles 2, 3, 4: symmetry 1 - |2 + 4 - 6| / 2 = 1. Distances from 3 are 0 1 1 2 7,
 * so MAD 1 and closeness 2/3: (1 + 2/3) / 2. */
static void one_far_value_does_not_matter(void **state)
{
    (void)state;
    const double v[] = {10, 1, 4, 2, 3};
    near(subscore(v, 5), 5.0 / 6.0);
}

/* 1 1 1 5 9: quartiles 1, 1, 5: skewness (1 + 5 - 2) / 4 = 1, symmetry 0. Distances 0 0 0 4 8: MAD
 * 0, closeness 1. */
static void a_lopsided_series_loses_its_symmetry(void **state)
{
    (void)state;
    const double v[] = {1, 1, 1, 5, 9};
    near(subscore(v, 5), 0.5);
}

/* 0 0 0 8: quartiles 0, 0, 2 (a quarter of the way from 0 to 8): skewness 1; the middle is 0. */
static void a_middle_of_zero_is_not_close(void **state)
{
    (void)state;
    const double v[] = {0, 8, 0, 0};
    near(subscore(v, 4), 0.0);
}

static void too_few_say_nothing(void **state)
{
    (void)state;
    const double v[] = {60, 60};
    near(subscore(v, 2), 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_are_perfect),
        cmocka_unit_test(one_far_value_does_not_matter),
        cmocka_unit_test(a_lopsided_series_loses_its_symmetry),
        cmocka_unit_test(a_middle_of_zero_is_not_close),
        cmocka_unit_test(too_few_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
