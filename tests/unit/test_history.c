/* SPDX-License-Identifier: MIT */
/* test_history.c - everything that was decided, in two files of bounded size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "incident.h"
#include "part.h"
#include "scratch.h"

extern const struct output emit_history;

/* As in history.c: the settings of the output, in its conf struct. */
struct conf {
    const char *path;
    uint64_t max_bytes;
};

static _Alignas(max_align_t) unsigned char history[256];

static void open_at(const char *path, uint64_t max_bytes)
{
    assert_true(emit_history.state_size <= sizeof history);
    assert_int_equal(emit_history.part.conf_size, sizeof(struct conf));
    memset(history, 0, sizeof history);
    struct conf conf = {path, max_bytes};
    assert_int_equal(emit_history.open(history, &conf, NULL), EDDY_OK);
}

/* One round: as many incidents, then a flush. */
static void write_round(char id, int count)
{
    char text[2] = {id, '\0'};
    eddy_incident incident = sample_incident();
    incident.id = text;
    for (int i = 0; i < count; i++)
        assert_int_equal(emit_history.incident(history, &incident, NULL), EDDY_OK);
    assert_int_equal(emit_history.flush(history, NULL), EDDY_OK);
}

/* The ids in a file, in order, each once for lines in a row. */
static const char *ids_in(const char *path)
{
    static char ids[64];
    size_t count = 0;
    for (const char *at = scratch_read(path); (at = strstr(at, "\"incident_id\":\"")) != NULL;) {
        at += strlen("\"incident_id\":\"");
        if ((count == 0 || ids[count - 1] != *at) && count < sizeof ids - 1)
            ids[count++] = *at;
    }
    ids[count] = '\0';
    return ids;
}

static void withheld_and_suppressed_ones_are_written_too(void **state)
{
    const char *path = scratch_path(state, "history");
    open_at(path, 65536);
    eddy_incident incident = sample_incident();
    incident.withheld = 1;
    incident.suppressed_by = "printer";
    assert_int_equal(emit_history.incident(history, &incident, NULL), EDDY_OK);
    emit_history.close(history);
    assert_non_null(strstr(scratch_read(path), "\"withheld\":true,\"suppressed_by\":\"printer\""));
}

static void a_full_file_becomes_the_older_one(void **state)
{
    const char *path = scratch_path(state, "history"), *older = scratch_path(state, "history.1");
    open_at(path, 1000); /* two lines of the sample are more than that, one is less */
    write_round('a', 1);
    assert_int_equal(access(older, F_OK), -1);
    write_round('b', 1);
    write_round('c', 1);
    assert_string_equal(ids_in(older), "ab");
    assert_string_equal(ids_in(path), "c");
    write_round('d', 1);
    write_round('e', 1);
    emit_history.close(history);
    assert_string_equal(ids_in(older), "cd"); /* a and b are gone */
    assert_string_equal(ids_in(path), "e");
}

static void the_size_is_kept_over_a_restart(void **state)
{
    const char *path = scratch_path(state, "history"), *older = scratch_path(state, "history.1");
    open_at(path, 1000);
    write_round('a', 1);
    emit_history.close(history);
    open_at(path, 1000);
    write_round('b', 1);
    write_round('c', 1);
    emit_history.close(history);
    assert_string_equal(ids_in(older), "ab");
    assert_string_equal(ids_in(path), "c");
}

static void a_file_that_another_process_turned_over_is_not_turned_over_again(void **state)
{
    const char *path = scratch_path(state, "history"), *older = scratch_path(state, "history.1");
    open_at(path, 100000);
    write_round('a', 1);
    emit_history.close(history);
    open_at(path, 100);
    assert_int_equal(rename(path, older), 0);
    scratch_write(path, "theirs\n", 7);
    assert_int_equal(emit_history.flush(history, NULL), EDDY_OK);
    assert_string_equal(ids_in(older), "a");
    write_round('b', 1);
    emit_history.close(history);
    assert_memory_equal(scratch_read(older), "theirs\n{", 8);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_SCRATCH(withheld_and_suppressed_ones_are_written_too),
        IN_SCRATCH(a_full_file_becomes_the_older_one),
        IN_SCRATCH(the_size_is_kept_over_a_restart),
        IN_SCRATCH(a_file_that_another_process_turned_over_is_not_turned_over_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
