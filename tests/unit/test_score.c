/* SPDX-License-Identifier: MIT */
/* test_score.c - the verdict on a flow from what all detectors say. */
#include <math.h>

#include "pipeline.h"
#include "random.h"

static void the_smallest_of_n_is_corrected_for_n(void **state)
{
    (void)state;
    assert_true(fabs(smallest_of(0.5, 2) - 0.75) < 1e-12); /* 1 - (1 - p)^n */
    assert_true(fabs(smallest_of(0.1, 3) - 0.271) < 1e-12);
    assert_true(fabs(smallest_of(0.2, 1) - 0.2) < 1e-12);
    assert_true(smallest_of(1, 5) == 1);
    assert_true(smallest_of(2, 5) == 1);
}

static void tiny_p_keep_their_digits(void **state)
{
    (void)state;
    assert_true(fabs(smallest_of(1e-20, 3) / 3e-20 - 1) < 1e-12); /* 1 - (1 - p)^3 would be 0 */
    assert_true(fabs(smallest_of(1e-300, 1000) / 1e-297 - 1) < 1e-12);
}

/* The smallest of n uniform p, corrected, is uniform. */
static void corrected_p_of_chance_are_uniform(void **state)
{
    (void)state;
    struct rng rng = {1};
    unsigned below = 0;
    for (unsigned run = 0; run < 20000; run++) {
        double least = 1;
        for (unsigned i = 0; i < 7; i++)
            least = fmin(least, rng_uniform(&rng));
        below += smallest_of(least, 7) < 0.1;
    }
    assert_in_range(below, 2000 - 170, 2000 + 170); /* four standard errors */
}

static void the_verdict_names_the_detector_with_the_lowest_p(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    for (unsigned i = 0; i < 40; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.1", numbered("203.0", i), 22);
        (void)pipeline_score(p, &flow);
    }
    const struct row *row = &p->row;
    assert_string_equal(row->verdict.detector, "fanout");
    assert_int_equal(row->best, detector_named("fanout"));
    double least = 1, spoke = 0;
    for (size_t i = 0; i < p->score->count; i++) {
        least = fmin(least, row->finding[i].p);
        spoke += isnan(row->finding[i].score) ? 0 : 1;
    }
    assert_true(spoke == 2); /* no ring, so beacon had nothing to say */
    assert_true(row->verdict.p == smallest_of(least, spoke));
    assert_true(fabs(row->verdict.score + log10(row->verdict.p)) < 1e-12);
    pipeline_free(p);
}

static void a_first_flow_is_usual_and_marked_as_learning(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    const struct row *row = pipeline_score(p, &flow);
    assert_true(row->verdict.p == 1);
    assert_true(row->verdict.score == 0 && !signbit(row->verdict.score));
    assert_true((row->verdict.flags & EDDY_LEARNING) != 0);
    assert_true((row->verdict.flags & EDDY_CLEANED) == 0);
    pipeline_free(p);
}

static void a_corrected_flow_is_marked(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    flow.bytes_out = 1;
    assert_true((pipeline_score(p, &flow)->verdict.flags & EDDY_CLEANED) != 0);
    pipeline_free(p);
}

/* Whatever flows come, p is a probability and the score its logarithm. */
static void every_verdict_is_a_probability(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct rng rng = {5};
    for (unsigned i = 0; i < 50000; i++) {
        eddy_flow flow = rng_below(&rng, 3) == 0
                             ? refused_at(i * 0.5, numbered("10.1", (unsigned)rng_below(&rng, 20)),
                                          numbered("203.0", (unsigned)rng_below(&rng, 400)), 22)
                             : flow_at(i * 0.5, numbered("10.1", (unsigned)rng_below(&rng, 20)),
                                       numbered("203.0", (unsigned)rng_below(&rng, 40)), 443);
        flow.bytes_out = (uint64_t)exp(30 * rng_uniform(&rng));
        flow.packets_out = 1 + flow.bytes_out / 1000;
        flow.duration_us = (uint64_t)exp(20 * rng_uniform(&rng));
        const struct row *row = pipeline_score(p, &flow);
        assert_true(row->verdict.p > 0 && row->verdict.p <= 1);
        assert_true(row->verdict.score >= 0 && row->verdict.score <= 300);
        for (size_t d = 0; d < p->score->count; d++) {
            assert_true(row->finding[d].p > 0 && row->finding[d].p <= 1);
            assert_true(row->finding[d].tests >= 1);
            assert_true(isnan(row->finding[d].score) || row->finding[d].score >= 0);
        }
    }
    pipeline_free(p);
}

static bool is_learning(const struct pipeline *p)
{
    return score_learning(p->score, &p->score_conf, detector_named("tail"));
}

/* A flow a minute for 30 hours, after one whose clock is five years ahead or stands at 1970. */
static void one_wrong_clock_neither_ends_nor_prolongs_learning(void **state)
{
    (void)state;
    static const double wrong_s[] = {0, 5 * 365 * 86400.0, 1000 - (double)T0};
    for (size_t i = 0; i < 3; i++) {
        struct pipeline *p = pipeline_new(NULL);
        eddy_flow first = flow_at(wrong_s[i], "10.0.0.1", "203.0.113.1", 443);
        (void)pipeline_score(p, &first);
        for (unsigned minute = 0; minute < 1800; minute++) {
            eddy_flow flow = flow_at(minute * 60.0, "10.0.0.1", "203.0.113.1", 443);
            (void)pipeline_score(p, &flow);
            assert_true(is_learning(p) || minute >= 1440);
        }
        assert_false(is_learning(p));
        pipeline_free(p);
    }
}

/* One host guesses 300 logins a minute for two hours. Another that does so then is as unusual as
 * the null model has it, within the few scores that the first one has taught at its first minute.
 */
static void one_host_does_not_blind_a_detector_for_all(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    size_t burst = detector_named("burst");
    for (unsigned minute = 0; minute < 120; minute++) {
        for (unsigned i = 0; i < 12; i++) {
            eddy_flow page = flow_at(minute * 60.0 + i, "10.0.0.5", "10.0.0.9", 443);
            (void)pipeline_score(p, &page);
        }
        for (unsigned i = 0; i < 300; i++) {
            eddy_flow login = flow_at(minute * 60.0 + 12 + i * 0.1, "10.0.0.66", "10.0.0.9", 22);
            (void)pipeline_score(p, &login);
        }
    }
    double least = 1.0;
    for (unsigned i = 0; i < 300; i++) {
        eddy_flow login = flow_at(7212 + i * 0.1, "10.0.0.77", "10.0.0.19", 3389);
        least = fmin(least, pipeline_score(p, &login)->finding[burst].p);
    }
    assert_true(least < 1e-5); /* calibrate.suspicious, and no more than decide.p */
    pipeline_free(p);
}

static void what_goes_on_is_not_new_before_a_quiet_day(void **state)
{
    (void)state;
    struct suspects *s = calloc(1, sizeof *s);
    assert_non_null(s);
    const int64_t hour_us = INT64_C(3600) * US, now_us = T0 * US;
    for (unsigned i = 0; i < 100; i++)
        for (uint64_t who = 1; who <= 30; who++)
            assert_true(suspects_first(s, who, 3, now_us + i * hour_us) == (i == 0));
    assert_true(suspects_first(s, 1, 4, now_us + 99 * hour_us)); /* of another detector */
    assert_true(suspects_first(s, 1, 3, now_us + 124 * hour_us));
    assert_false(suspects_first(s, 1, 3, now_us + 110 * hour_us)); /* an older log */
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_of_n_is_corrected_for_n),
        cmocka_unit_test(tiny_p_keep_their_digits),
        cmocka_unit_test(corrected_p_of_chance_are_uniform),
        cmocka_unit_test(the_verdict_names_the_detector_with_the_lowest_p),
        cmocka_unit_test(a_first_flow_is_usual_and_marked_as_learning),
        cmocka_unit_test(a_corrected_flow_is_marked),
        cmocka_unit_test(one_wrong_clock_neither_ends_nor_prolongs_learning),
        cmocka_unit_test(one_host_does_not_blind_a_detector_for_all),
        cmocka_unit_test(what_goes_on_is_not_new_before_a_quiet_day),
        cmocka_unit_test(every_verdict_is_a_probability),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
