/* SPDX-License-Identifier: MIT */
/* test_allocation.c - every constructor, with each of its allocations failing in turn: an error and
 * no crash, nothing left behind.
 *
 * The linker puts the functions below in the place of malloc and its kin in libeddy's objects
 * (--wrap in tests/CMakeLists.txt); what the C library and others allocate for themselves is not
 * touched. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "arrow.h"
#include "config.h"
#include "grown_model.h"
#include "row.h"
#include "scratch.h"
#include "vet/marks.h"
#include "vet/rules.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
int __real_posix_memalign(void **out, size_t alignment, size_t size);
char *__real_strdup(const char *string);
char *__real_strndup(const char *string, size_t size);
void __real_free(void *block);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
int __wrap_posix_memalign(void **out, size_t alignment, size_t size);
char *__wrap_strdup(const char *string);
char *__wrap_strndup(const char *string, size_t size);
void __wrap_free(void *block);

/* Also used by the keeper's thread. */
static atomic_long until_failure; /* the allocation that fails, counted down; below 1: none */
static atomic_long live;          /* blocks not yet freed */

static bool fails(void)
{
    return atomic_fetch_sub(&until_failure, 1) == 1;
}

static void *count(void *block)
{
    if (block != NULL)
        atomic_fetch_add(&live, 1);
    return block;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : count(__real_malloc(size));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : count(__real_calloc(n, size));
}

void *__wrap_realloc(void *block, size_t size)
{
    if (fails())
        return NULL;
    void *grown = __real_realloc(block, size);
    return block == NULL ? count(grown) : grown;
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t size)
{
    int status = fails() ? ENOMEM : __real_posix_memalign(out, alignment, size);
    if (status == 0)
        (void)count(*out);
    return status;
}

char *__wrap_strdup(const char *string)
{
    return fails() ? NULL : count(__real_strdup(string));
}

char *__wrap_strndup(const char *string, size_t size)
{
    return fails() ? NULL : count(__real_strndup(string, size));
}

void __wrap_free(void *block)
{
    if (block != NULL)
        atomic_fetch_sub(&live, 1);
    __real_free(block);
}

/* Does the work; 0, or the eddy_status it failed with. Leaves nothing allocated either way. */
typedef int work_fn(void **state);

/* Fails the first allocation of the work, then the second, and so on until all are granted. */
static void torture(work_fn *work, void **state, long least)
{
    long n = 0;
    int status = EDDY_ENOMEM;
    while (status != EDDY_OK) {
        n++;
        assert_true(n < 5000);
        long before = atomic_load(&live);
        atomic_store(&until_failure, n);
        status = work(state);
        bool reached = atomic_exchange(&until_failure, 0) < 1;
        assert_int_equal(atomic_load(&live), before);
        if (!reached)
            assert_int_equal(status, EDDY_OK);
        else if (status != EDDY_OK)
            assert_int_equal(status, EDDY_ENOMEM);
        else
            status = EDDY_ENOMEM; /* it could do without that one; go on */
        if (!reached)
            break;
    }
    assert_true(n > least); /* that many allocations have failed in turn */
}

static int declare_set_and_copy(void **state)
{
    static const eddy_option own[] = {{"host.mode", "a", "a|b", "Mode.", "Host."},
                                      {"host.follow", "", "list", "Files.", "Host."}};
    (void)state;
    eddy_error err = {0};
    eddy_config *copy = NULL, *config = eddy_config_new();
    if (config == NULL)
        return EDDY_ENOMEM;
    int status = eddy_config_declare(config, own, 2, &err);
    if (status == EDDY_OK)
        status = eddy_config_set(config, "host.follow", "x", &err);
    if (status == EDDY_OK)
        status = eddy_config_set(config, "host.follow", "y", &err);
    if (status == EDDY_OK)
        status = eddy_config_set(config, "jsonl.path", "/a", &err);
    if (status == EDDY_OK)
        status = config_copy(config, &copy);
    eddy_config_free(copy);
    eddy_config_free(config);
    return status;
}

static void settings_fail_well(void **state)
{
    torture(declare_set_and_copy, state, 20);
}

static int load_a_file(void **state)
{
    eddy_error err = {0};
    eddy_config *config = eddy_config_new();
    if (config == NULL)
        return EDDY_ENOMEM;
    int status = eddy_config_load(config, scratch_path(state, "eddy.conf"), &err);
    if (status != EDDY_OK)
        assert_string_equal(eddy_config_value(config, "jsonl.path"), ""); /* all or nothing */
    eddy_config_free(config);
    return status;
}

static void loading_fails_well(void **state)
{
    static const char text[] = "[emit]\ninterval = 5s\n[jsonl]\npath = /x\n[syslog]\nident = y\n";
    scratch_write(scratch_path(state, "eddy.conf"), text, sizeof text - 1);
    torture(load_a_file, state, 20);
}

/* A config with all outputs, made while no allocation fails. */
static eddy_config *full_config(void **state)
{
    long held = atomic_exchange(&until_failure, 0);
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    assert_int_equal(eddy_config_set(config, "engine.thread", "off", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "state.memory", "4M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "nets.local", "192.0.2.0/24", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "jsonl.path", scratch_path(state, "eddy.json"), NULL),
                     EDDY_OK);
    assert_int_equal(
        eddy_config_set(config, "textfile.path", scratch_path(state, "eddy.prom"), NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "syslog.enabled", "on", NULL), EDDY_OK);
    const char *model = scratch_path(state, "model.eddy");
    assert_int_equal(eddy_config_set(config, "iforest.model", model, NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "iforest.challenger", model, NULL), EDDY_OK);
    atomic_store(&until_failure, held);
    return config;
}

static void quiet(int level, const char *message, void *user)
{
    (void)level;
    (void)message;
    (void)user;
}

static int open_engine_and_worker(void **state)
{
    eddy_error err = {0};
    eddy_hooks hooks = {.size = sizeof hooks, .log = quiet};
    eddy_engine *engine = NULL;
    eddy_worker *worker = NULL;
    eddy_config *config = full_config(state);
    int status = eddy_engine_new(config, &hooks, &engine, &err);
    if (status == EDDY_OK)
        status = eddy_worker_new(engine, "test", NULL, &worker, &err);
    if (status == EDDY_OK)
        status = eddy_engine_reload(engine, config, &err);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    eddy_config_free(config);
    return status;
}

static void engines_and_workers_fail_well(void **state)
{
    assert_true(write_grown_model(scratch_path(state, "model.eddy"), 1, "1"));
    torture(open_engine_and_worker, state, 40);
}

static int read_what_people_say(void **state)
{
    static const char rules[] = "src=10.0.0.1\nsrc=10.0.0.2\n", two[] = "src=10.0.0.2\n",
                      marks[] = "incident=i verdict=malicious detector=tail host=10.0.0.5 "
                                "marked=2026-01-01\n";
    (void)state;
    eddy_error err = {0};
    struct entries was_text = {"rules", two, sizeof two - 1},
                   text = {"rules", rules, sizeof rules - 1},
                   mark_text = {"marks", marks, sizeof marks - 1};
    struct rules *was = NULL, *now = NULL;
    struct marks *marked = NULL;
    int status = rules_new(&was_text, &was, &err);
    if (status == EDDY_OK)
        status = rules_new(&text, &now, &err);
    if (status == EDDY_OK)
        status = rules_trace(now, was, &err);
    if (status == EDDY_OK)
        status = marks_new(&mark_text, &marked, &err);
    if (status == EDDY_OK)
        status = eddy_said_check(EDDY_SUPPRESSIONS, "rules", rules, NULL, NULL, &err);
    rules_free(was);
    rules_free(now);
    marks_free(marked);
    return status;
}

static void what_people_say_fails_well(void **state)
{
    torture(read_what_people_say, state, 10);
}

/* Rows that had no room are an error of the export; what it hands over is whole. */
static int gather_and_export(void **state)
{
    (void)state;
    eddy_error err = {0};
    eddy_frame *frame = NULL;
    struct ArrowSchema schema = {0};
    struct ArrowArray array = {0};
    eddy_flow flow = {.size = sizeof flow, .id = "some flow", .app = "dns"};
    double columns[COLUMN_COUNT] = {0};
    eddy_verdict verdict = {.detector = "tail"};
    int status = eddy_frame_new(&frame, &err);
    for (size_t i = 0; i < 1200 && status == EDDY_OK; i++) /* beyond the first of some buffers */
        eddy_frame_scored(&flow, columns, &verdict, frame);
    if (status == EDDY_OK)
        status = eddy_frame_export(frame, &schema, &array, &err);
    if (status == EDDY_OK) {
        assert_int_equal(array.length, 1200);
        array.release(&array);
        schema.release(&schema);
    }
    eddy_frame_free(frame);
    return status;
}

static void frames_fail_well(void **state)
{
    torture(gather_and_export, state, 200);
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_fail_well),      IN_SCRATCH(loading_fails_well),
        IN_SCRATCH(engines_and_workers_fail_well), cmocka_unit_test(what_people_say_fails_well),
        cmocka_unit_test(frames_fail_well),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
