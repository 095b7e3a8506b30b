/* SPDX-License-Identifier: MIT */
/* test_budget.c - no 24 hours bring more than was allowed, and the reserve is for the extreme. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "decide/budget.h"
#include "random.h"

#define HOUR INT64_C(3600000000)
#define DAY  (24 * HOUR)
#define T0   (INT64_C(1700000000) * 1000000)

static struct budget_conf conf_of(double per_day)
{
    return (struct budget_conf){.per_day = per_day, .p = 1e-5, .extreme = 1e-9};
}

/* Incidents at random moments of 60 days, some in bursts: the most that any 24 hours bring. */
static unsigned most_in_a_day(double per_day, uint64_t seed, unsigned *sent)
{
    enum { MAX = 100000 };
    static int64_t at[MAX];
    const struct budget_conf conf = conf_of(per_day);
    struct budget budget = {0};
    struct rng rng = {seed};
    unsigned most = 0, first = 0;
    int64_t now = T0;
    *sent = 0;
    while (now < T0 + 60 * DAY) {
        double pace = rng_below(&rng, 100) == 0 ? 3e10 : 2e8; /* pauses of hours among minutes */
        now += (int64_t)(pace * rng_exponential(&rng));
        double p = pow(10, -5 - 8 * rng_uniform(&rng));
        if (!budget_take(&budget, &conf, p, now))
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
    static const double per_day[] = {1, 2, 3, 5, 8, 20, 100};
    for (size_t i = 0; i < sizeof per_day / sizeof *per_day; i++)
        for (uint64_t seed = 1; seed <= 5; seed++) {
            unsigned sent;
            assert_true(most_in_a_day(per_day[i], seed, &sent) <= per_day[i]);
            assert_true(sent >= 60 * per_day[i] / 2 * 0.8); /* and what is allowed is used */
        }
}

static void a_budget_of_zero_sends_nothing(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(0);
    struct budget budget = {0};
    for (int64_t day = 0; day < 100; day++)
        assert_false(budget_take(&budget, &conf, 1e-300, T0 + day * DAY));
}

static void the_first_incident_is_sent_whatever_the_budget(void **state)
{
    (void)state;
    static const double per_day[] = {0.1, 1, 2, 20, 1000};
    for (size_t i = 0; i < sizeof per_day / sizeof *per_day; i++) {
        const struct budget_conf conf = conf_of(per_day[i]);
        struct budget budget = {0};
        assert_true(budget_take(&budget, &conf, 9.9e-6, T0));
    }
}

/* 20 a day hold ten tokens: the extreme may have all ten, others seven (2.5 stay in reserve). */
static void the_last_quarter_is_for_the_extreme(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    struct budget budget = {0};
    unsigned sent = 0;
    for (unsigned i = 0; i < 50; i++) /* as unusual as one can be without being extreme */
        sent += budget_take(&budget, &conf, 1.1e-9, T0);
    assert_int_equal(sent, 7);
    for (unsigned i = 0; i < 50; i++)
        sent += budget_take(&budget, &conf, 1e-12, T0);
    assert_int_equal(sent, 10);
}

static void the_emptier_the_more_extreme_it_must_be(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    struct budget budget = {0};
    assert_true(budget_take(&budget, &conf, 1e-5, T0));
    assert_false(budget_take(&budget, &conf, 1e-5, T0)); /* nine of ten: the limit is 4e-6 */
    assert_true(budget_take(&budget, &conf, 3.9e-6, T0));
    assert_false(budget_take(&budget, &conf, 2e-6, T0)); /* eight: 1.6e-6 */
    assert_true(budget_take(&budget, &conf, 1.5e-6, T0));
}

static void a_token_comes_back_in_its_time(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    struct budget budget = {0};
    for (unsigned i = 0; i < 10; i++)
        assert_true(budget_take(&budget, &conf, 1e-12, T0));
    assert_true(budget_left(&budget, &conf) < 1e-9);
    assert_false(budget_take(&budget, &conf, 1e-12, T0 + DAY / 10 - HOUR / 60));
    assert_true(budget_take(&budget, &conf, 1e-12, T0 + DAY / 10 + 1)); /* ten a day */
    assert_false(budget_take(&budget, &conf, 1e-12, T0 + DAY / 10 + 2));
}

static void a_quiet_year_saves_up_no_more_than_half_a_day(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    struct budget budget = {0};
    assert_true(budget_take(&budget, &conf, 1e-12, T0));
    unsigned sent = 0;
    for (unsigned i = 0; i < 50; i++)
        sent += budget_take(&budget, &conf, 1e-12, T0 + 365 * DAY);
    assert_int_equal(sent, 10);
}

static void time_that_goes_back_gives_no_tokens(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    struct budget budget = {0};
    for (unsigned i = 0; i < 10; i++)
        assert_true(budget_take(&budget, &conf, 1e-12, T0));
    for (int64_t hour = 0; hour <= 24; hour++)
        assert_false(budget_take(&budget, &conf, 1e-12, T0 - hour * HOUR));
    assert_false(budget_take(&budget, &conf, 1e-12, T0 + 1));
}

static void a_clock_set_back_for_good_does_not_stop_the_refill(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    struct budget budget = {0};
    for (unsigned i = 0; i < 10; i++)
        assert_true(budget_take(&budget, &conf, 1e-12, T0 + 50 * DAY));
    assert_false(budget_take(&budget, &conf, 1e-12, T0));
    assert_true(budget_take(&budget, &conf, 1e-12, T0 + DAY));
}

static void what_is_left_is_told(void **state)
{
    (void)state;
    const struct budget_conf conf = conf_of(20);
    struct budget budget = {0};
    assert_true(budget_left(&budget, &conf) == 10);
    assert_true(budget_take(&budget, &conf, 1e-12, T0));
    assert_true(budget_left(&budget, &conf) == 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_24_hours_bring_more_than_the_budget),
        cmocka_unit_test(a_budget_of_zero_sends_nothing),
        cmocka_unit_test(the_first_incident_is_sent_whatever_the_budget),
        cmocka_unit_test(the_last_quarter_is_for_the_extreme),
        cmocka_unit_test(the_emptier_the_more_extreme_it_must_be),
        cmocka_unit_test(a_token_comes_back_in_its_time),
        cmocka_unit_test(a_quiet_year_saves_up_no_more_than_half_a_day),
        cmocka_unit_test(time_that_goes_back_gives_no_tokens),
        cmocka_unit_test(a_clock_set_back_for_good_does_not_stop_the_refill),
        cmocka_unit_test(what_is_left_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
