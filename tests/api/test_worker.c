/* SPDX-License-Identifier: MIT */
/* test_worker.c - a stream through eddy.h: counts, cuts, formats, determinism. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "eddy.h"
#include "logs.h"

struct seen {
    unsigned scored, incidents, closed, messages;
    char json[1 << 18]; /* of all incidents, a line each */
    size_t length;
    char last_message[512];
};

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct seen *seen = user;
    (void)columns;
    assert_int_equal(flow->size, sizeof *flow);
    assert_true(verdict->p >= 0 && verdict->p <= 1);
    assert_non_null(verdict->detector);
    seen->scored++;
}

static void on_incident(const eddy_incident *incident, void *user)
{
    struct seen *seen = user;
    seen->incidents++;
    seen->closed += incident->state == EDDY_INCIDENT_CLOSED;
    int length =
        eddy_incident_json(incident, seen->json + seen->length, sizeof seen->json - seen->length);
    assert_true((size_t)length + 1 < sizeof seen->json - seen->length);
    seen->length += (size_t)length;
    seen->json[seen->length++] = '\n';
}

static void on_log(int level, const char *message, void *user)
{
    struct seen *seen = user;
    (void)level;
    seen->messages++;
    (void)snprintf(seen->last_message, sizeof seen->last_message, "%s", message);
}

struct fixture {
    struct seen seen;
    eddy_engine *engine;
    eddy_worker *worker;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    eddy_config *config = eddy_config_new();
    eddy_error err = {0};
    *state = f;
    if (f == NULL || config == NULL)
        return -1;
    eddy_hooks hooks = {.size = sizeof hooks,
                        .user = &f->seen,
                        .scored = on_scored,
                        .incident = on_incident,
                        .log = on_log};
    int status = eddy_config_set(config, "engine.thread", "off", &err);
    if (status == EDDY_OK)
        status = eddy_engine_new(config, &hooks, &f->engine, &err);
    eddy_config_free(config);
    if (status == EDDY_OK)
        status = eddy_worker_new(f->engine, "test", NULL, &f->worker, &err);
    if (status != EDDY_OK)
        print_message("%s\n", err.message);
    return status;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    eddy_worker_free(f->worker);
    eddy_engine_free(f->engine);
    free(f);
    return 0;
}

static eddy_counts counts_of(const struct fixture *f)
{
    eddy_counts counts;
    eddy_worker_counts(f->worker, &counts);
    return counts;
}

static int sum_reasons(const char *reason, const char *help, uint64_t count, int rejected,
                       void *user)
{
    uint64_t *sums = user;
    assert_true(strlen(reason) > 2 && strlen(help) > 5 && count > 0);
    sums[rejected ? 1 : 0] += count;
    return 0;
}

static void a_worker_counts_every_record(void **state)
{
    struct fixture *f = *state;
    struct log_text log = {0};
    log_flow(&log, 0, "10.0.0.1", "203.0.113.1", 443, 0);
    log_line(&log, "{\"event_type\":\"dns\"}");
    log_line(&log, "");
    log_line(&log, "{\"event_type\":\"flow\",");
    log_line(&log, "garbage");
    log_flow(&log, 1, "10.0.0.1", "nonsense", 443, 0);
    log_flow(&log, 2, "10.0.0.2", "203.0.113.1", 443, 0);
    assert_int_equal(eddy_worker_feed(f->worker, log.bytes, log.length), 2);
    assert_int_equal(eddy_worker_end(f->worker), 0);
    free(log.bytes);
    eddy_counts counts = counts_of(f);
    assert_int_equal(counts.read, 7);
    assert_int_equal(counts.scored, 2);
    assert_int_equal(counts.skipped, 2);
    assert_int_equal(counts.rejected, 3);
    assert_int_equal(f->seen.scored, 2);
    uint64_t sums[2] = {0};
    assert_int_equal(eddy_worker_rejects(f->worker, sum_reasons, sums), 0);
    assert_int_equal(sums[0], counts.skipped);
    assert_int_equal(sums[1], counts.rejected);
}

static void a_bad_record_is_told_once_with_its_place(void **state)
{
    struct fixture *f = *state;
    struct log_text log = {0};
    log_flow(&log, 0, "10.0.0.1", "203.0.113.1", 443, 0);
    size_t offset = log.length;
    for (int i = 0; i < 5; i++)
        log_line(&log, "{\"event_type\":\"flow\",");
    (void)eddy_worker_feed(f->worker, log.bytes, log.length);
    free(log.bytes);
    char place[32];
    (void)snprintf(place, sizeof place, "byte %zu", offset);
    assert_int_equal(f->seen.messages, 1);
    assert_memory_equal(f->seen.last_message, "test: ", 6);
    assert_non_null(strstr(f->seen.last_message, place));
}

static void a_last_line_without_newline_counts_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct log_text log = {0};
    log_flow(&log, 0, "10.0.0.1", "203.0.113.1", 443, 0);
    assert_int_equal(eddy_worker_feed(f->worker, log.bytes, log.length - 1), 0);
    assert_int_equal(eddy_worker_end(f->worker), 1);
    free(log.bytes);
    assert_int_equal(counts_of(f).scored, 1);
}

/* Feeds a log in pieces of a pseudo-random length, or whole; the JSON of all incidents is in seen.
 */
static void feed_in_pieces(struct fixture *f, const struct log_text *log, uint32_t seed)
{
    for (size_t at = 0; at < log->length;) {
        seed = seed * 1664525U + 1013904223U; /* Numerical Recipes */
        size_t piece = seed == 0 ? log->length : (seed >> 16) % 3000 + 1;
        if (piece > log->length - at)
            piece = log->length - at;
        assert_true(eddy_worker_feed(f->worker, log->bytes + at, piece) >= 0);
        at += piece;
    }
    assert_true(eddy_worker_end(f->worker) >= 0);
    assert_int_equal(eddy_engine_end(f->engine), EDDY_OK);
}

static void the_same_bytes_give_the_same_incidents_however_cut(void **state)
{
    struct fixture *f = *state;
    struct log_text log = log_office();
    void *others[2] = {NULL, NULL};
    feed_in_pieces(f, &log, 1);
    assert_true(f->seen.incidents > 0);
    assert_non_null(strstr(f->seen.json, "\"host\":\"10.0.0.66\""));
    for (uint32_t i = 0; i < 2; i++) {
        assert_int_equal(setup(&others[i]), 0);
        struct fixture *other = others[i];
        feed_in_pieces(other, &log, 12345 + i);
        assert_string_equal(other->seen.json, f->seen.json);
        assert_int_equal(counts_of(other).scored, log.flows);
        teardown(&others[i]);
    }
    free(log.bytes);
}

static void every_incident_is_closed_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct log_text log = log_office();
    feed_in_pieces(f, &log, 7);
    free(log.bytes);
    unsigned opened = 0;
    for (const char *at = f->seen.json; (at = strstr(at, "\"state\":\"new\"")) != NULL; at++)
        opened++;
    assert_true(opened > 0);
    assert_int_equal(opened, f->seen.closed);
}

static void a_skipped_beginning_is_not_scored_again(void **state)
{
    struct fixture *f = *state;
    struct log_text log = {0};
    log_flow(&log, 0, "10.0.0.1", "203.0.113.1", 443, 0);
    log_flow(&log, 1, "10.0.0.2", "203.0.113.1", 443, 0);
    size_t skip = log.length;
    log_flow(&log, 2, "10.0.0.3", "203.0.113.1", 443, 0);
    assert_int_equal(eddy_worker_skip(f->worker, skip), EDDY_OK);
    assert_int_equal(eddy_worker_feed(f->worker, log.bytes, log.length), 1);
    free(log.bytes);
    assert_int_equal(counts_of(f).read, 1);
}

static void damaged_compression_ends_the_stream_but_not_the_worker(void **state)
{
    struct fixture *f = *state;
    static const unsigned char bad[] = {0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 0xFF, 0xFF, 0xFF, 0xFF};
    struct log_text log = {0};
    int fed = eddy_worker_feed(f->worker, bad, sizeof bad), end = eddy_worker_end(f->worker);
    assert_true(fed == EDDY_EINPUT || end == EDDY_EINPUT);
    log_flow(&log, 0, "10.0.0.1", "203.0.113.1", 443, 0);
    assert_int_equal(eddy_worker_feed(f->worker, log.bytes, log.length), 1);
    free(log.bytes);
    eddy_counts counts = counts_of(f);
    assert_int_equal(counts.read, counts.scored + counts.skipped + counts.rejected);
}

static void an_unknown_format_is_refused(void **state)
{
    struct fixture *f = *state;
    eddy_worker *worker = NULL;
    eddy_error err = {0};
    assert_int_equal(eddy_worker_new(f->engine, "x", "pcap", &worker, &err), EDDY_ECONFIG);
    assert_null(worker);
    assert_non_null(strstr(err.message, "pcap"));
    assert_non_null(strstr(err.message, "zeek-tsv"));
}

static void a_named_format_takes_no_other(void **state)
{
    struct fixture *f = *state;
    eddy_worker *worker = NULL;
    struct log_text log = {0};
    eddy_counts counts;
    log_flow(&log, 0, "10.0.0.1", "203.0.113.1", 443, 0);
    assert_int_equal(eddy_worker_new(f->engine, "x", "zeek-tsv", &worker, NULL), EDDY_OK);
    assert_int_equal(eddy_worker_feed(worker, log.bytes, log.length), 0);
    eddy_worker_counts(worker, &counts);
    assert_int_equal(counts.rejected, 1);
    eddy_worker_free(worker);
    free(log.bytes);
}

static void a_flow_can_be_scored_without_a_log(void **state)
{
    struct fixture *f = *state;
    eddy_verdict verdict = {0};
    eddy_flow flow = {.size = sizeof flow,
                      .src = {[10] = 0xFF, [11] = 0xFF, [12] = 10, [15] = 1},
                      .dst = {[10] = 0xFF, [11] = 0xFF, [12] = 203, [14] = 113, [15] = 9},
                      .src_port = 40000,
                      .dst_port = 443,
                      .proto = 6,
                      .start_us = INT64_C(1767322800000000),
                      .duration_us = 2000000,
                      .bytes_out = 1200,
                      .bytes_in = 5000,
                      .packets_out = 12,
                      .packets_in = 10,
                      .id = "mine"};
    assert_int_equal(eddy_worker_score(f->worker, &flow, &verdict), 1);
    assert_true(verdict.p > 0 && verdict.p <= 1);
    assert_int_equal(eddy_worker_score(f->worker, &flow, NULL), 1);
    flow.start_us = -5; /* before 1970 */
    assert_int_equal(eddy_worker_score(f->worker, &flow, &verdict), 0);
    assert_true((verdict.flags & EDDY_REJECTED) != 0);
    assert_int_equal(counts_of(f).read, 3);
}

static void any_bytes_are_survived_and_counted(void **state)
{
    struct fixture *f = *state;
    uint32_t seed = 99;
    for (int round = 0; round < 200; round++) {
        unsigned char bytes[500];
        for (size_t i = 0; i < sizeof bytes; i++) {
            seed = seed * 1664525U + 1013904223U;
            bytes[i] = (unsigned char)(seed >> 24);
        }
        (void)eddy_worker_feed(f->worker, bytes, sizeof bytes);
        (void)eddy_worker_end(f->worker);
    }
    eddy_counts counts = counts_of(f);
    assert_true(counts.read > 0);
    assert_int_equal(counts.read, counts.scored + counts.skipped + counts.rejected);
}

#define WITH_WORKER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_WORKER(a_worker_counts_every_record),
        WITH_WORKER(a_bad_record_is_told_once_with_its_place),
        WITH_WORKER(a_last_line_without_newline_counts_at_the_end),
        WITH_WORKER(the_same_bytes_give_the_same_incidents_however_cut),
        WITH_WORKER(every_incident_is_closed_at_the_end),
        WITH_WORKER(a_skipped_beginning_is_not_scored_again),
        WITH_WORKER(damaged_compression_ends_the_stream_but_not_the_worker),
        WITH_WORKER(an_unknown_format_is_refused),
        WITH_WORKER(a_named_format_takes_no_other),
        WITH_WORKER(a_flow_can_be_scored_without_a_log),
        WITH_WORKER(any_bytes_are_survived_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
