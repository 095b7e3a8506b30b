/* SPDX-License-Identifier: MIT */
/* test_table.c - finds what it took, evicts the stalest of a full set, never mixes keys. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "eddy.h"
#include "random.h"
#include "state/table.h"

/* The address sanitizer ends a program that asks for too much; here that is the test. */
EDDY_API const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

struct record {
    uint64_t key;
    uint64_t value;
};

#define SECOND INT64_C(1000000)

static size_t bytes_of_sets(size_t sets)
{
    return sets * (sizeof(struct table_set) + TABLE_WAYS * sizeof(struct record));
}

static struct table table_of_sets(size_t sets)
{
    struct table table;
    assert_int_equal(table_init(&table, bytes_of_sets(sets), sizeof(struct record), 8), 0);
    return table;
}

static struct record *take(struct table *table, uint64_t key, int64_t until_s)
{
    bool created;
    struct record *record = table_take(table, hash_mix(key), &key, &created);
    if (created)
        record->value = key * 3;
    table_keep(table, hash_mix(key), record, until_s * SECOND);
    return record;
}

static struct record *find(const struct table *table, uint64_t key)
{
    return table_find(table, hash_mix(key), &key);
}

static void finds_what_it_took(void **state)
{
    (void)state;
    struct table table = table_of_sets(4);
    struct record *one = take(&table, 1, 100);
    assert_ptr_equal(find(&table, 1), one);
    assert_null(find(&table, 2));
    assert_int_equal(table.used, 1);
    bool created = true;
    uint64_t key = 1;
    assert_ptr_equal(table_take(&table, hash_mix(1), &key, &created), one);
    assert_false(created);
    assert_int_equal(one->value, 3);
    table_done(&table);
}

static void a_new_record_is_zero_but_for_its_key(void **state)
{
    (void)state;
    struct table table = table_of_sets(1);
    for (uint64_t key = 1; key <= 3 * TABLE_WAYS; key++) {
        bool created;
        struct record *record = table_take(&table, hash_mix(key), &key, &created);
        assert_true(created);
        assert_int_equal(record->key, key);
        assert_int_equal(record->value, 0);
        record->value = UINT64_MAX;
    }
    table_done(&table);
}

static void a_full_set_gives_up_its_stalest_and_counts_it(void **state)
{
    (void)state;
    struct table table = table_of_sets(1);
    for (uint64_t key = 0; key < TABLE_WAYS; key++)
        take(&table, key, 4000 + 40 * (int64_t)((key * 7) % TABLE_WAYS)); /* key 0 is the stalest */
    assert_int_equal(table.evictions, 0);
    assert_int_equal(table.used, TABLE_WAYS);
    take(&table, 100, 9000);
    assert_int_equal(table.evictions, 1);
    assert_int_equal(table.used, TABLE_WAYS);
    assert_null(find(&table, 0));
    for (uint64_t key = 1; key < TABLE_WAYS; key++)
        assert_non_null(find(&table, key));
    table_done(&table);
}

static void a_set_with_a_free_way_evicts_nothing(void **state)
{
    (void)state;
    struct table table = table_of_sets(64);
    for (uint64_t key = 0; key < TABLE_WAYS; key++) /* at worst all in one set */
        take(&table, key, 4000);
    assert_int_equal(table.evictions, 0);
    for (uint64_t key = 0; key < TABLE_WAYS; key++)
        assert_non_null(find(&table, key));
    table_done(&table);
}

/* One heavy record, kept an hour longer than it was used, among a flood of one-time keys. */
static void credit_protects_a_heavy_record_from_a_flood(void **state)
{
    (void)state;
    struct table table = table_of_sets(1);
    take(&table, 1, 1000 + 3600);
    for (uint64_t key = 2; key < 1000; key++)
        take(&table, key, 1000 + (int64_t)key);
    assert_non_null(find(&table, 1));
    for (uint64_t key = 10000; key < 10000 + TABLE_WAYS; key++)
        take(&table, key, 1000 + 7200);
    assert_null(find(&table, 1)); /* but not for ever */
    table_done(&table);
}

static void times_before_1970_and_beyond_the_year_2200_are_kept_in_order(void **state)
{
    (void)state;
    struct table table = table_of_sets(1);
    for (uint64_t key = 0; key < TABLE_WAYS; key++)
        take(&table, key, INT64_C(9000000000000));
    take(&table, 5, -1000);
    take(&table, 100, 50);
    assert_null(find(&table, 5));
    table_done(&table);
}

static void memory_stays_within_what_was_given(void **state)
{
    (void)state;
    for (size_t bytes = 10000; bytes < 2000000; bytes = bytes * 3 / 2) {
        struct table table;
        assert_int_equal(table_init(&table, bytes, sizeof(struct record), 8), 0);
        assert_true(bytes_of_sets(table.set_count) <= bytes);
        assert_true(bytes_of_sets(table.set_count + 1) > bytes); /* and nothing is left over */
        assert_int_equal(table_capacity(&table), (uint64_t)table.set_count * TABLE_WAYS);
        table_done(&table);
    }
}

static void memory_that_cannot_be_had_is_an_error(void **state)
{
    (void)state;
    struct table table;
    assert_int_equal(table_init(&table, (size_t)1 << 61, (size_t)1 << 50, 8), EDDY_ENOMEM);
    table_done(&table); /* harmless */
}

static void count_one(void *record, void *user)
{
    const struct record *r = record;
    uint64_t *sum = user;
    sum[0]++;
    sum[1] += r->key;
}

static void each_visits_every_record_once(void **state)
{
    (void)state;
    struct table table = table_of_sets(32);
    for (uint64_t key = 1; key <= 100; key++)
        take(&table, key, 4000);
    uint64_t sum[2] = {0, 0};
    table_each(&table, count_one, sum);
    assert_int_equal(table.evictions, 0);
    assert_int_equal(sum[0], 100);
    assert_int_equal(sum[1], 5050);
    table_done(&table);
}

/* Against the simplest possible map: for each key the value last written, by key as an index. */
static void a_random_walk_never_mixes_records(void **state)
{
    (void)state;
    enum { KEYS = 600, STEPS = 200000 };
    struct table table = table_of_sets(8); /* room for 128 */
    static uint64_t model[KEYS];           /* 0: not in the table, as far as we know */
    struct rng rng = {1};
    uint64_t created_count = 0, found = 0;
    for (uint64_t step = 1; step <= STEPS; step++) {
        uint64_t key = rng_below(&rng, 2) ? rng_below(&rng, KEYS) : rng_below(&rng, 60);
        bool created;
        struct record *record = table_take(&table, hash_mix(key), &key, &created);
        assert_int_equal(record->key, key);
        if (created)
            assert_int_equal(record->value, 0);
        else
            assert_int_equal(record->value, model[key]);
        created_count += created;
        found += !created;
        record->value = model[key] = step;
        table_keep(&table, hash_mix(key), record, (int64_t)step * 4 * SECOND);
    }
    assert_int_equal(table.evictions, created_count - table.used);
    assert_int_equal(table.used, 128);
    assert_true(found > STEPS / 4); /* half of the steps go to 60 keys, which mostly stay */
    for (uint64_t key = 0; key < KEYS; key++) {
        const struct record *record = find(&table, key);
        if (record != NULL)
            assert_int_equal(record->value, model[key]);
    }
    table_done(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_it_took),
        cmocka_unit_test(a_new_record_is_zero_but_for_its_key),
        cmocka_unit_test(a_full_set_gives_up_its_stalest_and_counts_it),
        cmocka_unit_test(a_set_with_a_free_way_evicts_nothing),
        cmocka_unit_test(credit_protects_a_heavy_record_from_a_flood),
        cmocka_unit_test(times_before_1970_and_beyond_the_year_2200_are_kept_in_order),
        cmocka_unit_test(memory_stays_within_what_was_given),
        cmocka_unit_test(memory_that_cannot_be_had_is_an_error),
        cmocka_unit_test(each_visits_every_record_once),
        cmocka_unit_test(a_random_walk_never_mixes_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
