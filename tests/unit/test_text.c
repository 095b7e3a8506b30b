/* SPDX-License-Identifier: MIT */
/* test_text.c - text in a fixed buffer, numbers under every locale. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static void text_that_fits_is_kept_whole(void **state)
{
    (void)state;
    char buf[16];
    struct text text = text_over(buf, sizeof buf);
    text_add(&text, "abc");
    text_char(&text, '-');
    text_format(&text, "%d", 42);
    assert_string_equal(buf, "abc-42");
    assert_int_equal(text.length, 6);
    assert_true(text_fits(&text));
}

static void text_that_does_not_fit_is_cut_and_still_counted(void **state)
{
    (void)state;
    char buf[8] = "xxxxxxx";
    struct text text = text_over(buf, 5);
    text_add(&text, "abc");
    text_add(&text, "defgh");
    text_add(&text, "i");
    assert_string_equal(buf, "abcd");
    assert_int_equal(text.length, 9);
    assert_false(text_fits(&text));
    assert_int_equal(buf[5], 'x');
}

static void text_without_room_only_counts(void **state)
{
    (void)state;
    struct text text = text_over(NULL, 0);
    text_add(&text, "abc");
    text_json(&text, "d\n");
    text_number(&text, 0.5);
    assert_int_equal(text.length, 3 + 5 + 3);
    assert_false(text_fits(&text));
}

static void every_size_gives_the_beginning_of_the_whole(void **state)
{
    (void)state;
    char whole[64], cut[64];
    struct text text = text_over(whole, sizeof whole);
    text_format(&text, "%s", "a=");
    text_json(&text, "\"q\"\x01");
    text_number(&text, 0.1);
    for (size_t size = 1; size <= text.length + 1; size++) {
        struct text t = text_over(cut, size);
        text_format(&t, "%s", "a=");
        text_json(&t, "\"q\"\x01");
        text_number(&t, 0.1);
        assert_int_equal(t.length, text.length);
        assert_int_equal(strlen(cut), size - 1);
        assert_memory_equal(cut, whole, size - 1);
    }
}

static void text_cut_forgets_the_end(void **state)
{
    (void)state;
    char buf[8];
    struct text text = text_over(buf, sizeof buf);
    text_add(&text, "abcdef");
    text_cut(&text, 2);
    assert_string_equal(buf, "ab");
    text_add(&text, "0123456789");
    text_cut(&text, 9); /* beyond what fits: only the count */
    assert_int_equal(text.length, 9);
    assert_string_equal(buf, "ab01234");
}

static void assert_json(const char *bytes, size_t length, const char *expected)
{
    char buf[128];
    struct text text = text_over(buf, sizeof buf);
    text_json_bytes(&text, bytes, length);
    assert_string_equal(buf, expected);
}

static void json_escapes_what_json_forbids(void **state)
{
    (void)state;
    assert_json("a\"b\\c/", 6, "\"a\\\"b\\\\c/\"");
    assert_json("\n\r\t\x01\x1f\x7f", 6, "\"\\n\\r\\t\\u0001\\u001f\\u007f\"");
    assert_json("a\0b", 3, "\"a\\u0000b\"");
}

static void json_keeps_utf8_and_replaces_what_is_not(void **state)
{
    (void)state;
    assert_json("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", 9,
                "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    assert_json("a\xFFz", 3, "\"a\\ufffdz\"");
    assert_json("\xC0\xAF", 2, "\"\\ufffd\\ufffd\"");                       /* overlong */
    assert_json("\xED\xA0\x80", 3, "\"\\ufffd\\ufffd\\ufffd\"");            /* surrogate */
    assert_json("\xF4\x90\x80\x80", 4, "\"\\ufffd\\ufffd\\ufffd\\ufffd\""); /* beyond U+10FFFF */
    assert_json("\xE2\x82", 2, "\"\\ufffd\\ufffd\"");                       /* cut off */
}

static const char *number(double value)
{
    static char buf[64];
    struct text text = text_over(buf, sizeof buf);
    text_number(&text, value);
    return buf;
}

static void numbers_are_the_shortest_that_read_back(void **state)
{
    (void)state;
    assert_string_equal(number(0.1), "0.1");
    assert_string_equal(number(-2.5), "-2.5");
    assert_string_equal(number(1e300), "1e+300");
    assert_string_equal(number(0.1 + 0.2), "0.30000000000000004");
    assert_string_equal(number(-0.0), "-0");
    assert_string_equal(number(NAN), "NaN");
    assert_string_equal(number(INFINITY), "+Inf");
    assert_string_equal(number(-INFINITY), "-Inf");
}

static void any_double_survives_text_and_back(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252U; /* xorshift64, Marsaglia 2003 */
    for (int i = 0; i < 20000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        double value, back;
        memcpy(&value, &x, sizeof value);
        if (!isfinite(value))
            continue;
        assert_true(text_to_number(number(value), &back));
        assert_memory_equal(&back, &value, sizeof back);
    }
}

static void to_number_takes_decimals_and_nothing_else(void **state)
{
    (void)state;
    static const char *const bad[] = {"",     " 1",    "1 ",  ".5",  "5.",   "1e",
                                      "1e+",  "0x10",  "nan", "inf", "1,5",  "--1",
                                      "1..2", "1e400", "+",   "1_0", "1e5.0"};
    double value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(text_to_number(bad[i], &value));
    assert_true(value == 7);
    assert_true(text_to_number("-12.5e-1", &value));
    assert_true(value == -1.25);
    assert_true(text_to_number("+3", &value));
    assert_true(value == 3);
}

static void to_count_refuses_what_is_beyond_64_bits(void **state)
{
    (void)state;
    uint64_t count = 7;
    const char *rest = text_to_count("18446744073709551615x", &count);
    assert_non_null(rest);
    assert_string_equal(rest, "x");
    assert_true(count == UINT64_MAX);
    count = 7;
    assert_null(text_to_count("18446744073709551616", &count));
    assert_null(text_to_count("-1", &count));
    assert_null(text_to_count("", &count));
    assert_true(count == 7);
}

static void a_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    (void)setenv("LOCPATH", LOCALES, 1); /* made by tests/CMakeLists.txt, if localedef is there */
    if (setlocale(LC_NUMERIC, "comma") == NULL)
        skip();
    double value = 0;
    char buf[32];
    struct text text = text_over(buf, sizeof buf);
    text_digits(&text, 1234.5, 6);
    bool read = text_to_number("0.25", &value), comma = text_to_number("0,25", &value);
    (void)setlocale(LC_NUMERIC, "C");
    assert_string_equal(buf, "1234.5");
    assert_true(read && !comma);
    assert_true(value == 0.25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_fits_is_kept_whole),
        cmocka_unit_test(text_that_does_not_fit_is_cut_and_still_counted),
        cmocka_unit_test(text_without_room_only_counts),
        cmocka_unit_test(every_size_gives_the_beginning_of_the_whole),
        cmocka_unit_test(text_cut_forgets_the_end),
        cmocka_unit_test(json_escapes_what_json_forbids),
        cmocka_unit_test(json_keeps_utf8_and_replaces_what_is_not),
        cmocka_unit_test(numbers_are_the_shortest_that_read_back),
        cmocka_unit_test(any_double_survives_text_and_back),
        cmocka_unit_test(to_number_takes_decimals_and_nothing_else),
        cmocka_unit_test(to_count_refuses_what_is_beyond_64_bits),
        cmocka_unit_test(a_decimal_comma_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
