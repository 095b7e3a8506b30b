/* SPDX-License-Identifier: MIT */
/* test_decide.c - evidence becomes incidents: opened once, grown, closed, within the budget. */
#include <math.h>

#include "deciding.h"
#include "state/host.h"
#include "util/hash.h"

static void what_is_usual_opens_nothing(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(evidence(f, i, i % 5, TAIL, 1e-3, 1), 0);
    assert_int_equal(f->events, 0);
    assert_int_equal(f->decide->counts.open, 0);
}

static void one_extreme_flow_opens_an_incident_with_all_in_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(evidence(f, 0, 1, TAIL, 1e-8, 1), EDDY_IN_INCIDENT);
    assert_int_equal(f->events, 1);
    assert_int_equal(f->event[0].state, EDDY_INCIDENT_NEW);
    assert_false(f->event[0].withheld);
    assert_int_equal(f->event[0].detector, detector_named("tail"));
    assert_int_equal(f->event[0].flows, 1);
    /* as many detectors looked */
    assert_true(fabs(f->event[0].p / (1e-8 * (double)f->p->score->looking) - 1) < 1e-6);
    assert_int_equal(f->event[0].flow_ids, 1);
    assert_true(f->event[0].reasons >= 1);
    assert_non_null(strstr(f->event[0].summary, "10.1.0.2"));
    assert_int_equal(strlen(f->event[0].id), 16);
    assert_int_equal(f->decide->counts.incidents[TAIL], 1);
    assert_int_equal(f->decide->counts.open, 1);
}

/* 1e-7 seen in the best of 1000 looks is worth 1e-4 only. */
static void many_looks_need_a_lower_p(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(evidence(f, 0, 1, TAIL, 1e-7, 1000), 0);
    assert_int_equal(evidence(f, 1, 1, TAIL, 1e-9, 1000), EDDY_IN_INCIDENT);
}

static void more_evidence_grows_the_incident_and_does_not_repeat_it(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(evidence(f, i, 1, TAIL, 1e-8, 1), EDDY_IN_INCIDENT);
    assert_int_equal(f->decide->counts.incidents[TAIL], 1);
    assert_int_equal(f->decide->counts.flows[TAIL], 1000);
    uint64_t flows = 16;
    assert_int_equal(f->events, 1 + 6); /* new, then 16, 32, ... 512 */
    for (size_t i = 1; i < f->events; i++, flows *= 2) {
        assert_int_equal(f->event[i].state, EDDY_INCIDENT_GROWING);
        assert_int_equal(f->event[i].flows, flows);
        assert_string_equal(f->event[i].id, f->event[0].id);
    }
}

static void weaker_evidence_joins_but_does_not_open(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(evidence(f, 0, 1, TAIL, 1e-4, 1), 0);
    (void)evidence(f, 1, 1, TAIL, 1e-8, 1);
    assert_int_equal(evidence(f, 2, 1, TAIL, 1e-4, 1), EDDY_IN_INCIDENT);
    assert_int_equal(evidence(f, 3, 1, TAIL, 2e-3, 1), 0);
    assert_int_equal(evidence(f, 4, 2, TAIL, 1e-4, 1), 0);   /* another host */
    assert_int_equal(evidence(f, 5, 1, FANOUT, 1e-4, 1), 0); /* another detector */
    assert_int_equal(f->decide->counts.flows[TAIL], 2);
}

static void an_incident_closes_after_four_quiet_hours(void **state)
{
    struct fixture *f = *state;
    (void)evidence(f, 0, 1, TAIL, 1e-8, 1);
    (void)evidence(f, 4 * 3600 - 1, 2, TAIL, 0.5, 1);
    assert_int_equal(f->events, 1);
    (void)evidence(f, 4 * 3600 + 70, 2, TAIL, 0.5, 1);
    assert_int_equal(f->events, 2);
    assert_int_equal(f->event[1].state, EDDY_INCIDENT_CLOSED);
    assert_string_equal(f->event[1].id, f->event[0].id);
    assert_int_equal(f->decide->counts.open, 0);
    (void)evidence(f, 4 * 3600 + 80, 1, TAIL, 1e-8, 1);
    assert_int_equal(f->event[2].state, EDDY_INCIDENT_NEW);
    assert_string_not_equal(f->event[2].id, f->event[0].id);
}

static void evidence_that_keeps_coming_keeps_it_open(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 10; i++)
        (void)evidence(f, 3.5 * 3600 * i, 1, TAIL, 1e-8, 1);
    assert_int_equal(f->events, 1);
    assert_int_equal(f->decide->counts.open, 1);
}

static void at_the_end_all_are_closed_once(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 5; i++)
        (void)evidence(f, i, i, TAIL, 1e-12, 1);
    decide_end(f->decide);
    decide_end(f->decide);
    assert_int_equal(f->events, 10);
    for (size_t i = 5; i < 10; i++)
        assert_int_equal(f->event[i].state, EDDY_INCIDENT_CLOSED);
    assert_int_equal(f->decide->counts.open, 0);
    (void)evidence(f, 10, 1, TAIL, 1e-12, 1); /* a host that still points at a closed one */
    assert_int_equal(f->event[10].state, EDDY_INCIDENT_NEW);
}

static void severity_follows_p_and_two_detectors_agreeing_are_high(void **state)
{
    struct fixture *f = *state;
    (void)evidence(f, 0, 1, TAIL, 1e-6, 1);
    assert_int_equal(f->event[0].severity, EDDY_LOW);
    (void)evidence(f, 1, 2, TAIL, 1.2e-8, 1); /* below 1e-7, the middle of 1e-5 and 1e-9 */
    assert_int_equal(f->event[1].severity, EDDY_MEDIUM);
    (void)evidence(f, 2, 3, TAIL, 1e-10, 1);
    assert_int_equal(f->event[2].severity, EDDY_HIGH);
    (void)evidence(f, 3, 1, FANOUT, 1e-7, 1);
    assert_int_equal(f->event[3].severity, EDDY_HIGH); /* of host 1, which had a low one */
}

static void the_same_flows_give_the_same_ids(void **state)
{
    struct fixture *f = *state;
    void *other = NULL;
    assert_int_equal(setup(&other), 0);
    struct fixture *g = other;
    for (unsigned i = 0; i < 8; i++) {
        (void)evidence(f, i, i % 4, i / 4, 1e-12, 1);
        (void)evidence(g, i, i % 4, i / 4, 1e-12, 1);
    }
    assert_int_equal(f->events, 8);
    for (size_t i = 0; i < f->events; i++) {
        assert_string_equal(f->event[i].id, g->event[i].id);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(f->event[i].id, f->event[j].id);
    }
    (void)teardown(&other);
}

/* What is open is not closed and opened in turns: one more has a place only if it is more unusual
 * than one that was not sent. */
static void a_full_pool_makes_way_for_the_more_unusual(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < INCIDENTS_OPEN; i++)
        assert_int_equal(evidence(f, i, i, TAIL, 1e-100, 1), EDDY_IN_INCIDENT);
    assert_int_equal(f->decide->counts.open, INCIDENTS_OPEN);
    size_t events = f->events;
    assert_int_equal(evidence(f, 2000, 1500, TAIL, 1e-100, 1), 0);
    assert_int_equal(f->events, events);
    assert_int_equal(f->decide->counts.no_place, 1);
    assert_int_equal(evidence(f, 2001, 1501, TAIL, 1e-200, 1), EDDY_IN_INCIDENT);
    assert_int_equal(f->decide->counts.open, INCIDENTS_OPEN);
    assert_int_equal(f->event[events].state, EDDY_INCIDENT_CLOSED);
    assert_true(f->event[events].withheld);
    assert_int_equal(f->event[events + 1].state, EDDY_INCIDENT_NEW);
    assert_int_equal(evidence(f, 2002, 5, TAIL, 1e-100, 1),
                     EDDY_IN_INCIDENT); /* a sent one goes on */
}

/* A sensor five hours behind the others: its incident is not over because its flows are old. */
static void an_incident_of_late_flows_goes_on(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++) /* borne out */
        (void)evidence(f, 5 * 3600 + i * 0.1, 1, TAIL, 0.5, 1);
    for (unsigned minute = 0; minute < 60; minute++) {
        (void)evidence(f, minute * 60, 2, TAIL, 1e-12, 1);
        (void)evidence(f, 5 * 3600 + minute * 60 + 1, 1, TAIL, 0.5, 1);
    }
    assert_int_equal(f->decide->counts.incidents[TAIL], 1);
    assert_int_equal(f->decide->counts.open, 1);
}

/* decide.join = 1 lets everything join, but not what no detector has spoken of. */
static void a_detector_that_said_nothing_is_no_evidence(void **state)
{
    struct fixture *f = *state;
    f->conf.join = 1;
    f->conf.p = 1;
    (void)evidence(f, 0, 1, TAIL, 0.9, 1);
    assert_int_equal(f->decide->counts.flows[TAIL], 1);
    assert_int_equal(f->decide->counts.flows[FANOUT], 0);
    assert_int_equal(f->decide->counts.open, 1);
}

/* 1000 hosts in ten minutes are 144,500 windows a day: one false alarm a day is a p of 6.9e-6. */
static void a_large_network_needs_a_lower_p(void **state)
{
    struct fixture *f = *state;
    f->conf.p = 1e-4;
    f->conf.false_per_day = 1;
    double looks = (double)f->p->score->looking; /* detectors */
    assert_int_equal(evidence(f, 0, 1, TAIL, 0.9e-4 / looks, 1), EDDY_IN_INCIDENT);
    for (unsigned i = 2; i <= 1000; i++)
        (void)evidence(f, i * 0.5, i, TAIL, 0.5, 1);
    assert_false(f->event[0].withheld);
    (void)evidence(f, 501, 2, TAIL, 7.5e-6 / looks, 1);
    assert_int_equal(f->events, 2);
    assert_true(f->event[1].withheld);
    (void)evidence(f, 502, 3, TAIL, 6.5e-6 / looks, 1);
    assert_int_equal(f->events, 3);
    assert_false(f->event[2].withheld);
}

/* Quiet is told once, after a quarter of decide.quiet (4 h); new evidence ends it. */
static void an_incident_falls_quiet_and_goes_on(void **state)
{
    struct fixture *f = *state;
    (void)evidence(f, 0, 1, TAIL, 1e-12, 1);
    (void)evidence(f, 3500, 2, TAIL, 0.5, 1);
    assert_int_equal(f->quiet, 0);
    for (unsigned minute = 62; minute < 120; minute += 10)
        (void)evidence(f, minute * 60, 2, TAIL, 0.5, 1);
    assert_int_equal(f->quiet, 1);
    assert_int_equal(f->events, 1);
    (void)evidence(f, 7300, 1, TAIL, 1e-6, 1);
    assert_int_equal(f->events, 2);
    assert_int_equal(f->event[1].state, EDDY_INCIDENT_GROWING);
    assert_string_equal(f->event[1].id, f->event[0].id);
}

/* What a rule covers is an incident of its own: counted and told, but never sent. */
static void suppressed_evidence_is_kept_apart(void **state)
{
    struct fixture *f = *state;
    f->rule = "rule-1";
    assert_int_equal(evidence(f, 0, 1, TAIL, 1e-12, 1), 0);
    assert_int_equal(f->p->row.verdict.flags & EDDY_SUPPRESSED, EDDY_SUPPRESSED);
    assert_int_equal(f->decide->counts.suppressed[TAIL], 1);
    assert_int_equal(f->decide->counts.suppressed_flows[TAIL], 1);
    assert_int_equal(f->decide->counts.withheld[TAIL], 0);
    assert_true(f->event[0].withheld);
    assert_string_equal(f->event[0].suppressed_by, "rule-1");
    f->rule = NULL;
    assert_int_equal(evidence(f, 1, 1, TAIL, 1e-12, 1), EDDY_IN_INCIDENT);
    assert_int_equal(f->decide->counts.incidents[TAIL], 1);
    assert_int_equal(f->decide->counts.open, 2);
    assert_false(f->event[1].withheld);
    assert_string_equal(f->event[1].suppressed_by, "");
}

/* A flood is about its victim. */
static void evidence_may_be_about_the_destination(void **state)
{
    struct fixture *f = *state;
    uint8_t victim[16];
    address_of("203.0.113.1", victim);
    f->of_destination = true;
    (void)evidence(f, 0, 1, TAIL, 1e-12, 1);
    (void)evidence(f, 1, 2, TAIL, 1e-12, 1);
    assert_int_equal(f->decide->counts.open, 1);
    assert_memory_equal(f->event[0].host, victim, 16);
}

/* ---- what joins, and what is told ---- */

/* 5e-4 as the best of 1000 looks is nothing: a busy host must not keep its incident open. */
static void what_many_looks_explain_does_not_keep_an_incident_open(void **state)
{
    struct fixture *f = *state;
    (void)evidence(f, 0, 1, TAIL, 1e-12, 1);
    for (unsigned minute = 10; minute < 300; minute += 10)
        assert_int_equal(evidence(f, minute * 60, 1, TAIL, 5e-4, 1000), 0);
    assert_int_equal(f->decide->counts.flows[TAIL], 1);
    assert_int_equal(f->decide->counts.open, 0);
    assert_int_equal(f->events, 2);
    assert_int_equal(f->event[1].state, EDDY_INCIDENT_CLOSED);
    assert_int_equal(f->event[1].end_us, f->event[0].end_us);
}

static void a_hundredth_of_p_or_a_graver_severity_is_told_as_growth(void **state)
{
    struct fixture *f = *state;
    static const struct {
        double p;
        size_t events;
        int severity;
    } steps[] = {{1e-6, 1, EDDY_LOW},      {5e-7, 1, EDDY_LOW},    {1.2e-8, 2, EDDY_MEDIUM},
                 {1.1e-8, 2, EDDY_MEDIUM}, {1e-10, 3, EDDY_HIGH},  {2e-12, 3, EDDY_HIGH},
                 {0.9e-12, 4, EDDY_HIGH},  {0.8e-12, 4, EDDY_HIGH}};
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        (void)evidence(f, i, 1, TAIL, steps[i].p, 1);
        assert_int_equal(f->events, steps[i].events);
        if (i > 0 && steps[i].events == steps[i - 1].events)
            continue;
        assert_int_equal(f->event[f->events - 1].severity, steps[i].severity);
        assert_int_equal(f->event[f->events - 1].flows, i + 1);
        assert_int_equal(f->event[f->events - 1].state,
                         i == 0 ? EDDY_INCIDENT_NEW : EDDY_INCIDENT_GROWING);
    }
}

/* High while two detectors agree, and still when the other one's incident has closed. */
static void severity_never_falls(void **state)
{
    struct fixture *f = *state;
    (void)evidence(f, 0, 1, FANOUT, 1e-6, 1);
    (void)evidence(f, 1, 1, TAIL, 1e-6, 1);
    assert_int_equal(f->event[1].severity, EDDY_HIGH);
    for (unsigned hour = 1; hour <= 6; hour++)
        (void)evidence(f, hour * 3600, 1, TAIL, 1e-6, 1);
    assert_int_equal(f->decide->counts.open, 1);
    decide_end(f->decide);
    for (size_t i = 2; i < f->events; i++)
        if (f->event[i].detector == TAIL)
            assert_int_equal(f->event[i].severity, EDDY_HIGH);
    assert_int_equal(f->event[f->events - 1].detector, TAIL);
}

static void an_evicted_host_finds_its_open_incident_again(void **state)
{
    struct fixture *f = *state;
    (void)evidence(f, 0, 1, TAIL, 1e-8, 1);
    uint8_t address[16];
    address_of(numbered("10.1", 1), address);
    uint64_t hash = hash_address(address, f->p->state->seed);
    assert_non_null(table_find(&f->p->state->hosts, hash, address));
    for (unsigned i = 0; i < 30000; i++) {
        eddy_flow flow = flow_at(1 + i * 0.01, numbered("10.2", i), "203.0.113.1", 443);
        (void)pipeline_pass(f->p, &flow);
    }
    assert_null(table_find(&f->p->state->hosts, hash, address));
    assert_int_equal(evidence(f, 400, 1, TAIL, 1e-8, 1), EDDY_IN_INCIDENT);
    assert_int_equal(evidence(f, 401, 1, TAIL, 1e-4, 1), EDDY_IN_INCIDENT); /* it is known again */
    assert_int_equal(f->events, 1);
    assert_int_equal(f->decide->counts.open, 1);
    decide_end(f->decide);
    assert_int_equal(f->events, 2);
    assert_string_equal(f->event[1].id, f->event[0].id);
    assert_int_equal(f->event[1].flows, 3);
}

static void a_clock_far_ahead_is_not_in_an_incidents_times(void **state)
{
    struct fixture *f = *state;
    (void)evidence(f, 0, 9, TAIL, 1, 1);
    (void)evidence(f, 1, 1, TAIL, 1e-8, 1);
    (void)evidence(f, 10 * 86400, 1, TAIL, 1e-8, 1); /* joins */
    (void)evidence(f, 3, 9, TAIL, 1, 1);             /* refutes it */
    (void)evidence(f, 11 * 86400, 2, TAIL, 1e-8, 1); /* opens another */
    (void)evidence(f, 4 * 3600 - 60, 9, TAIL, 1, 1);
    (void)evidence(f, 4 * 3600 - 60, 9, TAIL, 1, 1);
    assert_int_equal(f->decide->counts.open, 2);
    (void)evidence(f, 4 * 3600 + 120, 9, TAIL, 1, 1);
    assert_int_equal(f->decide->counts.open, 0); /* both have been quiet since */
    for (size_t i = 0; i < f->events; i++)
        assert_in_range(f->event[i].end_us, T0 * US, (T0 + 10) * US);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_usual_opens_nothing),
        TEST(one_extreme_flow_opens_an_incident_with_all_in_it),
        TEST(many_looks_need_a_lower_p),
        TEST(more_evidence_grows_the_incident_and_does_not_repeat_it),
        TEST(weaker_evidence_joins_but_does_not_open),
        TEST(an_incident_closes_after_four_quiet_hours),
        TEST(evidence_that_keeps_coming_keeps_it_open),
        TEST(at_the_end_all_are_closed_once),
        TEST(severity_follows_p_and_two_detectors_agreeing_are_high),
        TEST(the_same_flows_give_the_same_ids),
        TEST(a_full_pool_makes_way_for_the_more_unusual),
        TEST(an_incident_of_late_flows_goes_on),
        TEST(a_large_network_needs_a_lower_p),
        TEST(an_incident_falls_quiet_and_goes_on),
        TEST(suppressed_evidence_is_kept_apart),
        TEST(evidence_may_be_about_the_destination),
        TEST(a_detector_that_said_nothing_is_no_evidence),
        TEST(what_many_looks_explain_does_not_keep_an_incident_open),
        TEST(a_hundredth_of_p_or_a_graver_severity_is_told_as_growth),
        TEST(severity_never_falls),
        TEST(an_evicted_host_finds_its_open_incident_again),
        TEST(a_clock_far_ahead_is_not_in_an_incidents_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
