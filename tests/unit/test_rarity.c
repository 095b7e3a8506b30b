/* SPDX-License-Identifier: MIT */
/* test_rarity.c - many new things at once are found; one, or what others know, is no news. */
#include <math.h>

#include "pipeline.h"
#include "state/host.h"

static int setup(void **state)
{
    *state = pipeline_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    pipeline_free(*state);
    return 0;
}

/* Addresses are chosen so that none of those counted together share a bit of the host's 64. */
#define HOST "10.0.0.1"

static size_t rarity(void)
{
    return detector_named("rarity");
}

static struct finding ask(struct pipeline *p, double start_s, const char *src, const char *dst,
                          uint16_t port)
{
    eddy_flow flow = flow_at(start_s, src, dst, port);
    return pipeline_ask(p, rarity(), &flow);
}

/* Two hundred flows to three servers of ours: from now on new things are new to HOST. */
static void settle(struct pipeline *p)
{
    for (unsigned i = 0; i < 200; i++)
        (void)ask(p, i * 0.1, HOST, numbered("10.0", 100 + i % 3), 443);
}

/* HOST logs in to `count` hosts of ours, a second apart; what the last one is found to be. */
static struct finding log_in(struct pipeline *p, double start_s, unsigned first, unsigned count)
{
    struct finding last = {0};
    for (unsigned i = 0; i < count; i++)
        last = ask(p, start_s + i, HOST, numbered("10.0", first + i), 22);
    return last;
}

static bool near(double value, double expected)
{
    return fabs(value - expected) < 2e-3;
}

static void explain(struct pipeline *p, struct explanation *why)
{
    score_explain(p->score, &p->score_conf, rarity(), &p->row, why);
}

/* m = 0.005, r = 0.1, q = 0.005 / 0.105: P(N = 4) = r (r+1) (r+2) (r+3) / 4! q^4 (1-q)^r
 * = 0.02984 * 5.142e-6 * 0.9951 = 1.527e-7, with the terms after it 1.589e-7; half the chance. */
static void four_new_logins_at_once_are_unusual(void **state)
{
    settle(*state);
    assert_true(near(log_in(*state, 30, 210, 4).score, 6.498));
}

static void one_or_two_are_never_unusual(void **state)
{
    settle(*state);
    assert_true(near(log_in(*state, 30, 200, 2).score, 0));
}

static void a_young_host_meets_nothing_new(void **state)
{
    for (unsigned i = 0; i < 199; i++)
        assert_true(isnan(ask(*state, i, HOST, numbered("10.0", 200 + i), 22).score));
    assert_int_equal(((struct pipeline *)*state)->row.host->rarity.unusual[0], 0);
}

static void the_same_again_is_not_new(void **state)
{
    settle(*state);
    double score = log_in(*state, 30, 210, 4).score;
    assert_true(isnan(log_in(*state, 40, 210, 4).score));
    struct finding found = log_in(*state, 50, 214, 1);
    assert_true(found.score > score + 1); /* the fifth of this window */
}

/* Pairs are forgotten, bits are not: a second pass meets nothing new. */
static void what_was_met_is_known_in_the_second_pass(void **state)
{
    struct pipeline *p = *state;
    settle(p);
    (void)log_in(p, 30, 210, 4);
    state_rewind(p->state);
    settle(p);
    assert_true(isnan(log_in(p, 30, 210, 4).score));
    assert_true(log_in(p, 40, 330, 4).score > 6);
}

static void what_fails_or_comes_from_outside_does_not_count(void **state)
{
    settle(*state);
    for (unsigned i = 0; i < 200; i++)
        (void)ask(*state, 20, "203.0.113.1", numbered("10.0", 100), 443);
    for (unsigned i = 0; i < 10; i++) {
        eddy_flow refused = refused_at(30 + i, HOST, numbered("10.0", 200 + i), 22);
        assert_true(isnan(pipeline_ask(*state, rarity(), &refused).score));
        assert_true(isnan(ask(*state, 30 + i, "203.0.113.1", numbered("10.0", 300 + i), 22).score));
    }
}

/* Three others know two of the four: two are left, and two are fewer than three. */
static void what_many_of_ours_know_does_not_count(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 3; i++)
        for (unsigned n = 0; n < 2; n++)
            (void)ask(p, 0, numbered("10.0", 10 + i), numbered("10.0", 210 + n), 22);
    settle(p);
    assert_true(near(log_in(p, 30, 210, 4).score, 0));
    assert_true(near(log_in(p, 40, 214, 2).score, 6.498)); /* four that nobody knows */
    struct explanation why;
    explain(p, &why);
    assert_true(near(why.reason[0].value, 6));
    assert_string_equal(why.reason[1].feature, "prevalence");
    assert_true(near(why.reason[1].value, 2) && near(why.reason[1].share, -1.0 / 3));
}

/* Known to one other for eight days: a web server counts half, a login service does not. */
static void what_is_old_counts_half(void **state)
{
    struct pipeline *p = *state;
    for (unsigned n = 0; n < 4; n++) {
        (void)ask(p, -8.0 * 86400, "10.0.0.9", numbered("10.0", 210 + n), 80);
        (void)ask(p, -8.0 * 86400, "10.0.0.9", numbered("10.0", 330 + n), 22);
    }
    (void)ask(p, 0, "10.0.0.9", "10.0.0.8", 80);
    settle(p);
    for (unsigned n = 0; n < 4; n++)
        (void)ask(p, 30 + n, HOST, numbered("10.0", 210 + n), 80);
    const struct rarity_memory *m = &p->row.host->rarity;
    assert_int_equal(m->unusual[1], 4 * 2); /* of peers, in quarters */
    assert_int_equal(m->known[1], 4 * 2);
    assert_true(near(log_in(p, 40, 330, 4).score, 6.498));
}

/* A window in which so many were met: `count` logins at its begin, then its next one opens. */
static void window(struct pipeline *p, unsigned number, unsigned first, unsigned count)
{
    (void)ask(p, 700.0 * number, HOST, numbered("10.0", 100), 443);
    (void)log_in(p, 700.0 * number + 1, first, count);
}

/* The window of settling and 99 more: m = 0.005 200 / 300 12 / 112 = 0.000357. */
static void a_host_that_never_meets_anybody_is_the_more_suspect(void **state)
{
    struct pipeline *p = *state;
    settle(p);
    for (unsigned i = 1; i <= 100; i++)
        window(p, i, 0, 0);
    assert_int_equal(p->row.host->rarity.windows, 100);
    double q = 0.005 * 200 / 300 * 12 / 112;
    q /= q + 0.1;
    double four = 0.02983750 * pow(q, 4) * pow(1 - q, 0.1);
    double score = log_in(p, 700.0 * 100 + 1, 1040, 4).score;
    assert_true(fabs(score + log10(2 * four)) < 0.01); /* the terms after it are 0.3 % of it */
}

/* Two in one of two windows: site (1 + 2) / 202, m = (12 site + 2) / 14 = 0.1556, r = 2.1,
 * q = 0.06898; P(N = 4) = r (r+1) (r+2) (r+3) / 4! q^4 (1-q)^r = 5.672 * 2.264e-5 * 0.8606. */
static void what_was_met_makes_the_next_less_surprising(void **state)
{
    struct pipeline *p = *state;
    settle(p);
    window(p, 1, 1040, 2);
    window(p, 2, 0, 0);
    assert_int_equal(p->row.host->rarity.windows, 2);
    double four = 5.6718 * 2.2638e-5 * 0.86060;
    double five = four * 0.068978 * 6.1 / 5, six = five * 0.068978 * 7.1 / 6;
    double score = log_in(p, 701.0 * 2, 210, 4).score;
    assert_true(fabs(score + log10(2 * (four + five + six))) < 0.002);
}

static void who_always_meets_new_ones_is_usual(void **state)
{
    struct pipeline *p = *state;
    settle(p);
    double first = log_in(p, 30, 1040, 4).score;
    for (unsigned i = 1; i < 30; i++)
        window(p, i, 1040 + 100 * i, 2);
    assert_true(first > 6);
    assert_true(log_in(p, 700.0 * 30, 9000, 4).score < 1.5);
}

static void a_suspicious_window_teaches_by_the_leak(void **state)
{
    struct pipeline *p = *state;
    settle(p);
    (void)log_in(p, 30, 1000, 20);
    window(p, 1, 0, 0);
    const struct rarity_memory *m = &p->row.host->rarity;
    assert_int_equal(m->windows, 1);
    assert_in_range(m->met[0], 3, 4); /* 0.05 of some 19, in quarters: one bit may be shared */
    p->row.window->pinned = true;
    window(p, 2, 0, 0);
    assert_int_equal(m->windows, 1);
}

/* Two new logins in a window that is evicted, two in the next: four are not met at once. Nothing
 * is left of the evicted one: its score is no sample, nor are its two taught. */
static void an_evicted_window_leaves_nothing(void **state)
{
    struct pipeline *p = *state;
    settle(p);
    (void)log_in(p, 30, 210, 2);
    p->row.window->flows = 0; /* as state.c finds it when it was not in the table */
    assert_true(near(log_in(p, 40, 212, 2).score, 0));
    assert_int_equal(p->row.host->rarity.unusual[0], 2 * 4); /* in quarters */
    (void)log_in(p, 50, 214, 2);
    p->row.window->flows = 0;
    (void)ask(p, 60, HOST, numbered("10.0", 100), 443);
    assert_true(near(ask(p, 700, HOST, numbered("10.0", 100), 443).sample, 0));
    assert_int_equal(p->row.host->rarity.met[0], 0);
}

/* Three hosts log in to four others, of which each flow is suspicious: a fourth that does so is
 * not excused by them. A host itself has met what it met. */
static void what_is_suspicious_makes_nothing_common(void **state)
{
    struct pipeline *p = *state;
    const struct detector *detector = registry_detectors[rarity()];
    for (unsigned i = 0; i < 12; i++) {
        eddy_flow flow =
            flow_at(0, numbered("10.0", 10 + i / 4), numbered("10.0", 210 + i % 4), 22);
        struct finding found = {.score = (double)NAN, .sample = (double)NAN};
        struct row *row = pipeline_pass(p, &flow);
        detector->score(p->score->detector[rarity()], p->score_conf.detector[rarity()], row,
                        &found);
        row->teach = 0.05;
        detector->learn(p->score->detector[rarity()], p->score_conf.detector[rarity()], row);
        assert_true(row->host->rarity.lateral != 0);
    }
    settle(p);
    assert_true(near(log_in(p, 30, 210, 4).score, 6.498));
}

static void a_closed_window_is_a_sample(void **state)
{
    struct pipeline *p = *state;
    settle(p);
    double score = log_in(p, 30, 210, 4).score;
    struct finding next = ask(p, 700, HOST, numbered("10.0", 100), 443);
    assert_true(fabs(next.sample - score) < 0.011);
    assert_true(isnan(ask(p, 701, HOST, numbered("10.0", 100), 443).sample));
}

/* HOST browses `count` networks that nobody knows; without GeoIP, so they are put in by hand. */
static double browse(struct pipeline *p, double start_s, unsigned first, unsigned count)
{
    double most = 0;
    for (unsigned i = 0; i < count; i++) {
        eddy_flow flow = flow_at(start_s + i, HOST, numbered("203.0", first + i), 443);
        struct finding found = {.score = (double)NAN, .sample = (double)NAN};
        struct row *row = pipeline_pass(p, &flow);
        row->dst.asn = 64500 + first + i;
        const struct detector *detector = registry_detectors[rarity()];
        detector->score(p->score->detector[rarity()], p->score_conf.detector[rarity()], row,
                        &found);
        row->teach = 1;
        detector->learn(p->score->detector[rarity()], p->score_conf.detector[rarity()], row);
        most = fmax(most, found.score);
    }
    return most;
}

/* m = 2, r = 0.1: even 40 (of which some share a bit) have a p above 1 %. */
static void new_networks_are_met_all_day(void **state)
{
    settle(*state);
    assert_true(browse(*state, 30, 0, 40) < 3);
    assert_true(((struct pipeline *)*state)->row.host->rarity.unusual[3] > 25 * 4);
}

static void the_sentence_says_what_is_new(void **state)
{
    struct pipeline *p = *state;
    (void)ask(p, 0, "10.0.0.9", numbered("10.0", 213), 22);
    settle(p);
    (void)log_in(p, 30, 210, 4);
    struct explanation why;
    explain(p, &why);
    assert_string_equal(why.sentence,
                        "10.0.0.1 met 4 hosts of ours whose login or file services it never used, "
                        "within 33 s, usually one in 200 windows; the latest is 10.0.0.214 port "
                        "22/tcp, which 1 other of ours knows.");
    assert_string_equal(why.technique, "T1021");
    assert_string_equal(why.reason[0].feature, "rarity_new");
    assert_true(near(why.reason[0].value, 4) && near(why.reason[0].usual, 0.005));
    assert_string_equal(why.evidence.kind, "distribution");
    assert_int_equal(why.evidence.count, 8);
    assert_true(near(why.evidence.mark, 4));
    assert_true(fabs(log10((double)why.evidence.y[3]) + 6.799) < 2e-3); /* 1.589e-7 */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(four_new_logins_at_once_are_unusual),
        TEST(one_or_two_are_never_unusual),
        TEST(a_young_host_meets_nothing_new),
        TEST(the_same_again_is_not_new),
        TEST(what_was_met_is_known_in_the_second_pass),
        TEST(what_fails_or_comes_from_outside_does_not_count),
        TEST(what_many_of_ours_know_does_not_count),
        TEST(what_is_old_counts_half),
        TEST(a_host_that_never_meets_anybody_is_the_more_suspect),
        TEST(what_was_met_makes_the_next_less_surprising),
        TEST(who_always_meets_new_ones_is_usual),
        TEST(a_suspicious_window_teaches_by_the_leak),
        TEST(an_evicted_window_leaves_nothing),
        TEST(what_is_suspicious_makes_nothing_common),
        TEST(a_closed_window_is_a_sample),
        TEST(new_networks_are_met_all_day),
        TEST(the_sentence_says_what_is_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
