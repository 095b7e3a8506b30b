/* SPDX-License-Identifier: MIT */
/* test_lines.c - joining lines that were cut anywhere. */
#include "ingest/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 8 };

/* Lines as "offset:text|", one too long as "offset!text|". */
struct seen {
    char text[512];
    size_t used;
    const char *last; /* where the last one was */
};

static void see(void *user, const struct line *line)
{
    struct seen *seen = user;
    seen->last = line->text;
    int n =
        snprintf(seen->text + seen->used, sizeof seen->text - seen->used, "%u%c%.*s|",
                 (unsigned)line->offset, line->too_long ? '!' : ':', (int)line->length, line->text);
    assert_true(n > 0);
    seen->used += (size_t)n;
}

static struct seen lines_of(const char *bytes, size_t length, size_t cut)
{
    struct seen seen = {.used = 0};
    struct lines lines;
    assert_int_equal(lines_init(&lines, MAX), 0);
    for (size_t at = 0; at < length; at += cut)
        lines_feed(&lines, bytes + at, length - at < cut ? length - at : cut, see, &seen);
    lines_end(&lines, see, &seen);
    lines_done(&lines);
    return seen;
}

static void check(const char *bytes, const char *expected)
{
    size_t length = strlen(bytes);
    for (size_t cut = 1; cut <= length + 1; cut++)
        assert_string_equal(lines_of(bytes, length, cut).text, expected);
}

static void feed_joins_a_line_cut_anywhere(void **state)
{
    (void)state;
    check("one\ntwo\nthree\n", "0:one|4:two|8:three|");
}

static void the_last_line_needs_no_newline(void **state)
{
    (void)state;
    check("one\ntwo", "0:one|4:two|");
    check("one\n", "0:one|");
    check("", "");
}

static void an_empty_line_is_a_line(void **state)
{
    (void)state;
    check("\n\na\n\n", "0:|1:|2:a|4:|");
}

static void one_carriage_return_at_the_end_is_dropped(void **state)
{
    (void)state;
    check("one\r\ntw\ro\r\r\n\r\nend\r", "0:one|5:tw\ro\r|12:|14:end|");
}

static void a_line_of_exactly_the_maximum_is_whole(void **state)
{
    (void)state;
    check("12345678\n1234567\r\n12345678", "0:12345678|9:1234567|18:12345678|");
}

static void a_longer_line_is_reported_once_and_reading_goes_on_after_it(void **state)
{
    (void)state;
    check("123456789\nnext\n", "0!12345678|10:next|");
    check("a\n12345678901234567890123456789\nnext", "0:a|2!12345678|32:next|");
    check("12345678\r\nnext\n", "0!12345678|10:next|");
    check("1234567890", "0!12345678|");
    check("123456789\n123456789\n", "0!12345678|10!12345678|");
}

static void see_length(void *user, const struct line *line)
{
    size_t *sum = user;
    *sum = *sum * 10 + line->length;
}

static void nul_bytes_are_part_of_a_line(void **state)
{
    (void)state;
    struct lines lines;
    size_t lengths = 0;
    assert_int_equal(lines_init(&lines, MAX), 0);
    lines_feed(&lines, "a\0b\nc\0\n", 7, see_length, &lengths);
    assert_int_equal(lengths, 32);
    lines_done(&lines);
}

static void a_whole_line_is_not_copied(void **state)
{
    (void)state;
    static const char bytes[] = "one\ntwo\n";
    struct seen seen = {.used = 0};
    struct lines lines;
    assert_int_equal(lines_init(&lines, MAX), 0);
    lines_feed(&lines, bytes, 8, see, &seen);
    assert_ptr_equal(seen.last, bytes + 4);
    lines_done(&lines);
}

static void a_reset_forgets_the_line_begun(void **state)
{
    (void)state;
    struct seen seen = {.used = 0};
    struct lines lines;
    assert_int_equal(lines_init(&lines, MAX), 0);
    lines_feed(&lines, "lost", 4, see, &seen);
    lines_reset(&lines);
    lines_feed(&lines, "new\n", 4, see, &seen);
    lines_end(&lines, see, &seen);
    assert_string_equal(seen.text, "0:new|");
    lines_done(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(feed_joins_a_line_cut_anywhere),
        cmocka_unit_test(the_last_line_needs_no_newline),
        cmocka_unit_test(an_empty_line_is_a_line),
        cmocka_unit_test(one_carriage_return_at_the_end_is_dropped),
        cmocka_unit_test(a_line_of_exactly_the_maximum_is_whole),
        cmocka_unit_test(a_longer_line_is_reported_once_and_reading_goes_on_after_it),
        cmocka_unit_test(nul_bytes_are_part_of_a_line),
        cmocka_unit_test(a_whole_line_is_not_copied),
        cmocka_unit_test(a_reset_forgets_the_line_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
