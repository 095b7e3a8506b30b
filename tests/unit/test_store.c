/* SPDX-License-Identifier: MIT */
/* test_store.c - incidents read back from lines of JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <zlib.h>

#include "../../plugins/common/gz.c"
#include "../../plugins/common/json_visit.c"
#include "../../plugins/common/say.c"
#include "../../plugins/eddy/store.c"
#include "../../plugins/eddy/store_field.c"
#include "../../plugins/eddy/store_line.c"
#include "../../plugins/eddy/when.c"
#include "incident.h"
#include "scratch.h"

#define OTHER                                                                                      \
    "{\"timestamp\":\"2026-01-02T03:04:05Z\",\"event_type\":\"flow\",\"a\":[{\"b\":{}}]}\n"

static struct {
    char text[8][512];
    size_t count;
} heard;

static void hear(const char *message, void *user)
{
    (void)user;
    if (heard.count < 8)
        (void)snprintf(heard.text[heard.count], sizeof heard.text[0], "%s", message);
    heard.count++;
}

static int setup(void **state)
{
    heard.count = 0;
    return scratch_new(state);
}

static const char *line_of(const eddy_incident *incident)
{
    static char line[16384];
    assert_in_range(eddy_incident_json(incident, line, sizeof line), 1, sizeof line - 1);
    return line;
}

/* A sample with an id, a state and a count. */
static const char *sample(const char *id, int state, uint64_t flows)
{
    eddy_incident incident = sample_incident();
    incident.id = id;
    incident.state = state;
    incident.flows = flows;
    return line_of(&incident);
}

static eddy_incident everything(void)
{
    static const eddy_name names[] = {{"sni", "a.example"}, {"ja4", "t13d"}};
    static const float x[] = {0, 1.5f, NAN}, y[] = {600, 601, 599};
    static const eddy_evidence evidence = {.kind = "gaps",
                                           .x_name = "time (s)",
                                           .y_name = "gap (s)",
                                           .x = x,
                                           .y = y,
                                           .count = 3,
                                           .mark = 1.25};
    static const uint32_t activity[] = {3, 0, 61};
    eddy_incident incident = sample_incident();
    incident.names = names;
    incident.name_count = 2;
    incident.evidence = &evidence;
    incident.activity = activity;
    incident.activity_count = 3;
    incident.activity_start_us = 1767322800000000;
    incident.activity_step_us = 8000000;
    incident.suppressed_by = "printer";
    incident.withheld = 1;
    incident.host_asn = 64500;
    incident.host_country = "DE";
    return incident;
}

static void what_is_written_is_read_back_whole(void **state)
{
    (void)state;
    struct store store = {0};
    eddy_incident incident = everything();
    char line[16384];
    (void)snprintf(line, sizeof line, "%s", line_of(&incident));
    assert_int_equal(store_add(&store, line, strlen(line), NULL), EDDY_OK);
    assert_int_equal(store.count, 1);
    const struct stored *stored = &store.incidents[0];
    assert_string_equal(line_of(&stored->incident), line); /* every field but for its last digits */
    assert_string_equal(stored->json, line);
    assert_string_equal(stored->host, "10.0.0.5");
    assert_string_equal(stored->peer, "2001:db8::1");
    assert_true(isnan(stored->incident.evidence->x[2]));
    assert_true(isnan(stored->incident.reasons[1].usual));
    store_done(&store);
}

static void the_last_line_of_an_incident_counts(void **state)
{
    const char *path = scratch_path(state, "history");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 3; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "%d", i);
        (void)fprintf(file, "%s\n", sample(id, EDDY_INCIDENT_NEW, 4));
    }
    (void)fprintf(file, OTHER "\n%s\r\n", sample("1", EDDY_INCIDENT_GROWING, 8));
    (void)fprintf(file, "%s", sample("1", EDDY_INCIDENT_CLOSED, 9)); /* no newline */
    assert_int_equal(fclose(file), 0);
    struct store store = {0};
    assert_int_equal(store_read(&store, path, NULL), EDDY_OK);
    assert_int_equal(store.count, 3);
    assert_int_equal(store.lines, 7);
    assert_int_equal(store.others, 2);
    assert_int_equal(store.bad, 0);
    const struct stored *one = store_find(&store, "1", NULL);
    assert_int_equal(one->incident.state, EDDY_INCIDENT_CLOSED);
    assert_int_equal(one->incident.flows, 9);
    assert_int_equal(one->told, 3);
    assert_int_equal(store_find(&store, "2", NULL)->told, 1);
    store_done(&store);
}

static void a_thousand_are_found_again_also_sorted(void **state)
{
    (void)state;
    struct store store = {0};
    for (int i = 0; i < 1000; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "%04d", i);
        eddy_incident incident = everything();
        incident.id = id;
        incident.end_us += i;
        const char *line = line_of(&incident);
        assert_int_equal(store_add(&store, line, strlen(line), NULL), EDDY_OK);
    }
    store_sort(&store);
    assert_string_equal(store.incidents[0].incident.id, "0999"); /* the latest first */
    for (int i = 0; i < 1000; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "%04d", i);
        const struct stored *found = store_find(&store, id, NULL);
        assert_non_null(found);
        assert_string_equal(found->incident.id, id);
        assert_ptr_equal(found->incident.evidence, &found->evidence);
        assert_int_equal(*slot_of(&store, id), 1 + (uint32_t)(found - store.incidents));
    }
    store_done(&store);
}

static void a_prefix_finds_one_or_says_that_there_are_several(void **state)
{
    (void)state;
    struct store store = {0};
    eddy_error err = {0};
    static const char *const ids[] = {"ab12", "ab34", "ab3", "cd"};
    for (size_t i = 0; i < 4; i++) {
        const char *line = sample(ids[i], EDDY_INCIDENT_NEW, 1);
        assert_int_equal(store_add(&store, line, strlen(line), &err), EDDY_OK);
    }
    assert_string_equal(store_find(&store, "ab1", &err)->incident.id, "ab12");
    assert_string_equal(store_find(&store, "ab3", &err)->incident.id,
                        "ab3"); /* it is the whole id */
    assert_null(store_find(&store, "ab", &err));
    assert_string_equal(err.message, "3 ids begin with ab: ab12 ab34 ab3");
    assert_null(store_find(&store, "x", &err));
    assert_string_equal(err.message, "no incident has the id x");
    assert_null(store_find(&store, "", &err));
    store_done(&store);
}

static void bad_lines_are_counted_and_named_and_the_rest_is_read(void **state)
{
    const char *path = scratch_path(state, "history");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    const char *good = sample("good", EDDY_INCIDENT_NEW, 1);
    (void)fprintf(file, "%.40s\n%s\n", good, good); /* cut */
    (void)fprintf(file,
                  "{\"event_type\":\"eddy\",\"incident_id\":\"x\"}\n"); /* no more than that */
    (void)fprintf(file, "{\"event_type\":\"eddy\",}\n");
    (void)fprintf(file, "garbage\n{\"event_type\":\"eddy\" \xff}\n");
    (void)fputs("abc", file);
    (void)fputc(0, file);
    (void)fputs("def\n", file);
    for (int i = 0; i < (1 << 20) + 10; i++)
        (void)fputc('x', file);
    (void)fprintf(file, "\n%s\n", sample("good2", EDDY_INCIDENT_NEW, 1));
    assert_int_equal(fclose(file), 0);
    struct store store = {.complain = hear};
    assert_int_equal(store_read(&store, path, NULL), EDDY_OK);
    assert_int_equal(store.count, 2);
    assert_int_equal(store.bad, 7);
    assert_int_equal(store.lines, 9);
    assert_int_equal(heard.count, 4);
    assert_non_null(strstr(heard.text[0], "history:1: not an object of JSON, or cut"));
    assert_non_null(strstr(heard.text[1], "history:3: has no detector"));
    assert_non_null(strstr(heard.text[2], "history:4: not JSON"));
    assert_non_null(strstr(heard.text[3], "history: 4 more lines like that"));
    store_done(&store);
}

static void what_cannot_be_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *problem;
    } cases[] = {
        {"\"p\":1.25e-09", "\"p\":1.5", "p is not in 0..1"},
        {"\"p\":1.25e-09", "\"p\":null", "p is not in 0..1"},
        {"\"p\":1.25e-09", "\"p\":-1e999", "p is not in 0..1"},
        {"\"host\":\"10.0.0.5\"", "\"host\":\"10.0.0\"", "host or peer is no address"},
        {"\"state\":\"new\"", "\"state\":\"newer\"", "state is not"},
        {"\"severity\":\"high\"", "\"severity\":\"huge\"", "severity is not"},
        {"\"end\":\"2026-01-02T03:04:05.123456+0000\"", "\"end\":\"2026-01-01T03:04:05Z\"",
         "ends before"},
        {"\"end\":\"2026-01-02T03:04:05.123456+0000\"", "\"end\":\"soon\"", "no time"},
        {"\"incident_id\":\"beacon-0f3a\"", "\"incident_id\":\"\"", "has no incident_id"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct store store = {0};
        eddy_error err = {0};
        char changed[20000];
        const char *line = sample("beacon-0f3a", EDDY_INCIDENT_NEW, 64);
        const char *at = strstr(line, cases[i].from);
        assert_non_null(at);
        (void)snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - line), line, cases[i].to,
                       at + strlen(cases[i].from));
        assert_int_equal(store_add(&store, changed, strlen(changed), &err), EDDY_EINPUT);
        assert_non_null(strstr(err.message, cases[i].problem));
        assert_int_equal(store.count, 0);
        store_done(&store);
    }
}

static void more_than_there_is_room_for_is_left_out(void **state)
{
    (void)state;
    char line[65536];
    size_t length =
        (size_t)snprintf(line, sizeof line, "%s", sample("x", EDDY_INCIDENT_NEW, 1)) - 1;
    length += (size_t)snprintf(line + length, sizeof line - length, ",\"names\":[");
    for (int i = 0; i < 100; i++)
        length += (size_t)snprintf(line + length, sizeof line - length,
                                   "{\"kind\":\"sni\",\"value\":\"%d\"},", i);
    length +=
        (size_t)snprintf(line + length - 1, sizeof line - length, "],\"evidence\":{\"points\":[") -
        1;
    for (int i = 0; i < 1000; i++)
        length += (size_t)snprintf(line + length, sizeof line - length, "[%d,1,7],", i);
    length += (size_t)snprintf(line + length - 1, sizeof line - length,
                               "]},\"deep\":[[[[[[{\"id\":[{}]}]]]]]]}") -
              1;
    struct store store = {0};
    eddy_error err = {0};
    assert_int_equal(store_add(&store, line, length, &err), EDDY_OK);
    assert_int_equal(store.incidents[0].incident.name_count, NAMES - 1);
    assert_int_equal(store.incidents[0].incident.evidence->count, POINTS);
    assert_string_equal(store.incidents[0].incident.names[NAMES - 2].value, "30");
    store_done(&store);
}

static void gzip_and_the_older_generation_are_read(void **state)
{
    const char *path = scratch_path(state, "history"), *older = scratch_path(state, "history.1");
    char line[20000];
    gzFile file = gzopen(older, "wb");
    assert_non_null(file);
    int length = snprintf(line, sizeof line, "%s\n", sample("a", EDDY_INCIDENT_NEW, 1));
    assert_int_equal(gzwrite(file, line, (unsigned)length), length);
    assert_int_equal(gzclose(file), Z_OK);
    length = snprintf(line, sizeof line, "%s\n", sample("a", EDDY_INCIDENT_CLOSED, 2));
    scratch_write(path, line, (size_t)length);
    struct store store = {0};
    assert_int_equal(store_read_history(&store, path, NULL), EDDY_OK);
    assert_int_equal(store.count, 1);
    assert_int_equal(store.incidents[0].told, 2);
    assert_int_equal(store.incidents[0].incident.state, EDDY_INCIDENT_CLOSED);
    store_done(&store);
}

static void files_that_cannot_be_read_say_why(void **state)
{
    struct store store = {0};
    eddy_error err = {0};
    assert_int_equal(store_read(&store, scratch_path(state, "none"), &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "none: No such file"));
    assert_int_equal(store_read(&store, *state, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "is a directory"));
    store_done(&store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read_back_whole),
        cmocka_unit_test_setup_teardown(the_last_line_of_an_incident_counts, setup, scratch_free),
        cmocka_unit_test(a_thousand_are_found_again_also_sorted),
        cmocka_unit_test(a_prefix_finds_one_or_says_that_there_are_several),
        cmocka_unit_test_setup_teardown(bad_lines_are_counted_and_named_and_the_rest_is_read, setup,
                                        scratch_free),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(more_than_there_is_room_for_is_left_out),
        cmocka_unit_test_setup_teardown(gzip_and_the_older_generation_are_read, setup,
                                        scratch_free),
        cmocka_unit_test_setup_teardown(files_that_cannot_be_read_say_why, setup, scratch_free),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
