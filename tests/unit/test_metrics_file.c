/* SPDX-License-Identifier: MIT */
/* test_metrics_file.c - counts as a *.prom file: whole, labelled, and refused where none can be. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <stdatomic.h>

#include "../../plugins/common/metrics_file.c"
#include "../../plugins/common/say.c"
#include "scratch.h"

static void counts_of_a_test(eddy_counts *out, void *user)
{
    (void)user;
    *out = (eddy_counts){.read = 60, .scored = 10, .skipped = 20, .dropped = 30};
}

static atomic_uint lines;
static int64_t interval_ms = 3600000;

static void count_line(int level, const char *message, void *user)
{
    (void)level, (void)message, (void)user;
    atomic_fetch_add(&lines, 1);
}

static const struct say to_count = {.line = count_line};

static int open_at(const char *path, const char *sensor, struct metrics_file **out)
{
    struct metrics_file_options with = {.path = path,
                                        .sensor = sensor,
                                        .input = "suricata",
                                        .interval_ms = interval_ms,
                                        .say = &to_count,
                                        .read = counts_of_a_test};
    return metrics_file_new(&with, out, NULL);
}

static void the_library_s_names_with_our_counts(void **state)
{
    const char *path = scratch_path(state, "eddy.prom");
    struct metrics_file *file;
    assert_int_equal(open_at(path, "a \"b\"", &file), EDDY_OK);
    metrics_file_free(file); /* writes it, whatever the interval */
    const char *text = scratch_read(path);
    assert_non_null(strstr(text,
                           "# TYPE eddy_input_records_total counter\n"
                           "eddy_input_records_total{sensor=\"a \\\"b\\\"\",input=\"suricata\","
                           "result=\"sent\"} 10\n"));
    assert_non_null(strstr(text, "result=\"skipped\"} 20\n"));
    assert_non_null(strstr(text, "result=\"dropped\"} 30\n"));
    assert_non_null(strstr(text, "eddy_build_info{sensor=\"a \\\"b\\\"\",version=\""));
    assert_int_equal(access(scratch_path(state, "eddy.prom.tmp"), F_OK), -1);
}

static void without_a_sensor_there_is_no_such_label(void **state)
{
    const char *path = scratch_path(state, "eddy.prom");
    struct metrics_file *file;
    assert_int_equal(open_at(path, "", &file), EDDY_OK);
    metrics_file_free(file);
    assert_null(strstr(scratch_read(path), "sensor"));
}

static void a_directory_that_goes_is_told_once(void **state)
{
    char folder[512];
    struct metrics_file *file;
    (void)snprintf(folder, sizeof folder, "%s", scratch_path(state, "gone"));
    assert_int_equal(mkdir(folder, 0755), 0);
    interval_ms = 5;
    assert_int_equal(open_at(scratch_path(state, "gone/eddy.prom"), "", &file), EDDY_OK);
    interval_ms = 3600000;
    do
        (void)unlink(scratch_path(state, "gone/eddy.prom"));
    while (rmdir(folder) != 0); /* its thread writes there now and then */
    while (atomic_load(&lines) == 0)
        ;
    (void)poll(NULL, 0, 50); /* some more intervals, and the last time */
    metrics_file_free(file);
    assert_int_equal(atomic_load(&lines), 1);
}

static void what_can_t_be_is_refused(void **state)
{
    char sensor[300];
    struct metrics_file *file;
    memset(sensor, 'x', sizeof sensor - 1);
    sensor[sizeof sensor - 1] = '\0';
    assert_int_equal(open_at(scratch_path(state, "eddy.prom"), sensor, &file), EDDY_ECONFIG);
    assert_int_equal(open_at(scratch_path(state, "eddy.txt"), "", &file), EDDY_ECONFIG);
    assert_int_equal(open_at(scratch_path(state, ".prom"), "", &file), EDDY_ECONFIG);
    assert_int_equal(open_at(scratch_path(state, "none/eddy.prom"), "", &file), EDDY_EIO);
    assert_int_equal(metrics_file_check("/eddy.txt", NULL), EDDY_ECONFIG);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(the_library_s_names_with_our_counts),
        IN_SCRATCH(without_a_sensor_there_is_no_such_label),
        IN_SCRATCH(a_directory_that_goes_is_told_once),
        IN_SCRATCH(what_can_t_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
