/* SPDX-License-Identifier: MIT */
/* test_follow_restart.c - going on after a restart: nothing lost, nothing twice. */
#define _XOPEN_SOURCE 700 /* nftw() in follow_bench.h */

#include "follow_bench.h"

static void follow_knows_what_is_history_before_its_first_turn(void **state)
{
    struct bench *b = *state;
    put(in_folder(b, "conn.log.9"), 0, "history\n");
    begin(b, NULL, 0);
    stop(b); /* killed at once */
    append(b, "a\n");
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    append(b, "b\n");
    restart(b);
    assert_lines(b, "a\nb\n");
}

static void follow_resumes_at_the_start_of_the_line_it_was_in(void **state)
{
    struct bench *b = *state;
    append(b, "a\nhalf");
    begin(b, NULL, 0);
    run(b);
    stop(b);
    append(b, " line\nb\n");
    restart(b);
    assert_lines(b, "a\nhalf line\nb\n");
}

static void follow_resumes_in_a_renamed_part(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    stop(b);
    append(b, "b\n");
    written_at(b->log, 0);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    make_generations(b, 1, 3);
    restart(b);
    assert_lines(b, "a\nb\nline 1\nline 2\nline 3\n");
}

static bool cannot_look(struct follow *f)
{
    (void)f;
    return false;
}

static void follow_goes_on_beside_a_part_that_another_log_may_have_been_reading(void **state)
{
    struct bench *b = *state;
    struct follow_family family = {0};
    struct follow_state other = {.reading = true, .print = print_of((const void *)"other\n", 6)};
    struct generation none = {.fd = -1};
    struct follow_options options = {.path = b->log, .say = &b->say, .family = &family};
    follow_family_join(&family, (struct follow_member){&other, &none, cannot_look, NULL});
    append(b, "a\n");
    assert_int_equal(follow_new((eddy_worker *)&b->worker, &options, NULL, &b->follow, NULL), 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    put(in_folder(b, "conn.log.2"), 0, "other\n");
    append(b, "b\n");
    run(b);
    assert_lines(b, "a\n"); /* for a while: it may be known in a moment whose that is */
    b->follow->held_since_ms -= HELD_PATIENCE_MS;
    int messages = b->messages;
    run(b);
    run(b);
    assert_lines(b, "a\nb\n");
    assert_int_equal(b->messages, messages + 1);
    assert_non_null(strstr(b->last_message, "conn.log.2"));
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.3")), 0);
    append(b, "c\n");
    run(b);
    assert_lines(b, "a\nb\nc\n"); /* nor does it hold back what comes later */
    follow_free(b->follow);       /* before the family goes */
    b->follow = NULL;
}

static void follow_resumes_in_a_compressed_part(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    stop(b);
    append(b, "b\nc\n");
    written_at(b->log, 0);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    gzip(in_folder(b, "conn.log.1"));
    append(b, "d\n");
    restart(b);
    assert_lines(b, "a\nb\nc\nd\n");
}

static void follow_knows_a_finished_part_again_when_it_is_compressed(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.1")), 0);
    append(b, "b\n");
    run(b);
    stop(b);
    gzip(in_folder(b, "conn.log.1"));
    written_at(in_folder(b, "conn.log.1.gz"), 100000000); /* long after the others */
    assert_int_equal(rename(b->log, in_folder(b, "conn.log.2")), 0);
    append(b, "c\n");
    restart(b);
    assert_lines(b, "a\nb\nc\n");
}

static void follow_shows_a_zeek_header_again_after_a_restart(void **state)
{
    struct bench *b = *state;
    append(b, "#fields\tts\n1\n");
    begin(b, NULL, 0);
    run(b);
    stop(b);
    append(b, "2\n");
    begin(b, &b->saved, 0);
    (void)follow_turn(b->follow);
    assert_lines(b, "#fields\tts\n1\n2\n");
    assert_int_equal(follow_state(b->follow)->offset, strlen("#fields\tts\n1\n2\n"));
}

static void follow_notices_a_truncation_while_it_was_down(void **state)
{
    struct bench *b = *state;
    append(b, "a\nb\n");
    begin(b, NULL, 0);
    run(b);
    stop(b);
    put(b->log, O_TRUNC, "new 1\nnew 2\nnew 3\n");
    restart(b);
    assert_lines(b, "a\nb\nnew 1\nnew 2\nnew 3\n");
    struct follow_stats stats;
    follow_stats(b->follow, &stats);
    assert_int_equal(stats.gaps, 1);
}

static void follow_tells_of_a_part_that_vanished(void **state)
{
    struct bench *b = *state;
    append(b, "a\n");
    begin(b, NULL, 0);
    run(b);
    stop(b);
    assert_int_equal(unlink(b->log), 0);
    append(b, "b\n");
    restart(b);
    assert_lines(b, "a\nb\n");
    struct follow_stats stats;
    follow_stats(b->follow, &stats);
    assert_int_equal(stats.gaps, 1);
    assert_non_null(strstr(b->last_message, "lost"));
}

static void follow_is_not_fooled_by_a_reused_inode(void **state)
{
    struct bench *b = *state;
    append(b, "a\nb\n");
    begin(b, NULL, 0);
    run(b);
    stop(b);
    b->saved.print = print_of((const unsigned char *)"x\ny\n", 4); /* another file had this inode */
    restart(b);
    assert_lines(b, "a\nb\na\nb\n");
}

static void follow_reads_a_compressed_log_once(void **state)
{
    struct bench *b = *state;
    (void)snprintf(b->log, sizeof b->log, "%s/conn.log.gz", b->folder);
    put(in_folder(b, "conn.log"), 0, "a\nb\nlast");
    gzip(in_folder(b, "conn.log"));
    begin(b, NULL, 0);
    run(b);
    stop(b);
    restart(b);
    assert_lines(b, "a\nb\nlast\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(follow_knows_what_is_history_before_its_first_turn),
        TEST(follow_resumes_at_the_start_of_the_line_it_was_in),
        TEST(follow_resumes_in_a_renamed_part),
        TEST(follow_goes_on_beside_a_part_that_another_log_may_have_been_reading),
        TEST(follow_resumes_in_a_compressed_part),
        TEST(follow_knows_a_finished_part_again_when_it_is_compressed),
        TEST(follow_shows_a_zeek_header_again_after_a_restart),
        TEST(follow_notices_a_truncation_while_it_was_down),
        TEST(follow_tells_of_a_part_that_vanished),
        TEST(follow_is_not_fooled_by_a_reused_inode),
        TEST(follow_reads_a_compressed_log_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
