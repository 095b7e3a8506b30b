/* SPDX-License-Identifier: MIT */
/* test_calibrate.c - p is what it says: 10^-s at first, then how often it was that high here. */
#include <math.h>

#include "pipeline.h"
#include "random.h"

static const struct calibrate_conf conf = {
    .prior = 200, .suspicious = 1e-5, .leak = 0.05, .memory = 1e6};

/* -log10 of a uniform number: a score under the detector's own null model. */
static double null_score(struct rng *rng)
{
    return -log10(rng_uniform(rng));
}

static struct calibration *begun(void)
{
    struct calibration *c = calloc(1, sizeof *c);
    assert_non_null(c);
    calibration_begin(c, &conf);
    return c;
}

static struct calibration *taught(double factor, unsigned samples, uint64_t seed)
{
    struct calibration *c = begun();
    struct rng rng = {seed};
    for (unsigned i = 0; i < samples; i++)
        calibration_add(c, &conf, factor * null_score(&rng), false);
    return c;
}

static double p_of(const struct calibration *c, double score)
{
    return calibration_p(c, &conf, score);
}

static void without_a_past_p_is_ten_to_the_minus_score(void **state)
{
    (void)state;
    struct calibration *c = begun();
    for (double score = 0.1; score < 20; score += 0.37)
        assert_true(fabs(log10(p_of(c, score)) + score) < 1e-6);
    free(c);
}

static void a_score_of_zero_is_usual_and_p_is_never_zero(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 5000, 1);
    assert_true(p_of(c, 0) == 1);
    assert_true(p_of(c, -3) == 1);
    assert_true(p_of(c, (double)NAN) == 1);
    assert_true(p_of(c, 1e9) > 0);
    assert_true(p_of(c, (double)INFINITY) > 0);
    free(c);
}

static void p_falls_as_the_score_rises(void **state)
{
    (void)state;
    static const double factors[] = {0.3, 1, 3};
    for (size_t i = 0; i < 3; i++)
        for (unsigned samples = 1; samples < 100000; samples *= 7) {
            struct calibration *c = taught(factors[i], samples, 2);
            double last = 1;
            for (double score = 0.001; score < 40; score *= 1.01) {
                double p = p_of(c, score);
                assert_true(p <= last && p > 0);
                last = p;
            }
            free(c);
        }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The Kolmogorov-Smirnov distance of the p of fresh samples from uniform. */
static double distance(const struct calibration *c, double factor)
{
    enum { N = 10000 };
    static double p[N];
    struct rng rng = {777};
    for (size_t i = 0; i < N; i++)
        p[i] = p_of(c, factor * null_score(&rng));
    qsort(p, N, sizeof *p, ascending);
    double most = 0;
    for (size_t i = 0; i < N; i++)
        most = fmax(most, fabs(p[i] - ((double)i + 0.5) / N));
    return most;
}

/* Chance alone gives 0.016 (1 %) on each side, the past and the fresh; the buckets of 4 % may add
 * 0.015. */
static void after_10000_null_scores_fresh_ones_have_uniform_p(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct calibration *c = taught(1, 10000, seed);
        assert_true(distance(c, 1) < 0.042);
        double error = calibration_error(c);
        assert_true(error > 0.6 && error < 1.5);
        free(c);
    }
}

static void scores_with_another_scale_become_uniform_too(void **state)
{
    (void)state;
    static const double factors[] = {0.5, 2};
    for (size_t i = 0; i < 2; i++) {
        struct calibration *c = taught(factors[i], 50000, 3);
        assert_true(distance(c, factors[i]) < 0.042);
        free(c);
    }
}

/* With scores twice as large as the null model says, 10^-s happens as often as 10^-(s/2). */
static void where_scores_are_heavier_the_same_score_means_less(void **state)
{
    (void)state;
    struct calibration *usual = taught(1, 50000, 4), *heavy = taught(2, 50000, 4);
    for (double score = 1; score < 8; score += 0.5)
        assert_true(p_of(heavy, score) > p_of(usual, score));
    double p = p_of(heavy, 6); /* 10^-3 of them */
    assert_true(p > 3e-4 && p < 3e-3);
    p = p_of(heavy, 12); /* 10^-6: far beyond all 50000 */
    assert_true(p > 1e-7 && p < 1e-5);
    free(usual);
    free(heavy);
}

static void where_scores_are_lighter_the_tail_is_no_lighter_than_the_null_models(void **state)
{
    (void)state;
    struct calibration *c = taught(0.1, 50000, 5);
    double p = p_of(c, 5), further = p_of(c, 8);
    assert_true(further >= p * 1e-3 * 0.999);
    free(c);
}

/* The same score 1000 times: as the null model gives it 1e-8, each counts 0.05. */
static void suspicious_scores_teach_slowly(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 10000, 6);
    double before = c->sketch.total;
    for (unsigned i = 0; i < 1000; i++)
        calibration_add(c, &conf, 8, false);
    assert_true(fabs(c->sketch.total - before - 50) < 1e-6);
    calibration_add(c, &conf, 1, false);
    assert_true(fabs(c->sketch.total - before - 51) < 1e-6);
    assert_true(p_of(c, 8) < 0.006); /* not 1000 of 11000 */
    free(c);
}

static void beyond_its_memory_the_past_is_halved(void **state)
{
    (void)state;
    struct calibrate_conf short_memory = conf;
    short_memory.memory = 2000;
    struct calibration *c = calloc(1, sizeof *c);
    assert_non_null(c);
    calibration_begin(c, &short_memory);
    struct rng rng = {7};
    double most = 0;
    for (unsigned i = 0; i < 20000; i++) {
        calibration_add(c, &short_memory, 3 * null_score(&rng), false);
        most = fmax(most, c->sketch.total);
    }
    assert_true(most > 2000 && most <= 2000 + 256);
    assert_true(c->sketch.total >= 1000);
    double heavy = calibration_p(c, &short_memory, 3);
    for (unsigned i = 0; i < 20000; i++)
        calibration_add(c, &short_memory, null_score(&rng), false);
    assert_true(calibration_p(c, &short_memory, 3) < heavy / 20); /* 0.1 then, 0.001 now */
    free(c);
}

static void the_error_is_not_told_before_ten_are_expected(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 999, 8);
    assert_true(isnan(calibration_error(c)));
    struct rng rng = {9};
    for (unsigned i = 0; i < 10; i++)
        calibration_add(c, &conf, null_score(&rng), false);
    assert_true(calibration_error(c) >= 0);
    free(c);
}

static void scores_that_the_past_does_not_explain_raise_the_error(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 10000, 10);
    struct rng rng = {11};
    for (unsigned i = 0; i < 500; i++)
        calibration_add(c, &conf, 4 + null_score(&rng), false);
    assert_true(calibration_error(c) > 2);
    free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_past_p_is_ten_to_the_minus_score),
        cmocka_unit_test(a_score_of_zero_is_usual_and_p_is_never_zero),
        cmocka_unit_test(p_falls_as_the_score_rises),
        cmocka_unit_test(after_10000_null_scores_fresh_ones_have_uniform_p),
        cmocka_unit_test(scores_with_another_scale_become_uniform_too),
        cmocka_unit_test(where_scores_are_heavier_the_same_score_means_less),
        cmocka_unit_test(where_scores_are_lighter_the_tail_is_no_lighter_than_the_null_models),
        cmocka_unit_test(suspicious_scores_teach_slowly),
        cmocka_unit_test(beyond_its_memory_the_past_is_halved),
        cmocka_unit_test(the_error_is_not_told_before_ten_are_expected),
        cmocka_unit_test(scores_that_the_past_does_not_explain_raise_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
