/* SPDX-License-Identifier: MIT */
/* test_number.c - strict numbers, under any locale. */
#include "util/number.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void counts_up_to_64_bits_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t value;
    } cases[] = {
        {"0", 0},
        {"007", 7},
        {"9223372036854775808", 9223372036854775808u},
        {"18446744073709551615", UINT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t value = 1;
        assert_true(number_unsigned(cases[i].text, strlen(cases[i].text), &value));
        assert_int_equal(value, cases[i].value);
    }
}

static void what_is_no_count_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "-1",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1.0",
                                        "1e3",
                                        "0x10",
                                        "nan",
                                        "inf",
                                        "1,",
                                        "18446744073709551616",
                                        "99999999999999999999999999"};
    uint64_t value = 42;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_false(number_unsigned(cases[i], strlen(cases[i]), &value));
    assert_false(number_unsigned("1\0", 2, &value));
    assert_int_equal(value, 42);
}

static void seconds_become_microseconds(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"0", 0},
        {"-0.0", 0},
        {"1588316522.186129", 1588316522186129},
        {"1588205199.82437", 1588205199824370},
        {"0.001528024673461914", 1528},
        {"0.05999898910522461", 59999},
        {"0.0000005", 1},
        {"0.0000004999999999999999999999", 0},
        {"-1.5", -1500000},
        {"1.5e-05", 15},
        {"1.5E+3", 1500000000},
        {"9e-300", 0},
        {"0e999999999999", 0},
        {"00000000000000000000000000000001.25", 1250000},
        {"1.00000000000000000000000000000000000001", 1000000},
        {"1000000000000000000e-18", 1000000},
        {"9223372036854.775807", INT64_MAX},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 7;
        assert_true(number_micros(cases[i].text, strlen(cases[i].text), &us));
        assert_int_equal(us, cases[i].us);
    }
}

static void what_is_no_time_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "-",
                                        ".",
                                        "1.",
                                        ".5",
                                        "1.5.2",
                                        "1e",
                                        "1e+",
                                        "1e1.5",
                                        "e5",
                                        "+1",
                                        " 1",
                                        "1 ",
                                        "1,5",
                                        "nan",
                                        "inf",
                                        "-inf",
                                        "0x1p3",
                                        "1e400",
                                        "-1e400",
                                        "1e13",
                                        "1..0",
                                        "--1",
                                        "1f",
                                        "9223372036854.775808",
                                        "99999999999999999999999999",
                                        "1e99999999999999999999"};
    int64_t us = 42;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_false(number_micros(cases[i], strlen(cases[i]), &us));
    assert_int_equal(us, 42);
}

static void a_host_locale_with_decimal_comma_changes_nothing(void **state)
{
    (void)state;
    static const char *const locales[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "C.UTF-8"};
    for (size_t i = 0; i < sizeof locales / sizeof *locales; i++) {
        if (setlocale(LC_ALL, locales[i]) != NULL)
            break;
    }
    int64_t us;
    assert_true(number_micros("1.5", 3, &us));
    assert_int_equal(us, 1500000);
    assert_false(number_micros("1,5", 3, &us));
    (void)setlocale(LC_ALL, "C");
}

static void tcp_flags_are_one_or_two_hexadecimal_digits(void **state)
{
    (void)state;
    uint8_t byte;
    assert_true(number_hex_byte("1b", 2, &byte));
    assert_int_equal(byte, 0x1b);
    assert_true(number_hex_byte("F", 1, &byte));
    assert_int_equal(byte, 0xf);
    byte = 42;
    assert_false(number_hex_byte("", 0, &byte));
    assert_false(number_hex_byte("123", 3, &byte));
    assert_false(number_hex_byte("0x", 2, &byte));
    assert_false(number_hex_byte("g0", 2, &byte));
    assert_int_equal(byte, 42);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_up_to_64_bits_are_read),
        cmocka_unit_test(what_is_no_count_is_refused_and_writes_nothing),
        cmocka_unit_test(seconds_become_microseconds),
        cmocka_unit_test(what_is_no_time_is_refused_and_writes_nothing),
        cmocka_unit_test(a_host_locale_with_decimal_comma_changes_nothing),
        cmocka_unit_test(tcp_flags_are_one_or_two_hexadecimal_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
