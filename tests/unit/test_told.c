/* SPDX-License-Identifier: MIT */
/* test_told.c - which incidents are worth a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugins/common/told.c"

#define MINUTE 60000

static struct told *told;

static int setup(void **state)
{
    (void)state;
    told = told_new();
    told_limit(told, 1000);
    return told == NULL;
}

static int teardown(void **state)
{
    (void)state;
    told_free(told);
    return 0;
}

static eddy_incident incident(const char *id, const char *detector, int state)
{
    return (eddy_incident){.id = id,
                           .detector = detector,
                           .technique = "T1046",
                           .host_country = "",
                           .peer_country = "DE",
                           .severity = EDDY_LOW,
                           .state = state,
                           .summary = "a host scans"};
}

static void happens(const char *id, const char *detector, int state, int64_t now_ms)
{
    eddy_incident i = incident(id, detector, state);
    told_incident(told, &i, now_ms);
}

static void next_is(enum told_what what, const char *text)
{
    struct notice n;
    assert_int_equal(told_next(told, &n), what);
    if (what == TOLD_INCIDENT)
        assert_string_equal(n.id, text);
    if (what == TOLD_QUIET)
        assert_string_equal(n.detector, text);
}

static void a_new_incident_is_told_once(void **state)
{
    (void)state;
    happens("1", "fanout", EDDY_INCIDENT_NEW, 1);
    happens("1", "fanout", EDDY_INCIDENT_GROWING, 2);
    next_is(TOLD_INCIDENT, "1");
    next_is(TOLD_NOTHING, NULL);
}

static void all_of_it_is_copied(void **state)
{
    (void)state;
    static const eddy_reason reasons[] = {
        {.text = "one"}, {.text = "two"}, {.text = "3"}, {.text = "4"}};
    eddy_incident i = incident("1", "fanout", EDDY_INCIDENT_NEW);
    struct notice n;
    i.host[10] = i.host[11] = 0xff;
    i.host[12] = 10;
    i.host[15] = 7;
    i.peer_port = 443;
    i.flows = 12;
    i.p = 1e-6;
    i.start_us = 1500000;
    i.reasons = reasons;
    i.reason_count = 4;
    told_incident(told, &i, 1);
    assert_int_equal(told_next(told, &n), TOLD_INCIDENT);
    assert_string_equal(n.host, "10.0.0.7");
    assert_string_equal(n.peer, "");
    assert_string_equal(n.peer_country, "DE");
    assert_string_equal(n.technique, "T1046");
    assert_string_equal(n.summary, "a host scans");
    assert_string_equal(n.reasons[2], "3");
    assert_int_equal(n.peer_port, 443);
    assert_int_equal(n.flows, 12);
    assert_true(n.p == 1e-6 && n.start == 1.5);
}

static void what_gets_graver_is_told_again(void **state)
{
    (void)state;
    eddy_incident i = incident("1", "fanout", EDDY_INCIDENT_NEW);
    struct notice n;
    told_incident(told, &i, 1);
    i.state = EDDY_INCIDENT_GROWING;
    i.severity = EDDY_HIGH;
    told_incident(told, &i, 2);
    told_incident(told, &i, 3);
    i.severity = EDDY_MEDIUM;
    told_incident(told, &i, 4);
    assert_int_equal(told_next(told, &n), TOLD_INCIDENT);
    assert_int_equal(n.severity, EDDY_LOW);
    assert_int_equal(told_next(told, &n), TOLD_INCIDENT);
    assert_int_equal(n.severity, EDDY_HIGH);
    next_is(TOLD_NOTHING, NULL);
}

static void what_is_withheld_is_not_told(void **state)
{
    (void)state;
    eddy_incident i = incident("1", "fanout", EDDY_INCIDENT_NEW);
    i.withheld = 1;
    told_incident(told, &i, 1);
    next_is(TOLD_NOTHING, NULL);
    i.withheld = 0; /* there was room in the budget later */
    told_incident(told, &i, 2);
    next_is(TOLD_INCIDENT, "1");
}

static void quiet_is_when_the_last_one_is_closed(void **state)
{
    (void)state;
    happens("1", "fanout", EDDY_INCIDENT_NEW, 1);
    happens("2", "fanout", EDDY_INCIDENT_NEW, 1);
    happens("3", "beacon", EDDY_INCIDENT_NEW, 1);
    next_is(TOLD_INCIDENT, "1");
    next_is(TOLD_INCIDENT, "2");
    next_is(TOLD_INCIDENT, "3");
    happens("1", "fanout", EDDY_INCIDENT_CLOSED, 2);
    next_is(TOLD_NOTHING, NULL);
    happens("2", "fanout", EDDY_INCIDENT_QUIET, 2); /* it may go on */
    next_is(TOLD_NOTHING, NULL);
    happens("2", "fanout", EDDY_INCIDENT_CLOSED, 2);
    next_is(TOLD_QUIET, "fanout");
    next_is(TOLD_NOTHING, NULL);
    happens("4", "fanout", EDDY_INCIDENT_NEW, 3);
    happens("4", "fanout", EDDY_INCIDENT_CLOSED, 4);
    next_is(TOLD_INCIDENT, "4"); /* in this order */
    next_is(TOLD_QUIET, "fanout");
}

static void what_was_not_told_is_not_told_to_be_over(void **state)
{
    (void)state;
    happens("1", "fanout", EDDY_INCIDENT_CLOSED, 1);
    next_is(TOLD_NOTHING, NULL);
}

static void after_a_stop_nothing_is_over(void **state)
{
    (void)state;
    happens("1", "fanout", EDDY_INCIDENT_NEW, 1);
    happens("2", "fanout", EDDY_INCIDENT_NEW, 1);
    happens("1", "fanout", EDDY_INCIDENT_CLOSED, 1);
    told_stop(told);
    happens("2", "fanout", EDDY_INCIDENT_CLOSED, 2);
    happens("3", "fanout", EDDY_INCIDENT_NEW, 2);
    next_is(TOLD_INCIDENT, "1"); /* what waits is sent */
    next_is(TOLD_INCIDENT, "2");
    next_is(TOLD_NOTHING, NULL);
}

static void no_more_than_the_limit_a_minute(void **state)
{
    (void)state;
    struct told_counts counts;
    told_limit(told, 2);
    happens("1", "fanout", EDDY_INCIDENT_NEW, MINUTE);
    happens("2", "fanout", EDDY_INCIDENT_NEW, MINUTE);
    happens("3", "fanout", EDDY_INCIDENT_NEW, MINUTE + 1000);
    happens("4", "fanout", EDDY_INCIDENT_NEW, MINUTE + 31000);
    happens("5", "fanout", EDDY_INCIDENT_NEW, MINUTE + 31000);
    next_is(TOLD_INCIDENT, "1");
    next_is(TOLD_INCIDENT, "2");
    next_is(TOLD_INCIDENT, "4");
    next_is(TOLD_NOTHING, NULL);
    told_counts(told, &counts);
    assert_int_equal(counts.sent, 3);
    assert_int_equal(counts.limited, 2);
    happens("3", "fanout", EDDY_INCIDENT_GROWING, 3 * MINUTE); /* goes on: now there is room */
    next_is(TOLD_INCIDENT, "3");
    next_is(TOLD_NOTHING, NULL);
}

static void what_is_due_is_counted_once(void **state)
{
    (void)state;
    struct told_counts counts;
    eddy_incident i = incident("1", "fanout", EDDY_INCIDENT_NEW);
    told_limit(told, 1);
    told_incident(told, &i, MINUTE);
    i.state = EDDY_INCIDENT_GROWING;
    i.severity = EDDY_HIGH;
    told_incident(told, &i, MINUTE + 1); /* a rise, left out */
    told_incident(told, &i, MINUTE + 2); /* no other one */
    told_counts(told, &counts);
    assert_int_equal(counts.limited, 1);
    told_incident(told, &i, 3 * MINUTE); /* there is room: told late */
    told_incident(told, &i, 5 * MINUTE);
    next_is(TOLD_INCIDENT, "1");
    next_is(TOLD_INCIDENT, "1");
    next_is(TOLD_NOTHING, NULL);
    told_counts(told, &counts);
    assert_int_equal(counts.sent, 2);
    assert_int_equal(counts.limited, 1);
}

static void what_was_left_out_is_not_waited_for(void **state)
{
    (void)state;
    told_limit(told, 1);
    happens("1", "fanout", EDDY_INCIDENT_NEW, MINUTE);
    happens("2", "fanout", EDDY_INCIDENT_NEW, MINUTE);
    next_is(TOLD_INCIDENT, "1");
    happens("1", "fanout", EDDY_INCIDENT_CLOSED, MINUTE);
    next_is(TOLD_QUIET, "fanout");
    happens("2", "fanout", EDDY_INCIDENT_CLOSED, MINUTE);
    next_is(TOLD_NOTHING, NULL);
}

static void an_hour_of_peace_saves_nothing_up(void **state)
{
    (void)state;
    struct told_counts counts;
    told_limit(told, 1);
    happens("1", "fanout", EDDY_INCIDENT_NEW, MINUTE);
    happens("2", "fanout", EDDY_INCIDENT_NEW, 60 * MINUTE);
    happens("3", "fanout", EDDY_INCIDENT_NEW, 60 * MINUTE);
    told_counts(told, &counts);
    assert_int_equal(counts.limited, 1);
}

static void a_full_ring_is_counted(void **state)
{
    (void)state;
    struct told_counts counts;
    char id[8];
    for (int i = 0; i < TOLD_RING + 5; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        happens(id, "fanout", EDDY_INCIDENT_NEW, 1);
    }
    told_counts(told, &counts);
    assert_int_equal(counts.dropped, 5);
    assert_int_equal(told_waiting(told), TOLD_RING);
    next_is(TOLD_INCIDENT, "0");
    assert_int_equal(told_waiting(told), TOLD_RING - 1);
}

static void more_than_it_can_remember_are_told_once(void **state)
{
    (void)state;
    char id[8];
    for (int i = 0; i < TOLD_OPEN + 10; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        happens(id, "fanout", EDDY_INCIDENT_NEW, 1);
        next_is(TOLD_INCIDENT, id);
    }
    for (int i = 0; i < 5 * (TOLD_OPEN + 10); i++) {
        (void)snprintf(id, sizeof id, "%d", i % (TOLD_OPEN + 10));
        happens(id, "fanout", EDDY_INCIDENT_GROWING, 2);
        next_is(TOLD_NOTHING, NULL);
    }
    for (int i = 0; i < TOLD_OPEN + 10; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        next_is(TOLD_NOTHING, NULL);
        happens(id, "fanout", EDDY_INCIDENT_CLOSED, 2);
        if (i == TOLD_OPEN - 1)
            next_is(TOLD_QUIET, "fanout");
    }
}

static void many_detectors(void **state)
{
    (void)state;
    char name[16];
    struct notice n;
    for (int i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof name, "detector%d", i);
        happens(name, name, EDDY_INCIDENT_NEW, 1);
        happens(name, name, EDDY_INCIDENT_CLOSED, 2);
    }
    for (int i = 0; i < 20; i++)
        assert_int_equal(told_next(told, &n), TOLD_INCIDENT);
    for (int i = 0; i < 15; i++)
        assert_int_equal(told_next(told, &n), TOLD_QUIET);
    assert_int_equal(told_next(told, &n), TOLD_NOTHING);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest list[] = {
        TEST(a_new_incident_is_told_once),
        TEST(all_of_it_is_copied),
        TEST(what_gets_graver_is_told_again),
        TEST(what_is_withheld_is_not_told),
        TEST(quiet_is_when_the_last_one_is_closed),
        TEST(what_was_not_told_is_not_told_to_be_over),
        TEST(after_a_stop_nothing_is_over),
        TEST(no_more_than_the_limit_a_minute),
        TEST(what_is_due_is_counted_once),
        TEST(what_was_left_out_is_not_waited_for),
        TEST(an_hour_of_peace_saves_nothing_up),
        TEST(a_full_ring_is_counted),
        TEST(more_than_it_can_remember_are_told_once),
        TEST(many_detectors),
    };
    return cmocka_run_group_tests(list, NULL, NULL);
}
