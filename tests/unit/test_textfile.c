/* SPDX-License-Identifier: MIT */
/* test_textfile.c - metrics as a file: replaced as a whole, readable, nothing left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "part.h"
#include "scratch.h"

extern const struct output emit_textfile;

/* As in textfile.c: the settings of the output, in its conf struct. */
struct conf {
    const char *path, *sensor;
};

static _Alignas(max_align_t) unsigned char textfile[512];

static int open_as(const char *path, const char *sensor, eddy_error *err)
{
    assert_true(emit_textfile.state_size <= sizeof textfile);
    assert_int_equal(emit_textfile.part.conf_size, sizeof(struct conf));
    memset(textfile, 0, sizeof textfile);
    struct conf conf = {path, sensor};
    return emit_textfile.open(textfile, &conf, err);
}

static int open_at(const char *path, eddy_error *err)
{
    return open_as(path, "", err);
}

static void the_file_is_replaced_and_readable_for_all(void **state)
{
    const char *path = scratch_path(state, "eddy.prom");
    mode_t before = umask(077);
    assert_int_equal(open_at(path, NULL), EDDY_OK);
    assert_int_equal(emit_textfile.metrics(textfile, "first 1\n", 8, NULL), EDDY_OK);
    struct stat first, second;
    assert_int_equal(stat(path, &first), 0);
    assert_string_equal(scratch_read(path), "first 1\n");
    int reader = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(emit_textfile.metrics(textfile, "b 2\n", 4, NULL), EDDY_OK);
    (void)umask(before);
    emit_textfile.close(textfile);
    assert_int_equal(stat(path, &second), 0);
    assert_string_equal(scratch_read(path), "b 2\n");
    assert_int_equal(second.st_mode & 0777, 0644);
    char seen[16] = "";
    assert_int_equal(read(reader, seen, sizeof seen),
                     8); /* who had begun to read, reads the old one */
    assert_string_equal(seen, "first 1\n");
    (void)close(reader);
    assert_true(first.st_ino != second.st_ino);
}

static void a_failed_write_keeps_the_last_file_and_leaves_no_other(void **state)
{
    const char *path = scratch_path(state, "eddy.prom");
    struct rlimit before, tight;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, action;
    eddy_error err = {0};
    char text[1000];
    memset(text, 'x', sizeof text);
    assert_int_equal(open_at(path, NULL), EDDY_OK);
    assert_int_equal(emit_textfile.metrics(textfile, "good 1\n", 7, NULL), EDDY_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &action), 0);
    tight = before;
    tight.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    int status = emit_textfile.metrics(textfile, text, sizeof text, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)sigaction(SIGXFSZ, &action, NULL);
    emit_textfile.close(textfile);
    assert_int_equal(status, EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(EFBIG)));
    assert_string_equal(scratch_read(path), "good 1\n");
    assert_int_equal(access(scratch_path(state, "eddy.prom.tmp"), F_OK), -1);
}

static void a_name_the_collector_would_not_read_is_refused(void **state)
{
    static const char *const names[] = {"eddy.txt", "eddy.prom.gz", ".prom", "prom"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        eddy_error err = {0};
        assert_int_equal(open_at(scratch_path(state, names[i]), &err), EDDY_ECONFIG);
        assert_non_null(strstr(err.message, "does not end in name.prom"));
    }
}

static void the_sensor_is_a_label_of_every_sample(void **state)
{
    static const char text[] = "# HELP a Braces {x} in words.\n# TYPE a counter\na 1\n"
                               "# TYPE b gauge\nb{c=\"d e{\"} 2\nb{c=\"\"} 3\n";
    const char *path = scratch_path(state, "eddy.prom");
    assert_int_equal(open_as(path, "dmz \"2\"", NULL), EDDY_OK);
    assert_int_equal(emit_textfile.metrics(textfile, text, sizeof text - 1, NULL), EDDY_OK);
    emit_textfile.close(textfile);
    assert_string_equal(scratch_read(path), "# HELP a Braces {x} in words.\n# TYPE a counter\n"
                                            "a{sensor=\"dmz \\\"2\\\"\"} 1\n# TYPE b gauge\n"
                                            "b{sensor=\"dmz \\\"2\\\"\",c=\"d e{\"} 2\n"
                                            "b{sensor=\"dmz \\\"2\\\"\",c=\"\"} 3\n");
}

static void a_sensor_too_long_for_a_label_is_refused(void **state)
{
    char sensor[300];
    eddy_error err = {0};
    memset(sensor, 'x', sizeof sensor - 1);
    sensor[sizeof sensor - 1] = '\0';
    assert_int_equal(open_as(scratch_path(state, "eddy.prom"), sensor, &err), EDDY_ECONFIG);
    assert_non_null(strstr(err.message, "textfile.sensor"));
}

static void a_missing_directory_is_told_at_the_start(void **state)
{
    eddy_error err = {0};
    assert_int_equal(open_at(scratch_path(state, "none/eddy.prom"), &err), EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(ENOENT)));
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(the_file_is_replaced_and_readable_for_all),
        IN_SCRATCH(a_failed_write_keeps_the_last_file_and_leaves_no_other),
        IN_SCRATCH(a_name_the_collector_would_not_read_is_refused),
        IN_SCRATCH(the_sensor_is_a_label_of_every_sample),
        IN_SCRATCH(a_sensor_too_long_for_a_label_is_refused),
        IN_SCRATCH(a_missing_directory_is_told_at_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
