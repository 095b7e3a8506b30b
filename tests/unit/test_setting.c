/* SPDX-License-Identifier: MIT */
/* test_setting.c - one setting: ranges as text, values read strictly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "setting.h"

static union setting_value value;
static char why[160];

static bool parse(const char *range_words, const char *written)
{
    struct range range;
    struct text text = text_over(why, sizeof why);
    memset(&value, 0, sizeof value);
    if (!range_parse(range_words, &range))
        fail_msg("no range: %s", range_words);
    return setting_parse(&range, written, &value, &text);
}

static void assert_refused(const char *range_words, const char *written, const char *expected)
{
    assert_false(parse(range_words, written));
    assert_string_equal(why, expected);
}

static void ranges_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const char *const words[] = {
        "on|off",        "0..1",          "-2.5..1e+20", "1..65535, whole",
        "4K..16M bytes", "0..1000 bytes", "500ms..7d",   "0s..90m",
        "text",          "list"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct range range;
        char buf[96];
        struct text text = text_over(buf, sizeof buf);
        assert_true(range_parse(words[i], &range));
        range_text(&text, &range);
        assert_string_equal(buf, words[i]);
    }
}

static void what_is_no_range_is_refused(void **state)
{
    (void)state;
    static const char *const words[] = {"",     "word",        "1..",    "..1",
                                        "5..1", "1..2 apples", "1x..2x", "1s..5"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct range range;
        assert_false(range_parse(words[i], &range));
    }
}

static void flags_are_on_or_off(void **state)
{
    (void)state;
    assert_true(parse("on|off", "on") && value.flag);
    assert_true(parse("on|off", "off") && !value.flag);
    assert_refused("on|off", "yes", "not on|off");
    assert_refused("on|off", "", "not on|off");
    assert_refused("on|off", "on|off", "not on|off");
    assert_true(parse("tcp|udp", "udp"));
    assert_refused("tcp|udp", "ud", "not tcp|udp");
}

static void numbers_are_within_both_ends(void **state)
{
    (void)state;
    assert_true(parse("0..1", "0") && value.number == 0);
    assert_true(parse("0..1", "1.0") && value.number == 1);
    assert_true(parse("0..1", "2.5e-1") && value.number == 0.25);
    assert_refused("0..1", "1.0001", "not in 0..1");
    assert_refused("0..1", "-0.1", "not in 0..1");
    assert_refused("0..1", "nan", "not a number");
    assert_refused("0..1", "0,5", "not a number");
    assert_refused("0..1", "", "not a number");
}

static void counts_are_whole(void **state)
{
    (void)state;
    assert_true(parse("1..65535, whole", "80") && value.count == 80);
    assert_refused("1..65535, whole", "0", "not in 1..65535, whole");
    assert_refused("1..65535, whole", "80.5", "not a whole number");
    assert_refused("1..65535, whole", "-1", "not a whole number");
    assert_refused("1..65535, whole", "99999999999999999999", "not a whole number");
}

static void bytes_have_units_of_1024(void **state)
{
    (void)state;
    assert_true(parse("1K..1T bytes", "1536") && value.count == 1536);
    assert_true(parse("1K..1T bytes", "64K") && value.count == 65536);
    assert_true(parse("1K..1T bytes", "128M") && value.count == 134217728);
    assert_true(parse("1K..1T bytes", "2G") && value.count == 2147483648);
    assert_refused("1K..1T bytes", "1023", "not in 1K..1T bytes");
    assert_refused("1K..1T bytes", "64k", "not a size such as 4096, 64K, 128M or 1G");
    assert_refused("1K..1T bytes", "64KB", "not a size such as 4096, 64K, 128M or 1G");
    assert_refused("1K..1T bytes", "16777216T", "not a size such as 4096, 64K, 128M or 1G");
}

static void durations_need_a_unit(void **state)
{
    (void)state;
    assert_true(parse("1ms..7d", "1500us") && value.duration_us == 1500);
    assert_true(parse("1ms..7d", "250ms") && value.duration_us == 250000);
    assert_true(parse("1ms..7d", "1.5h") && value.duration_us == INT64_C(5400000000));
    assert_true(parse("1ms..7d", "7d") && value.duration_us == INT64_C(604800000000));
    assert_refused("1ms..7d", "8d", "not in 1ms..7d");
    assert_refused("1ms..7d", "15", "not a duration such as 500ms, 30s, 5m, 1h or 7d");
    assert_refused("1ms..7d", "-1s", "not a duration such as 500ms, 30s, 5m, 1h or 7d");
    assert_refused("1ms..7d", "1 s", "not a duration such as 500ms, 30s, 5m, 1h or 7d");
    assert_refused("1ms..7d", "99999999999999d", "not a duration such as 500ms, 30s, 5m, 1h or 7d");
}

static void texts_are_one_line(void **state)
{
    (void)state;
    assert_true(parse("text", ""));
    assert_true(parse("path", "/a b/\xC3\xA9"));
    assert_refused("text", "a\nb", "has a control character");
    assert_refused("list", "a\x1b", "has a control character");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ranges_are_written_as_they_are_read),
        cmocka_unit_test(what_is_no_range_is_refused),
        cmocka_unit_test(flags_are_on_or_off),
        cmocka_unit_test(numbers_are_within_both_ends),
        cmocka_unit_test(counts_are_whole),
        cmocka_unit_test(bytes_have_units_of_1024),
        cmocka_unit_test(durations_need_a_unit),
        cmocka_unit_test(texts_are_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
