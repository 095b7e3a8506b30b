/* SPDX-License-Identifier: MIT */
/* test_mmdb_value.c - finds one value in hand-made bytes, and nothing in hostile ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "enrich/mmdb_value.h"
#include "mmdb_writer.h"
#include "random.h"

/* {"names": {"de": "Land", "n": [1, {"x": "y"}]}, "country": {"iso_code": "DE"}, "asn": 64500} */
static struct bytes sample(void)
{
    struct bytes b = {0};
    put_head(&b, MMDB_MAP, 3);
    put_text(&b, "names");
    put_head(&b, MMDB_MAP, 2);
    put_text(&b, "de");
    put_text(&b, "Land");
    put_text(&b, "n");
    put_head(&b, MMDB_ARRAY, 2);
    put_number(&b, MMDB_U16, 1, 2);
    put_head(&b, MMDB_MAP, 1);
    put_text(&b, "x");
    put_text(&b, "y");
    put_text(&b, "country");
    put_head(&b, MMDB_MAP, 1);
    put_text(&b, "iso_code");
    put_text(&b, "DE");
    put_text(&b, "asn");
    put_number(&b, MMDB_U32, 64500, 4);
    return b;
}

static bool text_is(const struct bytes *b, size_t offset, const char *path, const char *expected)
{
    struct mmdb_section section = {b->at, b->length};
    const char *text;
    size_t length;
    return mmdb_text(&section, offset, path, &text, &length) && length == strlen(expected) &&
           memcmp(text, expected, length) == 0;
}

static bool number_is(const struct bytes *b, size_t offset, const char *path, uint64_t expected)
{
    struct mmdb_section section = {b->at, b->length};
    uint64_t number;
    return mmdb_number(&section, offset, path, &number) && number == expected;
}

static bool nothing_at(const struct bytes *b, size_t offset, const char *path)
{
    struct mmdb_section section = {b->at, b->length};
    const char *text;
    size_t length;
    uint64_t number;
    return !mmdb_text(&section, offset, path, &text, &length) &&
           !mmdb_number(&section, offset, path, &number);
}

static void a_path_leads_through_nested_maps(void **state)
{
    (void)state;
    struct bytes b = sample();
    assert_true(text_is(&b, 0, "country.iso_code", "DE"));
    assert_true(text_is(&b, 0, "names.de", "Land"));
    assert_true(number_is(&b, 0, "asn", 64500));
    free(b.at);
}

static void what_is_not_there_or_of_another_type_is_not_found(void **state)
{
    (void)state;
    struct bytes b = sample();
    static const char *const paths[] = {
        "country", "country.iso", "country.iso_code.x", "iso_code", "names.n", "names.n.x",
        "",        ".",           "country..iso",       "asn.x",    "as"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        assert_true(nothing_at(&b, 0, paths[i]));
    struct mmdb_section section = {b.at, b.length};
    uint64_t number;
    assert_false(mmdb_number(&section, 0, "country.iso_code", &number));
    assert_true(nothing_at(&b, b.length, "asn"));
    assert_true(nothing_at(&b, SIZE_MAX, "asn"));
    free(b.at);
}

static void numbers_have_up_to_eight_bytes_in_any_length(void **state)
{
    (void)state;
    for (unsigned length = 0; length <= 8; length++) {
        struct bytes b = {0};
        put_head(&b, MMDB_MAP, 1);
        put_text(&b, "n");
        uint64_t value = length == 0 ? 0 : UINT64_MAX >> (64 - 8 * length);
        put_number(&b, MMDB_U64, value, length);
        assert_true(number_is(&b, 0, "n", value));
        free(b.at);
    }
    struct bytes b = {0};
    put_head(&b, MMDB_MAP, 1);
    put_text(&b, "n");
    put_number(&b, MMDB_U64, 1, 9);
    assert_true(nothing_at(&b, 0, "n"));
    free(b.at);
}

static void a_pointer_may_stand_for_a_key_a_value_or_a_map(void **state)
{
    (void)state;
    struct bytes b = {0};
    put_text(&b, "DE"); /* 0 */
    size_t map = b.length;
    put_head(&b, MMDB_MAP, 1);
    put_text(&b, "iso_code");
    put_pointer(&b, 0);
    size_t key = b.length;
    put_text(&b, "country");
    size_t record = b.length;
    put_head(&b, MMDB_MAP, 2);
    put_text(&b, "other");
    put_pointer(&b, 0);
    put_pointer(&b, (uint32_t)key);
    put_pointer(&b, (uint32_t)map);
    assert_true(text_is(&b, record, "country.iso_code", "DE"));
    assert_true(text_is(&b, record, "other", "DE"));
    free(b.at);
}

/* Pointers of all four lengths, to a text at 2048 + 1, at 526336 + 1 and beyond. */
static void pointers_of_every_length_are_followed(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[5];
        size_t length, target;
    } pointers[] = {
        {{0x20 | 0x07, 0xff}, 2, 2047},
        {{0x28, 0x00, 0x01}, 3, 2049},
        {{0x30, 0x00, 0x00, 0x01}, 4, 526337},
        {{0x38, 0x00, 0x09, 0x00, 0x00}, 5, 589824},
        {{0x3f, 0x00, 0x09, 0x00, 0x00}, 5, 589824}, /* the low bits do not count here */
    };
    for (size_t i = 0; i < sizeof pointers / sizeof *pointers; i++) {
        struct bytes b = {0};
        put_head(&b, MMDB_MAP, 1);
        put_text(&b, "k");
        bytes_add(&b, pointers[i].bytes, pointers[i].length);
        while (b.length < pointers[i].target)
            bytes_add(&b, "", 1);
        put_text(&b, "yes");
        assert_true(text_is(&b, 0, "k", "yes"));
        free(b.at);
    }
}

static void texts_may_be_long(void **state)
{
    (void)state;
    static const struct {
        uint32_t length;
        uint8_t head[4];
        size_t head_length;
    } texts[] = {{28, {0x5c}, 1},
                 {29, {0x5d, 0x00}, 2},
                 {284, {0x5d, 0xff}, 2},
                 {285, {0x5e, 0x00, 0x00}, 3},
                 {65820, {0x5e, 0xff, 0xff}, 3},
                 {65821, {0x5f, 0x00, 0x00, 0x00}, 4}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct bytes b = {0};
        put_head(&b, MMDB_MAP, 2);
        put_text(&b, "long");
        bytes_add(&b, texts[i].head, texts[i].head_length);
        for (uint32_t n = 0; n < texts[i].length; n++)
            bytes_add(&b, "x", 1);
        put_text(&b, "after"); /* found only if the text was stepped over rightly */
        put_text(&b, "it");
        struct mmdb_section section = {b.at, b.length};
        const char *text;
        size_t length;
        assert_true(mmdb_text(&section, 0, "long", &text, &length));
        assert_int_equal(length, texts[i].length);
        assert_true(text_is(&b, 0, "after", "it"));
        free(b.at);
    }
}

static void a_pointer_to_a_pointer_or_outside_leads_nowhere(void **state)
{
    (void)state;
    struct bytes b = {0};
    put_pointer(&b, 0); /* to itself */
    size_t record = b.length;
    put_head(&b, MMDB_MAP, 2);
    put_text(&b, "self");
    put_pointer(&b, 0);
    put_text(&b, "out");
    put_pointer(&b, 2000);
    assert_true(nothing_at(&b, record, "self"));
    assert_true(nothing_at(&b, record, "self.x"));
    assert_true(nothing_at(&b, record, "out"));
    assert_true(nothing_at(&b, 0, "x"));
    free(b.at);
}

/* The bytes in a block of their own length, so that the address sanitizer sees any step beyond. */
static void ask_copy(const uint8_t *bytes, size_t length)
{
    uint8_t *copy = malloc(length + (length == 0));
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    struct mmdb_section section = {copy, length};
    const char *text;
    size_t text_length;
    uint64_t number;
    for (size_t offset = 0; offset <= length; offset++) {
        if (mmdb_text(&section, offset, "country.iso_code", &text, &text_length))
            assert_true((const uint8_t *)text >= copy && text_length <= length &&
                        (const uint8_t *)text + text_length <= copy + length);
        (void)mmdb_number(&section, offset, "asn", &number);
    }
    free(copy);
}

static void every_cut_and_every_flipped_bit_is_survived(void **state)
{
    (void)state;
    struct bytes b = sample();
    for (size_t length = 0; length <= b.length; length++)
        ask_copy(b.at, length);
    for (size_t bit = 0; bit < 8 * b.length; bit++) {
        b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
        ask_copy(b.at, b.length);
        b.at[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(b.at);
}

static void random_bytes_are_survived(void **state)
{
    (void)state;
    struct rng rng = {1};
    for (unsigned i = 0; i < 3000; i++) {
        uint8_t bytes[40];
        size_t length = rng_below(&rng, sizeof bytes + 1);
        for (size_t n = 0; n < length; n++)
            bytes[n] = (uint8_t)rng_bits(&rng);
        if (length > 0)
            bytes[0] = 0xe3; /* a map of three: else most are nothing at once */
        ask_copy(bytes, length);
    }
}

static void a_hundred_thousand_nested_maps_are_stepped_over(void **state)
{
    (void)state;
    struct bytes b = {0};
    put_head(&b, MMDB_MAP, 2);
    put_text(&b, "deep");
    for (unsigned i = 0; i < 100000; i++) {
        put_head(&b, MMDB_MAP, 1);
        put_text(&b, "k");
    }
    put_text(&b, "end");
    put_text(&b, "asn");
    put_number(&b, MMDB_U16, 7, 2);
    assert_true(number_is(&b, 0, "asn", 7));
    b.length -= 20; /* and cut off */
    assert_true(nothing_at(&b, 0, "asn"));
    free(b.at);
}

static void a_map_that_claims_millions_of_entries_ends_with_the_bytes(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0xff, 0xff, 0xff, 0xff, 0x41, 'k', 0x40};
    struct bytes b = {(uint8_t *)(uintptr_t)bytes, sizeof bytes, 0};
    assert_true(text_is(&b, 0, "k", ""));
    assert_true(nothing_at(&b, 0, "j"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_leads_through_nested_maps),
        cmocka_unit_test(what_is_not_there_or_of_another_type_is_not_found),
        cmocka_unit_test(numbers_have_up_to_eight_bytes_in_any_length),
        cmocka_unit_test(a_pointer_may_stand_for_a_key_a_value_or_a_map),
        cmocka_unit_test(pointers_of_every_length_are_followed),
        cmocka_unit_test(texts_may_be_long),
        cmocka_unit_test(a_pointer_to_a_pointer_or_outside_leads_nowhere),
        cmocka_unit_test(every_cut_and_every_flipped_bit_is_survived),
        cmocka_unit_test(random_bytes_are_survived),
        cmocka_unit_test(a_hundred_thousand_nested_maps_are_stepped_over),
        cmocka_unit_test(a_map_that_claims_millions_of_entries_ends_with_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
