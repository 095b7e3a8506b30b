/* SPDX-License-Identifier: MIT */
/* test_vet.c - what is suppressed or malicious teaches nothing; files act while flows come in. */
#include <time.h>

#include "engine.h"
#include "pipeline.h"
#include "random.h"
#include "scratch.h"
#include "vet/marks.h"
#include "vet/rules.h"
#include "vet/vet.h"

/* ---- one row ---- */

struct vetted {
    struct pipeline *p;
    struct vet_state vet;
    struct suppress_conf suppress;
    struct feedback_conf feedback;
    double join; /* 1: all findings count */
};

static struct vetted vetted_of(const char *rules, const char *marks)
{
    struct vetted v = {
        .p = pipeline_new(NULL), .join = 1.0, .feedback = {.half_life_us = 90 * 86400 * US}};
    struct entries entries = {.name = "rules", .text = rules, .length = strlen(rules)};
    assert_int_equal(rules_new(&entries, &v.vet.rules, NULL), EDDY_OK);
    entries = (struct entries){.name = "marks", .text = marks, .length = strlen(marks)};
    assert_int_equal(marks_new(&entries, &v.vet.marks, NULL), EDDY_OK);
    return v;
}

static void vetted_done(struct vetted *v)
{
    vet_done(&v->vet);
    pipeline_free(v->p);
}

static struct row *pass(struct vetted *v, const eddy_flow *flow)
{
    struct pipeline *p = v->p;
    struct vet_conf conf = {.suppress = &v->suppress, .feedback = &v->feedback, .join = v->join};
    struct row *row = pipeline_pass(p, flow);
    score(p->score, &p->score_conf, row);
    vet(&v->vet, &conf, p->score, &p->score_conf, row, state_now_us(p->state));
    score_learn(p->score, &p->score_conf, row);
    return row;
}

static void learn_an_office(struct vetted *v)
{
    struct rng rng = {3};
    for (unsigned i = 0; i < 2000; i++) {
        eddy_flow flow = flow_at(i, numbered("10.0", (unsigned)rng_below(&rng, 20)),
                                 numbered("198.51", (unsigned)rng_below(&rng, 100)), 443);
        flow.bytes_out += rng_below(&rng, 500);
        (void)pass(v, &flow);
    }
}

/* Everything that scores are learned into, for all detectors. */
static uint64_t model_of(const struct vetted *v)
{
    const struct score_state *score = v->p->score;
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < score->count; i++) {
        const unsigned char *at = (const unsigned char *)&score->calibration[i];
        for (size_t n = 0; n < sizeof score->calibration[i]; n++)
            hash = (hash ^ at[n]) * 1099511628211u;
    }
    return hash;
}

static bool changes_the_model(const char *rules, const char *marks)
{
    struct vetted v = vetted_of(rules, marks);
    learn_an_office(&v);
    uint64_t before = model_of(&v);
    eddy_flow first = flow_at(2001, "10.0.0.5", "203.0.113.7", 443);
    struct tail_memory memory = pass(&v, &first)->host->tail;
    const struct row *row = NULL;
    for (unsigned i = 0; i < 300; i++) { /* within one window: it does not close */
        eddy_flow flow = flow_at(2002 + i * 0.1, "10.0.0.5", "203.0.113.7", 443);
        flow.bytes_out = 3000000000;
        flow.packets_out = 2500000;
        row = pass(&v, &flow);
    }
    bool changed = model_of(&v) != before || memcmp(&memory, &row->host->tail, sizeof memory) != 0;
    vetted_done(&v);
    return changed;
}

static void what_is_suppressed_teaches_nothing(void **state)
{
    (void)state;
    assert_true(changes_the_model("", ""));
    assert_false(changes_the_model("src=10.0.0.5 dst=203.0.113.7\n", ""));
    assert_true(changes_the_model("src=10.0.0.5 dst=203.0.113.8\n", ""));
}

/* How many scores above 5 `burst` has been taught, in all. A minute's score is told with the first
 * flow of the next, which is usual itself and no suppression's business. */
static double extreme_minutes(const struct vetted *v)
{
    const struct calibration *c = &v->p->score->calibration[detector_named("burst")];
    double weight = 0.0;
    for (size_t i = 0; i < DDSKETCH_BUCKETS; i++)
        weight += ddsketch_value(i) > 5.0 ? c->sketch.weight[i] : 0.0;
    return weight;
}

static double taught_by_a_guesser(const char *rules)
{
    struct vetted v = vetted_of(rules, "");
    v.join = 1e-3; /* decide.join's own: the first logins of a minute are below it */
    for (unsigned minute = 0; minute < 60; minute++) {
        for (unsigned i = 0; i < 12; i++) {
            eddy_flow page = flow_at(minute * 60.0 + i, "10.0.0.5", "10.0.0.9", 443);
            (void)pass(&v, &page);
        }
        for (unsigned i = 0; i < 300; i++) {
            eddy_flow login = flow_at(minute * 60.0 + 12 + i * 0.01, "10.0.0.66", "10.0.0.9", 22);
            (void)pass(&v, &login);
        }
    }
    double weight = extreme_minutes(&v);
    vetted_done(&v);
    return weight;
}

static void a_suppressed_minute_teaches_nothing_after_it_is_over(void **state)
{
    (void)state;
    assert_true(taught_by_a_guesser("") > 0.0);
    assert_true(taught_by_a_guesser("src=10.0.0.66\n") == 0.0);
}

static void what_is_known_to_be_malicious_teaches_nothing(void **state)
{
    (void)state;
    static const char mark[] = "incident=m verdict=malicious detector=beacon host=10.0.0.5 "
                               "peer=203.0.113.7 marked=2023-01-01\n";
    assert_false(changes_the_model("", mark));
}

static void a_benign_mark_makes_the_finding_usual_and_leaves_the_verdict(void **state)
{
    (void)state;
    double p[2], verdict[2];
    uint64_t model[2];
    for (int marked = 0; marked < 2; marked++) {
        struct vetted v = vetted_of("", marked ? "incident=b verdict=benign detector=tail "
                                                 "host=10.0.0.5 score=250 marked=2023-01-01\n"
                                               : "");
        v.feedback.half_life_us = INT64_C(3650) * 86400 * US;
        learn_an_office(&v);
        eddy_flow flow = flow_at(2001, "10.0.0.5", "203.0.113.7", 443);
        flow.bytes_out = 3000000000;
        flow.packets_out = 2500000;
        const struct row *row = pass(&v, &flow);
        p[marked] = row->finding[detector_named("tail")].p;
        verdict[marked] = row->verdict.p;
        model[marked] = model_of(&v);
        vetted_done(&v);
    }
    assert_true(p[0] < 1e-3);
    assert_true(p[1] > 0.1); /* w is a little below 1, a year after the mark */
    assert_float_equal(verdict[0], verdict[1], 0);
    assert_true(model[0] == model[1]); /* what is rare stays so */
}

/* ---- files ---- */

static struct {
    unsigned lines;
    char all[8192], last[1024];
} said;

static void note(int level, const char *message, void *user)
{
    (void)level, (void)user;
    said.lines++;
    (void)snprintf(said.last, sizeof said.last, "%s", message);
    size_t at = strlen(said.all);
    (void)snprintf(said.all + at, sizeof said.all - at, "%s\n", message);
}

static char *path_in(const char *directory, const char *name)
{
    static char paths[4][4200];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static eddy_engine *engine_of(const char *key, const char *path)
{
    const eddy_hooks hooks = {.size = sizeof hooks, .log = note};
    eddy_engine *engine;
    eddy_config *config = eddy_config_new();
    assert_non_null(config);
    memset(&said, 0, sizeof said);
    assert_int_equal(eddy_config_set(config, "state.memory", "4M", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "engine.thread", "off", NULL), EDDY_OK);
    assert_int_equal(eddy_config_set(config, key, path, NULL), EDDY_OK);
    assert_int_equal(eddy_engine_new(config, &hooks, &engine, NULL), EDDY_OK);
    eddy_config_free(config);
    return engine;
}

static size_t rule_count(const eddy_engine *engine)
{
    return engine->vet.rules == NULL ? 0 : engine->vet.rules->count;
}

static void rules_are_read_at_start_and_when_they_change(void **state)
{
    char *path = path_in(*state, "rules");
    write_file(path, "src=10.0.0.5\n");
    eddy_engine *engine = engine_of("suppress.path", path);
    assert_int_equal(rule_count(engine), 1);
    engine->vet.rules->rule[0].hits = 5;
    write_file(path, "src=10.0.0.4\nsrc=10.0.0.5\n");
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(rule_count(engine), 2);
    assert_int_equal(engine->vet.rules->rule[1].hits, 5);
    write_file(path, "");
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(rule_count(engine), 0);
    eddy_engine_free(engine);
}

/* Editors and clocks: the same size, written within one tick of the file system's clock. */
static void a_change_that_the_time_of_the_file_hides_is_seen(void **state)
{
    char *path = path_in(*state, "rules");
    write_file(path, "src=10.0.0.5\n");
    eddy_engine *engine = engine_of("suppress.path", path);
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    write_file(path, "src=10.0.0.6\n");
    const struct timespec times[2] = {info.st_atim, info.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(((const uint8_t *)engine->vet.rules->rule[0].src.value)[15], 6);
    eddy_engine_free(engine);
}

static void a_faulty_file_leaves_the_rules_in_force_and_is_said_once(void **state)
{
    char *path = path_in(*state, "rules"), expected[5000];
    write_file(path, "src=10.0.0.5\n");
    eddy_engine *engine = engine_of("suppress.path", path);
    write_file(path, "src=10.0.0.4\nsrc=10.0.0.5/40\n");
    unsigned before = said.lines;
    for (int i = 0; i < 5; i++)
        assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(said.lines, before + 1);
    (void)snprintf(expected, sizeof expected,
                   "suppressions: %s:2: src=10.0.0.5/40: not an address, or a network such as "
                   "10.0.0.0/8; what was in force before stays",
                   path);
    assert_string_equal(said.last, expected);
    assert_int_equal(rule_count(engine), 1);
    assert_int_equal(engine->vet.suppressions.failed, 1);
    write_file(path, "src=10.0.0.4\nsrc=10.0.0.5/32\n");
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(rule_count(engine), 2);
    assert_int_equal(engine->vet.suppressions.loaded, 2);
    eddy_engine_free(engine);
}

static void a_file_that_was_never_good_leaves_nothing_in_force(void **state)
{
    char *path = path_in(*state, "rules"), expected[5000];
    write_file(path, "scr=10.0.0.4\n");
    eddy_engine *engine = engine_of("suppress.path", path);
    (void)snprintf(expected, sizeof expected,
                   "running WITHOUT suppressions: %s:1: scr: no such key", path);
    assert_string_equal(said.last, expected);
    assert_int_equal(rule_count(engine), 0);
    eddy_engine_free(engine);
}

static void a_file_may_come_later_but_not_vanish(void **state)
{
    char *path = path_in(*state, "rules");
    eddy_engine *engine = engine_of("suppress.path", path);
    assert_non_null(strstr(said.last, "does not exist yet: there are none"));
    unsigned before = said.lines;
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(said.lines, before);
    write_file(path, "src=10.0.0.5\n");
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(rule_count(engine), 1);
    assert_int_equal(unlink(path), 0);
    before = said.lines;
    for (int i = 0; i < 3; i++)
        assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(said.lines, before + 1);
    assert_non_null(strstr(said.last, "has vanished; what was in force before stays"));
    assert_int_equal(rule_count(engine), 1);
    write_file(path, "src=10.0.0.6\nsrc=10.0.0.7\n");
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(rule_count(engine), 2);
    eddy_engine_free(engine);
}

static void what_is_no_file_is_said_and_does_not_block(void **state)
{
    char *path = path_in(*state, "rules");
    assert_int_equal(mkfifo(path, 0600), 0);
    eddy_engine *engine = engine_of("suppress.path", path);
    assert_non_null(strstr(said.last, "not a regular file"));
    assert_int_equal(rule_count(engine), 0);
    eddy_engine_free(engine);
}

static void a_rule_that_needs_a_database_says_so(void **state)
{
    char *path = path_in(*state, "rules");
    write_file(path, "asn=64496 host=10.0.0.5\ncountry=DE\n");
    eddy_engine *engine = engine_of("suppress.path", path);
    assert_non_null(strstr(said.all, "a rule names an asn, but geoip.asn is not set"));
    assert_non_null(strstr(said.all, "a rule names a country, but geoip.country is not set"));
    eddy_engine_free(engine);
}

static void marks_are_read_and_counted(void **state)
{
    char *path = path_in(*state, "marks");
    eddy_engine *engine = engine_of("feedback.path", path);
    write_file(path, "incident=i verdict=benign detector=tail host=10.0.0.5 score=8 "
                     "marked=2026-01-01\n");
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_int_equal(engine->vet.marks->benign, 1);
    write_file(path, "incident=i verdict=bening\n");
    assert_int_equal(eddy_engine_tick(engine), EDDY_OK);
    assert_non_null(strstr(said.last, "marks:1: verdict=bening: not benign"));
    assert_int_equal(engine->vet.marks->benign, 1);
    assert_int_equal(engine->vet.feedback.failed, 1);
    eddy_engine_free(engine);
}

#define FILES(test) cmocka_unit_test_setup_teardown(test, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_suppressed_teaches_nothing),
        cmocka_unit_test(a_suppressed_minute_teaches_nothing_after_it_is_over),
        cmocka_unit_test(what_is_known_to_be_malicious_teaches_nothing),
        cmocka_unit_test(a_benign_mark_makes_the_finding_usual_and_leaves_the_verdict),
        FILES(rules_are_read_at_start_and_when_they_change),
        FILES(a_change_that_the_time_of_the_file_hides_is_seen),
        FILES(a_faulty_file_leaves_the_rules_in_force_and_is_said_once),
        FILES(a_file_that_was_never_good_leaves_nothing_in_force),
        FILES(a_file_may_come_later_but_not_vanish),
        FILES(what_is_no_file_is_said_and_does_not_block),
        FILES(a_rule_that_needs_a_database_says_so),
        FILES(marks_are_read_and_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
