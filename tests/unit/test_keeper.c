/* SPDX-License-Identifier: MIT */
/* test_keeper.c - the queue, the outputs over reloads, databases that change, settings in force. */
#include <time.h>

#include "engine.h"
#include "mmdb_writer.h"
#include "pipeline.h"
#include "scratch.h"
#include "worker.h"

struct seen {
    unsigned lines, errors;
    char last[512];
};

static void note(int level, const char *message, void *user)
{
    struct seen *seen = user;
    seen->lines++;
    seen->errors += level <= LOG_LEVEL_ERROR;
    (void)snprintf(seen->last, sizeof seen->last, "%s", message);
}

static struct seen seen;

static eddy_config *config_of(const char *const *settings)
{
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "state.memory", "4M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "engine.thread", "off", NULL), EDDY_OK);
    for (; settings != NULL && settings[0] != NULL; settings += 2)
        assert_int_equal(eddy_config_set(config, settings[0], settings[1], NULL), EDDY_OK);
    return config;
}

static eddy_engine *engine_of(const char *const *settings)
{
    const eddy_hooks hooks = {.size = sizeof hooks, .user = &seen, .log = note};
    eddy_engine *engine;
    eddy_config *config = config_of(settings);
    seen = (struct seen){0};
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, NULL), EDDY_OK);
    eddy_config_free(config);
    return engine;
}

static int reload(eddy_engine *engine, const char *const *settings)
{
    eddy_config *config = config_of(settings);
    int status = eddy_engine_reload(engine, config, NULL);
    eddy_config_free(config);
    return status;
}

static struct incident_event event_of(unsigned number)
{
    struct incident_event event = {.state = EDDY_INCIDENT_NEW,
                                   .incident = {.open = true, .p = 1e-9, .flows = number}};
    (void)snprintf(event.incident.id, sizeof event.incident.id, "id%u", number);
    return event;
}

static unsigned lines_of(const char *path)
{
    unsigned lines = 0;
    for (const char *at = scratch_read(path); *at != '\0'; at++)
        lines += *at == '\n';
    return lines;
}

/* ---- the queue ---- */

static void a_full_queue_drops_and_counts(void **state)
{
    const char *path = scratch_path(state, "incidents.json");
    const char *const settings[] = {"jsonl.path", path, NULL};
    eddy_engine *engine = engine_of(settings);
    struct keeper_counts counts;
    for (unsigned i = 0; i < 1030; i++) {
        struct incident_event event = event_of(i);
        keeper_tell(engine->keeper, &event);
    }
    keeper_counts(engine->keeper, &counts);
    assert_int_equal(counts.dropped, 6);
    assert_int_equal(seen.errors, 0); /* not on a packet thread */
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(seen.errors, 1); /* said once */
    FILE *file = fopen(path, "r");
    char line[4096];
    unsigned number = 0;
    assert_non_null(file);
    for (; fgets(line, sizeof line, file) != NULL; number++) {
        char id[32];
        (void)snprintf(id, sizeof id, "\"id%u\"", number);
        assert_non_null(strstr(line, id)); /* in order */
    }
    (void)fclose(file);
    assert_int_equal(number, 1024);
    struct incident_event event = event_of(1);
    keeper_tell(engine->keeper, &event);
    keeper_counts(engine->keeper, &counts);
    assert_int_equal(counts.dropped, 6); /* there is room again */
    eddy_engine_free(engine);
}

/* A sweep of 100 hosts that do not answer: one incident. */
static void sweep_through(eddy_engine *engine)
{
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, "flows", NULL, &worker, NULL), EDDY_OK);
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.1", numbered("203.0", i), 22);
        assert_int_equal(eddy_worker_score(worker, &flow, NULL), 1);
    }
    eddy_worker_free(worker);
}

static void what_the_budget_withholds_is_written_only_when_asked_for(void **state)
{
    const char *path = scratch_path(state, "incidents.json");
    for (unsigned wanted = 0; wanted < 2; wanted++) {
        const char *const settings[] = {"jsonl.path",
                                        path,
                                        "jsonl.withheld",
                                        wanted ? "on" : "off",
                                        "decide.max_incidents_per_day",
                                        "0",
                                        NULL};
        eddy_engine *engine = engine_of(settings);
        sweep_through(engine);
        assert_int_equal(engine->decide->counts.withheld[detector_named("fanout")], 1);
        eddy_engine_free(engine);
        if (!wanted)
            assert_string_equal(scratch_read(path), "");
    }
    unsigned lines = lines_of(path), withheld = 0;
    for (const char *at = scratch_read(path); (at = strstr(at, "\"withheld\":true")) != NULL; at++)
        withheld++;
    assert_true(lines >= 2); /* new and closed, and what it grew by */
    assert_int_equal(withheld, lines);
    assert_non_null(strstr(scratch_read(path), "\"state\":\"new\""));
    assert_non_null(strstr(scratch_read(path), "\"state\":\"closed\""));
}

static void those_withheld_do_not_crowd_out_those_that_are_sent(void **state)
{
    const char *path = scratch_path(state, "incidents.json");
    const char *const settings[] = {"jsonl.path", path, NULL};
    eddy_engine *engine = engine_of(settings);
    struct keeper_counts counts;
    for (unsigned i = 0; i < 2000; i++) {
        struct incident_event event = event_of(i);
        event.incident.withheld = true;
        keeper_tell(engine->keeper, &event);
    }
    for (unsigned i = 0; i < 100; i++) {
        struct incident_event event = event_of(i);
        keeper_tell(engine->keeper, &event);
    }
    keeper_counts(engine->keeper, &counts);
    assert_int_equal(counts.dropped, 2000 - 512);
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(lines_of(path), 100);
    eddy_engine_free(engine);
}

static void what_is_queued_is_written_before_the_engine_goes(void **state)
{
    const char *path = scratch_path(state, "incidents.json");
    const char *const settings[] = {"jsonl.path", path, NULL};
    eddy_engine *engine = engine_of(settings);
    struct incident_event event = event_of(1);
    keeper_tell(engine->keeper, &event);
    assert_int_equal(lines_of(path), 0);
    eddy_engine_free(engine);
    assert_int_equal(lines_of(path), 1);
}

/* ---- reloads ---- */

static void after_a_reload_incidents_go_to_the_new_file(void **state)
{
    const char *old = scratch_path(state, "old.json"), *new = scratch_path(state, "new.json");
    const char *const to_old[] = {"jsonl.path", old, NULL};
    const char *const to_new[] = {"jsonl.path", new, NULL};
    eddy_engine *engine = engine_of(to_old);
    struct incident_event event = event_of(1);
    keeper_tell(engine->keeper, &event); /* decided before: goes where it was meant to */
    assert_int_equal(reload(engine, to_new), EDDY_OK);
    assert_int_equal(lines_of(old), 1);
    keeper_tell(engine->keeper, &event);
    (void)eddy_engine_tick(engine);
    assert_int_equal(lines_of(old), 1);
    assert_int_equal(lines_of(new), 1);
    eddy_engine_free(engine);
}

static void a_reload_that_fails_anywhere_changes_nothing(void **state)
{
    const char *path = scratch_path(state, "incidents.json");
    const char *const good[] = {"jsonl.path", path, "decide.max_incidents_per_day", "7", NULL};
    const char *const bad[][5] = {
        {"jsonl.path", "/nonexistent/incidents.json", NULL},
        {"textfile.path", "/nonexistent/eddy.prom", NULL},
        {"geoip.country", "/nonexistent/country.mmdb", NULL},
        {"nets.local", "300.1.2.3/8", NULL},
        {"geoip.asn", "/", "jsonl.path", "/nonexistent/x", NULL},
    };
    eddy_engine *engine = engine_of(good);
    const struct settings *before = engine->settings;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(reload(engine, bad[i]) < 0);
        assert_ptr_equal(engine->settings, before);
        assert_int_equal(before->holders, 1);
    }
    assert_true(before->decide->per_day == 7);
    struct incident_event event = event_of(1);
    keeper_tell(engine->keeper, &event);
    (void)eddy_engine_tick(engine);
    assert_int_equal(lines_of(path), 1);
    assert_int_equal(engine->reloads_failed, 5);
    eddy_engine_free(engine);
}

static void an_idle_worker_is_given_new_settings(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, "w", NULL, &worker, NULL), EDDY_OK);
    const char *const nets[] = {"nets.local", "203.0.113.0/24", NULL};
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    (void)eddy_worker_score(worker, &flow, NULL);
    assert_true(worker->row.src.local);
    assert_int_equal(reload(engine, nets), EDDY_OK);
    assert_int_equal(engine->settings->holders, 2); /* the old ones are nobody's any more */
    assert_null(engine->discarded);
    (void)eddy_worker_score(worker, &flow, NULL);
    assert_false(worker->row.src.local); /* nor does the cache remember */
    assert_true(worker->row.dst.local);
    eddy_worker_free(worker);
    assert_int_equal(engine->settings->holders, 1);
    eddy_engine_free(engine);
}

/* What it holds is freed by others, when it has given it up. */
static void a_worker_at_work_takes_new_settings_with_its_next_flow(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, "w", NULL, &worker, NULL), EDDY_OK);
    const char *const nets[] = {"nets.local", "203.0.113.0/24", NULL};
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    struct settings *old = engine->settings;
    assert_true(worker_try(worker)); /* as if it were within a call */
    assert_int_equal(reload(engine, nets), EDDY_OK);
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_ptr_equal(worker->settings, old);
    assert_int_equal(old->holders, 1);
    worker_leave(worker);
    (void)eddy_worker_score(worker, &flow, NULL);
    assert_true(worker->row.dst.local);
    assert_ptr_equal(engine->discarded, old); /* not freed by a packet thread */
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_null(engine->discarded);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

static void what_needs_a_restart_is_said(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    const char *const memory[] = {"state.memory", "5M", NULL};
    assert_int_equal(reload(engine, memory), EDDY_OK);
    assert_int_equal(seen.lines, 1);
    assert_non_null(strstr(seen.last, "restart"));
    const char *const link[] = {"state.memory", "5M", "ingest.link_header", "18", NULL};
    assert_int_equal(reload(engine, link), EDDY_OK);
    assert_int_equal(seen.lines, 2);
    assert_non_null(strstr(seen.last, "ingest.link_header"));
    eddy_engine_free(engine);
}

/* ---- databases ---- */

static void write_country(const char *path, const char *code)
{
    struct mmdb_writer w = {.ip_version = 4};
    uint8_t address[16];
    address_of("203.0.113.0", address);
    put_head(&w.data, MMDB_MAP, 1);
    put_text(&w.data, "country_code");
    put_text(&w.data, code);
    mmdb_insert(&w, address, 96 + 24, 0);
    struct bytes b = mmdb_finish(&w);
    char unfinished[4500];
    (void)snprintf(unfinished, sizeof unfinished, "%s.new", path);
    scratch_write(unfinished, (const char *)b.at, b.length);
    assert_int_equal(rename(unfinished, path), 0);
    free(b.at);
}

static const char *country_of(eddy_worker *worker)
{
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    (void)eddy_worker_score(worker, &flow, NULL);
    return worker->row.dst.country;
}

/* A look is due at the first round; a new engine stands for the seconds between looks. */
static void a_database_that_was_replaced_is_opened_while_flows_are_scored(void **state)
{
    const char *path = scratch_path(state, "country.mmdb");
    const char *const settings[] = {"geoip.country", path, NULL};
    write_country(path, "DE");
    eddy_engine *engine = engine_of(settings);
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, "w", NULL, &worker, NULL), EDDY_OK);
    assert_string_equal(country_of(worker), "DE");
    write_country(path, "NL");
    (void)eddy_engine_tick(engine);
    assert_string_equal(country_of(worker), "NL");
    assert_non_null(strstr(seen.last, "reloaded"));
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

static void a_database_that_was_broken_stays_as_it_was(void **state)
{
    const char *path = scratch_path(state, "country.mmdb");
    const char *const settings[] = {"geoip.country", path, NULL};
    write_country(path, "DE");
    eddy_engine *engine = engine_of(settings);
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, "w", NULL, &worker, NULL), EDDY_OK);
    scratch_write(path, "half a datab", 12);
    (void)eddy_engine_tick(engine);
    assert_string_equal(country_of(worker), "DE");
    assert_int_equal(seen.errors, 1);
    assert_non_null(strstr(seen.last, "country.mmdb"));
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

/* ---- outputs that fail ---- */

static void an_output_that_fails_is_counted_and_said_once(void **state)
{
    const char *directory = scratch_path(state, "gone");
    assert_int_equal(mkdir(directory, 0700), 0);
    const char *const settings[] = {"textfile.path", scratch_path(state, "gone/eddy.prom"), NULL};
    eddy_engine *engine = engine_of(settings);
    assert_int_equal(rmdir(directory), 0);
    (void)eddy_engine_tick(engine);
    struct keeper_counts counts;
    keeper_counts(engine->keeper, &counts);
    uint64_t errors = 0;
    for (size_t i = 0; i < sizeof counts.errors / sizeof *counts.errors; i++)
        errors += counts.errors[i];
    assert_int_equal(errors, 1);
    assert_int_equal(seen.errors, 1);
    assert_non_null(strstr(seen.last, "eddy.prom"));
    eddy_engine_free(engine);
    assert_int_equal(seen.errors, 1); /* its last round fails too */
}

/* As on a full disk: the table's successor can't be written for a while. */
static void what_could_not_be_written_is_tried_again_without_another_incident(void **state)
{
    const char *path = scratch_path(state, "incidents.tsv");
    const char *in_the_way = scratch_path(state, "incidents.tsv.tmp");
    const char *const settings[] = {"zeek_notice.path", path, NULL};
    const struct timespec more_than_a_second = {.tv_sec = 1, .tv_nsec = 100000000};
    eddy_engine *engine = engine_of(settings);
    assert_int_equal(mkdir(in_the_way, 0700), 0);
    struct incident_event event = event_of(1);
    keeper_tell(engine->keeper, &event);
    (void)eddy_engine_tick(engine);
    assert_int_equal(seen.errors, 1);
    assert_null(strstr(scratch_read(path), "id1"));
    assert_int_equal(rmdir(in_the_way), 0);
    (void)nanosleep(&more_than_a_second, NULL);
    (void)eddy_engine_tick(engine);
    assert_non_null(strstr(scratch_read(path), "id1"));
    eddy_engine_free(engine);
}

static void metrics_are_written_at_the_first_round_and_the_last(void **state)
{
    const char *path = scratch_path(state, "eddy.prom");
    const char *const settings[] = {"textfile.path", path, "emit.interval", "1h", NULL};
    eddy_engine *engine = engine_of(settings);
    (void)eddy_engine_tick(engine);
    assert_non_null(strstr(scratch_read(path), "eddy_build_info"));
    assert_int_equal(unlink(path), 0);
    (void)eddy_engine_tick(engine);
    assert_string_equal(scratch_read(path), ""); /* not due */
    eddy_engine_free(engine);
    assert_non_null(strstr(scratch_read(path), "eddy_build_info"));
}

static void with_a_thread_incidents_are_written_without_a_tick(void **state)
{
    const char *path = scratch_path(state, "incidents.json");
    const char *const settings[] = {"jsonl.path", path, "engine.thread", "on", NULL};
    eddy_engine *engine = engine_of(settings);
    struct incident_event event = event_of(1);
    keeper_tell(engine->keeper, &event);
    for (unsigned i = 0; i < 600 && lines_of(path) == 0; i++) /* 30 s at most; usually 0.2 s */
        (void)nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    assert_int_equal(lines_of(path), 1);
    eddy_engine_free(engine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_full_queue_drops_and_counts),
        TEST(what_is_queued_is_written_before_the_engine_goes),
        TEST(what_the_budget_withholds_is_written_only_when_asked_for),
        TEST(those_withheld_do_not_crowd_out_those_that_are_sent),
        TEST(after_a_reload_incidents_go_to_the_new_file),
        TEST(a_reload_that_fails_anywhere_changes_nothing),
        TEST(an_idle_worker_is_given_new_settings),
        TEST(a_worker_at_work_takes_new_settings_with_its_next_flow),
        TEST(what_needs_a_restart_is_said),
        TEST(a_database_that_was_replaced_is_opened_while_flows_are_scored),
        TEST(a_database_that_was_broken_stays_as_it_was),
        TEST(an_output_that_fails_is_counted_and_said_once),
        TEST(what_could_not_be_written_is_tried_again_without_another_incident),
        TEST(metrics_are_written_at_the_first_round_and_the_last),
        TEST(with_a_thread_incidents_are_written_without_a_tick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
