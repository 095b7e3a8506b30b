/* SPDX-License-Identifier: MIT */
/* test_zeek_notice.c - incidents as a table for Zeek: replaced as a whole, bounded, never torn. */
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

extern const struct output emit_zeek_notice;

/* As in zeek_notice.c: the settings of the output, in its conf struct. */
struct conf {
    const char *path;
    uint64_t keep;
};

static _Alignas(max_align_t) unsigned char zeek[256];

static int open_at(const char *path, uint64_t keep, eddy_error *err)
{
    assert_true(emit_zeek_notice.state_size <= sizeof zeek);
    assert_int_equal(emit_zeek_notice.part.conf_size, sizeof(struct conf));
    memset(zeek, 0, sizeof zeek);
    struct conf conf = {path, keep};
    return emit_zeek_notice.open(zeek, &conf, err);
}

static int add(const char *id)
{
    eddy_incident incident = sample_incident();
    incident.id = id;
    return emit_zeek_notice.incident(zeek, &incident, NULL);
}

static int flush(eddy_error *err)
{
    return emit_zeek_notice.flush(zeek, err);
}

/* Field `n` of the row with this id; NULL if there is no such row. */
static const char *field(const char *path, const char *id, int n)
{
    static char value[4096];
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "\t%s\t", id);
    const char *at = strstr(scratch_read(path), wanted);
    if (at == NULL)
        return NULL;
    while (at[-1] != '\n')
        at--;
    for (; n > 0; n--)
        at = strchr(at, '\t') + 1;
    size_t length = strcspn(at, "\t\n");
    memcpy(value, at, length);
    value[length] = '\0';
    return value;
}

static size_t rows(const char *path)
{
    size_t lines = 0;
    for (const char *text = scratch_read(path); (text = strchr(text, '\n')) != NULL; text++)
        lines++;
    return lines - 2; /* the header */
}

static void it_is_wanted_only_with_a_path(void **state)
{
    (void)state;
    struct conf with = {"x", 1}, without = {"", 1};
    assert_true(emit_zeek_notice.wanted(&with));
    assert_false(emit_zeek_notice.wanted(&without));
}

static void an_empty_table_is_there_from_the_start(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    emit_zeek_notice.close(zeek);
    const char *text = scratch_read(path);
    assert_memory_equal(text, "#fields\tserial\tid\t", 18);
    assert_non_null(strstr(text, "\n#types\tcount\tstring\t"));
    assert_int_equal(rows(path), 0);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0027, 0);
}

static void a_row_has_the_fields_of_the_incident(void **state)
{
    static const char *const expected[] = {
        "beacon-0f3a",
        "new",
        "beacon",
        "high",
        "10.0.0.5",
        "2001:db8::1",
        "443",
        "tcp",
        "T1071",
        "1767322800.000000",
        "1767323045.123456",
        "64",
        "1.25e-09",
        "8.90309",
        "10.0.0.5 calls 2001:db8::1 every 600 s",
        "64 connections every 600 s,12345678901 bytes",
        "CuX1a2,1234567890",
    };
    const char *path = scratch_path(state, "incidents.tsv");
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(add("beacon-0f3a"), EDDY_OK);
    assert_int_equal(flush(NULL), EDDY_OK);
    emit_zeek_notice.close(zeek);
    for (int i = 0; i < 17; i++)
        assert_string_equal(field(path, "beacon-0f3a", i + 1), expected[i]);
}

static void what_is_not_known_is_unset(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    eddy_incident incident = sample_incident();
    memset(incident.peer, 0, sizeof incident.peer);
    incident.peer_port = 0;
    incident.proto = 132;
    incident.reason_count = incident.flow_id_count = 0;
    incident.technique = "";
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(emit_zeek_notice.incident(zeek, &incident, NULL), EDDY_OK);
    emit_zeek_notice.close(zeek); /* writes what waits */
    assert_string_equal(field(path, "beacon-0f3a", 6), "-");
    assert_string_equal(field(path, "beacon-0f3a", 7), "-");
    assert_string_equal(field(path, "beacon-0f3a", 8), "132");
    assert_string_equal(field(path, "beacon-0f3a", 9), "");
    assert_string_equal(field(path, "beacon-0f3a", 16), "(empty)");
    assert_string_equal(field(path, "beacon-0f3a", 17), "(empty)");
}

static void hostile_text_stays_in_its_field(void **state)
{
    static const char *const ids[] = {"a,b", "-", "(empty)", ""};
    const char *path = scratch_path(state, "incidents.tsv");
    eddy_incident incident = sample_incident();
    incident.summary = "tab\there\nline\r\\x41 \x7f, \xc3\xa9";
    incident.technique = "-";
    incident.flow_ids = ids;
    incident.flow_id_count = 4;
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(emit_zeek_notice.incident(zeek, &incident, NULL), EDDY_OK);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 1);
    assert_string_equal(field(path, "beacon-0f3a", 15),
                        "tab\\x09here\\x0aline\\x0d\\x5cx41 \\x7f, \xc3\xa9");
    assert_string_equal(field(path, "beacon-0f3a", 9), "\\x2d");
    assert_string_equal(field(path, "beacon-0f3a", 17), "a\\x2cb,\\x2d,\\x28empty)");
}

static void the_newest_rows_are_kept(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    char id[8];
    assert_int_equal(open_at(path, 5, NULL), EDDY_OK);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(id, sizeof id, "i%d", i);
        assert_int_equal(add(id), EDDY_OK);
        if (i % 3 == 0)
            assert_int_equal(flush(NULL), EDDY_OK);
    }
    assert_int_equal(flush(NULL), EDDY_OK);
    assert_int_equal(rows(path), 5);
    assert_null(field(path, "i14", 0));
    for (int i = 15; i < 20; i++) {
        (void)snprintf(id, sizeof id, "i%d", i);
        assert_non_null(field(path, id, 0));
    }
    for (int i = 20; i < 30; i++) { /* more at once than are kept */
        (void)snprintf(id, sizeof id, "i%d", i);
        assert_int_equal(add(id), EDDY_OK);
    }
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 5);
    assert_null(field(path, "i24", 0));
    assert_non_null(field(path, "i25", 0));
}

static void serials_grow_over_restarts_and_when_the_clock_goes_back(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    char before[32];
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(add("a"), EDDY_OK);
    assert_int_equal(add("b"), EDDY_OK);
    emit_zeek_notice.close(zeek);
    (void)snprintf(before, sizeof before, "%s", field(path, "a", 0));
    assert_true(strcmp(before, field(path, "b", 0)) < 0);
    /* A row from the future: what comes after it is numbered after it. */
    char text[8192];
    (void)snprintf(text, sizeof text, "%s", scratch_read(path));
    char *row = strstr(text, "\tb\t");
    while (row[-1] != '\n')
        row--;
    row[0] = '9';
    scratch_write(path, text, strlen(text));
    (void)snprintf(before, sizeof before, "%s", field(path, "b", 0));
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(add("c"), EDDY_OK);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 3);
    assert_int_equal(strtoull(field(path, "c", 0), NULL, 10), strtoull(before, NULL, 10) + 1);
}

/* Zeek looks at inode and whole second: two tables of one second must not look the same. */
static void each_table_is_dated_a_second_later_at_least(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    struct stat before, after;
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(stat(path, &before), 0);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(add("a"), EDDY_OK);
        assert_int_equal(flush(NULL), EDDY_OK);
        assert_int_equal(stat(path, &after), 0);
        assert_true(after.st_mtime > before.st_mtime);
        before = after;
    }
    assert_int_equal(flush(NULL), EDDY_OK); /* nothing new: not touched */
    assert_int_equal(stat(path, &after), 0);
    assert_int_equal(after.st_mtime, before.st_mtime);
    emit_zeek_notice.close(zeek);
}

/* A reader that has the table open goes on seeing the whole of it. */
static void a_table_is_never_changed_in_place(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(add("a"), EDDY_OK);
    assert_int_equal(flush(NULL), EDDY_OK);
    int reader = open(path, O_RDONLY);
    struct stat before, after;
    assert_int_equal(fstat(reader, &before), 0);
    assert_int_equal(add("b"), EDDY_OK);
    assert_int_equal(flush(NULL), EDDY_OK);
    assert_int_equal(fstat(reader, &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(after.st_nlink, 0);
    assert_int_equal(close(reader), 0);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 2);
}

/* RLIMIT_FSIZE cuts a write as a full disk does. */
static void on_a_full_disk_the_table_stays_and_rows_wait(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    struct rlimit before, tight;
    struct sigaction ignore = {.sa_handler = SIG_IGN}, action;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(sigaction(SIGXFSZ, &ignore, &action), 0);
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(add("a"), EDDY_OK);
    assert_int_equal(flush(NULL), EDDY_OK);
    tight = before;
    tight.rlim_cur = strlen(scratch_read(path)) + 10;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    eddy_error err = {0};
    assert_int_equal(add("b"), EDDY_OK);
    int status = flush(&err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    (void)sigaction(SIGXFSZ, &action, NULL);
    assert_int_equal(status, EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(EFBIG)));
    assert_int_equal(rows(path), 1);
    assert_int_not_equal(access(scratch_path(state, "incidents.tsv.tmp"), F_OK), 0);
    assert_int_equal(flush(NULL), EDDY_OK);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 2);
}

static void rows_that_wait_are_bounded_and_lost_ones_told(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    int status = EDDY_OK;
    int written = 0;
    while (status == EDDY_OK && written < 100000) {
        status = add("a");
        written += status == EDDY_OK;
    }
    assert_int_equal(status, EDDY_EIO);
    assert_in_range(written, 1000, 50000);
    assert_int_equal(flush(NULL), EDDY_OK);
    assert_int_equal(add("b"), EDDY_OK);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 10);
}

static void an_incident_too_long_for_a_row_is_told(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    static char long_summary[9000];
    memset(long_summary, 's', sizeof long_summary - 1);
    eddy_incident incident = sample_incident();
    incident.summary = long_summary;
    eddy_error err = {0};
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(emit_zeek_notice.incident(zeek, &incident, &err), EDDY_EIO);
    assert_int_equal(add("b"), EDDY_OK);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 1);
}

static void files_that_are_not_ours_are_never_replaced(void **state)
{
    eddy_error err = {0};
    const char *link = scratch_path(state, "link"), *other = scratch_path(state, "other");
    assert_int_equal(symlink("elsewhere", link), 0);
    scratch_write(other, "root:x:0:0:root:/root:/bin/sh\n", 30);
    assert_int_equal(open_at(link, 10, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_int_equal(open_at(other, 10, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "not a table of incidents"));
    assert_int_equal(strlen(scratch_read(other)), 30);
    assert_int_equal(open_at(*state, 10, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "not a regular file"));
    assert_int_equal(open_at(scratch_path(state, "no/such"), 10, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(ENOENT)));
}

static void a_table_of_another_version_is_begun_anew(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    scratch_write(path, "#fields\tserial\tother\n12\tx\n", 26);
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(add("a"), EDDY_OK);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 1);
    assert_null(strstr(scratch_read(path), "other"));
}

static void withheld_incidents_are_not_written(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    eddy_incident incident = sample_incident();
    incident.withheld = 1;
    assert_int_equal(open_at(path, 10, NULL), EDDY_OK);
    assert_int_equal(emit_zeek_notice.incident(zeek, &incident, NULL), EDDY_OK);
    emit_zeek_notice.close(zeek);
    assert_int_equal(rows(path), 0);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_wanted_only_with_a_path),
        IN_SCRATCH(an_empty_table_is_there_from_the_start),
        IN_SCRATCH(a_row_has_the_fields_of_the_incident),
        IN_SCRATCH(what_is_not_known_is_unset),
        IN_SCRATCH(hostile_text_stays_in_its_field),
        IN_SCRATCH(the_newest_rows_are_kept),
        IN_SCRATCH(serials_grow_over_restarts_and_when_the_clock_goes_back),
        IN_SCRATCH(each_table_is_dated_a_second_later_at_least),
        IN_SCRATCH(a_table_is_never_changed_in_place),
        IN_SCRATCH(on_a_full_disk_the_table_stays_and_rows_wait),
        IN_SCRATCH(rows_that_wait_are_bounded_and_lost_ones_told),
        IN_SCRATCH(an_incident_too_long_for_a_row_is_told),
        IN_SCRATCH(files_that_are_not_ours_are_never_replaced),
        IN_SCRATCH(a_table_of_another_version_is_begun_anew),
        IN_SCRATCH(withheld_incidents_are_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
