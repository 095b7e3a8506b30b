/* SPDX-License-Identifier: MIT */
/* test_challenge.c - champion and challenger are counted, and their drift is that of scores. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "score/challenge.h"
#include "score/drift.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-4)

struct fixture {
    struct challenge challenge;
    struct model champion, challenger;
};

/* A held-out flow in each bin: 64 in each of the 16 that drift is told by. */
static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->champion.id = 1;
    f->challenger.id = 2;
    for (unsigned i = 0; i < HELDOUT_BINS; i++) {
        heldout_add(&f->champion.heldout, (i + 0.5) / HELDOUT_BINS);
        heldout_add(&f->challenger.heldout, (i + 0.5) / HELDOUT_BINS);
    }
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* Both with an alert from 0.5 on. */
static void both_say(struct fixture *f, double champion, double challenger)
{
    struct opinion own = {&f->champion, champion, champion >= 0.5};
    struct opinion other = {&f->challenger, challenger, challenger >= 0.5};
    challenge_note(&f->challenge, &own, &other);
    challenge_learn(&f->challenge);
}

static void a_challenger_that_is_the_champion_always_agrees(void **state)
{
    struct fixture *f = *state;
    f->challenger = f->champion;
    for (unsigned i = 0; i < 1000; i++)
        both_say(f, i / 1000.0, i / 1000.0);
    assert_int_equal(f->challenge.agreement[0][0], 500);
    assert_int_equal(f->challenge.agreement[1][1], 500);
    assert_int_equal(f->challenge.agreement[0][1] + f->challenge.agreement[1][0], 0);
    assert_int_equal(f->challenge.of[CHALLENGER].alerts, 500);
}

/*  champion    0.1  0.6  0.7  0.2  0.9        alert: 3
 *  challenger  0.6  0.7  0.1  0.3  0.8        alert: 3, two of them the champion's */
static void counts_are_what_the_hand_says(void **state)
{
    struct fixture *f = *state;
    static const double champion[] = {0.1, 0.6, 0.7, 0.2, 0.9};
    static const double challenger[] = {0.6, 0.7, 0.1, 0.3, 0.8};
    for (unsigned i = 0; i < 5; i++)
        both_say(f, champion[i], challenger[i]);
    const struct challenge *c = &f->challenge;
    assert_int_equal(c->of[CHAMPION].scored, 5);
    assert_int_equal(c->of[CHALLENGER].scored, 5);
    assert_int_equal(c->of[CHAMPION].alerts, 3);
    assert_int_equal(c->of[CHALLENGER].alerts, 3);
    assert_int_equal(c->agreement[1][1], 2);
    assert_int_equal(c->agreement[1][0], 1);
    assert_int_equal(c->agreement[0][1], 1);
    assert_int_equal(c->agreement[0][0], 1);
}

static void a_role_without_a_model_is_not_counted(void **state)
{
    struct fixture *f = *state;
    struct opinion none = {0}, other = {&f->challenger, 0.9, true};
    challenge_note(&f->challenge, &none, &other);
    challenge_learn(&f->challenge);
    assert_int_equal(f->challenge.of[CHAMPION].scored, 0);
    assert_int_equal(f->challenge.of[CHALLENGER].scored, 1);
    assert_int_equal(f->challenge.of[CHALLENGER].alerts, 1);
    assert_int_equal(f->challenge.agreement[0][1], 0);
    assert_true(f->challenge.of[CHAMPION].total == 0);
}

static void scores_like_those_held_out_have_no_drift(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < DRIFT_LEAST - 1; i++)
        both_say(f, (i + 0.5) / HELDOUT_BINS, 0.01);
    assert_true(isnan(challenge_psi(&f->challenge, CHAMPION)));
    both_say(f, 1.0, 0.01);
    assert_true(challenge_psi(&f->challenge, CHAMPION) < 1e-6);
}

/* With a half in each bin to begin with, 2048 scores, all in the lowest of 16 bins: (a - e) ln(a/e)
 * is 2.58578 for it (a = 2048.5/2056, e = 64.5/1032), and 15 times 0.34547 for the others (a =
 * 0.5/2056). 256 in each of the lower eight: 0.04303 (a = 256.5/2056) and 0.34547, eight times
 * each. */
static void drift_is_what_the_hand_says(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2048; i++)
        both_say(f, 0.01, (i % 512) / 1024.0);
    NEAR(challenge_psi(&f->challenge, CHAMPION), 7.767792);
    NEAR(challenge_psi(&f->challenge, CHALLENGER), 3.107997);
}

static void rows_that_are_not_vetted_make_no_drift(void **state)
{
    struct fixture *f = *state;
    struct opinion own = {&f->champion, 0.9, true}, other = {0};
    for (unsigned i = 0; i < 4096; i++)
        challenge_note(&f->challenge, &own, &other);
    assert_true(isnan(challenge_psi(&f->challenge, CHAMPION)));
    assert_int_equal(f->challenge.of[CHAMPION].scored, 4096);
}

static void what_is_older_fades(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 200000; i++)
        both_say(f, i < 100000 ? 0.01 : (i % HELDOUT_BINS + 0.5) / HELDOUT_BINS, 0.5);
    assert_true(f->challenge.of[CHAMPION].total <= (float)(DRIFT_RECENT * DRIFT_STRIDE));
    assert_true(challenge_psi(&f->challenge, CHAMPION) < 0.1);
}

/* 901 of 1000 held-out scores are 0, as most of classifiers are. */
static void where_most_scores_are_alike_bins_are_fewer(void **state)
{
    struct fixture *f = *state;
    memset(&f->champion.heldout, 0, sizeof f->champion.heldout);
    for (unsigned i = 0; i < 1000; i++)
        heldout_add(&f->champion.heldout, i < 900 ? 0 : (i - 900) / 100.0);
    for (unsigned i = 0; i < 2000; i++)
        both_say(f, i % 1000 < 900 ? 0 : (i % 1000 - 900) / 100.0, 0.5);
    assert_int_equal(f->challenge.of[CHAMPION].expected[0], 901);
    assert_true(challenge_psi(&f->challenge, CHAMPION) < 0.01);
    for (unsigned i = 0; i < 2000; i++)
        both_say(f, 0.99, 0.5);
    assert_true(challenge_psi(&f->challenge, CHAMPION) > 0.25);
}

/* 100 held-out scores, 90 of them alike, so that few of the 16 bins are in use: the halves of flows
 * in those that are not would be a drift of 0.2. */
static void few_held_out_scores_are_no_drift(void **state)
{
    struct fixture *f = *state;
    memset(&f->champion.heldout, 0, sizeof f->champion.heldout);
    for (unsigned i = 0; i < 100; i++)
        heldout_add(&f->champion.heldout, i < 90 ? 0 : 0.5);
    for (unsigned i = 0; i < 4000; i++)
        both_say(f, i % 100 < 90 ? 0 : 0.5, 0.5);
    assert_true(challenge_psi(&f->challenge, CHAMPION) < 0.01);
}

static void another_model_begins_its_drift_anew_and_goes_on_counting(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 2000; i++)
        both_say(f, 0.6, 0.6);
    assert_true(challenge_psi(&f->challenge, CHAMPION) > 0.25);
    f->champion.id = 3;
    both_say(f, 0.6, 0.6);
    assert_true(isnan(challenge_psi(&f->challenge, CHAMPION)));
    assert_true(f->challenge.of[CHAMPION].total == 1);
    assert_true(f->challenge.of[CHALLENGER].total == 2001);
    assert_int_equal(f->challenge.of[CHAMPION].scored, 2001);
    assert_int_equal(f->challenge.agreement[1][1], 2001);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_challenger_that_is_the_champion_always_agrees),
        TEST(counts_are_what_the_hand_says),
        TEST(a_role_without_a_model_is_not_counted),
        TEST(scores_like_those_held_out_have_no_drift),
        TEST(drift_is_what_the_hand_says),
        TEST(rows_that_are_not_vetted_make_no_drift),
        TEST(what_is_older_fades),
        TEST(where_most_scores_are_alike_bins_are_fewer),
        TEST(few_held_out_scores_are_no_drift),
        TEST(another_model_begins_its_drift_anew_and_goes_on_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
