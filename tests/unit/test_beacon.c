/* SPDX-License-Identifier: MIT */
/* test_beacon.c - the bound on p against simulation; what is found, and what is not. */
#define score_beacon score_beacon_tested /* its static functions are tested too */
#include "score/beacon.c"
#undef score_beacon

#include "pipeline.h"
#include "random.h"

static struct beacon_state *opened(void)
{
    struct beacon_state *s = calloc(1, sizeof *s);
    assert_non_null(s);
    beacon_open(s, NULL);
    return s;
}

static struct beacon_conf initial(void)
{
    static struct beacon_conf conf;
    struct pipeline *p = pipeline_new(NULL);
    conf = *(const struct beacon_conf *)p->score_conf.detector[detector_named("beacon")];
    pipeline_free(p);
    return conf;
}

/* ---- the bound ---- */

/* ln of everything but r^(k-1), from the C library's gamma function. */
static void the_ball_is_as_large_as_the_formula_says(void **state)
{
    (void)state;
    struct beacon_state *s = opened();
    for (unsigned k = 1; k < RING_TIMES; k++) {
        double expected =
            (k - 1) / 2.0 * log(acos(-1.0)) - lgamma((k + 1) / 2.0) + lgamma(k) - 0.5 * log(k);
        assert_true(fabs(s->log_ball[k] - expected) < 1e-9 * (1 + fabs(expected)));
    }
    free(s);
}

/* How many of `runs` random series of k gaps are as even as `cv`. */
static unsigned as_even(unsigned k, double limit, unsigned runs, struct rng *rng)
{
    unsigned found = 0;
    for (unsigned run = 0; run < runs; run++) {
        double gap[RING_TIMES], mean, cv;
        for (unsigned i = 0; i < k; i++)
            gap[i] = rng_exponential(rng);
        moments(gap, k, &mean, &cv);
        found += cv <= limit;
    }
    return found;
}

/* While the ball fits into the simplex, cv^2 <= 1 / (k - 1), the bound is the probability itself;
 * beyond it is never below. Five standard errors of the simulation are allowed. */
static void p_is_exact_for_even_gaps_and_a_bound_for_others(void **state)
{
    (void)state;
    struct beacon_state *s = opened();
    struct rng rng = {1};
    enum { RUNS = 100000 };
    unsigned exact = 0;
    for (unsigned k = 3; k <= 8; k++)
        for (double cv = 0.15; cv < 1; cv += 0.1) {
            double p = pow(10, -regularity(s, k, 1e6, cv));
            double seen = as_even(k, cv, RUNS, &rng) / (double)RUNS;
            double error = 5 * sqrt(fmax(seen, 10.0 / RUNS) / RUNS);
            assert_true(seen <= p + error);
            if (cv * cv <= 1.0 / (k - 1)) {
                assert_true(seen >= p - error);
                exact += seen > 0.001;
            }
        }
    assert_true(exact >= 8);
    free(s);
}

static void equal_gaps_score_the_most_their_timestamps_allow(void **state)
{
    (void)state;
    struct beacon_state *s = opened();
    /* k = 2: p = P(|g1 - g2| / (g1 + g2) <= cv) = cv, so cv = 2 ms / 2 s = 0.001 is 3 */
    assert_true(fabs(regularity(s, 2, 2.0, 0.0) - 3.0) < 1e-6);
    assert_true(regularity(s, 10, 600, 0) > 30);
    assert_true(regularity(s, 10, 600, 0) == regularity(s, 10, 600, 1e-9));
    assert_true(regularity(s, 10, 1, 5) == 0);
    free(s);
}

/* ---- gaps ---- */

static struct ring ring_of(const double *gaps_s, unsigned count)
{
    struct ring ring = {.count = count + 1, .base_us = 0, .time_ms = {1000}};
    double time = 1.0;
    for (unsigned i = 0; i <= count; i++) {
        ring.time_ms[i] = (uint32_t)(time * 1e3 + 0.5);
        ring.size[i] = 500;
        time += i < count ? gaps_s[i] : 0;
    }
    return ring;
}

static double judged(const double *gaps_s, unsigned count)
{
    static struct beacon_state *s;
    static struct beacon_conf conf;
    if (s == NULL) {
        conf = initial();
        conf.most = 300;
        s = opened();
    }
    struct ring ring = ring_of(gaps_s, count);
    judge(s, &conf, &ring);
    return (double)ring.score;
}

static void the_median_is_the_middle_one(void **state)
{
    (void)state;
    struct rng rng = {2};
    for (unsigned n = 1; n < RING_TIMES; n++)
        for (unsigned run = 0; run < 50; run++) {
            double values[RING_TIMES];
            for (unsigned i = 0; i < n; i++)
                values[i] =
                    (double)rng_below(&rng, run % 2 ? 5 : 1000); /* with ties, and without */
            double middle = median(values, n);
            unsigned below = 0, equal = 0;
            for (unsigned i = 0; i < n; i++) {
                below += values[i] < middle;
                equal += values[i] == middle;
            }
            assert_true(below <= n / 2 && n / 2 < below + equal);
        }
}

static void missed_beats_and_an_outage_do_not_hide_a_beacon(void **state)
{
    (void)state;
    double gaps[32];
    for (unsigned i = 0; i < 32; i++)
        gaps[i] = 60 + (i % 3);
    double whole = judged(gaps, 32);
    assert_true(whole > 20);
    gaps[10] = 8 * 3600; /* the laptop slept */
    assert_true(judged(gaps, 32) > whole * 0.9);
    gaps[20] = 120; /* two beats were missed */
    gaps[25] = 180;
    assert_true(judged(gaps, 32) > 6);
}

static void connections_that_come_together_are_one_beat(void **state)
{
    (void)state;
    double gaps[32];
    for (unsigned i = 0; i < 32; i++)
        gaps[i] = i % 4 == 3 ? 0.3 : 60;
    assert_true(judged(gaps, 32) > 12);
}

static void fewer_gaps_than_min_gaps_are_not_judged(void **state)
{
    (void)state;
    double gaps[10];
    for (unsigned i = 0; i < 10; i++)
        gaps[i] = 60;
    assert_true(judged(gaps, 9) == 0);
    assert_true(judged(gaps, 10) > 6);
}

static void a_burst_shorter_than_min_span_is_no_beacon(void **state)
{
    (void)state;
    double gaps[32];
    for (unsigned i = 0; i < 32; i++)
        gaps[i] = 0.4;
    assert_true(judged(gaps, 32) == 0); /* 12.8 s */
    for (unsigned i = 0; i < 32; i++)
        gaps[i] = 0.5;
    assert_true(judged(gaps, 32) > 6);
}

static void all_at_one_moment_is_no_beacon(void **state)
{
    (void)state;
    double gaps[63] = {0};
    assert_true(judged(gaps, 63) == 0);
}

/* What random connections score: 10^-s at most, though short gaps are joined and long ones left
 * out before the statistic is taken. */
static void random_gaps_score_s_no_more_often_than_ten_to_the_minus_s(void **state)
{
    (void)state;
    enum { RUNS = 20000 };
    for (unsigned n = 12; n <= 60; n += 16) {
        struct rng rng = {n};
        unsigned above[8] = {0};
        for (unsigned run = 0; run < RUNS; run++) {
            double gaps[RING_TIMES];
            for (unsigned i = 0; i < n; i++)
                gaps[i] = 600 * rng_exponential(&rng);
            double score = judged(gaps, n);
            for (unsigned s = 1; s < 8; s++)
                above[s] += score >= s;
        }
        for (unsigned s = 1; s < 8; s++) {
            double expected = RUNS * pow(10, -(double)s);
            if (above[s] > expected + 5 * sqrt(expected) + 1)
                fail_msg("%u gaps: %u of %u random series score %u or more", n, above[s], RUNS, s);
        }
    }
}

static void a_jitter_of_30_per_cent_does_not_hide_a_beacon(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 500; seed++) {
        struct rng rng = {seed};
        double gaps[32];
        for (unsigned i = 0; i < 32; i++)
            gaps[i] = 600 * (0.7 + 0.6 * rng_uniform(&rng));
        assert_true(judged(gaps, 32) > 6);
    }
}

/* ---- the detector, on flows ---- */

static struct finding call_home(struct pipeline *p, double start_s, uint64_t bytes)
{
    eddy_flow flow = flow_at(start_s, "10.0.0.1", "203.0.113.1", 443);
    flow.bytes_out = bytes;
    return pipeline_ask(p, detector_named("beacon"), &flow);
}

static void a_beacon_of_five_minutes_is_found(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct rng rng = {3};
    struct finding finding = {0};
    for (unsigned i = 0; i < 40; i++) {
        finding = call_home(p, 300 * (i + 0.1 * rng_uniform(&rng)), 600);
        if (i < 10)
            assert_true(isnan(finding.score));
    }
    assert_true(finding.score > 6);
    assert_true(finding.tests == 1);
    pipeline_free(p);
}

static void shuffled_arrival_gives_the_same_score(void **state)
{
    (void)state;
    enum { N = 32 }; /* at which the ring is judged: an eighth is new */
    struct rng rng = {4};
    double start[N];
    for (unsigned i = 0; i < N; i++)
        start[i] = 100.0 * i + (double)rng_below(&rng, 20); /* all within the hour */
    struct pipeline *p = pipeline_new(NULL);
    struct finding sorted = {0}, shuffled = {0};
    for (unsigned i = 0; i < N; i++)
        sorted = call_home(p, start[i], 600);
    pipeline_free(p);
    for (unsigned i = N - 1; i > 0; i--) {
        unsigned j = (unsigned)rng_below(&rng, i + 1);
        double moved = start[i];
        start[i] = start[j];
        start[j] = moved;
    }
    p = pipeline_new(NULL);
    for (unsigned i = 0; i < N; i++)
        shuffled = call_home(p, start[i], 600);
    assert_true(sorted.score > 6);
    assert_true(shuffled.score == sorted.score);
    pipeline_free(p);
}

static double score_of_beacon(const char *dst, uint16_t port, uint8_t proto, unsigned users)
{
    struct pipeline *p = pipeline_new(NULL);
    struct finding finding = {0};
    for (unsigned i = 0; i < 32; i++) {
        for (unsigned user = 1; user < users; user++) {
            eddy_flow other = flow_at(300 * i + user, numbered("10.5", user), dst, port);
            other.proto = proto;
            (void)pipeline_pass(p, &other);
        }
        eddy_flow flow = flow_at(300 * i + 5 * (i % 3), "10.0.0.1", dst, port);
        flow.proto = proto;
        finding = pipeline_ask(p, detector_named("beacon"), &flow);
    }
    pipeline_free(p);
    return finding.score;
}

static void counter_evidence_lowers_the_score_by_its_setting(void **state)
{
    (void)state;
    double alone = score_of_beacon("203.0.113.1", 443, 6, 1);
    assert_true(fabs(alone - 12) < 1e-6); /* beacon.most */
    assert_true(fabs(score_of_beacon("203.0.113.1", 443, 6, 5) / alone - 0.35) < 1e-6);
    assert_true(fabs(score_of_beacon("203.0.113.1", 123, 17, 1) / alone - 0.25) < 1e-6);
    assert_true(fabs(score_of_beacon("10.0.9.9", 443, 6, 1) / alone - 0.6) < 1e-6);
}

static void sizes_that_differ_lower_the_score_by_their_setting(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct finding finding = {0};
    for (unsigned i = 0; i < 32; i++)
        finding = call_home(p, 300 * i, i % 16 == 0 ? 650000 : 600);
    assert_true(fabs(finding.score - 12 * 0.7) < 1e-3); /* beacon.most * beacon.sizes */
    pipeline_free(p);
}

static void a_pair_teaches_first_and_at_each_doubling(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    unsigned samples = 0;
    for (unsigned i = 0; i < 60; i++)
        samples += isnan(call_home(p, 300 * i, 600).sample) ? 0 : 1;
    assert_int_equal(samples, 3); /* at 11, 22 and 44 */
    pipeline_free(p);
}

/* The host's record may be evicted while the pair's ring stays. */
static void a_host_that_was_forgotten_has_had_at_least_one_look(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    for (unsigned i = 0; i < 20; i++)
        (void)call_home(p, 300 * i, 600);
    memset((char *)p->row.host + 16, 0, sizeof *p->row.host - 16);
    struct finding finding = call_home(p, 300 * 20, 600);
    assert_true(finding.score > 3);
    assert_true(finding.tests >= 1);
    pipeline_free(p);
}

static void the_sentence_says_who_calls_whom_how_often(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    for (unsigned i = 0; i < 32; i++)
        (void)call_home(p, 600 * i + 10 * (i % 2), 600);
    struct explanation why;
    score_explain(p->score, &p->score_conf, detector_named("beacon"), &p->row, &why);
    assert_non_null(strstr(why.sentence, "10.0.0.1 calls 203.0.113.1 port 443/tcp every 10 min"));
    assert_non_null(strstr(why.sentence, "no other host of ours does"));
    assert_true(why.names_peer);
    assert_true(why.count >= 1);
    assert_string_equal(why.reason[0].feature, "gap_variation");
    assert_true(why.reason[0].share > 0);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ball_is_as_large_as_the_formula_says),
        cmocka_unit_test(p_is_exact_for_even_gaps_and_a_bound_for_others),
        cmocka_unit_test(equal_gaps_score_the_most_their_timestamps_allow),
        cmocka_unit_test(the_median_is_the_middle_one),
        cmocka_unit_test(missed_beats_and_an_outage_do_not_hide_a_beacon),
        cmocka_unit_test(connections_that_come_together_are_one_beat),
        cmocka_unit_test(fewer_gaps_than_min_gaps_are_not_judged),
        cmocka_unit_test(a_burst_shorter_than_min_span_is_no_beacon),
        cmocka_unit_test(all_at_one_moment_is_no_beacon),
        cmocka_unit_test(random_gaps_score_s_no_more_often_than_ten_to_the_minus_s),
        cmocka_unit_test(a_jitter_of_30_per_cent_does_not_hide_a_beacon),
        cmocka_unit_test(a_beacon_of_five_minutes_is_found),
        cmocka_unit_test(shuffled_arrival_gives_the_same_score),
        cmocka_unit_test(counter_evidence_lowers_the_score_by_its_setting),
        cmocka_unit_test(sizes_that_differ_lower_the_score_by_their_setting),
        cmocka_unit_test(a_pair_teaches_first_and_at_each_doubling),
        cmocka_unit_test(a_host_that_was_forgotten_has_had_at_least_one_look),
        cmocka_unit_test(the_sentence_says_who_calls_whom_how_often),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
