/* SPDX-License-Identifier: MIT */
/* test_lincount.c - small numbers are right, larger ones near, and a full one says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "random.h"
#include "state/lincount.h"

static uint32_t estimate_of(struct rng *rng, unsigned truth)
{
    struct lincount count = {{0}};
    for (unsigned i = 0; i < truth; i++)
        lincount_add(&count, rng_bits(rng));
    return lincount_estimate(&count);
}

static void nothing_is_none_and_a_thing_again_is_the_same(void **state)
{
    (void)state;
    struct lincount count = {{0}};
    assert_int_equal(lincount_estimate(&count), 0);
    for (unsigned i = 0; i < 1000; i++) {
        lincount_add(&count, 0x123456789abcdef0u);
        assert_int_equal(lincount_estimate(&count), 1);
    }
}

/* Two that share a bit are taken for one; none is ever taken for two. */
static void up_to_twelve_are_never_too_many_and_seldom_two_too_few(void **state)
{
    (void)state;
    struct rng rng = {1};
    unsigned exact = 0, near = 0, all = 0;
    for (unsigned truth = 1; truth <= 12; truth++)
        for (unsigned round = 0; round < 500; round++, all++) {
            uint32_t estimate = estimate_of(&rng, truth);
            assert_true(estimate <= truth);
            exact += estimate == truth;
            near += estimate + 1 >= truth;
        }
    assert_true(exact > all * 80 / 100);
    assert_true(near > all * 97 / 100);
}

/* On average; a single one varies by 5 % and 6 %. */
static void fifty_and_two_hundred_are_within_ten_per_cent(void **state)
{
    (void)state;
    static const unsigned truths[] = {50, 200};
    for (size_t t = 0; t < 2; t++) {
        struct rng rng = {7};
        double sum = 0;
        unsigned within = 0;
        for (unsigned round = 0; round < 1000; round++) {
            double estimate = estimate_of(&rng, truths[t]);
            sum += estimate;
            within += fabs(estimate / truths[t] - 1) <= 0.1;
        }
        assert_true(fabs(sum / 1000 / truths[t] - 1) < 0.02);
        assert_true(within > 850);
    }
}

static void a_full_one_stays_at_the_most(void **state)
{
    (void)state;
    struct lincount count = {{0}};
    for (uint64_t bit = 0; bit < LINCOUNT_BITS; bit++) {
        assert_true(lincount_estimate(&count) < LINCOUNT_MOST);
        lincount_add(&count, (bit * 2 + 1) * (UINT64_MAX / (UINT64_C(2) * LINCOUNT_BITS)));
    }
    assert_int_equal(lincount_estimate(&count), LINCOUNT_MOST);
    struct rng rng = {3};
    assert_int_equal(estimate_of(&rng, 100000), LINCOUNT_MOST);
}

static void one_more_never_lowers_it(void **state)
{
    (void)state;
    struct rng rng = {5};
    struct lincount count = {{0}};
    uint32_t last = 0;
    for (unsigned i = 0; i < 3000; i++) {
        lincount_add(&count, rng_bits(&rng));
        assert_true(lincount_estimate(&count) >= last);
        last = lincount_estimate(&count);
    }
    assert_int_equal(last, LINCOUNT_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_none_and_a_thing_again_is_the_same),
        cmocka_unit_test(up_to_twelve_are_never_too_many_and_seldom_two_too_few),
        cmocka_unit_test(fifty_and_two_hundred_are_within_ten_per_cent),
        cmocka_unit_test(a_full_one_stays_at_the_most),
        cmocka_unit_test(one_more_never_lowers_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
