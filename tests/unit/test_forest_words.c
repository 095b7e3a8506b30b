/* SPDX-License-Identifier: MIT */
/* test_forest_words.c - what forest says of a host in numbers and words; its settings; a challenger
 * beside it. */
#include "forest_model.h"
#include "score/forest.h"

/* ---- settings ---- */

static int setup_strict(void **state)
{
    static const char *const settings[] = {"forest.alert", "0.95", NULL};
    return setup_with(state, settings);
}

static void the_setting_has_the_last_word_on_alerts(void **state)
{
    struct fixture *f = *state;
    assert_true(isnan(attempt(f, 0, 1).score)); /* 0.9 */
    const struct forest_state *s = f->p->score->detector[f->own];
    assert_true(s->alert == 0.95 && s->benign_alerts == 0);
    assert_true(fabs(s->share - 1e-4) < 1e-12);
}

/* ---- champion and challenger ---- */

static void a_challenger_is_counted_and_decides_nothing(void **state)
{
    struct fixture *f = *state;
    f->other->classes.alert = 0.95;
    f->other->models.in[FOREST_CHALLENGER] = &f->other->model;
    f->p->row.models = &f->other->models;
    assert_true(isnan(attempt(f, 0, 1).score)); /* alone */
    assert_int_equal(f->p->score->looking, f->p->score->count - 1);
    f->champion->models.in[FOREST_CHALLENGER] = &f->other->model;
    f->p->row.models = &f->champion->models;
    double score = attempt(f, 700, 2).score;
    (void)browse(f, 701);
    assert_true(near(score, -log10(2 * 2 * 0.001)));
    const struct challenge *c = forest_challenge(f->p->score);
    assert_int_equal(c->of[CHAMPION].scored, 2);
    assert_int_equal(c->of[CHAMPION].alerts, 1);
    assert_int_equal(c->of[CHALLENGER].scored, 3);
    assert_int_equal(c->of[CHALLENGER].alerts, 0);
    assert_int_equal(c->agreement[1][0], 1);
    assert_int_equal(c->agreement[0][0], 1);
}

/* ---- words ---- */

static struct explanation why(struct fixture *f)
{
    struct explanation out;
    score_explain(f->p->score, &f->p->score_conf, f->own, &f->p->row, &out);
    return out;
}

static void a_sweep_is_told_with_class_count_port_and_technique(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 8; i++)
        (void)browse(f, i);
    for (unsigned i = 0; i < 32; i++)
        (void)attempt(f, 8 + i, i);
    struct explanation e = why(f);
    assert_string_equal(
        e.sentence, "10.0.0.1 looks like 'scan' to model lab 1.0: 32 of its 40 connections in "
                    "38 s are alerts, most of them to port 23/tcp; the latest, to 203.0.0.32 "
                    "port 23/tcp, is that with a probability of 0.85. Of 9999 benign ones 9 are "
                    "alerts.");
    assert_string_equal(e.technique, "T1046");
    assert_true(e.names_port && !e.names_peer);
    assert_string_equal(e.reason[0].feature, "window_alerts");
    assert_true(e.reason[0].value == 32 && near(e.reason[0].usual, 0.04));
    assert_string_equal(e.reason[1].feature, "attempt");
    double shares = 0;
    for (size_t i = 0; i < e.count; i++)
        shares += e.reason[i].share;
    assert_true(shares > 0.9 && shares < 1.0001);
    assert_true(e.reason[0].share > 0.6); /* 0.001 of more than 1e-20 */
    assert_string_equal(e.reason[e.count - 1].feature, "class");
    assert_string_equal(e.evidence.kind, "distribution");
    assert_true(fabs(e.evidence.mark - 0.9) < 1e-9);
}

static void guessing_at_one_host_is_told_with_the_host(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 20; i++)
        (void)attempt(f, i, 7);
    struct explanation e = why(f);
    assert_true(e.names_port && e.names_peer);
    assert_non_null(strstr(e.sentence, "most of them to 203.0.0.8 port 23/tcp;"));
}

static void a_class_without_technique_has_the_detectors_own(void **state)
{
    struct fixture *f = *state;
    eddy_flow flow = refused_at(0, "10.0.0.1", "203.0.113.1", 23);
    flow.bytes_out = 5000;
    flow.packets_out = 50;
    (void)see(f, &flow);
    struct explanation e = why(f);
    assert_non_null(strstr(e.sentence, "looks like 'calling'"));
    assert_string_equal(e.technique, "");
    assert_non_null(strstr(e.sentence, "1 of its 1 connections"));
    assert_null(strstr(e.sentence, "most of them"));
}

static void what_most_are_is_told_though_the_latest_is_another(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 3; i++)
        (void)attempt(f, i, i);
    eddy_flow flow = refused_at(4, "10.0.0.1", "203.0.113.1", 443);
    flow.bytes_out = 5000;
    flow.packets_out = 50;
    (void)see(f, &flow);
    struct explanation e = why(f);
    assert_non_null(strstr(e.sentence, "looks like 'scan'"));
    assert_non_null(strstr(e.sentence, ", rather 'calling', with a probability of 0.7."));
    assert_string_equal(e.technique, "T1046");
}

static void a_name_that_is_too_long_is_cut(void **state)
{
    struct fixture *f = *state;
    static char name[64], version[32];
    memset(name, 'n', sizeof name - 1);
    memset(version, 'v', sizeof version - 1);
    f->champion->model.name = name;
    f->champion->model.version = version;
    memset(f->champion->classes.of[1].name, 'c', sizeof f->champion->classes.of[1].name - 1);
    (void)attempt(f, 0, 1);
    struct explanation e = why(f);
    assert_in_range(strlen(e.sentence), 300, sizeof e.sentence - 1);
    assert_in_range(strlen(e.reason[e.count - 1].text), 60, sizeof e.reason[0].text - 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_setting_has_the_last_word_on_alerts, setup_strict,
                                        teardown),
        TEST(a_challenger_is_counted_and_decides_nothing),
        TEST(a_sweep_is_told_with_class_count_port_and_technique),
        TEST(guessing_at_one_host_is_told_with_the_host),
        TEST(a_class_without_technique_has_the_detectors_own),
        TEST(what_most_are_is_told_though_the_latest_is_another),
        TEST(a_name_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
