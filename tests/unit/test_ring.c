/* SPDX-License-Identifier: MIT */
/* test_ring.c - records in the ring: in order, whole, and counted when there is no room. */
#define _DEFAULT_SOURCE 1 /* mincore() beside POSIX */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <time.h>

#include "../../plugins/common/ring.c"
#include "../../plugins/common/say.c"

enum { LEAST = 64 * 1024 };

static int setup(void **state)
{
    struct ring *ring = NULL;
    eddy_error err;
    assert_int_equal(ring_new(1, &ring, &err), EDDY_OK);
    *state = ring;
    return 0;
}

static int teardown(void **state)
{
    ring_free(*state);
    return 0;
}

/* Text that tells which record it is, at every byte. */
static void fill(char *text, size_t length, unsigned number)
{
    for (size_t i = 0; i < length; i++)
        text[i] = (char)('a' + (number + i) % 26);
}

static void expect_next(struct ring *ring, unsigned number, size_t length)
{
    char text[LEAST];
    size_t got;
    const char *record = ring_peek(ring, &got);
    assert_non_null(record);
    assert_int_equal(got, length + 1);
    fill(text, length, number);
    text[length] = '\n';
    assert_memory_equal(record, text, got);
    ring_next(ring);
}

static bool put(struct ring *ring, unsigned number, size_t length)
{
    char text[LEAST];
    fill(text, length, number);
    return ring_put(ring, text, length);
}

static void records_come_out_as_they_went_in(void **state)
{
    struct ring *ring = *state;
    size_t length;
    assert_null(ring_peek(ring, &length));
    for (unsigned i = 0; i < 100; i++)
        assert_true(put(ring, i, i));
    for (unsigned i = 0; i < 100; i++)
        expect_next(ring, i, i);
    assert_null(ring_peek(ring, &length));
}

static void records_go_round_and_round(void **state)
{
    struct ring *ring = *state;
    unsigned in = 0, out = 0;
    for (unsigned round = 0; round < 5000; round++) { /* 5000 * about 600 bytes: 45 times round */
        while (in < out + 3 + round % 50) {
            assert_true(put(ring, in, in * 7919 % 1200));
            in++;
        }
        while (out < in - round % 3) {
            expect_next(ring, out, out * 7919 % 1200);
            out++;
        }
    }
    struct ring_counts counts;
    ring_counts(ring, &counts);
    assert_int_equal(counts.put, in);
    assert_int_equal(counts.taken, out);
}

static void a_full_ring_refuses_and_goes_on_when_there_is_room(void **state)
{
    struct ring *ring = *state;
    unsigned in = 0;
    while (put(ring, in, 999)) /* 999 + newline + 8: 1008 bytes each */
        in++;
    assert_int_equal(in, LEAST / 1008);
    assert_false(put(ring, in, 999));
    expect_next(ring, 0, 999);
    assert_false(put(ring, in, 2500)); /* not over what is not taken */
    assert_true(put(ring, in, 999));   /* where the first one was */
    for (unsigned i = 1; i <= in; i++)
        expect_next(ring, i, 999);
    assert_true(put(ring, 1000, 2500));
    expect_next(ring, 1000, 2500);
}

static void a_record_that_fills_to_the_last_byte_is_taken(void **state)
{
    struct ring *ring = *state;
    const size_t room = LEAST / 4; /* 8 bytes of length, the text, a newline */
    for (unsigned i = 0; i < 4; i++)
        assert_true(put(ring, i, room - 9));
    assert_false(put(ring, 4, 1));
    for (unsigned i = 0; i < 4; i++)
        expect_next(ring, i, room - 9);
    assert_true(put(ring, 5, 10));
    expect_next(ring, 5, 10);
}

static void a_record_longer_than_half_the_ring_is_refused(void **state)
{
    struct ring *ring = *state;
    assert_false(put(ring, 0, LEAST / 2));
    assert_false(ring_put(ring, NULL, SIZE_MAX));
    assert_true(put(ring, 0, LEAST / 2 - 17));
    expect_next(ring, 0, LEAST / 2 - 17);
}

/* What was written before must not look like a record, whatever it was. */
static void bytes_of_earlier_records_are_never_read_again(void **state)
{
    struct ring *ring = *state;
    char evil[1000];
    memset(evil, 1, sizeof evil);
    size_t length;
    for (unsigned i = 0; i < 3000; i++) {
        assert_true(ring_put(ring, evil, 1 + i * 31 % 999));
        assert_non_null(ring_peek(ring, &length));
        assert_int_equal(length, 2 + i * 31 % 999);
        ring_next(ring);
        assert_null(ring_peek(ring, &length));
    }
}

static size_t resident(const struct ring *ring)
{
    static unsigned char pages[64 * 1024];
    size_t page = (size_t)sysconf(_SC_PAGESIZE), count = 0;
    assert_int_equal(mincore(ring->memory, ring->size, pages), 0);
    for (size_t i = 0; i < ring->size / page; i++)
        count += pages[i] & 1;
    return count * page;
}

static void memory_of_a_burst_is_given_back(void **state)
{
    (void)state;
    struct ring *ring = NULL;
    const size_t size = 16 * 1024 * 1024;
    assert_int_equal(ring_new(size, &ring, NULL), EDDY_OK);
    assert_true(resident(ring) < size / 8);
    unsigned in = 0;
    while (put(ring, in, 999))
        in++;
    assert_true(resident(ring) > size - 8192);
    for (unsigned i = 0; i < in; i++)
        expect_next(ring, i, 999);
    for (unsigned round = 0; round < 3; round++) { /* little, and idle in between */
        ring_wait(ring, 0);
        for (unsigned i = 0; i < 400; i++) {
            assert_true(put(ring, i, 999));
            expect_next(ring, i, 999);
        }
    }
    ring_wait(ring, 0);
    assert_true(resident(ring) <= size / 8);
    for (unsigned i = 0; i < 100; i++)
        assert_true(put(ring, i, 5000));
    for (unsigned i = 0; i < 100; i++)
        expect_next(ring, i, 5000);
    ring_free(ring);
}

static double wait_ms(struct ring *ring, int timeout_ms)
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    ring_wait(ring, timeout_ms);
    clock_gettime(CLOCK_MONOTONIC, &to);
    return (double)(to.tv_sec - from.tv_sec) * 1e3 + (double)(to.tv_nsec - from.tv_nsec) / 1e6;
}

static void waiting_ends_at_once_when_there_is_a_record_or_a_wake(void **state)
{
    struct ring *ring = *state;
    assert_true(wait_ms(ring, 30) >= 29);
    ring_wake(ring);
    assert_true(wait_ms(ring, 20000) < 10000);
    assert_true(wait_ms(ring, 30) >= 29); /* one wake, one end of a sleep */
    assert_true(put(ring, 0, 10));
    assert_true(wait_ms(ring, 20000) < 10000);
}

static void a_sleeping_taker_is_woken_once_and_only_when_the_ring_fills(void **state)
{
    struct ring *ring = *state;
    uint64_t wakes = 0;
    atomic_store(&ring->asleep, true); /* as ring_wait() does before it sleeps */
    while (put(ring, 0, 999)) {
        uint64_t now = 0;
        bool woken = read(ring->event, &now, sizeof now) == (ssize_t)sizeof now;
        if (woken)
            assert_true(atomic_load(&ring->head) > LEAST / 8);
        wakes += now;
    }
    assert_int_equal(wakes, 1);
}

static void a_ring_that_can_not_be_had_is_an_error(void **state)
{
    (void)state;
    struct ring *ring = NULL;
    eddy_error err;
    assert_int_equal(ring_new(SIZE_MAX / 2, &ring, &err), EDDY_ENOMEM);
    assert_non_null(strstr(err.message, "a ring of"));
    assert_null(ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(records_come_out_as_they_went_in, setup, teardown),
        cmocka_unit_test_setup_teardown(records_go_round_and_round, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_ring_refuses_and_goes_on_when_there_is_room, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_record_that_fills_to_the_last_byte_is_taken, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_record_longer_than_half_the_ring_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(bytes_of_earlier_records_are_never_read_again, setup,
                                        teardown),
        cmocka_unit_test(memory_of_a_burst_is_given_back),
        cmocka_unit_test_setup_teardown(waiting_ends_at_once_when_there_is_a_record_or_a_wake,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_sleeping_taker_is_woken_once_and_only_when_the_ring_fills,
                                        setup, teardown),
        cmocka_unit_test(a_ring_that_can_not_be_had_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
