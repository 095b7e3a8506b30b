/* SPDX-License-Identifier: MIT */
/* test_forest_detector.c - windows are judged by how many of their flows a classifier takes for an
 * attack: p against numbers worked by hand, what a host's past does, what is said and when not. */
#define score_forest            score_forest_tested /* its static functions are tested too */
#define forest_share(s, c, h)   forest_share_tested(s, c, h)
#define forest_challenge(state) forest_challenge_tested(state)
#include "score/forest.c"
#undef score_forest
#undef forest_share
#undef forest_challenge

#include "pipeline.h"
#include "random.h"

const struct challenge *forest_challenge(const struct score_state *state);

/* Unanswered: a scan, in nine of ten; else no attack, in 97 of 100.
 *
 *         attempt <= 0.5                  benign  scan  calling
 *          /        \
 *       leaf 0    bytes_out <= 10          0.97   0.02   0.01
 *                  /     \
 *              leaf 1   leaf 2             0.10   0.85   0.05;   0.20   0.10   0.70
 *
 * Of 9999 benign flows held out, 9 were alerts: (1 + 9) / (1 + 9999) = 0.001. */
struct planted {
    struct model model;
    struct models models;
    struct model_classes classes;
    struct node node[5];
    double value[9];
    uint32_t cover[5];
};

#define QUIET_SCORE (1.0 - 0.97)
#define SCAN_SCORE  (1.0 - 0.10)

static struct planted *plant(uint64_t id)
{
    struct planted *m = calloc(1, sizeof *m);
    assert_non_null(m);
    memcpy(m->node,
           (struct node[]){node_split(1, 0, 0.5f), node_leaf(1, 2, 0), node_split(3, 1, 10.0f),
                           node_leaf(3, 2, 1), node_leaf(4, 2, 2)},
           sizeof m->node);
    memcpy(m->value, (double[]){0.97, 0.02, 0.01, 0.10, 0.85, 0.05, 0.20, 0.10, 0.70},
           sizeof m->value);
    memcpy(m->cover, (uint32_t[]){1000, 800, 200, 150, 50}, sizeof m->cover);
    m->classes = (struct model_classes){
        .count = 3,
        .alert = 0.5,
        .weight = 100,
        .of = {{"benign", ""}, {"scan", "T1046"}, {"calling", ""}},
    };
    m->model = (struct model){.kind = MODEL_CLASSES,
                              .classes = &m->classes,
                              .column = {COLUMN_attempt, COLUMN_bytes_out},
                              .id = id,
                              .name = "lab",
                              .version = "1.0"};
    m->model.forest = (struct forest){.trees = 1,
                                      .width = 2,
                                      .outputs = 3,
                                      .depth = {2},
                                      .node = m->node,
                                      .value = m->value,
                                      .cover = m->cover,
                                      .normaliser = 1};
    for (unsigned i = 0; i < 9999; i++)
        heldout_add(&m->model.heldout, i < 9 ? SCAN_SCORE : QUIET_SCORE);
    heldout_fit(&m->model.heldout);
    m->model.bins[0][0] = 9990;
    m->model.bins[0][COLUMN_BINS - 1] = 9;
    m->model.bins[1][column_bin(COLUMN_bytes_out, 10)] = 9999;
    return m;
}

struct fixture {
    struct pipeline *p;
    struct planted *champion, *other;
    size_t own;
};

static int setup_with(void **state, const char *const *settings)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->p = pipeline_new(settings);
    f->champion = plant(1);
    f->other = plant(2);
    f->own = detector_named("forest");
    f->champion->models.in[FOREST_MODEL] = &f->champion->model;
    f->p->row.models = &f->champion->models;
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return setup_with(state, NULL);
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    pipeline_free(f->p);
    free(f->champion);
    free(f->other);
    free(f);
    return 0;
}

static struct finding see(struct fixture *f, const eddy_flow *flow)
{
    return pipeline_score(f->p, flow)->finding[f->own];
}

static struct finding attempt(struct fixture *f, double start_s, unsigned peer)
{
    eddy_flow flow = refused_at(start_s, "10.0.0.1", numbered("203.0", peer), 23);
    return see(f, &flow);
}

static struct finding browse(struct fixture *f, double start_s)
{
    eddy_flow flow = flow_at(start_s, "10.0.0.1", "198.51.100.1", 443);
    return see(f, &flow);
}

static bool near(double a, double b)
{
    return fabs(a - b) < 0.006; /* scores of windows are kept in hundredths */
}

static const struct host *host_of(const struct fixture *f)
{
    return f->p->row.host;
}

/* ---- what is judged ---- */

static void without_a_model_nothing_is_said_and_nothing_is_looked_at(void **state)
{
    struct fixture *f = *state;
    f->p->row.models = NULL;
    struct finding finding = attempt(f, 0, 1);
    assert_true(isnan(finding.score) && isnan(finding.sample));
    assert_int_equal(f->p->score->looking, f->p->score->count - 1);
    f->p->row.models = &f->champion->models;
    finding = attempt(f, 1, 2);
    assert_true(!isnan(finding.score));
    assert_int_equal(f->p->score->looking, f->p->score->count);
}

static void a_flow_that_is_no_alert_is_not_judged(void **state)
{
    struct fixture *f = *state;
    struct finding finding = browse(f, 0);
    assert_true(isnan(finding.score) && isnan(finding.sample));
    assert_int_equal(f->p->row.window->alerts.count, 0);
}

/* One of one: 0.001 by the count, for the first look twice that; 10 of 10000 held-out flows as high
 * as it: 0.001. The smaller one, doubled. */
static void one_alert_is_as_rare_as_among_those_held_out(void **state)
{
    struct fixture *f = *state;
    struct finding finding = attempt(f, 0, 1);
    assert_true(near(finding.score, -log10(2 * 0.001)));
    assert_true(finding.tests == 1);
    eddy_flow flow = flow_at(0, "10.0.0.2", "198.51.100.1", 443);
    for (unsigned i = 0; i < 9; i++) {
        flow.start_us += US;
        (void)see(f, &flow);
    }
    eddy_flow last = refused_at(12, "10.0.0.2", "203.0.113.9", 23);
    assert_true(near(see(f, &last).score, -log10(2 * 10 * 0.001))); /* one of ten */
}

/* Five of five: by scipy 1.17.1, betabinom(5, 0.1, 99.9).pmf(5) = 2.66051321778e-10. Five is no
 * look; four of four is the fourth: 0.001 * 1.1/101 * 2.1/102 * 3.1/103, times 4 * 5, times 2. */
static void many_alerts_are_what_the_hand_says(void **state)
{
    struct fixture *f = *state;
    double last = 0;
    for (unsigned i = 0; i < 5; i++) {
        double score = attempt(f, i, i).score;
        assert_true(score >= last); /* what the window came to stays */
        last = score;
    }
    double four = 0.001 * 1.1 / 101 * 2.1 / 102 * 3.1 / 103;
    assert_true(near(last, -log10(2 * 20 * four)));
    (void)attempt(f, 5, 5);
    double six = 2.66051321778e-10 * 5.1 / 105;
    assert_true(near(attempt(f, 6, 6).score, -log10(2 * 30 * six))); /* seven: as of the sixth */
}

static void usual_flows_between_weaken_it(void **state)
{
    struct fixture *f = *state;
    double alone = 0, among = 0;
    for (unsigned i = 0; i < 8; i++) {
        eddy_flow flow = refused_at(i, "10.0.0.2", numbered("203.0", i), 23);
        alone = see(f, &flow).score;
    }
    for (unsigned i = 0; i < 92; i++)
        (void)browse(f, i);
    for (unsigned i = 0; i < 8; i++)
        among = attempt(f, 92 + i, i).score;
    /* betabinom(100, 0.1, 99.9): P(X >= 8) by scipy, for the sixth look 42 times, twice */
    assert_true(near(among, -log10(2 * 42 * 9.38102819e-05)));
    assert_true(alone > among + 5);
}

static void looks_are_few_and_numbered(void **state)
{
    (void)state;
    static const unsigned looks[] = {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64};
    unsigned next = 0;
    double spent = 0;
    for (unsigned k = 1; k <= 64; k++) {
        bool one = k == looks[next];
        assert_int_equal(look_number(k), one ? next + 1 : 0);
        next += one;
    }
    for (unsigned i = 1; i <= next; i++)
        spent += 1.0 / (i * (i + 1.0));
    assert_true(spent < 1);
    assert_int_equal(look_number(49152), 31); /* 3 * 2^14 */
}

/* The share of a window's alerts is drawn from the beta distribution (by gamma variates of whole
 * shapes: sums of exponential ones), the window's length likewise; whenever an alert comes, the
 * count is looked at. p of the best look is not below a level more often than the level. */
static void chance_alone_is_not_called_rarer_than_it_is(void **state)
{
    struct fixture *f = *state;
    struct rng rng = {7};
    static struct forest_state s;
    static struct window window;
    static struct host host;
    struct row row = {.window = &window, .host = &host};
    unsigned below[3] = {0}, windows = 60000;
    s.era = 1;
    s.share = 0.05; /* a = 1, b = 19 */
    f->champion->classes.weight = 20;
    for (unsigned n = 0; n < windows; n++) {
        double a = rng_exponential(&rng), b = 0, least = 1;
        for (unsigned i = 0; i < 19; i++)
            b += rng_exponential(&rng);
        unsigned flows = 1 + (unsigned)rng_below(&rng, 200);
        memset(&window, 0, sizeof window);
        for (unsigned i = 0; i < flows; i++) {
            window.flows++;
            if (rng_uniform(&rng) >= a / (a + b))
                continue;
            window.alerts.count++;
            least = fmin(least, count_p(&s, &f->champion->model, &row));
        }
        for (unsigned level = 0; level < 3; level++)
            below[level] += least <= pow(10, -1.0 - level);
    }
    print_message("p <= 0.1, 0.01, 0.001: %.4f %.5f %.5f\n", below[0] / (double)windows,
                  below[1] / (double)windows, below[2] / (double)windows);
    for (unsigned level = 0; level < 3; level++) {
        double expected = windows * pow(10, -1.0 - level);
        assert_true(below[level] <= expected + 4 * sqrt(expected));
        assert_true(below[level] >= expected / 20); /* and it says something */
    }
}

/* ---- the past of a host ---- */

/* A window of ten minutes in which `alerts` of `flows` are. */
static double window(struct fixture *f, double start_s, unsigned flows, unsigned alerts)
{
    double most = 0;
    for (unsigned i = 0; i < flows; i++) {
        bool is_alert = i * alerts / flows != (i + 1) * alerts / flows;
        double at = start_s + i * 500.0 / flows;
        struct finding finding = is_alert ? attempt(f, at, 1) : browse(f, at);
        most = isnan(finding.score) ? most : fmax(most, finding.score);
    }
    return most;
}

/* 20 flows of weight 100 are worth 20 * 101 / 120 = 16.83. */
static void a_usual_window_teaches_what_it_is_worth(void **state)
{
    struct fixture *f = *state;
    (void)window(f, 0, 20, 1);
    assert_true(host_of(f)->forest.flows == 0);
    (void)browse(f, 700);
    assert_true(f->p->row.closed);
    assert_int_equal(f->p->row.was.flows, 20);
    assert_int_equal(f->p->row.was.alerts, 1);
    assert_true(fabs((double)host_of(f)->forest.flows - 16.8333) < 1e-3);
    assert_true(fabs((double)host_of(f)->forest.alerts - 16.8333 / 20) < 1e-4);
    /* (0.001 * 100 + 0.8417) / (100 + 16.83) */
    struct forest_state *s = f->p->score->detector[f->own];
    assert_true(fabs(forest_share_tested(s, &f->champion->model, host_of(f)) - 0.0080599) < 1e-6);
}

static void a_suspicious_window_teaches_by_the_leak(void **state)
{
    struct fixture *f = *state;
    assert_true(window(f, 0, 20, 10) > 3);
    (void)browse(f, 700);
    assert_true(fabs((double)host_of(f)->forest.flows - 0.05 * 16.8333) < 1e-3);
    assert_true(fabs((double)host_of(f)->forest.alerts - 0.05 * 16.8333 / 2) < 1e-3);
}

static void in_the_first_pass_a_suspicious_window_teaches_nothing(void **state)
{
    struct fixture *f = *state;
    f->p->row.first_pass = true;
    (void)window(f, 0, 20, 10);
    (void)browse(f, 700);
    assert_true(f->p->row.closed && host_of(f)->forest.flows == 0);
    (void)window(f, 1400, 20, 0);
    (void)browse(f, 2100);
    assert_true(host_of(f)->forest.flows > 0);
}

static void a_pinned_window_teaches_nothing(void **state)
{
    struct fixture *f = *state;
    (void)window(f, 0, 20, 0);
    f->p->row.window->pinned = true;
    (void)browse(f, 700);
    assert_true(f->p->row.closed && host_of(f)->forest.flows == 0);
}

static void a_closed_window_is_a_sample_for_the_calibration(void **state)
{
    struct fixture *f = *state;
    double most = window(f, 0, 20, 4);
    struct finding finding = browse(f, 700);
    assert_true(near(finding.sample, most));
    assert_int_equal(finding.sample_of, OF_WINDOW);
    assert_true(isnan(browse(f, 701).sample));
    finding = browse(f, 1400);
    assert_true(finding.sample == 0); /* a window without alerts is usual */
}

static void a_window_begun_before_the_model_is_no_sample_and_teaches_nothing(void **state)
{
    struct fixture *f = *state;
    f->p->row.models = NULL;
    (void)window(f, 0, 20, 10);
    f->p->row.models = &f->champion->models;
    struct finding finding = browse(f, 700);
    assert_true(f->p->row.closed && isnan(finding.sample));
    assert_true(host_of(f)->forest.flows == 0);
}

static void another_model_makes_the_past_void(void **state)
{
    struct fixture *f = *state;
    (void)window(f, 0, 20, 1);
    (void)browse(f, 700);
    struct forest_state *s = f->p->score->detector[f->own];
    assert_true(forest_share_tested(s, &f->champion->model, host_of(f)) > 0.005);
    f->other->models.in[FOREST_MODEL] = &f->other->model;
    f->p->row.models = &f->other->models;
    (void)browse(f, 701);
    assert_true(fabs(forest_share_tested(s, &f->other->model, host_of(f)) - 0.001) < 1e-9);
    (void)browse(f, 1400); /* of a window that was judged by both */
    assert_true(f->p->row.closed);
    assert_true(fabs(forest_share_tested(s, &f->other->model, host_of(f)) - 0.001) < 1e-9);
    (void)browse(f, 2100);
    assert_true(host_of(f)->forest.flows > 0 && host_of(f)->forest.alerts == 0);
}

/* Windows until what was a score of `first` is one of 3. */
static unsigned windows_until_usual(struct fixture *f, unsigned flows, unsigned alerts)
{
    unsigned windows = 0;
    double first = window(f, 0, flows, alerts), score = first;
    while (score > 3 && windows < 1000)
        score = window(f, 700.0 * ++windows, flows, alerts);
    print_message("%u of %u alerts: from %.1f to 3 after %u windows\n", alerts, flows, first,
                  windows);
    assert_true(first > 10);
    return windows;
}

/* A program that the model always gets wrong: with a window each ten minutes, half a day. */
static void what_a_host_always_does_becomes_usual(void **state)
{
    assert_in_range(windows_until_usual(*state, 20, 12), 12, 72);
}

static void also_where_it_is_all_that_the_host_does(void **state)
{
    assert_in_range(windows_until_usual(*state, 20, 20), 12, 144);
}

static void the_past_fades(void **state)
{
    struct fixture *f = *state;
    for (unsigned i = 0; i < 700; i++) /* of 16.8 each, 10000 are kept */
        (void)window(f, 700.0 * i, 20, i < 100 ? 1 : 0);
    assert_true(fabs((double)host_of(f)->forest.flows - 10000) < 1);
    assert_true((double)host_of(f)->forest.alerts < 0.9 * 100 * 16.8333 / 20);
}

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
    assert_true(near(score, -log10(2 * 0.001)));
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
    assert_true(e.reason[0].share > 0.8); /* 0.001 of more than 1e-20 */
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
        TEST(without_a_model_nothing_is_said_and_nothing_is_looked_at),
        TEST(a_flow_that_is_no_alert_is_not_judged),
        TEST(one_alert_is_as_rare_as_among_those_held_out),
        TEST(many_alerts_are_what_the_hand_says),
        TEST(usual_flows_between_weaken_it),
        TEST(looks_are_few_and_numbered),
        TEST(chance_alone_is_not_called_rarer_than_it_is),
        TEST(a_usual_window_teaches_what_it_is_worth),
        TEST(a_suspicious_window_teaches_by_the_leak),
        TEST(in_the_first_pass_a_suspicious_window_teaches_nothing),
        TEST(a_pinned_window_teaches_nothing),
        TEST(a_closed_window_is_a_sample_for_the_calibration),
        TEST(a_window_begun_before_the_model_is_no_sample_and_teaches_nothing),
        TEST(another_model_makes_the_past_void),
        TEST(what_a_host_always_does_becomes_usual),
        TEST(also_where_it_is_all_that_the_host_does),
        TEST(the_past_fades),
        cmocka_unit_test_setup_teardown(the_setting_has_the_last_word_on_alerts, setup_strict,
                                        teardown),
        TEST(a_challenger_is_counted_and_decides_nothing),
        TEST(a_sweep_is_told_with_class_count_port_and_technique),
        TEST(guessing_at_one_host_is_told_with_the_host),
        TEST(a_class_without_technique_has_the_detectors_own),
        TEST(a_name_that_is_too_long_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
