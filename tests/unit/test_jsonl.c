/* SPDX-License-Identifier: MIT */
/* test_jsonl.c - incidents as lines in a file: whole lines, rotation, refusals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "incident.h"
#include "part.h"
#include "scratch.h"

extern const struct output emit_jsonl;

/* As in jsonl.c: the settings of the output, in its conf struct. */
struct conf {
    const char *path;
    bool withheld;
};

static _Alignas(max_align_t) unsigned char jsonl[256];

static int open_at(const char *path, bool withheld, eddy_error *err)
{
    assert_true(emit_jsonl.state_size <= sizeof jsonl);
    assert_int_equal(emit_jsonl.part.conf_size, sizeof(struct conf));
    memset(jsonl, 0, sizeof jsonl);
    struct conf conf = {path, withheld};
    return emit_jsonl.open(jsonl, &conf, err);
}

static int write_one(const char *id, eddy_error *err)
{
    eddy_incident incident = sample_incident();
    incident.id = id;
    return emit_jsonl.incident(jsonl, &incident, err);
}

static size_t count_lines(const char *text)
{
    size_t lines = 0;
    for (; (text = strchr(text, '\n')) != NULL; text++)
        lines++;
    return lines;
}

static void it_is_wanted_only_with_a_path(void **state)
{
    (void)state;
    struct conf with = {"x", false}, without = {"", false};
    assert_true(emit_jsonl.wanted(&with));
    assert_false(emit_jsonl.wanted(&without));
}

static void each_incident_is_one_line_and_the_file_is_appended_to(void **state)
{
    const char *path = scratch_path(state, "eddy.json");
    scratch_write(path, "before\n", 7);
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(write_one("a", NULL), EDDY_OK);
    assert_int_equal(write_one("b", NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    const char *text = scratch_read(path);
    assert_int_equal(count_lines(text), 3);
    assert_memory_equal(text, "before\n{", 8);
    assert_int_equal(text[strlen(text) - 1], '\n');
}

static void a_new_file_is_not_for_everyone_to_read(void **state)
{
    const char *path = scratch_path(state, "eddy.json");
    mode_t before = umask(0);
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    (void)umask(before);
    emit_jsonl.close(jsonl);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void a_line_left_unfinished_is_ended_first(void **state)
{
    const char *path = scratch_path(state, "eddy.json");
    scratch_write(path, "{\"cut", 5);
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(write_one("a", NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    assert_memory_equal(scratch_read(path), "{\"cut\n{\"timestamp\"", 18);
}

static void after_a_rename_the_next_round_goes_to_a_new_file(void **state)
{
    const char *path = scratch_path(state, "eddy.json"), *old = scratch_path(state, "eddy.json.1");
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(write_one("a", NULL), EDDY_OK);
    assert_int_equal(emit_jsonl.flush(jsonl, NULL), EDDY_OK);
    assert_int_equal(rename(path, old), 0);
    assert_int_equal(write_one("b", NULL), EDDY_OK);
    assert_int_equal(emit_jsonl.flush(jsonl, NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    assert_non_null(strstr(scratch_read(old), "\"incident_id\":\"a\""));
    assert_int_equal(count_lines(scratch_read(old)), 1);
    assert_non_null(strstr(scratch_read(path), "\"incident_id\":\"b\""));
    assert_int_equal(count_lines(scratch_read(path)), 1);
}

static void after_a_rename_a_file_made_by_logrotate_is_taken(void **state)
{
    const char *path = scratch_path(state, "eddy.json"), *old = scratch_path(state, "eddy.json.1");
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(rename(path, old), 0);
    scratch_write(path, "", 0); /* its `create` */
    assert_int_equal(write_one("a", NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    assert_string_equal(scratch_read(old), "");
    assert_int_equal(count_lines(scratch_read(path)), 1);
}

static void a_removed_file_is_made_again(void **state)
{
    const char *path = scratch_path(state, "eddy.json");
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write_one("a", NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    assert_int_equal(count_lines(scratch_read(path)), 1);
}

/* The disk is full in mid-line: RLIMIT_FSIZE cuts a write as a full disk does. */
static void a_line_that_does_not_fit_leaves_nothing_behind(void **state)
{
    const char *path = scratch_path(state, "eddy.json");
    struct rlimit before, tight;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, action;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &action), 0);
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(write_one("a", NULL), EDDY_OK);
    size_t length = strlen(scratch_read(path));
    tight = before;
    tight.rlim_cur = length + 100; /* the second line is cut after 100 bytes */
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    eddy_error err = {0};
    int status = write_one("b", &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(EFBIG)));
    assert_int_equal(strlen(scratch_read(path)), length);
    assert_int_equal(write_one("c", NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    (void)sigaction(SIGXFSZ, &action, NULL);
    assert_int_equal(count_lines(scratch_read(path)), 2);
}

static void links_directories_and_pipes_are_refused(void **state)
{
    eddy_error err = {0};
    const char *link = scratch_path(state, "link"), *pipe = scratch_path(state, "pipe");
    assert_int_equal(symlink("elsewhere", link), 0);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(open_at(link, false, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_int_equal(open_at(pipe, false, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "not a regular file"));
    assert_int_equal(open_at(*state, false, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(EISDIR)));
    assert_int_equal(open_at(scratch_path(state, "no/such"), false, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(ENOENT)));
}

static void withheld_incidents_are_written_only_when_asked_for(void **state)
{
    const char *path = scratch_path(state, "eddy.json");
    eddy_incident incident = sample_incident();
    incident.withheld = 1;
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(emit_jsonl.incident(jsonl, &incident, NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    assert_string_equal(scratch_read(path), "");
    assert_int_equal(open_at(path, true, NULL), EDDY_OK);
    assert_int_equal(emit_jsonl.incident(jsonl, &incident, NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    assert_non_null(strstr(scratch_read(path), "\"withheld\":true"));
}

static void an_incident_of_any_length_is_one_line(void **state)
{
    const char *path = scratch_path(state, "eddy.json");
    char *long_summary = malloc(40000);
    assert_non_null(long_summary);
    memset(long_summary, 's', 39999);
    long_summary[39999] = '\0';
    eddy_incident incident = sample_incident();
    incident.summary = long_summary;
    assert_int_equal(open_at(path, false, NULL), EDDY_OK);
    assert_int_equal(emit_jsonl.incident(jsonl, &incident, NULL), EDDY_OK);
    emit_jsonl.close(jsonl);
    const char *text = scratch_read(path);
    free(long_summary);
    assert_int_equal(count_lines(text), 1);
    assert_true(strlen(text) > 40000);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_wanted_only_with_a_path),
        IN_SCRATCH(each_incident_is_one_line_and_the_file_is_appended_to),
        IN_SCRATCH(a_new_file_is_not_for_everyone_to_read),
        IN_SCRATCH(a_line_left_unfinished_is_ended_first),
        IN_SCRATCH(after_a_rename_the_next_round_goes_to_a_new_file),
        IN_SCRATCH(after_a_rename_a_file_made_by_logrotate_is_taken),
        IN_SCRATCH(a_removed_file_is_made_again),
        IN_SCRATCH(a_line_that_does_not_fit_leaves_nothing_behind),
        IN_SCRATCH(links_directories_and_pipes_are_refused),
        IN_SCRATCH(withheld_incidents_are_written_only_when_asked_for),
        IN_SCRATCH(an_incident_of_any_length_is_one_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
