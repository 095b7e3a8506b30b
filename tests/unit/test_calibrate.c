/* SPDX-License-Identifier: MIT */
/* test_calibrate.c - p is what it says: 10^-s at first, then how often it was that high here. */
#include <math.h>

#include "pipeline.h"
#include "random.h"

static const struct calibrate_conf conf = {
    .prior = 200, .suspicious = 1e-5, .leak = 0.05, .memory = 1e6};

/* Each score is another host's. */
static void learn(struct calibration *c, const struct calibrate_conf *its, double score)
{
    calibration_add(c, its, score, calibration_p(c, its, score), false);
}

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
        learn(c, &conf, factor * null_score(&rng));
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
        double error = calibration_error(c, 0);
        assert_true(error > 0.6 && error < 1.5);
        assert_true(calibration_error(c, 1) < 2.2 && calibration_error(c, 1) > 0.2); /* of 10 */
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

/* 10000 usual scores have earned ten at the full rate (or nine: the sum of 10000 thousandths); the
 * null model gives the score 1e-8, so that the other 990 count 0.05 each. */
static void suspicious_scores_teach_slowly(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 10000, 6);
    double before = c->sketch.total, whole = floor(c->earned);
    assert_true(whole >= 8 && whole <= 10);
    for (unsigned i = 0; i < 1000; i++)
        learn(c, &conf, 8);
    assert_true(fabs(c->sketch.total - before - (whole + (1000 - whole) * 0.05)) < 1e-6);
    learn(c, &conf, 1);
    assert_true(fabs(c->sketch.total - before - (1 + whole + (1000 - whole) * 0.05)) < 1e-6);
    assert_true(p_of(c, 8) < 0.007); /* not 1000 of 11000 */
    free(c);
}

/* Ten are earned, and the first takes one; the other 99 are the same host's: nothing. */
static void one_host_alone_teaches_once(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 20000, 6);
    double before = c->sketch.total;
    for (unsigned i = 0; i < 100; i++)
        calibration_add(c, &conf, 8, p_of(c, 8), i > 0);
    assert_true(fabs(c->sketch.total - before - 1) < 1e-6);
    free(c);
}

/* ---- the tail ---- */

/* Uniform up to u = 1.3 for 95 %; beyond, generalised Pareto. */
static double heavy_score(struct rng *rng, double shape, double scale)
{
    double v = rng_uniform(rng);
    if (v > 0.05)
        return 1.3 * (1.0 - v) / 0.95;
    double excess =
        shape > 0 ? scale / shape * (pow(v / 0.05, -shape) - 1.0) : -scale * log(v / 0.05);
    return 1.3 + excess;
}

static double heavy_quantile(double p, double shape, double scale)
{
    if (p > 0.05)
        return 1.3 * (1.0 - p) / 0.95;
    return 1.3 +
           (shape > 0 ? scale / shape * (pow(p / 0.05, -shape) - 1.0) : -scale * log(p / 0.05));
}

/* 50000 samples: u is where 100 are left (0.002). There p is known within 1/sqrt(100) and the
 * bucket's width, 4 % of a score of 3 (a factor exp(0.12 / 0.6) = 1.2): 2 sigma are a factor 1.5.
 * The shape is within sqrt(1.33 / 100) = 0.12 (Hosking, Wallis 1987), which moves ln p at y scales
 * beyond u by up to y^2 / 2: 2 sigma are a factor 3 at 1e-4 (y = 3) and 28 at 1e-5 (y = 5.3); as
 * scale and shape make up for each other it is less: 12. At 0.1 a bucket holds 0.036 of all. */
static void the_tail_of_a_known_law_is_recovered(void **state)
{
    (void)state;
    static const double shapes[] = {0, 0.1, 0.2}, levels[] = {0.1, 1e-2, 1e-3, 1e-4, 1e-5};
    static const double band[] = {1.4, 1.3, 1.5, 3, 12};
    for (size_t i = 0; i < 3; i++)
        for (uint64_t seed = 1; seed <= 4; seed++) {
            struct calibration *c = begun();
            struct rng rng = {100 * seed};
            for (unsigned n = 0; n < 50000; n++)
                learn(c, &conf, heavy_score(&rng, shapes[i], 0.5));
            for (size_t k = 0; k < 5; k++) {
                double p = p_of(c, heavy_quantile(levels[k], shapes[i], 0.5));
                assert_true(p > levels[k] / band[k] && p < levels[k] * band[k]);
            }
            free(c);
        }
}

/* Eight excesses of 1 and one of 20: a0 = 28 / 9 = 3.1111; a1 = (8 x 1 x 5 + 20 x 0.5) / 81 =
 * 0.6173, as of the eight (1 + 8 / 2) / 9 lie beyond on average; xi = 2 - 3.1111 / 1.8765 = 0.342:
 * the most there may be, 0.25, and sigma = 3.1111 x 0.75 = 2.3333. One each of 1, 2, 3: a0 = 2, a1
 * = (2.5 + 2 x 1.5 + 3 x 0.5) / 9 = 0.7778, xi = 2 - 2 / 0.4444 < 0: none, and sigma = 2. */
static void the_fit_is_that_of_hosking_and_wallis(void **state)
{
    (void)state;
    struct calibrate_conf alone = conf;
    alone.prior = 1e-9; /* else its excesses are part of the fit */
    static const struct {
        double at[3], weight[3], shape, scale;
    } cases[] = {{{1, 20, 0}, {8, 1, 0}, 0.25, 7.0 / 3}, {{1, 2, 3}, {1, 1, 1}, 0, 2}};
    for (size_t i = 0; i < 2; i++) {
        struct calibration *c = calloc(1, sizeof *c);
        assert_non_null(c);
        calibration_begin(c, &alone);
        double total = 0;
        for (size_t k = 0; k < 3; k++) {
            ddsketch_add(&c->sketch, 2 + cases[i].at[k], cases[i].weight[k]);
            total += cases[i].weight[k];
        }
        ddsketch_add(&c->sketch, 2, 99 * total); /* u is 2, as the sketch has it */
        calibration_add(c, &alone, 0, 1, 1);     /* has it fitted anew */
        assert_true(fabs(c->from - 2) < 0.04);
        assert_true(fabs(c->shape - cases[i].shape) < 1e-9);
        assert_true(fabs(c->scale / cases[i].scale - 1) < 0.1); /* buckets are 4 % wide */
        free(c);
    }
}

/* ---- poisoning ---- */

/* 20000 scores after 20000 usual ones, a share of which is an attack's: 8 and more. */
static struct calibration *attacked(double share, double leak, uint64_t seed)
{
    struct calibrate_conf its = conf;
    its.leak = leak;
    struct calibration *c = taught(1, 20000, seed);
    struct rng rng = {seed + 1};
    for (unsigned i = 0; i < 20000; i++) {
        bool attack = rng_uniform(&rng) < share;
        learn(c, &its, (attack ? 8 : 0) + null_score(&rng));
    }
    return c;
}

/* What an attack has taught is at most leak a share of it, and a thousandth of what is usual; with
 * every one taught it is the share: 0.01 n = 200 of 40000 and so on. */
static void an_attack_of_1_10_30_percent_does_not_make_itself_usual(void **state)
{
    (void)state;
    static const double shares[] = {0.01, 0.1, 0.3};
    for (size_t i = 0; i < 3; i++) {
        double share = shares[i];
        struct calibration *c = attacked(share, 0.05, 20), *open = attacked(share, 1, 20);
        struct calibration *closed = attacked(share, 0, 20);
        double usual = 20000 + 20000 * (1 - share);
        double most = (0.05 * 20000 * share + 0.001 * usual + 10) / usual;
        assert_true(p_of(c, 8) < 1.1 * most);
        assert_true(p_of(closed, 8) < 1.1 * (0.001 * usual + 10) / usual);
        assert_true(p_of(open, 8) > 0.9 * share / 2); /* the half of all that came with it */
        assert_true(p_of(open, 8) > 4 * p_of(c, 8) || share < 0.05);
        for (double score = 0.5; score < 2; score += 0.25) { /* what is usual stays so */
            double p = p_of(c, score), was = pow(10, -score);
            assert_true(p > was * 0.8 && p < was * 1.25 + 1.1 * most);
        }
        free(c);
        free(open);
        free(closed);
    }
}

/* 10 % of all have a score near 3, which is no reason to learn slowly: they become usual. That must
 * not make 8 usual: beyond u the tail falls no faster than the null model's, so p is a tenth of
 * 10^-(8 - 4). */
static void a_flood_of_moderately_odd_scores_does_not_hide_an_extreme_one(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 20000, 30);
    struct rng rng = {31};
    for (unsigned i = 0; i < 20000; i++)
        learn(c, &conf, rng_below(&rng, 10) == 0 ? 2.5 + rng_uniform(&rng) : null_score(&rng));
    assert_true(p_of(c, 3) > 0.02);
    assert_true(p_of(c, 8) < 1e-5);
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
        learn(c, &short_memory, 3 * null_score(&rng));
        most = fmax(most, c->sketch.total);
    }
    assert_true(most > 2000 && most <= 2000 + 256);
    assert_true(c->sketch.total >= 1000);
    double heavy = calibration_p(c, &short_memory, 3);
    for (unsigned i = 0; i < 20000; i++)
        learn(c, &short_memory, null_score(&rng));
    assert_true(calibration_p(c, &short_memory, 3) < heavy / 20); /* 0.1 then, 0.001 now */
    free(c);
}

static void the_error_is_not_told_before_ten_are_expected(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 999, 8);
    assert_true(isnan(calibration_error(c, 0)));
    struct rng rng = {9};
    for (unsigned i = 0; i < 10; i++)
        learn(c, &conf, null_score(&rng));
    assert_true(calibration_error(c, 0) >= 0);
    free(c);
}

static void scores_that_the_past_does_not_explain_raise_the_error(void **state)
{
    (void)state;
    struct calibration *c = taught(1, 10000, 10);
    struct rng rng = {11};
    for (unsigned i = 0; i < 500; i++)
        learn(c, &conf, 4 + null_score(&rng));
    assert_true(calibration_error(c, 0) > 2);
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
        cmocka_unit_test(one_host_alone_teaches_once),
        cmocka_unit_test(the_tail_of_a_known_law_is_recovered),
        cmocka_unit_test(the_fit_is_that_of_hosking_and_wallis),
        cmocka_unit_test(an_attack_of_1_10_30_percent_does_not_make_itself_usual),
        cmocka_unit_test(a_flood_of_moderately_odd_scores_does_not_hide_an_extreme_one),
        cmocka_unit_test(beyond_its_memory_the_past_is_halved),
        cmocka_unit_test(the_error_is_not_told_before_ten_are_expected),
        cmocka_unit_test(scores_that_the_past_does_not_explain_raise_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
