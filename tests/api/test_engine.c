/* SPDX-License-Identifier: MIT */
/* test_engine.c - engines through eddy.h: lives, settings, passes, metrics. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <unistd.h>

#include "eddy.h"
#include "logs.h"

static eddy_error err;

static eddy_engine *new_engine(const char *key, const char *value, const eddy_hooks *hooks)
{
    eddy_engine *engine = NULL;
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    int status = eddy_config_set(config, "engine.thread", "off", &err);
    if (status == EDDY_OK && key != NULL)
        status = eddy_config_set(config, key, value, &err);
    if (status == EDDY_OK)
        status = eddy_engine_new(config, hooks, &engine, &err);
    eddy_config_free(config);
    if (status != EDDY_OK)
        assert_null(engine);
    return engine;
}

static eddy_worker *new_worker(eddy_engine *engine, const char *name)
{
    eddy_worker *worker = NULL;
    assert_int_equal(eddy_worker_new(engine, name, NULL, &worker, &err), EDDY_OK);
    return worker;
}

static int feed_flow(eddy_worker *worker, int64_t at_s)
{
    struct log_text log = {0};
    log_flow(&log, at_s, "10.0.0.1", "203.0.113.1", 443, 0);
    int flows = eddy_worker_feed(worker, log.bytes, log.length);
    free(log.bytes);
    return flows;
}

struct total {
    const char *name, *label;
    double value;
};

static int add_metric(const eddy_metric *metric, void *user)
{
    struct total *total = user;
    if (strcmp(metric->name, total->name) == 0 && strstr(metric->labels, total->label) != NULL)
        total->value += metric->value;
    return 0;
}

static double metric(eddy_engine *engine, const char *name, const char *label)
{
    struct total total = {name, label, 0};
    assert_int_equal(eddy_engine_metrics(engine, add_metric, &total), 0);
    return total.value;
}

static void two_engines_live_in_one_process(void **state)
{
    (void)state;
    eddy_engine *a = new_engine("state.memory", "8M", NULL), *b = new_engine(NULL, NULL, NULL);
    eddy_worker *of_a = new_worker(a, "a"), *of_b = new_worker(b, "b");
    assert_int_equal(feed_flow(of_a, 0), 1);
    assert_int_equal(feed_flow(of_a, 1), 1);
    assert_int_equal(feed_flow(of_b, 0), 1);
    assert_true(metric(a, "eddy_flows_total", "") == 2);
    assert_true(metric(b, "eddy_flows_total", "") == 1);
    eddy_worker_free(of_a);
    eddy_engine_free(a);
    assert_int_equal(feed_flow(of_b, 1), 1);
    eddy_worker_free(of_b);
    eddy_engine_free(b);
}

static void any_order_of_freeing_is_safe(void **state)
{
    (void)state;
    for (int order = 0; order < 3; order++) {
        eddy_engine *engine = new_engine(NULL, NULL, NULL);
        eddy_worker *a = new_worker(engine, "a"), *b = new_worker(engine, "b");
        if (order == 0)
            eddy_engine_free(engine);
        eddy_worker_free(a);
        if (order == 1)
            eddy_engine_free(engine);
        assert_int_equal(feed_flow(b, 0), 1); /* a worker keeps its engine alive */
        eddy_worker_free(b);
        if (order == 2)
            eddy_engine_free(engine);
    }
    eddy_worker_free(NULL);
    eddy_engine_free(NULL);
    eddy_config_free(NULL);
}

static void a_thread_of_its_own_stops_when_the_engine_goes(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        eddy_engine *engine = NULL;
        eddy_config *config = eddy_config_new();
        assert_non_null(config);
        assert_string_equal(eddy_config_value(config, "engine.thread"), "on");
        assert_int_equal(eddy_engine_new(config, NULL, &engine, &err), EDDY_OK);
        eddy_config_free(config);
        eddy_worker *worker = new_worker(engine, "a");
        assert_int_equal(feed_flow(worker, 0), 1);
        eddy_engine_free(engine);
        eddy_worker_free(worker);
    }
}

static void *feed_many(void *user)
{
    eddy_worker *worker = user;
    for (int i = 0; i < 200; i++) {
        if (feed_flow(worker, i) != 1)
            return worker; /* not NULL: failed */
    }
    return NULL;
}

static void workers_of_one_engine_run_at_once(void **state)
{
    (void)state;
    eddy_engine *engine = new_engine(NULL, NULL, NULL);
    eddy_worker *workers[3];
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        workers[i] = new_worker(engine, "w");
        assert_int_equal(pthread_create(&threads[i], NULL, feed_many, workers[i]), 0);
    }
    assert_true(metric(engine, "eddy_flows_total", "") <= 600); /* while they run */
    for (int i = 0; i < 3; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_true(metric(engine, "eddy_flows_total", "") == 600);
    for (int i = 0; i < 3; i++)
        eddy_worker_free(workers[i]);
    eddy_engine_free(engine);
}

static void counts_outlive_their_worker(void **state)
{
    (void)state;
    eddy_engine *engine = new_engine(NULL, NULL, NULL);
    eddy_worker *worker = new_worker(engine, "a");
    assert_int_equal(feed_flow(worker, 0), 1);
    eddy_worker_free(worker);
    assert_true(metric(engine, "eddy_flows_total", "") == 1);
    eddy_engine_free(engine);
}

static void metrics_text_is_cut_like_snprintf(void **state)
{
    (void)state;
    eddy_engine *engine = new_engine(NULL, NULL, NULL);
    int length = eddy_engine_metrics_text(engine, NULL, 0);
    assert_true(length > 500);
    char *whole = malloc((size_t)length + 1), part[100];
    assert_non_null(whole);
    assert_int_equal(eddy_engine_metrics_text(engine, whole, (size_t)length + 1), length);
    assert_int_equal(strlen(whole), length);
    assert_int_equal(eddy_engine_metrics_text(engine, part, sizeof part), length);
    assert_int_equal(strlen(part), sizeof part - 1);
    assert_memory_equal(part, whole, sizeof part - 1);
    assert_memory_equal(whole, "# HELP eddy_", 12);
    assert_int_equal(whole[length - 1], '\n');
    free(whole);
    eddy_engine_free(engine);
}

struct order {
    char names[64][64];
    size_t count;
};

static int note_name(const eddy_metric *m, void *user)
{
    struct order *order = user;
    if (order->count > 0 && strcmp(order->names[order->count - 1], m->name) == 0)
        return 0;
    for (size_t i = 0; i < order->count; i++)
        assert_string_not_equal(order->names[i], m->name); /* it came before others, and again */
    (void)snprintf(order->names[order->count++], sizeof order->names[0], "%s", m->name);
    assert_true(order->count < 64 && strlen(m->help) > 5);
    return 0;
}

static int stop_at_once(const eddy_metric *m, void *user)
{
    (void)m;
    (void)user;
    return 7;
}

static void samples_of_one_name_come_together(void **state)
{
    (void)state;
    struct order order = {0};
    eddy_engine *engine = new_engine(NULL, NULL, NULL);
    eddy_worker *a = new_worker(engine, "a"), *b = new_worker(engine, "b\"\n");
    (void)feed_flow(a, 0);
    (void)feed_flow(b, 0);
    assert_int_equal(eddy_engine_metrics(engine, note_name, &order), 0);
    assert_true(order.count > 5);
    assert_int_equal(eddy_engine_metrics(engine, stop_at_once, NULL), 7);
    eddy_worker_free(a);
    eddy_worker_free(b);
    eddy_engine_free(engine);
}

static void a_missing_database_is_told_and_stops_the_start(void **state)
{
    (void)state;
    assert_null(new_engine("geoip.asn", "/nonexistent/asn.mmdb", NULL));
    assert_non_null(strstr(err.message, "/nonexistent/asn.mmdb"));
    assert_int_equal(err.code, EDDY_EIO);
    assert_null(new_engine("nets.local", "10.0.0.0/99", NULL));
    assert_int_equal(err.code, EDDY_ECONFIG);
    assert_null(new_engine("jsonl.path", "/nonexistent/eddy.json", NULL));
    assert_int_equal(err.code, EDDY_EIO);
}

static void a_failed_reload_changes_nothing(void **state)
{
    (void)state;
    eddy_engine *engine = new_engine(NULL, NULL, NULL);
    eddy_worker *worker = new_worker(engine, "a");
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "geoip.asn", "/nonexistent", &err), EDDY_OK);
    assert_int_equal(eddy_engine_reload(engine, config, &err), EDDY_EIO);
    assert_int_equal(feed_flow(worker, 0), 1);
    assert_int_equal(eddy_config_set(config, "geoip.asn", "", &err), EDDY_OK);
    assert_int_equal(eddy_engine_reload(engine, config, &err), EDDY_OK);
    assert_int_equal(feed_flow(worker, 1), 1);
    assert_true(metric(engine, "eddy_config_reloads_total", "") == 2);
    eddy_config_free(config);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

struct housekeeper {
    sem_t done;
    int status;
};

static void reload_once(eddy_engine *engine, void *user)
{
    struct housekeeper *h = user;
    if (h->status != 1)
        return;
    eddy_config *config = eddy_config_new();
    h->status = config != NULL ? eddy_engine_reload(engine, config, NULL) : EDDY_ENOMEM;
    eddy_config_free(config);
    (void)sem_post(&h->done);
}

static void the_housekeeping_hook_may_reload(void **state)
{
    (void)state;
    struct housekeeper h = {.status = 1};
    const eddy_hooks hooks = {.size = sizeof hooks, .user = &h, .housekeeping = reload_once};
    eddy_engine *engine = NULL;
    eddy_config *config = eddy_config_new();
    assert_int_equal(sem_init(&h.done, 0, 0), 0);
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, &err), EDDY_OK);
    eddy_config_free(config);
    assert_int_equal(sem_wait(&h.done), 0); /* ctest ends it, should it never come */
    assert_int_equal(h.status, EDDY_OK);
    assert_true(metric(engine, "eddy_config_reloads_total", "ok") == 1);
    eddy_engine_free(engine);
    (void)sem_destroy(&h.done);
}

/* ---- one setting ---- */

static void one_setting_is_changed_or_refused_by_name(void **state)
{
    (void)state;
    eddy_engine *engine = new_engine("decide.quiet", "1h", NULL);
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    static const char *const bad[][2] = {{"no.such", "1"},
                                         {"decide.p", "2"},
                                         {"decide.p", ""},
                                         {"iforest.model", "/nonexistent/a.eddy"},
                                         {"geoip.asn", "/nonexistent/a.mmdb"},
                                         {"jsonl.path", "/nonexistent/a.json"},
                                         {"nets.local", "300.1.2.3"}};
    assert_int_equal(eddy_engine_set(engine, "decide.max_incidents_per_day", "7", &err), EDDY_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_true(eddy_engine_set(engine, bad[i][0], bad[i][1], &err) < 0);
        const char *named = strncmp(bad[i][1], "/nonexistent", 12) == 0 ? bad[i][1] : bad[i][0];
        assert_non_null(strstr(err.message, named)); /* what to look for */
    }
    assert_true(metric(engine, "eddy_config_reloads_total", "ok") == 1);
    assert_true(metric(engine, "eddy_config_reloads_total", "failed") == 7);
    assert_int_equal(eddy_engine_reload(engine, config, &err), EDDY_OK);
    eddy_config_free(config);
    eddy_engine_free(engine);
}

static void count_incident(const eddy_incident *incident, void *user)
{
    unsigned *count = user;
    *count += incident->state == EDDY_INCIDENT_NEW;
}

static void the_first_of_two_passes_only_learns(void **state)
{
    (void)state;
    unsigned incidents = 0;
    eddy_hooks hooks = {.size = sizeof hooks, .user = &incidents, .incident = count_incident};
    eddy_engine *engine = new_engine(NULL, NULL, &hooks);
    eddy_worker *worker = new_worker(engine, "a");
    struct log_text log = log_office();
    assert_int_equal(eddy_engine_begin(engine, EDDY_PASS_LEARN), EDDY_OK);
    assert_true(eddy_worker_feed(worker, log.bytes, log.length) >= 0);
    assert_int_equal(eddy_worker_end(worker), 0);
    assert_int_equal(eddy_engine_end(engine), EDDY_OK);
    assert_int_equal(incidents, 0);
    assert_int_equal(eddy_engine_begin(engine, EDDY_PASS_SCORE), EDDY_OK);
    assert_true(eddy_worker_feed(worker, log.bytes, log.length) > 0);
    assert_int_equal(eddy_engine_end(engine), EDDY_OK);
    free(log.bytes);
    assert_true(metric(engine, "eddy_flows_total", "") >= log.flows);
    assert_true(metric(engine, "eddy_late_flows_total", "") == 0); /* the windows began anew */
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

static void incidents_reach_a_file_by_tick_or_at_the_end(void **state)
{
    (void)state;
    char path[] = "/tmp/eddy-api-XXXXXX", line[4096] = "";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    eddy_engine *engine = new_engine("jsonl.path", path, NULL);
    assert_non_null(engine);
    eddy_worker *worker = new_worker(engine, "a");
    struct log_text log = log_office();
    assert_true(eddy_worker_feed(worker, log.bytes, log.length) > 0);
    free(log.bytes);
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    (void)fclose(file);
    assert_non_null(strstr(line, "\"event_type\":\"eddy\""));
    assert_non_null(strstr(line, "\"state\":\"new\""));
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    assert_int_equal(unlink(path), 0);
}

static void addresses_are_written_as_people_do(void **state)
{
    (void)state;
    char buf[46];
    const uint8_t v4[16] = {[10] = 0xFF, [11] = 0xFF, [12] = 192, [13] = 0, [14] = 2, [15] = 1};
    const uint8_t v6[16] = {0x20, 0x01, 0x0D, 0xB8, [15] = 1};
    assert_string_equal(eddy_address_text(v4, buf), "192.0.2.1");
    assert_ptr_equal(eddy_address_text(v6, buf), buf);
    assert_string_equal(buf, "2001:db8::1");
}

static int note_feature(const eddy_feature *feature, void *user)
{
    int *count = user;
    assert_true(strlen(feature->name) > 1 && strlen(feature->help) > 5);
    ++*count;
    return 0;
}

static int stop_features(const eddy_feature *feature, void *user)
{
    (void)feature;
    (void)user;
    return 5;
}

static void features_are_visited_and_counted(void **state)
{
    (void)state;
    int count = 0, all = eddy_features(note_feature, &count);
    assert_true(all > 10);
    assert_int_equal(all, count);
    assert_int_equal(eddy_features(NULL, NULL), all);
    assert_int_equal(eddy_features(stop_features, NULL), 5);
}

static void every_status_has_words(void **state)
{
    (void)state;
    for (int status = -20; status < 3; status++)
        assert_true(strlen(eddy_strerror(status)) > 3);
    char version[32];
    (void)snprintf(version, sizeof version, "%d.%d.%d", EDDY_VERSION_MAJOR, EDDY_VERSION_MINOR,
                   EDDY_VERSION_PATCH);
    assert_string_equal(eddy_version(), version);
    assert_non_null(eddy_built_with());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_engines_live_in_one_process),
        cmocka_unit_test(any_order_of_freeing_is_safe),
        cmocka_unit_test(a_thread_of_its_own_stops_when_the_engine_goes),
        cmocka_unit_test(workers_of_one_engine_run_at_once),
        cmocka_unit_test(counts_outlive_their_worker),
        cmocka_unit_test(metrics_text_is_cut_like_snprintf),
        cmocka_unit_test(samples_of_one_name_come_together),
        cmocka_unit_test(a_missing_database_is_told_and_stops_the_start),
        cmocka_unit_test(a_failed_reload_changes_nothing),
        cmocka_unit_test(the_housekeeping_hook_may_reload),
        cmocka_unit_test(one_setting_is_changed_or_refused_by_name),
        cmocka_unit_test(the_first_of_two_passes_only_learns),
        cmocka_unit_test(incidents_reach_a_file_by_tick_or_at_the_end),
        cmocka_unit_test(addresses_are_written_as_people_do),
        cmocka_unit_test(features_are_visited_and_counted),
        cmocka_unit_test(every_status_has_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
