/* SPDX-License-Identifier: MIT */
/* test_refused_models.c - what is noted of files that were looked at: what was good is not lost
 * with settings that never came into force, and a refusal is told once. */
#include "engine.h"
#include "grown_model.h"
#include "mmdb_writer.h"
#include "pipeline.h"
#include "scratch.h"

static unsigned errors;

static void note(int level, const char *message, void *user)
{
    (void)message;
    (void)user;
    errors += level <= LOG_LEVEL_ERROR;
}

struct stage {
    eddy_engine *engine;
    char a[4400], b[4400], mmdb[4400];
};

static void write_model(const char *path, uint64_t seed)
{
    assert_true(write_grown_model(path, seed, "1"));
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

/* iforest.model is a, geoip.country mmdb; b is there. */
static void set_up(struct stage *s, void **state)
{
    const eddy_hooks hooks = {.size = sizeof hooks, .log = note};
    eddy_config *config = eddy_config_new();
    (void)snprintf(s->a, sizeof s->a, "%s", scratch_path(state, "a.eddy"));
    (void)snprintf(s->b, sizeof s->b, "%s", scratch_path(state, "b.eddy"));
    (void)snprintf(s->mmdb, sizeof s->mmdb, "%s", scratch_path(state, "c.mmdb"));
    write_model(s->a, 1);
    write_model(s->b, 2);
    write_country(s->mmdb, "DE");
    const char *const settings[] = {"state.memory",  "4M", "engine.thread", "off",
                                    "iforest.model", s->a, "geoip.country", s->mmdb};
    for (size_t i = 0; i < 8; i += 2)
        assert_int_equal(eddy_config_set(config, settings[i], settings[i + 1], NULL), EDDY_OK);
    errors = 0;
    assert_int_equal(eddy_engine_new(config, &hooks, &s->engine, NULL), EDDY_OK);
    eddy_config_free(config);
}

static int set(const struct stage *s, const char *key, const char *value)
{
    return eddy_engine_set(s->engine, key, value, NULL);
}

static const struct model_file *in_use(const struct stage *s, enum model_use use)
{
    return s->engine->settings->model[use];
}

static uint64_t refused(const struct stage *s)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < MODEL_FAULT_COUNT; i++)
        sum += s->engine->model_failures[i];
    return sum;
}

static void country_is(const struct stage *s, const char *code)
{
    uint8_t address[16];
    struct place place = {0};
    address_of("203.0.113.9", address);
    geoip_find(s->engine->settings->geoip, address, &place);
    assert_string_equal(place.country, code);
}

static void spoil(const char *path)
{
    scratch_write(path, "EDDYMDL\nnot really", 18);
}

/* ---- */

static void what_failed_settings_had_loaded_is_found_again(void **state)
{
    static const char *const failing[][2] = {{"iforest.challenger", "/nonexistent/x.eddy"},
                                             {"jsonl.path", "/nonexistent/x.json"}};
    struct stage s;
    set_up(&s, state);
    for (size_t i = 0; i < 2; i++) {
        const struct model_file *old = in_use(&s, IFOREST_MODEL);
        write_model(s.a, 3 + i);
        write_country(s.mmdb, i == 0 ? "NL" : "FR");
        assert_int_equal(set(&s, failing[i][0], failing[i][1]), EDDY_EIO);
        assert_ptr_equal(in_use(&s, IFOREST_MODEL), old);
        country_is(&s, i == 0 ? "DE" : "NL");
        engine_look(s.engine);
        assert_ptr_not_equal(in_use(&s, IFOREST_MODEL), old);
        country_is(&s, i == 0 ? "NL" : "FR");
    }
    eddy_engine_free(s.engine);
}

/* What iforest.model has open was good once; what is there now is not. */
static void a_file_gone_bad_can_not_be_set_for_another_use(void **state)
{
    struct stage s;
    set_up(&s, state);
    const struct model_file *old = in_use(&s, IFOREST_MODEL);
    spoil(s.a);
    assert_int_equal(set(&s, "iforest.challenger", s.a), EDDY_EINPUT);
    assert_null(in_use(&s, IFOREST_CHALLENGER));
    assert_ptr_equal(in_use(&s, IFOREST_MODEL), old);
    assert_int_equal(refused(&s), 1);
    engine_look(s.engine);
    assert_int_equal(refused(&s), 1); /* was told to the caller */
    assert_int_equal(errors, 0);
    write_model(s.a, 5);
    assert_int_equal(set(&s, "iforest.challenger", s.a), EDDY_OK);
    assert_ptr_not_equal(in_use(&s, IFOREST_MODEL), old);
    assert_ptr_equal(in_use(&s, IFOREST_MODEL), in_use(&s, IFOREST_CHALLENGER));
    eddy_engine_free(s.engine);
}

static void a_model_refused_to_who_set_it_is_not_refused_again_by_looks(void **state)
{
    struct stage s;
    set_up(&s, state);
    const struct model_file *old = in_use(&s, IFOREST_MODEL);
    spoil(s.a);
    assert_int_equal(set(&s, "iforest.model", s.a), EDDY_EINPUT);
    engine_look(s.engine);
    engine_look(s.engine);
    assert_ptr_equal(in_use(&s, IFOREST_MODEL), old);
    assert_int_equal(refused(&s), 1);
    assert_int_equal(errors, 0);
    write_model(s.a, 3);
    engine_look(s.engine);
    assert_ptr_not_equal(in_use(&s, IFOREST_MODEL), old);
    eddy_engine_free(s.engine);
}

/* Good for iforest.model, which follows it, though forest.model may not have it. */
static void a_model_of_the_wrong_kind_is_not_lost_to_its_own_detector(void **state)
{
    struct stage s;
    set_up(&s, state);
    const struct model_file *old = in_use(&s, IFOREST_MODEL);
    write_model(s.a, 3);
    assert_int_equal(set(&s, "forest.model", s.a), EDDY_ECONFIG);
    assert_int_equal(s.engine->model_failures[MODEL_KIND], 1);
    engine_look(s.engine);
    assert_ptr_not_equal(in_use(&s, IFOREST_MODEL), old);
    assert_int_equal(refused(&s), 1);
    eddy_engine_free(s.engine);
}

/* Bad for a while, then what it was before: nothing is read anew, nor looked at for ever. */
static void a_file_that_is_again_what_it_was_is_left_alone(void **state)
{
    struct stage s;
    set_up(&s, state);
    const struct settings *before = s.engine->settings;
    char aside[2][4400];
    const char *const path[2] = {s.a, s.mmdb};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(aside[i], sizeof aside[i], "%s", scratch_path(state, i ? "y" : "x"));
        assert_int_equal(rename(path[i], aside[i]), 0);
        spoil(path[i]);
    }
    engine_look(s.engine);
    engine_look(s.engine);
    assert_int_equal(errors, 2);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(rename(aside[i], path[i]), 0);
    assert_true(loaded_changed(&before->loaded) && geoip_changed(before->geoip));
    engine_look(s.engine);
    assert_false(loaded_changed(&before->loaded) || geoip_changed(before->geoip));
    assert_ptr_equal(s.engine->settings, before);
    eddy_engine_free(s.engine);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_failed_settings_had_loaded_is_found_again),
        TEST(a_file_gone_bad_can_not_be_set_for_another_use),
        TEST(a_model_refused_to_who_set_it_is_not_refused_again_by_looks),
        TEST(a_model_of_the_wrong_kind_is_not_lost_to_its_own_detector),
        TEST(a_file_that_is_again_what_it_was_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
