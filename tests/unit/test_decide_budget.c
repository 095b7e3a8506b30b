/* SPDX-License-Identifier: MIT */
/* test_decide_budget.c - which incidents are sent, and which withheld. */
#include <math.h>

#include "deciding.h"
#include "random.h"

static void with_a_budget_of_zero_all_are_withheld_and_counted(void **state)
{
    struct fixture *f = *state;
    f->conf.per_day = 0;
    for (unsigned i = 0; i < 50; i++)
        (void)evidence(f, i, i, TAIL, 1e-100, 1);
    assert_int_equal(f->decide->counts.incidents[TAIL], 0);
    assert_int_equal(f->decide->counts.withheld[TAIL], 50);
    assert_int_equal(f->events, 50);
    for (size_t i = 0; i < 50; i++)
        assert_true(f->event[i].withheld);
}

static void a_withheld_incident_is_sent_when_there_is_room_again(void **state)
{
    struct fixture *f = *state;
    f->conf.quiet_us = 48 * 3600 * US;
    for (unsigned i = 0; i < 21; i++)
        (void)evidence(f, i, i, TAIL, 1e-100, 1);
    assert_true(f->event[20].withheld);
    assert_int_equal(f->decide->counts.withheld[TAIL], 1);
    (void)evidence(f, 86410, 99, TAIL, 1, 1);      /* bears out the step in time */
    (void)evidence(f, 86410, 20, TAIL, 1e-100, 1); /* the first ones are a day old */
    assert_int_equal(f->events, 22);
    assert_int_equal(f->event[21].state, EDDY_INCIDENT_NEW);
    assert_false(f->event[21].withheld);
    assert_string_equal(f->event[21].id, f->event[20].id);
    assert_int_equal(f->event[21].flows, 2);
}

/* It grew extreme and was over within a minute: it is sent then, or when there is next a look. */
static void a_withheld_incident_needs_no_new_evidence_to_be_sent(void **state)
{
    struct fixture *f = *state;
    f->conf.per_day = 4; /* the last of them for the extreme */
    for (unsigned i = 0; i < 3; i++)
        (void)evidence(f, i, i, TAIL, 1e-100, 1);
    (void)evidence(f, 3, 3, TAIL, 1.5e-10, 1); /* 1.2e-9 with eight detectors: not extreme */
    assert_true(f->event[3].withheld);
    (void)evidence(f, 4, 3, TAIL, 1e-10, 1);
    assert_int_equal(f->events, 5);
    assert_false(f->event[4].withheld);
    (void)evidence(f, 5, 4, TAIL, 1e-100, 1); /* none is left */
    assert_true(f->event[5].withheld);
    f->conf.quiet_us = 48 * 3600 * US;
    (void)evidence(f, 86500, 99, TAIL, 1, 1);
    (void)evidence(f, 86600, 99, TAIL, 1, 1); /* a day later there is room */
    assert_int_equal(f->decide->counts.incidents[TAIL], 5);
}

/* Random evidence of 300 hosts for ten days. */
static void under_stress_no_24_hours_bring_more_than_20(void **state)
{
    struct fixture *f = *state;
    struct rng rng = {1};
    static int64_t sent[EVENTS];
    size_t count = 0, first = 0;
    double now_s = 0;
    while (now_s < 10 * 86400.0) {
        now_s += 120 * rng_exponential(&rng);
        (void)evidence(f, now_s, (unsigned)rng_below(&rng, 300), rng_below(&rng, 2) ? TAIL : FANOUT,
                       pow(10, -3 - 12 * rng_uniform(&rng)), 1 + (double)rng_below(&rng, 20));
    }
    uint64_t withheld = 0;
    for (size_t i = 0; i < f->events; i++) {
        if (f->event[i].state != EDDY_INCIDENT_NEW)
            continue;
        withheld += f->event[i].withheld;
        if (f->event[i].withheld)
            continue;
        sent[count++] = f->event[i].now_us;
        while (sent[first] <= f->event[i].now_us - 86400 * US)
            first++;
        assert_true(count - first <= 20);
    }
    assert_true(count >= 120); /* and most of what is allowed is used */
    assert_int_equal(count,
                     f->decide->counts.incidents[TAIL] + f->decide->counts.incidents[FANOUT]);
    assert_int_equal(withheld,
                     f->decide->counts.withheld[TAIL] + f->decide->counts.withheld[FANOUT]);
    assert_true(withheld > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(with_a_budget_of_zero_all_are_withheld_and_counted),
        TEST(a_withheld_incident_is_sent_when_there_is_room_again),
        TEST(a_withheld_incident_needs_no_new_evidence_to_be_sent),
        TEST(under_stress_no_24_hours_bring_more_than_20),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
