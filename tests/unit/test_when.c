/* SPDX-License-Identifier: MIT */
/* test_when.c - points in time as people and incidents write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugins/eddy/when.c"

static void times_are_read_in_every_usual_form(void **state)
{
    (void)state;
    /* 2026-01-02T03:04:05Z is 1767323045 (date -u -d ... +%s). */
    static const struct {
        const char *text;
        int64_t us;
    } cases[] = {
        {"2026-01-02T03:04:05.123456+0000", INT64_C(1767323045123456)},
        {"2026-01-02T03:04:05Z", INT64_C(1767323045000000)},
        {"2026-01-02 03:04:05", INT64_C(1767323045000000)},
        {"2026-01-02T03:04", INT64_C(1767323040000000)},
        {"2026-01-02", INT64_C(1767312000000000)},
        {"2026-01-02T04:04:05+01:00", INT64_C(1767323045000000)},
        {"2026-01-01T22:04:05-0500", INT64_C(1767323045000000)},
        {"2026-01-02T03:04:05.1234567899", INT64_C(1767323045123456)},
        {"1970-01-01", 0},
        {"1969-12-31T23:59:59.5", -500000},
        {"2000-02-29", INT64_C(951782400000000)},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 77;
        assert_true(when_parse(cases[i].text, &us));
        assert_int_equal(us, cases[i].us);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {"",
                                        "2026",
                                        "2026-13-01",
                                        "0000-01-01",
                                        "9999-01-01",
                                        "2026-00-01",
                                        "2026-02-30",
                                        "2026-01-02T",
                                        "2026-01-02T24:00",
                                        "2026-01-02T03:60",
                                        "2026-01-02T03:04:05.",
                                        "2026-01-02T03:04:05+1",
                                        "2026-01-02T03:04:05Zx",
                                        "02.01.2026",
                                        "20260102"};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t us = 77;
        assert_false(when_parse(cases[i], &us));
        assert_int_equal(us, 77);
    }
}

static void spans_have_a_unit(void **state)
{
    (void)state;
    int64_t us = 0;
    assert_true(when_parse_span("30m", &us));
    assert_int_equal(us, INT64_C(1800000000));
    assert_true(when_parse_span("7d", &us));
    assert_int_equal(us, INT64_C(604800000000));
    assert_true(when_parse_span("2w", &us));
    assert_int_equal(us, INT64_C(1209600000000));
    static const char *const bad[] = {"", "30", "m", "-5m", "1.5h", "3y", "30min", "1234567s"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(when_parse_span(bad[i], &us));
}

static void they_are_written_for_people(void **state)
{
    (void)state;
    char buf[WHEN_SIZE];
    assert_string_equal(when_text(INT64_C(1767323045999999), buf), "2026-01-02 03:04:05");
    assert_string_equal(when_text(-1, buf), "1969-12-31 23:59:59");
    assert_string_equal(when_span(INT64_C(119999999), buf), "119s");
    assert_string_equal(when_span(INT64_C(7199000000), buf), "119m");
    assert_string_equal(when_span(INT64_C(12000000000), buf), "3h 20m");
    assert_string_equal(when_span(INT64_C(349200000000), buf), "4d 1h");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read_in_every_usual_form),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(spans_have_a_unit),
        cmocka_unit_test(they_are_written_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
