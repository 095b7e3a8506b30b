/* SPDX-License-Identifier: MIT */
/* test_hash.c - hashes of small keys spread and do not collide. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/hash.h"

/* The first output of splitmix64 with seed 0, as published with java.util.SplittableRandom. */
static void mix_is_the_finaliser_of_splitmix64(void **state)
{
    (void)state;
    assert_true(hash_mix(0x9e3779b97f4a7c15u) == 0xe220a8397b1dcdafu);
}

static int ascending(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void addresses_next_to_each_other_have_different_hashes(void **state)
{
    (void)state;
    enum { N = 1 << 16 };
    uint64_t *hash = malloc(N * sizeof *hash);
    assert_non_null(hash);
    uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [12] = 10};
    for (unsigned i = 0; i < N; i++) {
        address[14] = (uint8_t)(i >> 8);
        address[15] = (uint8_t)i;
        hash[i] = hash_address(address, 1);
    }
    qsort(hash, N, sizeof *hash, ascending);
    for (unsigned i = 1; i < N; i++)
        assert_true(hash[i] != hash[i - 1]);
    free(hash);
}

/* Of 64 output bits about 32 change with each input bit; 20..44 is three standard deviations. */
static void each_bit_of_an_address_changes_about_half_of_the_hash(void **state)
{
    (void)state;
    uint8_t address[16] = {[0] = 0x20, [1] = 1, [15] = 1};
    uint64_t before = hash_address(address, 7);
    for (unsigned bit = 0; bit < 128; bit++) {
        address[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int changed = __builtin_popcountll(before ^ hash_address(address, 7));
        assert_in_range(changed, 18, 46);
        address[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void another_seed_gives_other_hashes(void **state)
{
    (void)state;
    const uint8_t address[16] = {[15] = 1};
    assert_true(hash_address(address, 1) != hash_address(address, 2));
}

static void order_matters_when_values_are_added(void **state)
{
    (void)state;
    assert_true(hash_add(hash_add(0, 1), 2) != hash_add(hash_add(0, 2), 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mix_is_the_finaliser_of_splitmix64),
        cmocka_unit_test(addresses_next_to_each_other_have_different_hashes),
        cmocka_unit_test(each_bit_of_an_address_changes_about_half_of_the_hash),
        cmocka_unit_test(another_seed_gives_other_hashes),
        cmocka_unit_test(order_matters_when_values_are_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
