/* SPDX-License-Identifier: MIT */
/* test_follow.c - following a log through everything that happens to logs. */
#define _XOPEN_SOURCE 700 /* nftw() */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "fake_worker.h"

#include "../../plugins/common/follow.c"
#include "../../plugins/common/follow_state.c"
#include "../../plugins/common/generation.c"
#include "../../plugins/common/gz.c"
#include "../../plugins/common/places.c"
#include "../../plugins/common/say.c"
#include "../../plugins/common/siblings.c"

struct bench {
    char folder[64];
    char log[96];
    struct fake_worker worker;
    struct follow *follow;
    struct follow_state saved;
    int messages;
    char last_message[1024];
    struct say say;
};

static void count_message(int level, const char *message, void *user)
{
    struct bench *b = user;
    (void)level;
    b->messages++;
    (void)snprintf(b->last_message, sizeof b->last_message, "%s", message);
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    (void)snprintf(b->folder, sizeof b->folder, "/tmp/eddy-follow-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    (void)snprintf(b->log, sizeof b->log, "%s/conn.log", b->folder);
    b->say = (struct say){.line = count_message, .user = b};
    *state = b;
    return 0;
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct bench *b = *state;
    follow_free(b->follow);
    (void)nftw(b->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(b->worker.lines);
    free(b);
    return 0;
}

static const char *in_folder(struct bench *b, const char *name)
{
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(path[next], sizeof path[next], "%s/%s", b->folder, name);
    return path[next];
}

static void put(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static void append(struct bench *b, const char *text)
{
    put(b->log, O_APPEND, text);
}

/* gzip(1): the same content, the same time, the plain file gone. */
static void gzip(const char *path)
{
    char packed[300];
    char text[8192];
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, text, sizeof text);
    assert_true(fd >= 0 && length >= 0);
    (void)close(fd);
    (void)snprintf(packed, sizeof packed, "%s.gz", path);
    gzFile to = gzopen(packed, "wb");
    assert_int_equal(gzwrite(to, text, (unsigned)length), length);
    assert_int_equal(gzclose(to), Z_OK);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, packed, times, 0), 0);
    assert_int_equal(unlink(path), 0);
}

/* File times have the clock's tick of a few ms: parts of these tests are written faster. */
static void written_at(const char *path, int seconds)
{
    struct timespec times[2] = {{.tv_sec = 1900000000 + seconds}, {.tv_sec = 1900000000 + seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void begin(struct bench *b, const struct follow_state *state, int skip_existing)
{
    struct follow_options options = {
        .path = b->log, .skip_existing = skip_existing != 0, .say = &b->say};
    assert_int_equal(follow_new((eddy_worker *)&b->worker, &options, state, &b->follow, NULL), 0);
}

static void run(struct bench *b)
{
    int idle = 0;
    while (idle < 3) /* a change of part may need a second look */
        idle = follow_turn(b->follow) > 0 ? 0 : idle + 1;
}

/* kill -9: the worker loses what it has of a line; what was scored since is not undone here. */
static void stop(struct bench *b)
{
    assert_non_null(follow_state(b->follow));
    b->saved = *follow_state(b->follow);
    follow_free(b->follow);
    b->follow = NULL;
    b->worker.partial_used = 0;
    b->worker.started = 0;
    b->worker.skip = 0;
}

static void restart(struct bench *b)
{
    begin(b, &b->saved, 0);
    run(b);
}

static void assert_lines(struct bench *b, const char *expected)
{
    assert_string_equal(b->worker.lines == NULL ? "" : b->worker.lines, expected);
}

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

static void make_generations(struct bench *b, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char line[32];
        char name[64];
        (void)snprintf(line, sizeof line, "line %d\n", i);
        (void)snprintf(name, sizeof name, "conn.2026-01-01-00-00-%02d.log", i);
        append(b, line);
        written_at(b->log, i);
        if (i < to)
            assert_int_equal(rename(b->log, in_folder(b, name)), 0);
    }
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
        TEST(follow_knows_what_is_history_before_its_first_turn),
        TEST(follow_leaves_a_half_compressed_part_alone),
        TEST(follow_reads_all_parts_rotated_while_it_was_stalled_oldest_first),
        TEST(follow_reads_numbered_parts_in_their_order),
        TEST(follow_does_not_mix_in_other_logs),
        TEST(follow_resumes_at_the_start_of_the_line_it_was_in),
        TEST(follow_resumes_in_a_renamed_part),
        TEST(follow_resumes_in_a_compressed_part),
        TEST(follow_knows_a_finished_part_again_when_it_is_compressed),
        TEST(follow_shows_a_zeek_header_again_after_a_restart),
        TEST(follow_begins_anew_after_a_truncation),
        TEST(follow_notices_a_file_truncated_and_grown_beyond_its_offset),
        TEST(follow_reads_on_in_the_copy_of_a_truncated_file),
        TEST(follow_reads_on_in_the_compressed_copy_of_a_truncated_file),
        TEST(follow_notices_a_truncation_while_it_was_down),
        TEST(follow_tells_of_a_part_that_vanished),
        TEST(follow_reads_an_unlinked_file_to_its_end),
        TEST(follow_is_not_fooled_by_a_reused_inode),
        TEST(follow_sees_a_swapped_symlink_to_the_directory),
        TEST(follow_finds_parts_in_a_directory_that_was_moved),
        TEST(follow_reads_a_compressed_log_once),
        TEST(follow_refuses_a_directory_and_a_fifo),
        TEST(follow_waits_when_the_path_becomes_a_fifo),
        TEST(follow_never_follows_a_sibling_that_is_a_symlink),
        TEST(siblings_of_suricata_and_zeek_are_known_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
