/* SPDX-License-Identifier: MIT */
/* test_beta_binomial.c - tails against numbers worked by hand and by scipy; they rise and fall. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "score/beta_binomial.h"

static double off(double value, double expected)
{
    return fabs(value / expected - 1.0);
}

/* With a = b = 1, each number from 0 to n is as probable as any other. */
static void with_nothing_known_all_numbers_are_alike(void **state)
{
    (void)state;
    for (unsigned k = 0; k <= 9; k++)
        assert_true(off(beta_binomial_tail(9, k, 1, 1), (10.0 - k) / 10.0) < 1e-12);
}

/* All of n: a/(a+b) * (a+1)/(a+b+1) * (a+2)/(a+b+2) ... With 0.1 of 100: 0.001, and then
 * 0.001 * 1.1/101 * 2.1/102 = 2.242283052e-7. */
static void all_of_a_few_are_a_product(void **state)
{
    (void)state;
    assert_true(off(beta_binomial_tail(1, 1, 0.1, 99.9), 1e-3) < 1e-12);
    assert_true(off(beta_binomial_tail(3, 3, 0.1, 99.9), 1e-3 * 1.1 / 101 * 2.1 / 102) < 1e-9);
}

/* scipy 1.17.1: math.fsum(betabinom(n, a, b).pmf(j) for j in range(k, n + 1)); its sf() loses the
 * small ones. */
static void tails_are_those_of_scipy(void **state)
{
    static const struct {
        unsigned n, k;
        double a, b, tail;
    } known[] = {
        {5, 5, 0.1, 99.9, 2.66051321778e-10},    {10, 3, 0.1, 99.9, 2.30321920517e-05},
        {40, 37, 0.1, 99.9, 5.68117653856e-33},  {100, 2, 1, 99, 0.251256281407},
        {100, 50, 50, 50, 0.528103893926},       {1000, 100, 0.5, 9.5, 0.164210203063},
        {20, 19, 0.9, 0.1, 0.761536266705},      {4096, 4000, 0.01, 9.99, 9.38310555508e-20},
        {300, 10, 2.5, 497.5, 0.00078091787044}, {30, 5, 20, 10, 0.999986474283},
    };
    (void)state;
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++)
        assert_true(off(beta_binomial_tail(known[i].n, known[i].k, known[i].a, known[i].b),
                        known[i].tail) < 1e-9);
}

static void more_is_less_likely_and_of_more_it_is_likelier(void **state)
{
    (void)state;
    static const double shapes[][2] = {{0.1, 99.9}, {3, 40}, {0.5, 0.5}, {60, 2}, {1, 1}};
    for (unsigned i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        double a = shapes[i][0], b = shapes[i][1];
        for (unsigned k = 1; k <= 200; k++) {
            double p = beta_binomial_tail(200, k, a, b), slack = 1e-12;
            assert_true(p >= 0 && p <= beta_binomial_tail(200, k - 1, a, b) + slack);
            assert_true(p <= beta_binomial_tail(201, k, a, b) + slack);
            assert_true(p <= beta_binomial_tail(200, k, a + 0.1, b) + slack);
        }
    }
}

/* The same sums by scipy, of all terms. */
static void of_very_many_the_tail_is_rather_too_large(void **state)
{
    (void)state;
    static const struct {
        unsigned n, k;
        double a, b, tail;
    } known[] = {
        {20000, 400, 0.1, 99.9, 0.00565974143475},
        {20000, 2000, 1, 99, 3.03326172462e-05},
        {100000, 3000, 5, 9995, 2.75846096198e-118},
    };
    for (unsigned i = 0; i < sizeof known / sizeof *known; i++) {
        double p = beta_binomial_tail(known[i].n, known[i].k, known[i].a, known[i].b);
        assert_true(p >= known[i].tail);
        assert_true(i == 2 || p < 1.2 * known[i].tail);
    }
    assert_true(beta_binomial_tail(100000, 24, 0.1, 99.9) == 1.0); /* less than one in 4096 */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_nothing_known_all_numbers_are_alike),
        cmocka_unit_test(all_of_a_few_are_a_product),
        cmocka_unit_test(tails_are_those_of_scipy),
        cmocka_unit_test(more_is_less_likely_and_of_more_it_is_likelier),
        cmocka_unit_test(of_very_many_the_tail_is_rather_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
