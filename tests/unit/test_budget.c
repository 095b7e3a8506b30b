/* SPDX-License-Identifier: MIT */
/* test_budget.c - no 24 hours bring more than was allowed, and a noisy day brings the right ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "decide/budget.h"
#include "random.h"

#define HOUR INT64_C(3600000000)
#define DAY  (24 * HOUR)
#define T0   (INT64_C(1700000000) * 1000000)

static struct budget_conf conf_of(uint64_t per_day)
{
    return (struct budget_conf){.per_day = per_day, .p = 1e-5, .extreme = 1e-9};
}

/* Incidents at random moments of 60 days, some in bursts: the most that any 24 hours bring. */
static unsigned most_in_a_day(uint64_t per_day, uint64_t seed, unsigned *sent)
{
    enum { MAX = 100000 };
    static int64_t at[MAX];
    const struct budget_conf conf = conf_of(per_day);
    static struct budget budget;
    struct rng rng = {seed};
    unsigned most = 0, first = 0;
    int64_t now = T0;
    *sent = 0;
    memset(&budget, 0, sizeof budget);
    for (uint64_t key = 1; now < T0 + 60 * DAY; key++) {
        double pace = rng_below(&rng, 100) == 0 ? 3e10 : 2e8; /* pauses of hours among minutes */
        now += (int64_t)(pace * rng_exponential(&rng));
        double p = pow(10, -5 - 8 * rng_uniform(&rng));
        if (!budget_take(&budget, &conf, key, p, now))
            continue;
        assert_in_range(*sent, 0, MAX - 1);
        at[(*sent)++] = now;
        while (at[first] <= now - DAY)
            first++;
        most = *sent - first > most ? *sent - first : most;
    }
    return most;
}

static void no_24_hours_bring_more_than_the_budget(void **state)
{
    (void)state;
    static const uint64_t per_day[] = {1, 2, 3, 5, 8, 20, 100};
    for (size_t i = 0; i < sizeof per_day / sizeof *per_day; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            unsigned sent;
            assert_true(most_in_a_day(per_day[i], seed, &sent) <= per_day[i]);
            assert_true(sent >= 60 * per_day[i] / 2); /* and what is allowed is used */
        }
}

static void a_budget_of_zero_sends_nothing(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(0);
    static struct budget budget;
    for (int64_t day = 0; day < 100; day++)
        assert_false(budget_take(&budget, &conf, 1, 1e-300, T0 + day * DAY));
}

static void the_first_incident_is_sent_whatever_the_budget(void **state)
{
    (void)state;
    static const uint64_t per_day[] = {1, 2, 3, 20, 1000};
    for (size_t i = 0; i < sizeof per_day / sizeof *per_day; i++) {
        const struct budget_conf conf = conf_of(per_day[i]);
        static struct budget budget;
        memset(&budget, 0, sizeof budget);
        assert_true(budget_take(&budget, &conf, 1, 9.9e-6, T0));
    }
}

/* Twenty a day: a calm day sends ten of any kind; then the limit falls. With 12 sent it is 1e-5 to
 * the power of (12/20 - 1/2) / (1/4) = 0.4 of the way to 1e-9, which is 10^-6.6. */
static void from_half_on_the_limit_falls(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    static struct budget budget;
    memset(&budget, 0, sizeof budget);
    uint64_t key = 0;
    for (unsigned i = 0; i < 10; i++)
        assert_true(budget_take(&budget, &conf, ++key, 0.99e-5, T0 + i));
    assert_true(budget_take(&budget, &conf, ++key, 0.99e-5, T0 + 10)); /* half: still 1e-5 */
    assert_false(budget_take(&budget, &conf, ++key, 0.99e-5, T0 + 11));
    assert_true(budget_take(&budget, &conf, ++key, 1e-8, T0 + 12));
    assert_false(budget_take(&budget, &conf, ++key, 1.01 * pow(10, -6.6), T0 + 13));
    assert_true(budget_take(&budget, &conf, ++key, 0.99 * pow(10, -6.6), T0 + 14));
}

static void the_last_quarter_is_for_the_extreme(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    static struct budget budget;
    memset(&budget, 0, sizeof budget);
    unsigned sent = 0;
    for (unsigned i = 0; i < 50; i++) /* as unusual as one can be without being extreme */
        sent += budget_take(&budget, &conf, 1 + i, 1.1e-9, T0);
    assert_int_equal(sent, 15);
    for (unsigned i = 0; i < 50; i++)
        sent += budget_take(&budget, &conf, 100 + i, 1e-12, T0);
    assert_int_equal(sent, 20);
    assert_int_equal(budget_left(&budget, &conf, T0), 0);
}

static void what_is_a_day_old_counts_no_more(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    static struct budget budget;
    memset(&budget, 0, sizeof budget);
    for (unsigned i = 0; i < 20; i++)
        assert_true(budget_take(&budget, &conf, 1 + i, 1e-12, T0 + i * HOUR));
    assert_false(budget_take(&budget, &conf, 99, 1e-12, T0 + DAY - 1));
    assert_true(budget_take(&budget, &conf, 99, 1e-12, T0 + DAY));
    assert_false(budget_take(&budget, &conf, 98, 1e-12, T0 + DAY));
    assert_int_equal(budget_left(&budget, &conf, T0 + 30 * DAY), 20);
}

/* One incident that asks again and again, better each time, is one of the most unusual, not many.
 */
static void asking_again_takes_no_second_place(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(1);
    static struct budget budget;
    memset(&budget, 0, sizeof budget);
    assert_true(budget_take(&budget, &conf, 1, 1e-6, T0));
    for (unsigned i = 0; i < 5000; i++)
        assert_false(budget_take(&budget, &conf, 2, pow(10, -6 - i * 0.001), T0 + 1 + i));
    assert_true(budget_take(&budget, &conf, 3, 1e-20, T0 + DAY));
}

enum { NOISE = 300, DAYS = 5 };

struct incident_of_a_day {
    double at, score;
    bool sent;
};

static int by_time(const void *a, const void *b)
{
    const struct incident_of_a_day *x = a, *y = b;
    return x->at < y->at ? -1 : x->at > y->at;
}

static int by_score(const void *a, const void *b)
{
    const struct incident_of_a_day *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score;
}

/* Of the 20 most unusual of each of five days with 300 incidents each, how many are sent? */
static void on_a_noisy_day_the_20_are_the_right_20(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    unsigned right = 0, sent = 0, first = 0;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static struct budget budget;
        struct rng rng = {seed};
        memset(&budget, 0, sizeof budget);
        for (unsigned day = 0; day < DAYS; day++) {
            struct incident_of_a_day noise[NOISE];
            for (unsigned i = 0; i < NOISE; i++)
                noise[i] = (struct incident_of_a_day){rng_uniform(&rng),
                                                      5 + 1.2 * rng_exponential(&rng), false};
            qsort(noise, NOISE, sizeof *noise, by_time);
            for (unsigned i = 0; i < NOISE; i++)
                noise[i].sent =
                    budget_take(&budget, &conf, 1 + day * NOISE + i, pow(10, -noise[i].score),
                                T0 + (int64_t)((day + noise[i].at) * (double)DAY));
            qsort(noise, NOISE, sizeof *noise, by_score);
            for (unsigned i = 0; i < NOISE; i++) {
                first += day == 0 && i < 20 && noise[i].sent;
                sent += day > 0 && noise[i].sent;
                right += day > 0 && i < 20 && noise[i].sent;
            }
        }
    }
    unsigned days = 20 * (DAYS - 1);
    assert_true(right >= sent * 0.9);       /* what is sent is right */
    assert_true(right >= 20 * days * 0.65); /* and most of what is right is sent */
    assert_true(first >= 20 * 20 * 0.3);    /* nobody knows on the first day how noisy it will be */
}

/* Two hundred hosts fall ill with the same within an hour; later, five incidents are extreme. */
static void a_noisy_morning_leaves_room_for_the_extreme(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    for (uint64_t seed = 1; seed <= 20; seed++) {
        static struct budget budget;
        struct rng rng = {seed};
        memset(&budget, 0, sizeof budget);
        for (unsigned i = 0; i < 200; i++)
            (void)budget_take(&budget, &conf, 1 + i, pow(10, -6.5 - 0.3 * rng_exponential(&rng)),
                              T0 + i * (HOUR / 200));
        for (unsigned i = 0; i < 5; i++)
            assert_true(budget_take(&budget, &conf, 1000 + i, pow(10, -10 - 3 * rng_uniform(&rng)),
                                    T0 + (3 + i) * HOUR));
    }
}

/* More ask than can be kept: the least unusual are forgotten, never those that were sent. */
static void however_many_ask_the_sent_are_remembered(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    static struct budget budget;
    memset(&budget, 0, sizeof budget);
    for (unsigned i = 0; i < 20; i++)
        assert_true(budget_take(&budget, &conf, 1 + i, 1e-12, T0));
    for (unsigned i = 0; i < 5000; i++)
        assert_false(budget_take(&budget, &conf, 100 + i, pow(10, -13 - i * 0.001), T0 + 1));
    assert_int_equal(budget_left(&budget, &conf, T0 + 2), 0);
}

static void a_clock_set_back_does_not_open_the_gates(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    static struct budget budget;
    memset(&budget, 0, sizeof budget);
    for (unsigned i = 0; i < 20; i++)
        assert_true(budget_take(&budget, &conf, 1 + i, 1e-12, T0));
    assert_false(budget_take(&budget, &conf, 50, 1e-12, T0 - HOUR));
    assert_true(budget_take(&budget, &conf, 51, 1e-12, T0 - 300 * DAY)); /* a given-up future */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_24_hours_bring_more_than_the_budget),
        cmocka_unit_test(a_budget_of_zero_sends_nothing),
        cmocka_unit_test(the_first_incident_is_sent_whatever_the_budget),
        cmocka_unit_test(from_half_on_the_limit_falls),
        cmocka_unit_test(the_last_quarter_is_for_the_extreme),
        cmocka_unit_test(what_is_a_day_old_counts_no_more),
        cmocka_unit_test(asking_again_takes_no_second_place),
        cmocka_unit_test(on_a_noisy_day_the_20_are_the_right_20),
        cmocka_unit_test(a_noisy_morning_leaves_room_for_the_extreme),
        cmocka_unit_test(however_many_ask_the_sent_are_remembered),
        cmocka_unit_test(a_clock_set_back_does_not_open_the_gates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
