/* SPDX-License-Identifier: MIT */
/* test_follow.c - following a log through everything that happens to logs. */
#define _XOPEN_SOURCE 700 /* nftw() in follow_bench.h */

#include "follow_bench.h"

static void follow_reads_what_is_there_and_what_is_added(void **state)
{
    struct bench *b = *state;
    append(b, "a\nb\n");
    begin(b, NULL, 0);
    run(b);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nb\nc\n");
}

static void follow_waits_for_a_missing_file_and_says_so_once(void **state)
{
    struct bench *b = *state;
    begin(b, NULL, 0);
    run(b);
    run(b);
    assert_int_equal(b->messages, 1);
    append(b, "a\n");
    run(b);
    assert_lines(b, "a\n");
}

static void follow_waits_for_a_missing_directory(void **state)
{
    struct bench *b = *state;
    (void)snprintf(b->log, sizeof b->log, "%s/later/conn.log", b->folder);
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(mkdir(in_folder(b, "later"), 0755), 0);
    run(b);
    append(b, "a\n");
    run(b);
    assert_lines(b, "a\n");
}

static void follow_begins_at_the_end_if_told_so_but_with_a_whole_line(void **state)
{
    struct bench *b = *state;
    append(b, "old\nbegun");
    begin(b, NULL, 1);
    run(b);
    append(b, " and ended\nnew\n");
    run(b);
    assert_lines(b, "begun and ended\nnew\n");
}

static void follow_leaves_older_parts_alone_at_the_first_start(void **state)
{
    struct bench *b = *state;
    put(in_folder(b, "conn.log.1"), 0, "history\n");
    put(in_folder(b, "conn.2026-01-01-00-00-00.log"), 0, "history 2\n");
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.2")), 0);
    append(b, "b\n");
    run(b);
    assert_lines(b, "a\nb\n");
}

static void follow_goes_on_after_a_rename(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    append(b, "b\n");
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nb\nc\n");
    struct follow_stats stats;
    follow_stats(b->follow, &stats);
    assert_int_equal(stats.finished, 1);
    assert_int_equal(stats.gaps, 0);
}

static void follow_reads_a_renamed_file_on_until_the_new_one_has_bytes(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    /* logrotate with `create`: the writer has not reopened yet */
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    append(b, "");
    run(b);
    put(in_folder(b, "conn.log.1"), O_APPEND, "late\n");
    run(b);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nlate\nc\n");
}

static void follow_takes_a_last_line_without_newline_at_a_rotation(void **state)
{
    struct bench *b = *state;
    append(b, "a\nb");
    begin(b, NULL, 0);
    run(b);
    assert_lines(b, "a\n");
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nb\nc\n");
}

static void follow_leaves_a_half_compressed_part_alone(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.2")), 0);
    put(in_folder(b, "conn.log.1"), 0, "b\nc\n");
    gzip(in_folder(b, "conn.log.1"));
    put(in_folder(b, "conn.log.1"), 0, "b\nc\nd\n"); /* gzip(1) has not got that far */
    append(b, "e\n");
    run(b);
    assert_lines(b, "a\nb\nc\nd\ne\n");
}

static void follow_reads_all_parts_rotated_while_it_was_stalled_oldest_first(void **state)
{
    struct bench *b = *state;
    append(b, "first\n");
    written_at(b->log, 0);
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.2026-01-01-00-00-00.log")), 0);
    make_generations(b, 1, 4);
    run(b);
    assert_lines(b, "first\nline 1\nline 2\nline 3\nline 4\n");
}

static void follow_reads_numbered_parts_in_their_order(void **state)
{
    struct bench *b = *state;
    append(b, "first\n");
    written_at(b->log, 0);
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.3")), 0);
    put(in_folder(b, "conn.log.2"), 0, "second\n"); /* the same tick of the clock */
    written_at(in_folder(b, "conn.log.2"), 1);
    put(in_folder(b, "conn.log.1"), 0, "third\n");
    written_at(in_folder(b, "conn.log.1"), 1);
    append(b, "fourth\n");
    run(b);
    assert_lines(b, "first\nsecond\nthird\nfourth\n");
}

static void follow_does_not_mix_in_other_logs(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    put(in_folder(b, "conn-summary.2026-01-01.log"), 0, "no\n");
    put(in_folder(b, "open_conn.log"), 0, "no\n");
    put(in_folder(b, "conn_long.log"), 0, "no\n");
    put(in_folder(b, "conn_long.2026-01-01-00-00-00.log"), 0, "no\n");
    put(in_folder(b, "connect.log"), 0, "no\n");
    append(b, "b\n");
    run(b);
    assert_lines(b, "a\nb\n");
}

static void follow_begins_anew_after_a_truncation(void **state)
{
    struct bench *b = *state;
    append(b, "a\nb\nc\n");
    begin(b, NULL, 0);
    run(b);
    put(b->log, O_TRUNC, "d\n");
    run(b);
    assert_lines(b, "a\nb\nc\nd\n");
}

static void follow_notices_a_file_truncated_and_grown_beyond_its_offset(void **state)
{
    struct bench *b = *state;
    append(b, "a\nb\n");
    begin(b, NULL, 0);
    run(b);
    put(b->log, O_TRUNC, "new 1\nnew 2\nnew 3\n");
    run(b);
    assert_lines(b, "a\nb\nnew 1\nnew 2\nnew 3\n");
    struct follow_stats stats;
    follow_stats(b->follow, &stats);
    assert_int_equal(stats.restarts, 1);
}

static void follow_reads_on_in_the_copy_of_a_truncated_file(void **state)
{
    struct bench *b = *state;
    append(b, "a\nbeg");
    begin(b, NULL, 0);
    run(b);
    append(b, "un\nunread\n"); /* copytruncate while we are stalled */
    put(in_folder(b, "conn.log.1"), 0, "a\nbegun\nunread\n");
    put(b->log, O_TRUNC, "new\n");
    run(b);
    assert_lines(b, "a\nbegun\nunread\nnew\n");
}

static void follow_reads_on_in_the_compressed_copy_of_a_truncated_file(void **state)
{
    struct bench *b = *state;
    append(b, "#h\na\nbeg");
    begin(b, NULL, 0);
    run(b);
    put(in_folder(b, "conn.log.1"), 0, "#h\na\nbegun\nunread\n");
    gzip(in_folder(b, "conn.log.1"));
    put(b->log, O_TRUNC, "new\n");
    run(b);
    assert_lines(b, "#h\na\nbegun\nunread\nnew\n");
}

static void follow_reads_an_unlinked_file_to_its_end(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    append(b, "b\n");
    assert_int_equal(unlink(b->log), 0);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nb\nc\n");
}

static void follow_sees_a_swapped_symlink_to_the_directory(void **state)
{
    struct bench *b = *state;
    char current[96];
    (void)snprintf(current, sizeof current, "%s/current", b->folder);
    assert_int_equal(mkdir(in_folder(b, "one"), 0755), 0);
    assert_int_equal(mkdir(in_folder(b, "two"), 0755), 0);
    assert_int_equal(symlink("one", current), 0);
    (void)snprintf(b->log, sizeof b->log, "%s/current/conn.log", b->folder);
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    append(b, "b\n");
    assert_int_equal(unlink(current), 0);
    assert_int_equal(symlink("two", current), 0);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nb\nc\n");
}

static void follow_finds_parts_in_a_directory_that_was_moved(void **state)
{
    struct bench *b = *state;
    (void)snprintf(b->log, sizeof b->log, "%s/logs/conn.log", b->folder);
    assert_int_equal(mkdir(in_folder(b, "logs"), 0755), 0);
    append(b, "a\n");
    written_at(b->log, 0);
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "logs/conn.log.2")), 0);
    put(in_folder(b, "logs/conn.log.1"), 0, "b\n");
    written_at(in_folder(b, "logs/conn.log.1"), 1);
    assert_int_equal(rename(in_folder(b, "logs"), in_folder(b, "logs.old")), 0);
    assert_int_equal(mkdir(in_folder(b, "logs"), 0755), 0);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nb\nc\n");
}

static void follow_refuses_a_directory_and_a_fifo(void **state)
{
    struct bench *b = *state;
    eddy_error err;
    assert_int_equal(follow_check(b->folder, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "directory"));
    assert_int_equal(mkfifo(b->log, 0644), 0);
    assert_int_equal(follow_check(b->log, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "FIFO"));
}

static void follow_waits_when_the_path_becomes_a_fifo(void **state)
{
    struct bench *b = *state;
    begin(b, NULL, 0);
    assert_int_equal(mkfifo(b->log, 0644), 0);
    run(b); /* must not block */
    assert_int_equal(unlink(b->log), 0);
    append(b, "a\n");
    run(b);
    assert_lines(b, "a\n");
}

static void follow_never_follows_a_sibling_that_is_a_symlink(void **state)
{
    struct bench *b = *state;
    put(in_folder(b, "secret"), 0, "secret\n");
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.2")), 0);
    assert_int_equal(symlink("secret", in_folder(b, "conn.log.1")), 0);
    append(b, "b\n");
    run(b);
    assert_lines(b, "a\nb\n");
}

static void siblings_of_suricata_and_zeek_are_known_by_name(void **state)
{
    (void)state;
    assert_true(siblings_match("eve.json", "eve.json.1"));
    assert_true(siblings_match("eve.json", "eve.json-20260101"));
    assert_true(siblings_match("eve.json", "eve.json-20260101.gz"));
    assert_true(siblings_match("eve.json", "eve-2026-01-01.json"));
    assert_true(siblings_match("conn.log", "conn.log"));
    assert_true(siblings_match("conn.log", "conn.2026-01-01-00-00-00.log"));
    assert_true(siblings_match("conn.log", "conn.12:00:00-13:00:00.log.gz"));
    assert_true(siblings_match("conn.log", "conn__2026-01-01__2026-01-02__.log"));
    assert_false(siblings_match("conn.log", "conn-summary.12:00:00-13:00:00.log.gz"));
    assert_false(siblings_match("conn.log", "conn_long.2026-01-01-00-00-00.log"));
    assert_false(siblings_match("conn.log", "open_conn.log"));
    assert_false(siblings_match("conn.log", "conn.log.1.tmp"));
    assert_false(siblings_match("conn.log", "connect.log"));
    assert_false(siblings_match("conn.log", "conn"));
    assert_false(siblings_match("conn.log", "conn."));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(follow_reads_what_is_there_and_what_is_added),
        TEST(follow_waits_for_a_missing_file_and_says_so_once),
        TEST(follow_waits_for_a_missing_directory),
        TEST(follow_begins_at_the_end_if_told_so_but_with_a_whole_line),
        TEST(follow_leaves_older_parts_alone_at_the_first_start),
        TEST(follow_goes_on_after_a_rename),
        TEST(follow_reads_a_renamed_file_on_until_the_new_one_has_bytes),
        TEST(follow_takes_a_last_line_without_newline_at_a_rotation),
        TEST(follow_leaves_a_half_compressed_part_alone),
        TEST(follow_reads_all_parts_rotated_while_it_was_stalled_oldest_first),
        TEST(follow_reads_numbered_parts_in_their_order),
        TEST(follow_does_not_mix_in_other_logs),
        TEST(follow_begins_anew_after_a_truncation),
        TEST(follow_notices_a_file_truncated_and_grown_beyond_its_offset),
        TEST(follow_reads_on_in_the_copy_of_a_truncated_file),
        TEST(follow_reads_on_in_the_compressed_copy_of_a_truncated_file),
        TEST(follow_reads_an_unlinked_file_to_its_end),
        TEST(follow_sees_a_swapped_symlink_to_the_directory),
        TEST(follow_finds_parts_in_a_directory_that_was_moved),
        TEST(follow_refuses_a_directory_and_a_fifo),
        TEST(follow_waits_when_the_path_becomes_a_fifo),
        TEST(follow_never_follows_a_sibling_that_is_a_symlink),
        TEST(siblings_of_suricata_and_zeek_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
