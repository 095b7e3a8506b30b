/* SPDX-License-Identifier: MIT */
/* test_timestamp.c - ISO 8601 times. */
#include "ingest/timestamp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void every_way_of_writing_an_offset_is_read(void **state)
{
    (void)state;
    static const char *const same[] = {
        "2020-05-01T07:02:02.186129Z",      "2020-05-01T07:02:02.186129+0000",
        "2020-05-01T09:02:02.186129+0200",  "2020-05-01T09:02:02.186129+02:00",
        "2020-05-01T09:02:02.186129+02",    "2020-05-01T01:32:02.186129-0530",
        "2020-04-30T21:02:02.186129-10:00", "2020-05-01 07:02:02.186129",
        "2020-05-01T07:02:02.186129999Z",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        int64_t us;
        assert_true(timestamp_parse(same[i], strlen(same[i]), &us));
        assert_int_equal(us, 1588316522186129);
    }
}

/* Expected values: date -u -d TEXT +%s of GNU coreutils. */
static void dates_are_those_of_the_gregorian_calendar(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t seconds;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59Z", -1},
        {"2000-02-29T00:00:00Z", 951782400},
        {"1900-03-01T00:00:00Z", -2203891200},
        {"2024-12-31T23:59:59Z", 1735689599},
        {"2200-01-01T00:00:00Z", 7258118400},
        {"9999-12-31T23:59:59Z", 253402300799},
        {"0001-01-01T00:00:00Z", -62135596800},
        {"0000-01-01T00:00:00Z", -62167219200},
        {"2016-12-31T23:59:60Z", 1483228800},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us;
        assert_true(timestamp_parse(cases[i].text, strlen(cases[i].text), &us));
        assert_int_equal(us, cases[i].seconds * 1000000);
    }
}

static void a_fraction_has_up_to_nine_digits(void **state)
{
    (void)state;
    int64_t us;
    assert_true(timestamp_parse("1970-01-01T00:00:01Z", 20, &us));
    assert_int_equal(us, 1000000);
    assert_true(timestamp_parse("1970-01-01T00:00:01.Z", 21, &us));
    assert_int_equal(us, 1000000);
    assert_true(timestamp_parse("1970-01-01T00:00:01.5Z", 22, &us));
    assert_int_equal(us, 1500000);
    assert_true(timestamp_parse("1970-01-01T00:00:01.123456789Z", 30, &us));
    assert_int_equal(us, 1123456);
    assert_false(timestamp_parse("1970-01-01T00:00:01.1234567890Z", 31, &us));
}

static void what_is_no_time_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "2020-05-01",
        "2020-05-01T07:02",
        "2020-5-1T07:02:02Z",
        "2020-13-01T07:02:02Z",
        "2020-00-01T07:02:02Z",
        "2020-02-30T07:02:02Z",
        "2021-02-29T07:02:02Z",
        "1900-02-29T07:02:02Z",
        "2020-05-01T24:00:00Z",
        "2020-05-01T07:60:00Z",
        "2020-05-01T07:02:61Z",
        "2020-05-01T07:02:02z",
        "2020-05-01T07:02:02Zx",
        "2020-05-01T07:02:02+",
        "2020-05-01T07:02:02+2",
        "2020-05-01T07:02:02+02000",
        "2020-05-01T07:02:02+24:00",
        "2020-05-01T07:02:02+02:60",
        "2020-05-01T07:02:02 +0200",
        "2020/05/01T07:02:02Z",
        "-020-05-01T07:02:02Z",
        "12020-05-01T07:02:02Z",
    };
    int64_t us = 42;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_false(timestamp_parse(cases[i], strlen(cases[i]), &us));
    assert_int_equal(us, 42);
}

static void a_time_cut_off_anywhere_is_refused_or_complete(void **state)
{
    (void)state;
    static const char text[] = "2020-05-01T07:02:02.186129+0200";
    for (size_t length = 0; length < 19; length++) {
        int64_t us;
        assert_false(timestamp_parse(text, length, &us));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_of_writing_an_offset_is_read),
        cmocka_unit_test(dates_are_those_of_the_gregorian_calendar),
        cmocka_unit_test(a_fraction_has_up_to_nine_digits),
        cmocka_unit_test(what_is_no_time_is_refused_and_writes_nothing),
        cmocka_unit_test(a_time_cut_off_anywhere_is_refused_or_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
