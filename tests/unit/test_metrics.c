/* SPDX-License-Identifier: MIT */
/* test_metrics.c - samples add up to what was fed, names come together, labels are of closed sets.
 */
#include <math.h>

#include "engine.h"
#include "pipeline.h"
#include "worker.h"

static eddy_engine *engine_of(const char *const *settings)
{
    eddy_config *config = eddy_config_new();
    eddy_engine *engine;
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "state.memory", "8M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "engine.thread", "off", NULL), EDDY_OK);
    for (; settings != NULL && settings[0] != NULL; settings += 2)
        assert_int_equal(eddy_config_set(config, settings[0], settings[1], NULL), EDDY_OK);
    assert_int_equal(eddy_engine_new(config, NULL, &engine, NULL), EDDY_OK);
    eddy_config_free(config);
    return engine;
}

static eddy_worker *worker_of(eddy_engine *engine, const char *name)
{
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, name, NULL, &worker, NULL), EDDY_OK);
    return worker;
}

static void score_some(eddy_worker *worker, unsigned flows)
{
    for (unsigned i = 0; i < flows; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.1", "203.0.113.1", 443);
        assert_int_equal(eddy_worker_score(worker, &flow, NULL), 1);
    }
}

/* The sum of the samples of this name whose labels contain `part`; their number. */
struct sum {
    const char *name, *part;
    double value;
    unsigned count;
};

static int add_up(const eddy_metric *metric, void *user)
{
    struct sum *sum = user;
    if (strcmp(metric->name, sum->name) == 0 && strstr(metric->labels, sum->part) != NULL) {
        sum->value += metric->value;
        sum->count++;
    }
    return 0;
}

static struct sum sum_of(eddy_engine *engine, const char *name, const char *part)
{
    struct sum sum = {.name = name, .part = part};
    assert_int_equal(eddy_engine_metrics(engine, add_up, &sum), 0);
    return sum;
}

static double value_of(eddy_engine *engine, const char *name, const char *part)
{
    struct sum sum = sum_of(engine, name, part);
    assert_int_equal(sum.count, 1);
    return sum.value;
}

static void records_add_up_to_those_fed(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *worker = worker_of(engine, "eve");
    static const char text[] = "\nnonsense\n{\"event_type\":\"dns\"}\n{\"event_type\":\"flow\"}\n";
    (void)eddy_worker_feed(worker, text, sizeof text - 1);
    score_some(worker, 5);
    eddy_counts counts;
    eddy_worker_counts(worker, &counts);
    assert_int_equal(counts.read, 9);
    assert_int_equal(counts.scored + counts.skipped + counts.rejected, 9);
    assert_true(value_of(engine, "eddy_flows_total", "input=\"eve\"") == 5);
    assert_true(sum_of(engine, "eddy_input_records_total", "").value == 9);
    double reasons = sum_of(engine, "eddy_records_skipped_total", "").value +
                     sum_of(engine, "eddy_records_rejected_total", "").value;
    assert_true(reasons == 4);
    assert_true(value_of(engine, "eddy_records_skipped_total", "\"blank\"") == 1);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

static void records_not_handed_over_are_counted(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *worker = worker_of(engine, "eve");
    score_some(worker, 5);
    eddy_worker_missed(worker, 7, 2);
    eddy_counts counts;
    eddy_worker_counts(worker, &counts);
    assert_int_equal(counts.read, 14);
    assert_int_equal(counts.skipped, 7);
    assert_int_equal(counts.dropped, 2);
    assert_true(value_of(engine, "eddy_records_skipped_total", "\"other_event\"") == 7);
    eddy_worker_free(worker); /* and they outlive the worker */
    assert_true(value_of(engine, "eddy_input_records_total", "result=\"dropped\"") == 2);
    assert_true(sum_of(engine, "eddy_input_records_total", "").value == 14);
    eddy_engine_free(engine);
}

static int name_of_next(const eddy_metric *metric, void *user)
{
    const char **after = user;
    assert_true(metric->help[0] != '\0' && metric->value == 0 && metric->labels[0] == '\0');
    if (strcmp(metric->name, *after) == 0)
        *after = "eddy_event_time_seconds";
    return 0;
}

static void every_metric_is_declared_without_an_engine(void **state)
{
    (void)state;
    const char *after = "eddy_build_info"; /* the first, then one that has no sample at first */
    assert_int_equal(eddy_metrics(name_of_next, &after), 0);
    assert_string_equal(after, "eddy_event_time_seconds");
}

static void workers_of_one_name_are_one_input(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *first = worker_of(engine, "eve"), *second = worker_of(engine, "eve");
    score_some(first, 3);
    score_some(second, 4);
    assert_true(value_of(engine, "eddy_flows_total", "") == 7);
    eddy_worker_free(first);
    assert_true(sum_of(engine, "eddy_flows_total", "").value == 7); /* nothing is lost with it */
    eddy_worker_free(second);
    assert_true(sum_of(engine, "eddy_flows_total", "").value == 7);
    eddy_engine_free(engine);
}

static void beyond_64_inputs_the_rest_is_one(void **state)
{
    (void)state;
    enum { N = 80 };
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *worker[N];
    for (unsigned i = 0; i < N; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "log%u", i);
        worker[i] = worker_of(engine, name);
        score_some(worker[i], 2);
    }
    struct sum sum = sum_of(engine, "eddy_flows_total", "");
    assert_true(sum.value == 2 * N);
    assert_int_equal(sum.count, 65);
    assert_true(value_of(engine, "eddy_flows_total", "input=\"other\"") == 2 * (N - 64));
    for (unsigned i = 0; i < N; i++)
        eddy_worker_free(worker[i]);
    eddy_engine_free(engine);
}

static void an_input_name_cannot_break_a_label(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *worker = worker_of(engine, "a\"b\\c\nd");
    score_some(worker, 1);
    assert_int_equal(sum_of(engine, "eddy_flows_total", "input=\"a\\\"b\\\\c?d\"").count, 1);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

static void tables_and_time_are_told(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    assert_int_equal(sum_of(engine, "eddy_event_time_seconds", "").count, 0);
    eddy_worker *worker = worker_of(engine, "eve");
    for (unsigned i = 0; i < 10; i++) {
        eddy_flow flow = flow_at(i, numbered("10.0", i), numbered("203.0", i % 2), 443);
        (void)eddy_worker_score(worker, &flow, NULL);
    }
    eddy_flow corrected = flow_at(11, "10.0.0.1", "203.0.113.1", 443);
    corrected.bytes_out = 1;
    (void)eddy_worker_score(worker, &corrected, NULL);
    assert_true(value_of(engine, "eddy_hosts_tracked", "") == 10);
    assert_true(value_of(engine, "eddy_pairs_tracked", "") == 11);
    assert_true(value_of(engine, "eddy_event_time_seconds", "") == (double)T0 + 12);
    assert_true(value_of(engine, "eddy_state_memory_bytes", "") == 2 * 8388608);
    assert_true(value_of(engine, "eddy_flows_corrected_total", "few_bytes") == 1);
    assert_true(value_of(engine, "eddy_incident_budget_remaining", "") == 20);
    assert_true(value_of(engine, "eddy_build_info", "version=\"0.1.0\"") == 1);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

static void memory_and_reloads_are_told_as_they_are(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "state.memory", "64M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "engine.thread", "off", NULL), EDDY_OK);
    assert_int_equal(eddy_engine_reload(engine, config, NULL), EDDY_OK);
    assert_true(value_of(engine, "eddy_state_memory_bytes", "") ==
                2 * 8388608); /* needs a restart */
    assert_int_equal(eddy_config_set(config, "geoip.asn", "/nonexistent/asn.mmdb", NULL), EDDY_OK);
    assert_int_equal(eddy_engine_reload(engine, config, NULL), EDDY_EIO);
    assert_true(value_of(engine, "eddy_config_reloads_total", "ok") == 1);
    assert_true(value_of(engine, "eddy_config_reloads_total", "failed") == 1);
    eddy_config_free(config);
    eddy_engine_free(engine);
}

static void the_busiest_hosts_are_named_only_if_asked_for(void **state)
{
    (void)state;
    static const char *const two[] = {"state.top_hosts", "2", NULL};
    for (unsigned asked = 0; asked < 2; asked++) {
        eddy_engine *engine = engine_of(asked ? two : NULL);
        eddy_worker *worker = worker_of(engine, "eve");
        for (unsigned host = 1; host <= 4; host++)
            for (unsigned i = 0; i < host; i++) {
                eddy_flow flow = flow_at(i, numbered("10.0", host), "203.0.113.1", 443);
                (void)eddy_worker_score(worker, &flow, NULL);
            }
        assert_int_equal(sum_of(engine, "eddy_top_host_flows", "").count, asked ? 2 : 0);
        if (asked)
            assert_true(value_of(engine, "eddy_top_host_flows", "host=\"10.0.0.5\"") == 4);
        eddy_worker_free(worker);
        eddy_engine_free(engine);
    }
}

/* ---- the text ---- */

static void in_the_text_each_name_has_its_samples_together(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    eddy_worker *worker = worker_of(engine, "eve"), *other = worker_of(engine, "zeek");
    score_some(worker, 100);
    score_some(other, 100);
    static char text[65536];
    int length = eddy_engine_metrics_text(engine, text, sizeof text);
    assert_in_range(length, 1000, sizeof text - 1);
    assert_int_equal(strlen(text), (size_t)length);
    assert_int_equal(text[length - 1], '\n');
    char names[64][80];
    size_t known = 0;
    for (char *line = text, *end; *line != '\0'; line = end + 1) {
        end = strchr(line, '\n');
        assert_non_null(end);
        if (line[0] == '#')
            continue;
        char name[80] = "";
        memcpy(name, line, strcspn(line, "{ "));
        if (known > 0 && strcmp(names[known - 1], name) == 0)
            continue;
        for (size_t i = 0; i < known; i++)
            assert_string_not_equal(names[i], name);
        assert_in_range(known, 0, 63);
        memcpy(names[known++], name, sizeof name);
    }
    assert_true(known > 15);
    assert_int_equal(eddy_engine_metrics_text(engine, NULL, 0), length);
    eddy_worker_free(worker);
    eddy_worker_free(other);
    eddy_engine_free(engine);
}

static int stop_at_third(const eddy_metric *metric, void *user)
{
    (void)metric;
    return ++*(int *)user == 3 ? -5 : 0;
}

static void a_visit_can_be_ended(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    int visited = 0;
    assert_int_equal(eddy_engine_metrics(engine, stop_at_third, &visited), -5);
    assert_int_equal(visited, 3);
    eddy_engine_free(engine);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_add_up_to_those_fed),
        cmocka_unit_test(records_not_handed_over_are_counted),
        cmocka_unit_test(every_metric_is_declared_without_an_engine),
        cmocka_unit_test(workers_of_one_name_are_one_input),
        cmocka_unit_test(beyond_64_inputs_the_rest_is_one),
        cmocka_unit_test(an_input_name_cannot_break_a_label),
        cmocka_unit_test(tables_and_time_are_told),
        cmocka_unit_test(memory_and_reloads_are_told_as_they_are),
        cmocka_unit_test(the_busiest_hosts_are_named_only_if_asked_for),
        cmocka_unit_test(in_the_text_each_name_has_its_samples_together),
        cmocka_unit_test(a_visit_can_be_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
