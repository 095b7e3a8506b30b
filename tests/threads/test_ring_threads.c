/* SPDX-License-Identifier: MIT */
/* test_ring_threads.c - several writers and a taker at once: every record whole, in its writer's
 * order, or refused and counted. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../plugins/common/ring.h"

enum { WRITERS = 4, RECORDS = 40000 };

struct stage {
    struct ring *ring;
    atomic_uint writing, next_writer;
    atomic_ullong put, refused;
};

static void *write_records(void *user)
{
    struct stage *s = user;
    unsigned writer = atomic_fetch_add(&s->next_writer, 1);
    for (unsigned i = 0; i < RECORDS; i++) {
        char text[256];
        int length = snprintf(text, sizeof text, "%u %u ", writer, i);
        size_t total = (size_t)length + (i * 7 + writer) % 200;
        memset(text + length, (int)('a' + i % 26), total - (size_t)length);
        if (ring_put(s->ring, text, total))
            atomic_fetch_add(&s->put, 1);
        else
            atomic_fetch_add(&s->refused, 1);
    }
    atomic_fetch_sub(&s->writing, 1);
    return NULL;
}

/* Checks one record; returns whether it is what its writer wrote, and later than the last. */
static bool is_good(const char *record, size_t length, int64_t last[WRITERS])
{
    char *at;
    unsigned long writer = strtoul(record, &at, 10), i = strtoul(at, &at, 10);
    at++;
    if (writer >= WRITERS || i >= RECORDS || (int64_t)i <= last[writer])
        return false;
    last[writer] = (int64_t)i;
    if (length != (size_t)(at - record) + (i * 7 + writer) % 200 + 1 || record[length - 1] != '\n')
        return false;
    for (; *at != '\n'; at++)
        if (*at != (char)('a' + i % 26))
            return false;
    return at == record + length - 1;
}

static void run(size_t size, bool slow)
{
    struct stage s = {.writing = WRITERS};
    pthread_t threads[WRITERS];
    int64_t last[WRITERS] = {-1, -1, -1, -1};
    unsigned long long taken = 0, bad = 0;
    assert_int_equal(ring_new(size, &s.ring, NULL), 0);
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_records, &s), 0);
    for (bool done = false; !done;) {
        size_t length;
        const char *record;
        done = atomic_load(&s.writing) == 0; /* then what is there now is all there is */
        while ((record = ring_peek(s.ring, &length)) != NULL) {
            bad += !is_good(record, length, last);
            ring_next(s.ring);
            taken++;
            if (slow && taken % 512 == 0)
                break;
        }
        if (record != NULL)
            done = false;
        ring_wait(s.ring, slow ? 5 : 1);
    }
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    struct ring_counts counts;
    ring_counts(s.ring, &counts);
    assert_int_equal(bad, 0);
    assert_int_equal(taken, atomic_load(&s.put));
    assert_int_equal(counts.put, taken);
    assert_int_equal(counts.taken, taken);
    assert_int_equal(taken + atomic_load(&s.refused), WRITERS * RECORDS);
    ring_free(s.ring);
}

static void nothing_is_lost_in_a_ring_with_room(void **state)
{
    (void)state;
    run((size_t)64 << 20, false);
}

static void a_small_ring_refuses_some_and_keeps_the_rest_whole(void **state)
{
    (void)state;
    run((size_t)64 << 10, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_lost_in_a_ring_with_room),
        cmocka_unit_test(a_small_ring_refuses_some_and_keeps_the_rest_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
