/* SPDX-License-Identifier: MIT */
/* test_entry.c - lines of words: what is read, and what is refused with line and reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vet/entry.h"

struct seen {
    size_t count;
    char words[4096]; /* "3:src=10.0.0.5|owner=me;" */
    char text[ENTRY_LINE + 1];
};

static int note(const struct entry *entry, void *user, eddy_error *err)
{
    struct seen *seen = user;
    (void)err;
    seen->count++;
    size_t at = strlen(seen->words);
    at += (size_t)snprintf(seen->words + at, sizeof seen->words - at, "%u:", entry->line);
    for (size_t i = 0; i < entry->count; i++)
        at += (size_t)snprintf(seen->words + at, sizeof seen->words - at, "%s%s=%s",
                               i > 0 ? "|" : "", entry->word[i].key, entry->word[i].value);
    (void)snprintf(seen->words + at, sizeof seen->words - at, ";");
    (void)snprintf(seen->text, sizeof seen->text, "%.*s", (int)entry->length, entry->text);
    return EDDY_OK;
}

static int read_bytes(const char *text, size_t length, struct seen *seen, eddy_error *err)
{
    char *exact = malloc(length + 1); /* so that the sanitizer sees a byte too many */
    assert_non_null(exact);
    memcpy(exact, text, length);
    struct entries entries = {.name = "rules", .text = exact, .length = length};
    *seen = (struct seen){0};
    int status = entries_each(&entries, note, seen, err);
    free(exact);
    return status;
}

static void assert_reads(const char *text, const char *words)
{
    struct seen seen;
    eddy_error err = {0};
    assert_int_equal(read_bytes(text, strlen(text), &seen, &err), EDDY_OK);
    assert_string_equal(seen.words, words);
}

static void assert_refused(const char *text, const char *message)
{
    struct seen seen;
    eddy_error err = {0};
    assert_int_equal(read_bytes(text, strlen(text), &seen, &err), EDDY_ECONFIG);
    assert_string_equal(err.message, message);
}

static void words_comments_and_blank_lines_are_told_apart(void **state)
{
    (void)state;
    assert_reads("", "");
    assert_reads("\n# nothing\n  \t\n", "");
    assert_reads("a=1\n", "1:a=1;");
    assert_reads("\n  a=1\tb_c=x=y # d=4\r\n", "2:a=1|b_c=x=y;");
    assert_reads("a=1#2 b=3\n#c=4\n", "1:a=1#2|b=3;");
    assert_reads("a=1\nb=2\n", "1:a=1;2:b=2;");
}

static void quotes_hold_blanks_hashes_and_escapes(void **state)
{
    (void)state;
    assert_reads("why=\"the backup # nightly\" b=2\n", "1:why=the backup # nightly|b=2;");
    assert_reads("why=\"say \\\"no\\\" to \\\\\"\n", "1:why=say \"no\" to \\;");
    assert_reads("owner=\"J\xc3\xb6rg\"\n", "1:owner=J\xc3\xb6rg;");
}

static void the_text_of_an_entry_is_the_line_without_its_comment(void **state)
{
    (void)state;
    struct seen seen;
    static const char line[] = "  a=1  b=\"x # y\"  # for now\n";
    assert_int_equal(read_bytes(line, sizeof line - 1, &seen, NULL), EDDY_OK);
    assert_string_equal(seen.text, "a=1  b=\"x # y\"");
}

static void faults_are_told_with_line_and_reason(void **state)
{
    (void)state;
    assert_refused("a=1\nnonsense\n", "rules:2: 'nonsense': not key=value");
    assert_refused("A=1\n", "rules:1: 'A=1': not key=value");
    assert_refused("=1\n", "rules:1: '=1': not key=value");
    assert_refused("a=1 a=2\n", "rules:1: a twice");
    assert_refused("a= b=1\n", "rules:1: a has no value");
    assert_refused("a=\"\"\n", "rules:1: a has no value");
    assert_refused("a=\"x\n", "rules:1: a: a \" without its end");
    assert_refused("a=\"x\\n\"\n", "rules:1: a: after \\ comes \" or \\");
    assert_refused("a=\"x\\", "rules:1: the last line has no newline: is the file complete?");
    assert_refused("a=\"x\"y\n", "rules:1: a: text after the closing \"");
    assert_refused("a=x\"y\"\n", "rules:1: a: a \" inside a word");
    assert_refused("\n\na=1\x1b[0m\n", "rules:3: has a control character");
    assert_refused("# \x07\n", "rules:1: has a control character");
    assert_refused("a=\x7f\n", "rules:1: has a control character");
    assert_refused("a=\xc2\x85\n", "rules:1: has a control character");
    assert_refused("a=\xff\n", "rules:1: is not UTF-8");
    assert_refused("a=1\rb=2\n", "rules:1: has a control character");
}

static void a_nul_is_a_control_character(void **state)
{
    (void)state;
    struct seen seen;
    eddy_error err = {0};
    assert_int_equal(read_bytes("a=1\0b\n", 6, &seen, &err), EDDY_ECONFIG);
    assert_string_equal(err.message, "rules:1: has a control character");
}

/* Cut after dst=203.0.113.1 of dst=203.0.113.17, a rule would silence somebody else. */
static void a_last_line_without_its_end_is_refused(void **state)
{
    (void)state;
    assert_refused("a=1\nb=2", "rules:2: the last line has no newline: is the file complete?");
}

static void a_line_is_bounded(void **state)
{
    (void)state;
    char line[ENTRY_LINE + 3];
    memset(line, 'x', sizeof line);
    memcpy(line, "a=", 2);
    memcpy(line + ENTRY_LINE, "\n", 2);
    struct seen seen;
    assert_int_equal(read_bytes(line, strlen(line), &seen, NULL), EDDY_OK);
    memcpy(line + ENTRY_LINE, "x\n", 3);
    assert_refused(line, "rules:1: longer than 1000 bytes");
}

static void words_and_entries_are_bounded(void **state)
{
    (void)state;
    char line[256] = "", *text = malloc((ENTRIES_MAX + 1) * 4 + 1);
    assert_non_null(text);
    for (unsigned i = 0; i < ENTRY_WORDS; i++)
        (void)snprintf(line + strlen(line), sizeof line - strlen(line), "%c=1 ", 'a' + i);
    (void)snprintf(line + strlen(line), sizeof line - strlen(line), "\n");
    struct seen seen;
    assert_int_equal(read_bytes(line, strlen(line), &seen, NULL), EDDY_OK);
    (void)snprintf(line + strlen(line) - 1, sizeof line - strlen(line), "zz=1\n");
    assert_refused(line, "rules:1: more than 24 words");

    for (size_t i = 0; i <= ENTRIES_MAX; i++)
        memcpy(text + 4 * i, "a=1\n", 5);
    assert_refused(text, "rules:10001: more than 10000 entries");
    free(text);
}

static void a_file_is_bounded(void **state)
{
    (void)state;
    char *text = malloc(ENTRIES_FILE + 2);
    assert_non_null(text);
    memset(text, '\n', ENTRIES_FILE + 1);
    text[ENTRIES_FILE + 1] = '\0';
    assert_refused(text, "rules: larger than 4 MiB");
    text[ENTRIES_FILE] = '\0';
    assert_reads(text, "");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_comments_and_blank_lines_are_told_apart),
        cmocka_unit_test(quotes_hold_blanks_hashes_and_escapes),
        cmocka_unit_test(the_text_of_an_entry_is_the_line_without_its_comment),
        cmocka_unit_test(faults_are_told_with_line_and_reason),
        cmocka_unit_test(a_nul_is_a_control_character),
        cmocka_unit_test(a_last_line_without_its_end_is_refused),
        cmocka_unit_test(a_line_is_bounded),
        cmocka_unit_test(words_and_entries_are_bounded),
        cmocka_unit_test(a_file_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
