/* SPDX-License-Identifier: MIT */
/* test_torture.c - every constructor with each of its allocations failing in turn: it says so, and
 * gives everything back (which the address sanitizer checks). */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "eddy.h"
#include "mmdb_writer.h"
#include "scratch.h"
#include "util/addr.h"

static long left = -1; /* allocations until one fails; negative: none does */
static long made;

static int may_allocate(void)
{
    made++;
    return left < 0 || left-- != 0;
}

/* What the linker calls instead (--wrap); the real ones are behind __real_. */
void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);

void *__wrap_malloc(size_t size)
{
    return may_allocate() ? __real_malloc(size) : NULL;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return may_allocate() ? __real_calloc(count, size) : NULL;
}

void *__wrap_realloc(void *old, size_t size)
{
    return may_allocate() ? __real_realloc(old, size) : NULL;
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
    return may_allocate() ? __real_posix_memalign(out, alignment, size) : ENOMEM;
}

char *__wrap_strdup(const char *text)
{
    return may_allocate() ? __real_strdup(text) : NULL;
}

char *__wrap_strndup(const char *text, size_t length)
{
    return may_allocate() ? __real_strndup(text, length) : NULL;
}

/* ---- the constructors ---- */

static const char *write_database(void **state)
{
    struct mmdb_writer w = {.ip_version = 4};
    const uint8_t address[16] = {[10] = 0xff, [11] = 0xff, [12] = 203};
    put_head(&w.data, MMDB_MAP, 0);
    mmdb_insert(&w, address, 104, 0);
    struct bytes b = mmdb_finish(&w);
    const char *path = scratch_path(state, "test.mmdb");
    scratch_write(path, (const char *)b.at, b.length);
    free(b.at);
    return path;
}

/* With everything that allocates: databases, networks, outputs. */
static eddy_config *full_config(void **state)
{
    const char *database = write_database(state);
    const char *const settings[][2] = {
        {"state.memory", "4M"},
        {"engine.thread", "off"},
        {"geoip.country", database},
        {"geoip.asn", database},
        {"nets.local", "10.0.0.0/8"},
        {"nets.local", "2001:db8::/32"},
        {"jsonl.path", scratch_path(state, "incidents.json")},
        {"history.path", scratch_path(state, "history.jsonl")},
        {"textfile.path", scratch_path(state, "eddy.prom")},
    };
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        assert_int_equal(eddy_config_set(config, settings[i][0], settings[i][1], NULL), EDDY_OK);
    return config;
}

static void quiet(int level, const char *message, void *user)
{
    (void)level;
    (void)message;
    (void)user;
}

static const eddy_hooks hooks = {.size = sizeof hooks, .log = quiet};

static void a_config_is_whole_or_not_there(void **state)
{
    (void)state;
    long failed = 0;
    for (eddy_config *config = NULL; config == NULL; failed++) {
        left = failed;
        config = eddy_config_new();
        left = -1;
        eddy_config_free(config);
    }
    assert_true(failed > 3); /* so many allocations really failed */
}

static void a_setting_is_taken_or_not(void **state)
{
    (void)state;
    int status = EDDY_ENOMEM;
    long failed = 0;
    for (; status != EDDY_OK; failed++) {
        eddy_config *config = eddy_config_new();
        assert_non_null(config);
        left = failed;
        status = eddy_config_set(config, "nets.local", "10.0.0.0/8", NULL);
        left = -1;
        assert_true(status == EDDY_OK || status == EDDY_ENOMEM);
        assert_string_equal(eddy_config_value(config, "nets.local"),
                            status == EDDY_OK ? "10.0.0.0/8" : "");
        eddy_config_free(config);
    }
    assert_true(failed > 1);
}

static void an_engine_is_whole_or_not_there(void **state)
{
    eddy_config *config = full_config(state);
    int status = EDDY_ENOMEM;
    long failed = 0;
    for (; status != EDDY_OK; failed++) {
        eddy_engine *engine = NULL;
        eddy_error err = {0};
        left = failed;
        status = eddy_engine_new(config, &hooks, &engine, &err);
        left = -1;
        if (status != EDDY_OK) {
            assert_int_equal(status, EDDY_ENOMEM);
            assert_int_equal(err.code, EDDY_ENOMEM);
            assert_null(engine);
        }
        eddy_engine_free(engine);
    }
    assert_true(failed > 20);
    eddy_config_free(config);
}

static void a_worker_is_whole_or_not_there(void **state)
{
    eddy_config *config = full_config(state);
    eddy_engine *engine;
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, NULL), EDDY_OK);
    static const char *const formats[] = {NULL, "eve", "zeek-json", "zeek-tsv"};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        int status = EDDY_ENOMEM;
        long failed = 0;
        for (; status != EDDY_OK; failed++) {
            eddy_worker *worker = NULL;
            left = failed;
            status = eddy_worker_new(engine, "w", formats[i], &worker, NULL);
            left = -1;
            assert_true(status == EDDY_OK || (status == EDDY_ENOMEM && worker == NULL));
            eddy_worker_free(worker);
        }
        assert_true(failed > 3);
    }
    eddy_engine_free(engine);
    eddy_config_free(config);
}

static void a_reload_that_finds_no_memory_changes_nothing(void **state)
{
    eddy_config *config = full_config(state);
    eddy_engine *engine;
    eddy_worker *worker;
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, NULL), EDDY_OK);
    assert_int_equal(eddy_worker_new(engine, "w", NULL, &worker, NULL), EDDY_OK);
    eddy_flow flow = {.size = sizeof flow, .proto = 6, .start_us = 1, .src = {1}, .dst = {2}};
    int status = EDDY_ENOMEM;
    long failed = 0;
    for (; status != EDDY_OK; failed++) {
        left = failed;
        status = eddy_engine_reload(engine, config, NULL);
        left = -1;
        assert_true(status == EDDY_OK || status == EDDY_ENOMEM);
        assert_int_equal(eddy_worker_score(worker, &flow, NULL), 1);
        assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    }
    assert_true(failed > 15);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    eddy_config_free(config);
}

/* eddy.h promises it: no allocation per flow. */
static void flows_are_scored_without_any_allocation(void **state)
{
    eddy_config *config = full_config(state);
    eddy_engine *engine;
    eddy_worker *worker;
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, NULL), EDDY_OK);
    assert_int_equal(eddy_worker_new(engine, "w", NULL, &worker, NULL), EDDY_OK);
    long before = made;
    for (uint32_t i = 0; i < 20000; i++) {
        eddy_flow flow = {.size = sizeof flow, .proto = 6, .dst_port = 22, .src = {1}, .dst = {2}};
        flow.start_us = (int64_t)i * 100000;
        flow.state = i % 2 ? EDDY_CONN_ATTEMPT : EDDY_CONN_CLOSED;
        memcpy(flow.dst + 4, &i, sizeof i);
        memcpy(flow.src + 4, &(uint32_t){i / 1000}, sizeof i);
        assert_int_equal(eddy_worker_score(worker, &flow, NULL), 1);
    }
    static const char line[] = "{\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\"}\nnonsense\n";
    for (unsigned i = 0; i < 1000; i++)
        (void)eddy_worker_feed(worker, line, sizeof line - 1);
    assert_int_equal(made, before);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    eddy_config_free(config);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_is_whole_or_not_there),
        cmocka_unit_test(a_setting_is_taken_or_not),
        TEST(an_engine_is_whole_or_not_there),
        TEST(a_worker_is_whole_or_not_there),
        TEST(a_reload_that_finds_no_memory_changes_nothing),
        TEST(flows_are_scored_without_any_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
