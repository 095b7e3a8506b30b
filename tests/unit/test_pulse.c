/* SPDX-License-Identifier: MIT */
/* test_pulse.c - counts of the current tick, a past that fades, and flows out of order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "state/pulse.h"
#include "util/hash.h"

#define WIDTH 64

static struct pulse_cell table[PULSE_ROWS * WIDTH];

static int setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < PULSE_ROWS * WIDTH; i++)
        table[i] = (struct pulse_cell){0};
    return 0;
}

static struct pulse at(uint64_t hash, uint32_t tick)
{
    struct pulse pulse = pulse_find(table, WIDTH, 0, WIDTH, hash);
    for (unsigned row = 0; row < PULSE_ROWS; row++)
        if (pulse_over(pulse.cell[row], tick))
            pulse_begin(pulse.cell[row], tick);
    return pulse;
}

static void a_tick_counts_its_own(void **state)
{
    (void)state;
    struct pulse pulse = at(1, 100);
    for (unsigned i = 0; i < 3; i++)
        assert_true(pulse_add(&pulse, 100, 0));
    assert_int_equal(pulse.cell[0]->count, 3);
    assert_int_equal(pulse.cell[1]->count, 3);
    pulse = at(1, 101);
    assert_true(pulse_add(&pulse, 101, 0));
    assert_int_equal(pulse.cell[0]->count, 1);
}

static void rows_and_parts_are_kept_apart(void **state)
{
    (void)state;
    for (uint64_t key = 0; key < 200; key++) {
        struct pulse pulse = pulse_find(table, WIDTH, 16, 8, hash_mix(key));
        for (size_t row = 0; row < PULSE_ROWS; row++) {
            ptrdiff_t column = pulse.cell[row] - table - (ptrdiff_t)row * WIDTH;
            assert_in_range(column, 16, 23);
        }
    }
}

static void one_tick_late_counts_with_the_latest_two_do_not_count(void **state)
{
    (void)state;
    struct pulse pulse = at(1, 100);
    assert_true(pulse_add(&pulse, 100, 0));
    pulse = at(1, 99);
    assert_true(pulse_add(&pulse, 99, 0));
    assert_int_equal(pulse.cell[0]->count, 2);
    pulse = at(1, 98);
    assert_false(pulse_add(&pulse, 98, 0));
    assert_int_equal(pulse.cell[0]->count, 2);
}

static void a_tick_more_than_a_day_ahead_is_over(void **state)
{
    (void)state;
    struct pulse pulse = at(1, 5000);
    assert_true(pulse_add(&pulse, 5000, 0));
    assert_false(pulse_over(pulse.cell[0], 5000 - 1440));
    assert_true(pulse_over(pulse.cell[0], 5000 - 1441));
}

static void the_past_is_a_weighted_mean(void **state)
{
    (void)state;
    struct pulse_cell cell = {0};
    assert_true(pulse_mean(&cell) == 0);
    pulse_merge(&cell, 1, 10, 240);
    pulse_merge(&cell, 0.5, 40, 240); /* (10 + 20) / 1.5 */
    assert_true(fabs(pulse_ticks(&cell) - 1.5) < 1e-9);
    assert_true(fabs(pulse_mean(&cell) - 20) < 1e-5);
    pulse_begin(&cell, 7);
    assert_true(fabs(pulse_mean(&cell) - 20) < 1e-5);
}

static void the_past_fades_beyond_its_memory(void **state)
{
    (void)state;
    struct pulse_cell cell = {0};
    for (unsigned i = 0; i < 100; i++)
        pulse_merge(&cell, 1, 1, 4);
    assert_true(fabs(pulse_ticks(&cell) - 4) < 1e-9);
    pulse_merge(&cell, 1, 11, 4); /* (4 + 11) / 5 */
    assert_true(fabs(pulse_mean(&cell) - 3) < 1e-3);
    assert_true(fabs(pulse_ticks(&cell) - 4) < 1e-9);
}

/* -64 ln(1 - 16/64) = 18.4 where 16 of 64 bits are set. */
static void kinds_are_estimated_by_linear_counting(void **state)
{
    (void)state;
    struct pulse pulse = at(1, 1);
    for (uint64_t kind = 0; kind < 16; kind++) {
        assert_true(pulse_add(&pulse, 1, kind << 58));
        assert_true(pulse_add(&pulse, 1, kind << 58));
    }
    assert_true(fabs(pulse_kinds(pulse.cell[0]) - 18.41) < 0.01);
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_tick_counts_its_own),
        TEST(rows_and_parts_are_kept_apart),
        TEST(one_tick_late_counts_with_the_latest_two_do_not_count),
        TEST(a_tick_more_than_a_day_ahead_is_over),
        TEST(the_past_is_a_weighted_mean),
        TEST(the_past_fades_beyond_its_memory),
        TEST(kinds_are_estimated_by_linear_counting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
