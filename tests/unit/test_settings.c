/* SPDX-License-Identifier: MIT */
/* test_settings.c - what a reload opens and what it takes over; models and databases that were
 * replaced, each by itself; one setting at a time. */
#include "config.h"
#include "engine.h"
#include "grown_model.h"
#include "mmdb_writer.h"
#include "model_image.h"
#include "pipeline.h"
#include "scratch.h"
#include "worker.h"

static struct {
    unsigned errors;
    char last_error[1024];
} seen;

static void note(int level, const char *message, void *user)
{
    (void)user;
    if (level > LOG_LEVEL_ERROR)
        return;
    seen.errors++;
    (void)snprintf(seen.last_error, sizeof seen.last_error, "%s", message);
}

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

static eddy_error err;

/* NULL: it would not begin. */
static eddy_engine *try(const char *const *settings)
{
    const eddy_hooks hooks = {.size = sizeof hooks, .log = note};
    eddy_engine *engine = NULL;
    eddy_config *config = config_of(settings);
    memset(&seen, 0, sizeof seen);
    memset(&err, 0, sizeof err);
    (void)!eddy_engine_new(config, &hooks, &engine, &err);
    eddy_config_free(config);
    return engine;
}

static eddy_engine *engine_of(const char *const *settings)
{
    eddy_engine *engine = try(settings);
    assert_non_null(engine);
    return engine;
}

static int reload(eddy_engine *engine, const char *const *settings)
{
    eddy_config *config = config_of(settings);
    int status = eddy_engine_reload(engine, config, &err);
    eddy_config_free(config);
    return status;
}

/* A path that lasts. */
static const char *path_of(void **state, const char *name)
{
    static char paths[8][4400];
    static size_t next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s", scratch_path(state, name));
    return path;
}

static const char *model_at(void **state, const char *name, uint64_t seed)
{
    const char *path = path_of(state, name);
    assert_true(write_grown_model(path, seed, "1"));
    return path;
}

static void spoil(const char *path)
{
    scratch_write(path, "EDDYMDL\nnot really", 18);
}

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
    scratch_write(path, (const char *)b.at, b.length);
    free(b.at);
}

static const struct model_file *file_of(const eddy_engine *engine, enum model_use use)
{
    return engine->settings->model[use];
}

static uint64_t refused(const eddy_engine *engine)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < MODEL_FAULT_COUNT; i++)
        sum += engine->model_failures[i];
    return sum;
}

static const char *country(const eddy_engine *engine, struct place *place)
{
    uint8_t address[16];
    *place = (struct place){0};
    address_of("203.0.113.9", address);
    geoip_find(engine->settings->geoip, address, place);
    return place->country;
}

/* ---- what is taken over ---- */

static void a_model_that_is_in_several_uses_is_loaded_once(void **state)
{
    const char *path = model_at(state, "a.eddy", 1);
    const char *const settings[] = {"iforest.model", path, "iforest.challenger", path, NULL};
    eddy_engine *engine = engine_of(settings);
    assert_non_null(file_of(engine, IFOREST_MODEL));
    assert_ptr_equal(file_of(engine, IFOREST_MODEL), file_of(engine, IFOREST_CHALLENGER));
    char sha256[65];
    memcpy(sha256, file_of(engine, IFOREST_MODEL)->sha256, sizeof sha256);
    (void)model_at(state, "a.eddy", 2); /* both follow the file, together */
    engine_look(engine);
    assert_string_not_equal(file_of(engine, IFOREST_MODEL)->sha256, sha256);
    assert_ptr_equal(file_of(engine, IFOREST_MODEL), file_of(engine, IFOREST_CHALLENGER));
    eddy_engine_free(engine);
}

static void a_reload_takes_over_what_has_not_changed(void **state)
{
    const char *a = model_at(state, "a.eddy", 1), *b = model_at(state, "b.eddy", 2);
    const char *mmdb = path_of(state, "country.mmdb");
    write_country(mmdb, "DE");
    const char *const first[] = {
        "iforest.model", a, "iforest.challenger", b, "geoip.country", mmdb, NULL};
    /* The challenger becomes the champion, by a move between settings: nothing is read again. */
    const char *const promoted[] = {"iforest.model", b,   "geoip.country", mmdb, "decide.p",
                                    "1e-6",          NULL};
    eddy_engine *engine = engine_of(first);
    const struct model_file *challenger = file_of(engine, IFOREST_CHALLENGER);
    const struct geoip *geoip = engine->settings->geoip;
    const struct nets *nets = engine->settings->nets;
    assert_int_equal(reload(engine, promoted), EDDY_OK);
    assert_ptr_equal(file_of(engine, IFOREST_MODEL), challenger);
    assert_null(file_of(engine, IFOREST_CHALLENGER));
    assert_ptr_equal(engine->settings->geoip, geoip);
    assert_ptr_equal(engine->settings->nets, nets);
    assert_true(engine->settings->decide->p == 1e-6);
    (void)model_at(state, "b.eddy", 3); /* has changed: is read by the reload, not only by a look */
    assert_int_equal(reload(engine, promoted), EDDY_OK);
    assert_string_not_equal(file_of(engine, IFOREST_MODEL)->sha256, "");
    assert_ptr_not_equal(file_of(engine, IFOREST_MODEL), challenger);
    eddy_engine_free(engine);
}

static void old_models_are_freed_once_nobody_needs_them(void **state)
{
    const char *path = model_at(state, "a.eddy", 1);
    const char *const settings[] = {"iforest.model", path, NULL};
    eddy_engine *engine = engine_of(settings);
    eddy_worker *worker;
    assert_int_equal(eddy_worker_new(engine, "w", NULL, &worker, NULL), EDDY_OK);
    struct loaded_set kept = {{engine->settings->loaded.of[IFOREST_MODEL]}};
    atomic_fetch_add(&kept.of[0]->holders, 1);
    (void)model_at(state, "a.eddy", 2);
    engine_look(engine);
    assert_int_equal(kept.of[0]->holders, 2); /* the worker has not scored since */
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(kept.of[0]->holders, 1); /* ours */
    loaded_drop(&kept);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

/* ---- files that change ---- */

static void a_bad_model_holds_up_no_database_nor_the_other_model(void **state)
{
    const char *a = model_at(state, "a.eddy", 1), *b = model_at(state, "b.eddy", 2);
    const char *mmdb = path_of(state, "country.mmdb");
    struct place place;
    write_country(mmdb, "DE");
    const char *const settings[] = {
        "iforest.model", a, "iforest.challenger", b, "geoip.country", mmdb, NULL};
    eddy_engine *engine = engine_of(settings);
    const struct model_file *champion = file_of(engine, IFOREST_MODEL),
                            *challenger = file_of(engine, IFOREST_CHALLENGER);
    spoil(a);
    (void)model_at(state, "b.eddy", 3);
    write_country(mmdb, "NL");
    engine_look(engine);
    assert_string_equal(country(engine, &place), "NL");
    assert_ptr_equal(file_of(engine, IFOREST_MODEL), champion);
    assert_ptr_not_equal(file_of(engine, IFOREST_CHALLENGER), challenger);
    assert_int_equal(seen.errors, 1);
    assert_non_null(strstr(seen.last_error, "iforest.model: keeping the model in use"));
    assert_non_null(strstr(seen.last_error, a));
    for (unsigned i = 0; i < 3; i++) { /* of other changes, too, it is not told again */
        write_country(mmdb, i % 2 == 0 ? "FR" : "IT");
        engine_look(engine);
    }
    assert_string_equal(country(engine, &place), "FR");
    assert_int_equal(refused(engine), 1);
    assert_int_equal(engine->model_failures[MODEL_DAMAGED], 1);
    (void)model_at(state, "a.eddy", 1);
    engine_look(engine);
    assert_ptr_not_equal(file_of(engine, IFOREST_MODEL), champion);
    assert_int_equal(seen.errors, 1);
    eddy_engine_free(engine);
}

static void a_bad_database_holds_up_no_model(void **state)
{
    const char *a = model_at(state, "a.eddy", 1), *mmdb = path_of(state, "country.mmdb");
    struct place place;
    write_country(mmdb, "DE");
    const char *const settings[] = {"iforest.model", a, "geoip.country", mmdb, NULL};
    eddy_engine *engine = engine_of(settings);
    const struct model_file *champion = file_of(engine, IFOREST_MODEL);
    scratch_write(mmdb, "half a datab", 12);
    (void)model_at(state, "a.eddy", 2);
    engine_look(engine);
    assert_ptr_not_equal(file_of(engine, IFOREST_MODEL), champion);
    assert_string_equal(country(engine, &place), "DE");
    assert_int_equal(seen.errors, 1);
    assert_non_null(strstr(seen.last_error, "country.mmdb"));
    assert_int_equal(refused(engine), 0);
    eddy_engine_free(engine);
}

/* ---- reloads ---- */

static void a_model_newly_named_must_be_good_and_one_that_went_bad_stays(void **state)
{
    const char *a = model_at(state, "a.eddy", 1), *b = model_at(state, "b.eddy", 2);
    const char *const settings[] = {"iforest.model", a, NULL};
    const char *const other[] = {"iforest.model", b, "decide.p", "1e-6", NULL};
    const char *const same[] = {"iforest.model", a, "decide.p", "1e-6", NULL};
    eddy_engine *engine = engine_of(settings);
    const struct settings *before = engine->settings;
    const struct model_file *champion = file_of(engine, IFOREST_MODEL);
    spoil(b);
    assert_int_equal(reload(engine, other), EDDY_EINPUT);
    assert_non_null(strstr(err.message, "iforest.model: "));
    assert_non_null(strstr(err.message, b));
    assert_ptr_equal(engine->settings, before);
    assert_int_equal(refused(engine), 1);
    assert_int_equal(seen.errors, 0); /* the caller says it */
    spoil(a);
    assert_int_equal(reload(engine, same), EDDY_OK);
    assert_ptr_equal(file_of(engine, IFOREST_MODEL), champion);
    assert_true(engine->settings->decide->p == 1e-6);
    assert_int_equal(refused(engine), 2);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(unlink(a), 0); /* gone for a moment, or for good */
    assert_int_equal(reload(engine, same), EDDY_OK);
    assert_ptr_equal(file_of(engine, IFOREST_MODEL), champion);
    eddy_engine_free(engine);
}

static void a_model_of_the_wrong_kind_is_refused(void **state)
{
    static const struct sketch classes = {MODEL_CLASSES, 4, 2, 20, 17, 60};
    const char *a = model_at(state, "a.eddy", 1), *b = path_of(state, "b.eddy");
    const char *const settings[] = {"iforest.model", a, NULL};
    struct drawing *drawing = drawing_new(&classes, 1);
    struct image *image = drawing_image(drawing);
    scratch_write(b, (const char *)image->bytes, image->length);
    free(image);
    free(drawing);
    eddy_engine *engine = engine_of(settings);
    assert_int_equal(eddy_engine_set(engine, "iforest.model", b, &err), EDDY_ECONFIG);
    assert_non_null(strstr(err.message, "iforest.model wants an isolation forest"));
    assert_int_equal(engine->model_failures[MODEL_KIND], 1);
    assert_int_equal(rename(b, a), 0); /* nor does it come in by way of the file */
    engine_look(engine);
    assert_string_equal(file_of(engine, IFOREST_MODEL)->name, "grown");
    assert_int_equal(engine->model_failures[MODEL_KIND], 2);
    eddy_engine_free(engine);
}

/* ---- the start ---- */

static void a_start_needs_its_models_unless_told_otherwise(void **state)
{
    const char *a = model_at(state, "a.eddy", 1), *missing = path_of(state, "missing.eddy");
    const char *const strict[] = {"iforest.model", a, "iforest.challenger", missing, NULL};
    const char *const lenient[] = {
        "iforest.model", a, "iforest.challenger", missing, "engine.need_models", "off", NULL};
    assert_null(try(strict));
    assert_int_equal(err.code, EDDY_EIO);
    assert_non_null(strstr(err.message, "iforest.challenger: "));
    eddy_engine *engine = engine_of(lenient);
    assert_non_null(file_of(engine, IFOREST_MODEL));
    assert_null(file_of(engine, IFOREST_CHALLENGER));
    assert_int_equal(engine->model_failures[MODEL_UNREADABLE], 1);
    assert_int_equal(seen.errors, 1);
    assert_non_null(strstr(seen.last_error, "going on without the model"));
    engine_look(engine);
    assert_int_equal(reload(engine, lenient), EDDY_OK); /* still without, said again */
    assert_int_equal(seen.errors, 2);
    spoil(missing);
    engine_look(engine);
    engine_look(engine); /* a change is told once */
    assert_int_equal(seen.errors, 3);
    (void)model_at(state, "missing.eddy", 2);
    engine_look(engine);
    assert_non_null(file_of(engine, IFOREST_CHALLENGER));
    assert_int_equal(seen.errors, 3);
    eddy_engine_free(engine);
}

/* A file that is bad at the start is not tried again before it changes. */
static void a_bad_model_at_the_start_is_told_once(void **state)
{
    const char *a = path_of(state, "a.eddy");
    const char *const settings[] = {"iforest.model", a, "engine.need_models", "off", NULL};
    spoil(a);
    eddy_engine *engine = engine_of(settings);
    engine_look(engine);
    engine_look(engine);
    assert_int_equal(refused(engine), 1);
    assert_int_equal(seen.errors, 1);
    eddy_engine_free(engine);
}

/* ---- one setting ---- */

static void a_model_set_must_be_good_even_where_it_was_before(void **state)
{
    const char *a = model_at(state, "a.eddy", 1);
    const char *const settings[] = {"iforest.model", a, NULL};
    eddy_engine *engine = engine_of(settings);
    const struct model_file *champion = file_of(engine, IFOREST_MODEL);
    assert_int_equal(eddy_engine_set(engine, "iforest.model", a, &err), EDDY_OK);
    assert_ptr_equal(file_of(engine, IFOREST_MODEL),
                     champion); /* has not changed: not read again */
    spoil(a);
    assert_int_equal(eddy_engine_set(engine, "iforest.model", a, &err), EDDY_EINPUT);
    assert_int_equal(unlink(a), 0);
    assert_int_equal(eddy_engine_set(engine, "iforest.model", a, &err), EDDY_EIO);
    assert_int_equal(eddy_engine_set(engine, "decide.p", "1e-6", &err), EDDY_OK);
    assert_ptr_equal(file_of(engine, IFOREST_MODEL), champion);
    assert_int_equal(refused(engine), 2);
    assert_int_equal(eddy_engine_set(engine, "iforest.model", "", &err), EDDY_OK);
    assert_null(file_of(engine, IFOREST_MODEL));
    assert_true(engine->settings->decide->p == 1e-6); /* what was set stays set */
    eddy_engine_free(engine);
}

/* What a model is set for does not wait for outputs, nor fail with them. */
static void outputs_are_opened_anew_only_if_they_are_what_is_set(void **state)
{
    const char *folder = path_of(state, "folder"), *path = path_of(state, "folder/eddy.json");
    const char *const settings[] = {"jsonl.path", path, NULL};
    assert_int_equal(mkdir(folder, 0700), 0);
    eddy_engine *engine = engine_of(settings);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(eddy_engine_set(engine, "decide.p", "1e-6", &err), EDDY_OK);
    assert_int_equal(eddy_engine_set(engine, "jsonl.path", path, &err), EDDY_EIO);
    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(eddy_engine_set(engine, "jsonl.path", path, &err), EDDY_OK);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
    eddy_engine_free(engine);
}

static void a_reload_later_wins(void **state)
{
    (void)state;
    const char *const settings[] = {"decide.max_incidents_per_day", "7", NULL};
    eddy_engine *engine = engine_of(settings);
    assert_int_equal(eddy_engine_set(engine, "decide.max_incidents_per_day", "9", &err), EDDY_OK);
    assert_int_equal(eddy_engine_set(engine, "state.top_hosts", "3", &err), EDDY_OK);
    assert_true(engine->settings->decide->per_day == 9);
    assert_int_equal(reload(engine, settings), EDDY_OK);
    assert_true(engine->settings->decide->per_day == 7);
    assert_true(engine->settings->state->top_hosts == 0);
    eddy_engine_free(engine);
}

struct setter {
    eddy_engine *engine;
    const char *key;
    unsigned failed;
};

static void *set_often(void *user)
{
    struct setter *s = user;
    for (unsigned i = 0; i < 50; i++)
        s->failed += eddy_engine_set(s->engine, s->key, i % 2 ? "3" : "4", NULL) != EDDY_OK;
    return NULL;
}

/* Each begins with what the one before has put in force, else one would undo the other. */
static void settings_set_at_once_are_both_kept(void **state)
{
    (void)state;
    eddy_engine *engine = engine_of(NULL);
    for (unsigned round = 0; round < 5; round++) {
        struct setter s[2] = {{engine, "decide.max_incidents_per_day", 0},
                              {engine, "state.top_hosts", 0}};
        pthread_t thread[2];
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, set_often, &s[i]), 0);
        for (unsigned i = 0; i < 2; i++)
            assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(s[0].failed + s[1].failed, 0);
        assert_true(engine->settings->decide->per_day == 3);
        assert_true(engine->settings->state->top_hosts == 3);
    }
    eddy_engine_free(engine);
}

/* ---- while flows are scored ---- */

static const char *const *swap_paths;
static eddy_engine *swapped;
static unsigned told;

/* A host may not call the engine from here; the test may, to know when it happens. */
static void swap_now(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                     void *user)
{
    (void)flow;
    (void)columns;
    (void)verdict;
    (void)user;
    if (told++ == 0)
        assert_int_equal(eddy_engine_set(swapped, "iforest.model", swap_paths[1], NULL), EDDY_OK);
    else
        assert_ptr_equal(swapped->settings, swapped->workers->settings);
}

static void a_swap_acts_with_the_next_record_of_a_long_feed(void **state)
{
    const char *const paths[] = {model_at(state, "a.eddy", 1), model_at(state, "b.eddy", 2)};
    const char *const settings[] = {"iforest.model", paths[0], NULL};
    char text[4096];
    size_t length = 0;
    eddy_worker *worker;
    swapped = engine_of(settings);
    swap_paths = paths;
    told = 0;
    assert_int_equal(eddy_worker_new(swapped, "w", NULL, &worker, NULL), EDDY_OK);
    eddy_worker_scored(worker, swap_now, NULL);
    for (unsigned i = 0; i < 8; i++)
        length += (size_t)snprintf(
            text + length, sizeof text - length,
            "{\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\",\"src_port\":5%03u,\"dest_ip\":"
            "\"203.0.113.1\",\"dest_port\":443,\"proto\":\"UDP\",\"flow\":{\"pkts_toserver\":2,"
            "\"pkts_toclient\":2,\"bytes_toserver\":500,\"bytes_toclient\":900,\"start\":"
            "\"2026-01-02T03:00:00.000000+0000\",\"end\":\"2026-01-02T03:00:01.000000+0000\"}}\n",
            i);
    assert_int_equal(eddy_worker_feed(worker, text, length), 8);
    assert_int_equal(told, 8);
    eddy_worker_free(worker);
    eddy_engine_free(swapped);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_model_that_is_in_several_uses_is_loaded_once),
        TEST(a_reload_takes_over_what_has_not_changed),
        TEST(old_models_are_freed_once_nobody_needs_them),
        TEST(a_bad_model_holds_up_no_database_nor_the_other_model),
        TEST(a_bad_database_holds_up_no_model),
        TEST(a_model_newly_named_must_be_good_and_one_that_went_bad_stays),
        TEST(a_model_of_the_wrong_kind_is_refused),
        TEST(a_start_needs_its_models_unless_told_otherwise),
        TEST(a_bad_model_at_the_start_is_told_once),
        TEST(a_model_set_must_be_good_even_where_it_was_before),
        TEST(outputs_are_opened_anew_only_if_they_are_what_is_set),
        cmocka_unit_test(a_reload_later_wins),
        cmocka_unit_test(settings_set_at_once_are_both_kept),
        TEST(a_swap_acts_with_the_next_record_of_a_long_feed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
