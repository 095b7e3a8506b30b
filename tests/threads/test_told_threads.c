/* SPDX-License-Identifier: MIT */
/* test_told_threads.c - one thread has incidents, one sends messages, one asks how many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#include "told.h"

#define INCIDENTS 20000

static atomic_bool over;

static void *have_incidents(void *user)
{
    char id[16];
    for (int i = 0; i < INCIDENTS; i++) {
        (void)snprintf(id, sizeof id, "%d", i);
        eddy_incident incident = {.id = id,
                                  .detector = i % 2 == 0 ? "fanout" : "beacon",
                                  .technique = "",
                                  .host_country = "",
                                  .peer_country = "",
                                  .summary = id};
        told_incident(user, &incident, i);
        incident.state = EDDY_INCIDENT_CLOSED;
        told_incident(user, &incident, i);
    }
    over = true;
    return NULL;
}

static void *ask(void *user)
{
    struct told_counts counts;
    while (!over) {
        told_counts(user, &counts);
        told_limit(user, 1e9);
    }
    return NULL;
}

static void every_incident_is_sent_or_counted(void **state)
{
    (void)state;
    struct told *told = told_new();
    struct told_counts counts;
    struct notice notice;
    pthread_t threads[2];
    unsigned long sent = 0;
    unsigned long quiet = 0;
    told_limit(told, 1e9);
    assert_int_equal(pthread_create(&threads[0], NULL, have_incidents, told), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, ask, told), 0);
    for (bool last = false; !last;) {
        last = over;
        enum told_what what;
        while ((what = told_next(told, &notice)) != TOLD_NOTHING) {
            sent += what == TOLD_INCIDENT;
            quiet += what == TOLD_QUIET;
            if (what == TOLD_INCIDENT)
                assert_string_equal(notice.id, notice.summary); /* whole, not a mixture */
        }
    }
    assert_int_equal(pthread_join(threads[0], NULL), 0);
    assert_int_equal(pthread_join(threads[1], NULL), 0);
    told_counts(told, &counts);
    assert_int_equal(counts.sent, sent);
    assert_int_equal(counts.sent + counts.limited + counts.dropped, INCIDENTS);
    assert_true(quiet >= 2 && quiet <= sent); /* both detectors, at the end at least */
    told_free(told);
}

int main(void)
{
    const struct CMUnitTest list[] = {cmocka_unit_test(every_incident_is_sent_or_counted)};
    return cmocka_run_group_tests(list, NULL, NULL);
}
