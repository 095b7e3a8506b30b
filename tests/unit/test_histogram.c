/* SPDX-License-Identifier: MIT */
/* test_histogram.c - how much of the past lies further out. */
#include "score/histogram.h"

#include "pipeline.h"

/* At least one. */
static double further_out(const struct histogram *h, unsigned bin, bool low)
{
    return histogram_p(h, bin, low, 1, 0) * (h->total + 1.0);
}

static void further_out_counts_what_lies_beyond_and_half_of_its_own(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    for (unsigned bin = 0; bin < HISTOGRAM_BINS; bin++)
        for (unsigned n = 0; n < 1 + bin % 3; n++)
            histogram_add(&h, bin);
    for (unsigned bin = 0; bin < HISTOGRAM_BINS; bin++) {
        double above = 0, below = 0;
        for (unsigned i = 0; i < HISTOGRAM_BINS; i++) {
            double count = 1 + i % 3;
            above += i > bin ? count : i == bin ? count / 2 : 0;
            below += i < bin ? count : i == bin ? count / 2 : 0;
        }
        assert_true(fabs(further_out(&h, bin, false) - fmax(1, above)) < 1e-9);
        assert_true(fabs(further_out(&h, bin, true) - fmax(1, below)) < 1e-9);
    }
}

static void a_full_histogram_is_halved(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    for (unsigned i = 0; i < (1u << 20) - 1; i++)
        histogram_add(&h, 10 + i % 2);
    assert_int_equal(h.total, (1u << 20) - 1);
    histogram_add(&h, 90);
    assert_int_equal(h.total, 524287); /* 524288 / 2 + 524287 / 2 + 1 / 2, each cut */
    assert_int_equal(h.count[90], 0);
    assert_true(fabs(further_out(&h, 9, false) - h.total) < 1e-6);
}

/* A million flows, fewer with each half-octave, in bins 10 to 29; two far out and one further. */
static void fill(struct histogram *h)
{
    histogram_add(h, 60);
    histogram_add(h, 60);
    histogram_add(h, 80);
    histogram_add(h, 2);
    for (unsigned i = 0; h->total < (1u << 20) - 1; i++)
        histogram_add(h, 10 + (unsigned)__builtin_ctz(i | 1u << 19));
}

static void after_halving_what_is_further_out_is_never_less_extreme(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    fill(&h);
    histogram_add(&h, 10);
    assert_in_range(h.total, 524000, 524288); /* halved */
    assert_int_equal(h.count[80], 0);         /* seen once: forgotten */
    assert_int_equal(h.count[60], 1);
    for (unsigned bin = 1; bin < HISTOGRAM_BINS; bin++) {
        assert_true(histogram_p(&h, bin, false, 1, 0) <= histogram_p(&h, bin - 1, false, 1, 0));
        assert_true(histogram_p(&h, bin, true, 1, 0) >= histogram_p(&h, bin - 1, true, 1, 0));
    }
    assert_true(histogram_p(&h, 40, false, 1, 0) >=
                1.0 / (h.total + 1.0)); /* in the gap: one is beyond */
    assert_int_equal(h.highest, 60);    /* so what was forgotten is beyond everything again */
    assert_int_equal(h.lowest, 10);
    assert_true(histogram_p(&h, 80, false, 1, 0) < 0.01 * histogram_p(&h, 60, false, 1, 0));
}

static void halving_leaves_the_p_of_usual_flows_as_it_was(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    double before[20];
    fill(&h);
    for (unsigned i = 0; i < 20; i++)
        before[i] = histogram_p(&h, 10 + i, false, 1, 0);
    histogram_add(&h, 10);
    for (unsigned i = 0; i < 20; i++) {
        double after = histogram_p(&h, 10 + i, false, 1, 0);
        if (before[i] > 1e-4)
            assert_true(fabs(after / before[i] - 1) < 0.05);
        else
            assert_true(after > before[i] / 3 && after < before[i] * 3);
    }
}

/* 1000 flows in bin 20: 2^-d at 2 d half-octaves beyond, of 1001, and never below 1 / n^2. */
static void beyond_all_seen_p_halves_with_each_octave(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    for (unsigned i = 0; i < 1000; i++)
        histogram_add(&h, 20);
    assert_true(fabs(histogram_p(&h, 22, false, 1, 0) * 1001 - 0.5) < 1e-12);
    assert_true(fabs(histogram_p(&h, 28, false, 1, 0) * 1001 - 0.0625) < 1e-12);
    assert_true(fabs(histogram_p(&h, 18, true, 1, 0) * 1001 - 0.5) < 1e-12);
    assert_true(fabs(histogram_p(&h, 90, false, 1, 0) * 1001 * 1001 - 1) < 1e-9);
    assert_true(histogram_p(&h, 0, false, 1, 0) > 0.99);
}

static void nothing_seen_means_nothing_is_unusual(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    assert_true(histogram_p(&h, 50, false, 1, 0) == 1);
    assert_true(histogram_p(&h, 50, false, 0.25, 100) == 0.25); /* or what the level above says */
}

static void the_middle_has_half_below_it(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    assert_int_equal(histogram_middle(&h), HISTOGRAM_BINS);
    for (unsigned i = 0; i < 7; i++)
        histogram_add(&h, i < 3 ? 10 : 20 + i); /* 10 10 10 23 24 25 26 */
    assert_int_equal(histogram_middle(&h), 23);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(further_out_counts_what_lies_beyond_and_half_of_its_own),
        cmocka_unit_test(a_full_histogram_is_halved),
        cmocka_unit_test(after_halving_what_is_further_out_is_never_less_extreme),
        cmocka_unit_test(halving_leaves_the_p_of_usual_flows_as_it_was),
        cmocka_unit_test(beyond_all_seen_p_halves_with_each_octave),
        cmocka_unit_test(nothing_seen_means_nothing_is_unusual),
        cmocka_unit_test(the_middle_has_half_below_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
