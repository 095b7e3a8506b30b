/* SPDX-License-Identifier: MIT */
/* test_ruler.c - x goes left of a threshold exactly if its place is not above the threshold's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "model/ruler.h"
#include "random.h"

/* Doubles that a float can't tell apart, denormals, the ends, beyond a float. */
static const double hard[] = {
    0.1,
    0.1 + DBL_EPSILON / 8,
    (double)0.1f,
    0.0,
    -0.0,
    5e-324,
    -5e-324,
    1e-310,
    1.0 + DBL_EPSILON,
    1.0,
    1e300,
    -1e300,
    1e301,
    DBL_MAX,
    DBL_MIN,
    (double)FLT_MAX,
    -(double)FLT_MAX,
    1.0 / 3,
    -1.0 / 3,
    16777217.0,
    16777216.0,
    1e39,
    -1e39,
    2.5,
    -DBL_MAX,
    (double)FLT_MIN,
};

#define HARD (sizeof hard / sizeof *hard)

static double clamped(double x)
{
    return x > (double)FLT_MAX ? (double)FLT_MAX : x < -(double)FLT_MAX ? -(double)FLT_MAX : x;
}

static void check(const struct ruler *ruler, uint32_t column, double x, double threshold)
{
    bool plainly = clamped(x) <= threshold;
    assert_int_equal(ruler_place(ruler, column, x) <= ruler_mark(ruler, column, threshold),
                     plainly);
}

static void places_compare_as_doubles_do(void **state)
{
    (void)state;
    struct ruler_mark marks[3 * HARD];
    struct rng rng = {1};
    for (size_t i = 0; i < 3 * HARD; i++) /* twice in column 2, never in 0 */
        marks[i] = (struct ruler_mark){hard[i % HARD], i < HARD ? 1 : 2};
    for (size_t i = 3 * HARD; i > 1; i--) {
        struct ruler_mark *a = &marks[i - 1], *b = &marks[rng_below(&rng, i)], was = *a;
        *a = *b;
        *b = was;
    }
    struct ruler *ruler = ruler_new(marks, 3 * HARD, 4);
    assert_non_null(ruler);
    assert_int_equal(ruler->begin[4], 2 * (HARD - 1)); /* -0 is 0 */
    for (size_t i = 0; i < HARD; i++) {
        for (size_t t = 0; t < HARD; t++) {
            for (uint32_t column = 1; column <= 2; column++) {
                check(ruler, column, hard[i], hard[t]);
                check(ruler, column, nextafter(hard[i], INFINITY), hard[t]);
                check(ruler, column, nextafter(hard[i], -INFINITY), hard[t]);
                check(ruler, column, INFINITY, hard[t]);
                check(ruler, column, -INFINITY, hard[t]);
            }
        }
    }
    assert_true(isnan(ruler_place(ruler, 1, NAN)));
    assert_true(ruler_place(ruler, 0, 5.0) == 0.0f && ruler_place(ruler, 3, -5.0) == 0.0f);
    free(ruler);
}

static void random_thresholds_compare_as_doubles_do(void **state)
{
    (void)state;
    struct ruler_mark marks[500];
    double kept[500];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng rng = {seed};
        for (size_t i = 0; i < 500; i++) { /* so close that floats would be equal */
            kept[i] = 1.0 + (double)rng_below(&rng, 300) * DBL_EPSILON;
            marks[i] = (struct ruler_mark){kept[i], 0};
        }
        struct ruler *ruler = ruler_new(marks, 500, 1);
        assert_non_null(ruler);
        for (size_t i = 0; i < 2000; i++)
            check(ruler, 0, 1.0 + (double)rng_below(&rng, 320) * DBL_EPSILON / 2,
                  kept[rng_below(&rng, 500)]);
        free(ruler);
    }
}

static void a_ruler_without_marks_has_one_place(void **state)
{
    (void)state;
    struct ruler *ruler = ruler_new(NULL, 0, 2);
    assert_non_null(ruler);
    assert_true(ruler_place(ruler, 1, 1e9) == 0.0f);
    free(ruler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_compare_as_doubles_do),
        cmocka_unit_test(random_thresholds_compare_as_doubles_do),
        cmocka_unit_test(a_ruler_without_marks_has_one_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
