/* SPDX-License-Identifier: MIT */
/* test_sketches.c - each sketch keeps the bounds its paper promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random.h"
#include "state/cms.h"
#include "state/ddsketch.h"
#include "state/frequent.h"
#include "state/hll.h"
#include "state/topk.h"

/* ---- hll ---- */

static struct hll hll_of(uint64_t from, uint64_t count)
{
    struct hll hll = {{0}};
    for (uint64_t i = from; i < from + count; i++)
        (void)hll_add(&hll, hash_add(99, i));
    return hll;
}

static void hll_counts_nothing_as_nothing(void **state)
{
    (void)state;
    struct hll hll = hll_of(0, 0);
    assert_true(hll_estimate(&hll) == 0.0);
}

static void hll_estimates_within_three_standard_errors(void **state)
{
    (void)state;
    static const uint64_t counts[] = {10, 30, 100, 160, 300, 10000, 1000000};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double sum = 0.0;
        unsigned runs = counts[i] > 100000 ? 5 : 40;
        for (unsigned run = 0; run < runs; run++) {
            struct hll hll = hll_of((uint64_t)run << 32, counts[i]);
            double ratio = hll_estimate(&hll) / (double)counts[i];
            assert_true(ratio > 1 - 3 * 0.13 - 1.0 / (double)counts[i]);
            assert_true(ratio < 1 + 3 * 0.13 + 1.0 / (double)counts[i]);
            sum += ratio;
        }
        assert_true(fabs(sum / runs - 1.0) < 0.15); /* and not always on one side */
    }
}

/* A register may grow without moving the estimate: linear counting looks at empty ones only. */
static void hll_says_whenever_its_estimate_changes(void **state)
{
    (void)state;
    struct hll hll = {{0}};
    for (uint64_t i = 0; i < 5000; i++) {
        double before = hll_estimate(&hll);
        bool changed = hll_add(&hll, hash_add(3, i));
        assert_true(changed || hll_estimate(&hll) == before);
        assert_false(hll_add(&hll, hash_add(3, i)));
    }
}

static void hll_takes_the_rarest_hashes(void **state)
{
    (void)state;
    struct hll hll = {{0}};
    assert_true(hll_add(&hll, 0)); /* all zeros: rank 59 in register 0 */
    assert_int_equal(hll.rank[0], 59);
    assert_true(hll_add(&hll, UINT64_MAX));
    assert_int_equal(hll.rank[63], 1);
}

static void hll_merged_is_the_union(void **state)
{
    (void)state;
    struct hll left = hll_of(0, 700), right = hll_of(400, 900), both = hll_of(0, 1300);
    hll_merge(&left, &right);
    assert_memory_equal(&left, &both, sizeof both);
}

/* ---- cms ---- */

static struct cms *cms_new(void)
{
    struct cms *cms = calloc(1, sizeof *cms);
    assert_non_null(cms);
    return cms;
}

static void cms_is_never_below_the_truth_and_seldom_above(void **state)
{
    (void)state;
    enum { KEYS = 20000, ADDS = 200000 };
    static uint32_t truth[KEYS];
    struct cms *cms = cms_new();
    struct rng rng = {5};
    for (unsigned i = 0; i < ADDS; i++) {
        uint64_t key = rng_below(&rng, 1 + rng_below(&rng, KEYS));
        truth[key]++;
        uint32_t estimate = cms_add(cms, hash_add(1, key));
        assert_true(estimate >= truth[key]);
        assert_int_equal(estimate, cms_estimate(cms, hash_add(1, key)));
    }
    unsigned far = 0;
    for (unsigned key = 0; key < KEYS; key++) {
        uint32_t estimate = cms_estimate(cms, hash_add(1, key));
        assert_true(estimate >= truth[key]);
        far += estimate - truth[key] > 2 * ADDS / CMS_WIDTH;
    }
    assert_true(far <= KEYS / 16);                   /* 2^-CMS_DEPTH of them */
    for (unsigned row = 0; row < CMS_DEPTH; row++) { /* conservative: not every count is needed */
        uint64_t sum = 0;
        for (size_t i = 0; i < CMS_WIDTH; i++)
            sum += cms->count[row][i];
        assert_true(sum < ADDS * 95 / 100);
    }
    free(cms);
}

static void cms_does_not_know_what_it_has_not_seen(void **state)
{
    (void)state;
    struct cms *cms = cms_new();
    assert_int_equal(cms_add(cms, 12345), 1);
    assert_int_equal(cms_add(cms, 12345), 2);
    assert_int_equal(cms_estimate(cms, 54321), 0);
    free(cms);
}

static void cms_halves_when_it_is_full(void **state)
{
    (void)state;
    struct cms *cms = cms_new();
    for (unsigned i = 0; i < 64 * CMS_WIDTH - 1; i++)
        (void)cms_add(cms, hash_add(2, i % 1000));
    assert_int_equal(cms_estimate(cms, hash_add(2, 7)), 1049);
    (void)cms_add(cms, hash_add(2, 999999999));
    assert_int_equal(cms_estimate(cms, hash_add(2, 7)), 524);
    assert_int_equal(cms->total, 32 * CMS_WIDTH);
    free(cms);
}

/* ---- ddsketch ---- */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void ddsketch_quantiles_are_within_two_per_cent(void **state)
{
    (void)state;
    enum { N = 10001 };
    static double value[N];
    struct ddsketch sketch = {{0}, 0};
    struct rng rng = {11};
    for (size_t i = 0; i < N; i++) {
        value[i] = 0.002 * exp(11.0 * rng_uniform(&rng)); /* 0.002 .. 120 */
        ddsketch_add(&sketch, value[i], 1.0);
    }
    qsort(value, N, sizeof *value, ascending);
    for (size_t i = 0; i < N; i += 50) {
        double q = ((double)i + 0.5) / N;
        assert_true(fabs(ddsketch_quantile(&sketch, q) / value[i] - 1.0) <= 0.0201);
    }
}

static void ddsketch_buckets_and_values_are_inverse(void **state)
{
    (void)state;
    for (size_t bucket = 0; bucket < DDSKETCH_BUCKETS; bucket++)
        assert_int_equal(ddsketch_bucket(ddsketch_value(bucket)), bucket);
    assert_int_equal(ddsketch_bucket(0.0), 0);
    assert_int_equal(ddsketch_bucket(-5.0), 0);
    assert_int_equal(ddsketch_bucket((double)NAN), 0);
    assert_int_equal(ddsketch_bucket(DDSKETCH_LEAST), 0);
    assert_int_equal(ddsketch_bucket(1e9), DDSKETCH_BUCKETS - 1);
    assert_int_equal(ddsketch_bucket((double)INFINITY), DDSKETCH_BUCKETS - 1);
}

static void ddsketch_merged_knows_both(void **state)
{
    (void)state;
    struct ddsketch left = {{0}, 0}, right = {{0}, 0}, both = {{0}, 0};
    for (int i = 1; i <= 1000; i++) {
        ddsketch_add(i % 3 == 0 ? &left : &right, i * 0.1, 1.0);
        ddsketch_add(&both, i * 0.1, 1.0);
    }
    ddsketch_merge(&left, &right);
    assert_memory_equal(&left, &both, sizeof both);
}

static void ddsketch_scaled_keeps_its_quantiles(void **state)
{
    (void)state;
    struct ddsketch sketch = {{0}, 0};
    for (int i = 1; i <= 100; i++)
        ddsketch_add(&sketch, i, 1.0);
    double before = ddsketch_quantile(&sketch, 0.9);
    ddsketch_scale(&sketch, 0.5);
    assert_true(sketch.total == 50.0);
    assert_true(ddsketch_quantile(&sketch, 0.9) == before);
}

static void ddsketch_weighs_its_samples(void **state)
{
    (void)state;
    struct ddsketch sketch = {{0}, 0};
    ddsketch_add(&sketch, 1.0, 97.0);
    ddsketch_add(&sketch, 50.0, 3.0);
    assert_true(fabs(ddsketch_quantile(&sketch, 0.96) - 1.0) <= 0.02);
    assert_true(fabs(ddsketch_quantile(&sketch, 0.98) / 50.0 - 1.0) <= 0.02);
}

static void ddsketch_of_nothing_is_zero(void **state)
{
    (void)state;
    struct ddsketch sketch = {{0}, 0};
    assert_true(ddsketch_quantile(&sketch, 0.5) == 0.0);
}

/* ---- topk ---- */

enum { TOP_KEYS = 5000 };

static uint64_t zipf_stream(struct topk *topk, uint64_t truth[TOP_KEYS], unsigned adds)
{
    struct rng rng = {17};
    for (unsigned i = 0; i < adds; i++) { /* P(key >= k) is about 1/k */
        uint64_t key = (uint64_t)(1.0 / rng_uniform(&rng)) % TOP_KEYS;
        uint8_t address[16] = {0};
        memcpy(address + 8, &key, sizeof key);
        truth[key]++;
        topk_add(topk, address);
    }
    return adds;
}

static uint64_t key_of(const struct topk_slot *slot)
{
    uint64_t key;
    memcpy(&key, slot->key + 8, sizeof key);
    return key;
}

static void topk_keeps_the_bounds_of_space_saving(void **state)
{
    (void)state;
    static uint64_t truth[TOP_KEYS];
    static struct topk topk;
    uint64_t total = zipf_stream(&topk, truth, 300000);
    struct topk_slot slots[TOPK_SLOTS];
    assert_int_equal(topk_largest(&topk, slots, TOPK_SLOTS), TOPK_SLOTS);
    bool listed[TOP_KEYS] = {false};
    uint64_t sum = 0;
    for (size_t i = 0; i < TOPK_SLOTS; i++) {
        uint64_t key = key_of(&slots[i]);
        assert_true(slots[i].count >= truth[key]);
        assert_true(slots[i].count - slots[i].error <= truth[key]);
        assert_true(slots[i].error <= total / TOPK_SLOTS);
        assert_true(i == 0 || slots[i].count <= slots[i - 1].count);
        listed[key] = true;
        sum += slots[i].count;
    }
    assert_int_equal(sum, total); /* each flow is counted in one slot */
    for (size_t key = 0; key < TOP_KEYS; key++)
        assert_true(listed[key] || truth[key] <= total / TOPK_SLOTS);
    assert_int_equal(key_of(&slots[0]), 1); /* half of the stream */
}

static void topk_is_exact_while_there_is_room(void **state)
{
    (void)state;
    static struct topk topk;
    for (unsigned round = 1; round <= 100; round++)
        for (unsigned key = round; key <= 100; key++)
            topk_add(&topk, (const uint8_t[16]){(uint8_t)key});
    struct topk_slot slots[3];
    assert_int_equal(topk_largest(&topk, slots, 3), 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(slots[i].key[0], 100 - i);
        assert_int_equal(slots[i].count, 100 - i);
        assert_int_equal(slots[i].error, 0);
    }
}

static void topk_orders_ties_by_key(void **state)
{
    (void)state;
    static struct topk topk;
    static const uint8_t keys[] = {9, 3, 7};
    for (size_t i = 0; i < 3; i++)
        topk_add(&topk, (const uint8_t[16]){keys[i]});
    struct topk_slot slots[TOPK_SLOTS];
    assert_int_equal(topk_largest(&topk, slots, TOPK_SLOTS), 3);
    assert_int_equal(slots[0].key[0], 3);
    assert_int_equal(slots[1].key[0], 7);
    assert_int_equal(slots[2].key[0], 9);
}

/* ---- frequent ---- */

static void frequent_keeps_the_bounds_of_misra_and_gries(void **state)
{
    (void)state;
    enum { KEYS = 300, ADDS = 20000 };
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rng rng = {seed};
        uint32_t truth[KEYS] = {0};
        struct frequent f = {{0}, {0}};
        for (unsigned n = 1; n <= ADDS; n++) {
            uint32_t key = (uint32_t)rng_below(&rng, 1 + rng_below(&rng, KEYS));
            truth[key]++;
            frequent_add(&f, key);
        }
        uint32_t counted[KEYS] = {0};
        for (size_t i = 0; i < FREQUENT_SLOTS; i++)
            if (f.count[i] > 0)
                counted[f.key[i]] += f.count[i]; /* a key twice would be above the truth */
        for (size_t key = 0; key < KEYS; key++) {
            assert_true(counted[key] <= truth[key]);
            assert_true(counted[key] + ADDS / (FREQUENT_SLOTS + 1) >= truth[key]);
        }
    }
}

static void frequent_forgets_many_different_things(void **state)
{
    (void)state;
    struct frequent f = {{0}, {0}};
    uint32_t key = 4711;
    assert_int_equal(frequent_most(&f, &key), 0);
    assert_int_equal(key, 4711);
    for (uint32_t i = 0; i < 17 * 1000; i++)
        frequent_add(&f, i);
    assert_true(frequent_most(&f, &key) <= 1);
}

static void frequent_finds_the_majority(void **state)
{
    (void)state;
    struct frequent f = {{0}, {0}};
    for (uint32_t i = 0; i < 300; i++) {
        frequent_add(&f, 23);
        frequent_add(&f, 1000 + i);
    }
    uint32_t key = 0;
    assert_in_range(frequent_most(&f, &key), 300 - 600 / 17, 300);
    assert_int_equal(key, 23);
}

static void frequent_stops_at_its_limit(void **state)
{
    (void)state;
    struct frequent f = {{0}, {0}};
    for (uint32_t i = 0; i < 70000; i++)
        frequent_add(&f, 5);
    uint32_t key = 0;
    assert_int_equal(frequent_most(&f, &key), UINT16_MAX);
    assert_int_equal(key, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hll_counts_nothing_as_nothing),
        cmocka_unit_test(hll_estimates_within_three_standard_errors),
        cmocka_unit_test(hll_says_whenever_its_estimate_changes),
        cmocka_unit_test(hll_takes_the_rarest_hashes),
        cmocka_unit_test(hll_merged_is_the_union),
        cmocka_unit_test(cms_is_never_below_the_truth_and_seldom_above),
        cmocka_unit_test(cms_does_not_know_what_it_has_not_seen),
        cmocka_unit_test(cms_halves_when_it_is_full),
        cmocka_unit_test(ddsketch_quantiles_are_within_two_per_cent),
        cmocka_unit_test(ddsketch_buckets_and_values_are_inverse),
        cmocka_unit_test(ddsketch_merged_knows_both),
        cmocka_unit_test(ddsketch_scaled_keeps_its_quantiles),
        cmocka_unit_test(ddsketch_weighs_its_samples),
        cmocka_unit_test(ddsketch_of_nothing_is_zero),
        cmocka_unit_test(topk_keeps_the_bounds_of_space_saving),
        cmocka_unit_test(topk_is_exact_while_there_is_room),
        cmocka_unit_test(topk_orders_ties_by_key),
        cmocka_unit_test(frequent_keeps_the_bounds_of_misra_and_gries),
        cmocka_unit_test(frequent_forgets_many_different_things),
        cmocka_unit_test(frequent_finds_the_majority),
        cmocka_unit_test(frequent_stops_at_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
