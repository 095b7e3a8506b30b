/* SPDX-License-Identifier: MIT */
/* test_forest_detector.c - windows are judged by how many of their flows a classifier takes for an
 * attack: p against numbers worked by hand, and what a host's past does. */
#define score_forest            score_forest_tested /* its static functions are tested too */
#define forest_share(s, c, h)   forest_share_tested(s, c, h)
#define forest_challenge(state) forest_challenge_tested(state)
#define forest_class(c, a)      forest_class_tested(c, a)
#include "score/forest.c"
#undef score_forest
#undef forest_share
#undef forest_challenge
#undef forest_class

#include "forest_model.h"
#include "random.h"

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
 * as it: 0.001, for the first flow twice that. The smaller one, doubled. Of the second of two, by
 * the count: 1 - 99.9/100 * 100.9/101, about 0.002; by itself 0.001 * 2 * 2 * 3. */
static void one_alert_is_as_rare_as_among_those_held_out(void **state)
{
    struct fixture *f = *state;
    struct finding finding = attempt(f, 0, 1);
    assert_true(near(finding.score, -log10(2 * 2 * 0.001)));
    assert_true(finding.tests == 1);
    eddy_flow flow = flow_at(1, "10.0.0.2", "198.51.100.1", 443);
    (void)see(f, &flow);
    eddy_flow last = refused_at(12, "10.0.0.2", "203.0.113.9", 23);
    double two = 1 - 99.9 / 100 * 100.9 / 101;
    assert_true(near(see(f, &last).score, -log10(2 * 2 * two)));
}

/* What flows 1, 2 and 3, 4 to 7, 8 to 15 ... may use up adds up to 1, however many come. */
static void single_flows_are_paid_for(void **state)
{
    (void)state;
    struct forest_state s = {.p = 1e-9};
    struct window window = {0};
    struct row row = {.window = &window};
    double spent = 0;
    for (unsigned n = 1; n < 1 << 16; n++) {
        window.flows = 40 + n;
        window.unseen = 40;
        spent += s.p / single_p(&s, &row);
    }
    assert_true(fabs(spent - (1 - 1 / 17.0)) < 1e-9); /* 16 blocks */
    window.flows = 40 + 500;
    assert_true(fabs(single_p(&s, &row) - 1e-9 * 256 * 9 * 10) < 1e-15);
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

/* What is judged, of windows of 500 flows, of which one in twenty are alerts: the share the same in
 * all of them, or beta-distributed with a = 1, b = 19. A flow's own p is uniform. */
static double most_often(struct fixture *f, bool alike, double level)
{
    struct rng rng = {11};
    static struct forest_state s;
    static struct window window;
    static struct host host;
    struct row row = {.window = &window, .host = &host};
    unsigned below = 0, windows = 20000;
    s.era = 1;
    s.share = 0.05;
    f->champion->classes.weight = alike ? 1e7 : 20;
    for (unsigned n = 0; n < windows; n++) {
        double a = rng_exponential(&rng), b = 0, least = 1;
        for (unsigned i = 0; i < 19; i++)
            b += rng_exponential(&rng);
        double share = alike ? 0.05 : a / (a + b);
        memset(&window, 0, sizeof window);
        while (window.flows < 500) {
            window.flows++;
            if (rng_uniform(&rng) >= share)
                continue;
            window.alerts.count++;
            s.p = 0.05 * rng_uniform(&rng);
            least = fmin(least, window_p(&s, &f->champion->model, &row));
        }
        below += least <= level;
    }
    double often = below / (windows * level);
    print_message("%s: p <= %g %.2f times as often as that\n", alike ? "alike" : "varied", level,
                  often);
    return often;
}

static void chance_alone_has_no_rare_windows(void **state)
{
    for (unsigned alike = 0; alike < 2; alike++) {
        assert_true(most_often(*state, alike, 0.1) <= 1 + 4 / sqrt(2000));
        assert_true(most_often(*state, alike, 0.01) <= 1 + 4 / sqrt(200));
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

static void take_over(struct fixture *f, struct planted *by)
{
    by->models.in[FOREST_MODEL] = &by->model;
    f->p->row.models = &by->models;
}

/* After 40 flows of which 30 were alerts to the model before, one alert is one of one, and of two
 * flows two: nothing of the old count, its look, its score, or who got most of it stays. */
static void another_model_counts_an_open_window_anew(void **state)
{
    struct fixture *f = *state;
    assert_true(window(f, 0, 40, 30) > 10);
    take_over(f, f->other);
    struct finding finding = attempt(f, 501, 7);
    assert_true(near(finding.score, -log10(2 * 2 * 0.001)));
    const struct window_alerts *alerts = &f->p->row.window->alerts;
    assert_int_equal(alerts->count, 1);
    assert_int_equal(alerts->peer, (uint32_t)f->p->row.hash.destination);
    assert_int_equal(alerts->peer_lead, 1);
    assert_int_equal(f->p->row.window->flows, 41);
    finding = attempt(f, 502, 8);
    assert_true(near(finding.score, -log10(2 * 6 * 0.001 * 1.1 / 101)));
    take_over(f, f->champion); /* back: that is another champion, too */
    (void)browse(f, 503);
    finding = attempt(f, 504, 9);
    double two = 1 - 99.9 / 100 * 100.9 / 101;
    assert_true(near(finding.score, -log10(2 * 2 * two)));
    (void)browse(f, 1400); /* what is of three judges is nobody's */
    assert_true(f->p->row.closed && host_of(f)->forest.flows == 0);
}

static void so_does_another_limit(void **state)
{
    struct fixture *f = *state;
    assert_true(window(f, 0, 40, 30) > 10);
    f->champion->classes.alert = 0.6;
    assert_true(near(attempt(f, 501, 7).score, -log10(2 * 2 * 0.001)));
}

/* Scores of the model before say nothing of the next one's. */
static void another_model_begins_the_calibration_anew(void **state)
{
    struct fixture *f = *state;
    struct calibration *c = &f->p->score->calibration[f->own];
    struct calibration fresh;
    calibration_begin(&fresh, f->p->score_conf.calibrate);
    assert_true(attempt(f, 0, 1).renewed); /* the first one is another, too */
    for (unsigned i = 0; i < 300; i++)
        calibration_add(c, f->p->score_conf.calibrate, 4.0, 1e-4, false);
    struct finding finding = attempt(f, 1, 1);
    assert_true(!finding.renewed && finding.p > 0.05);
    take_over(f, f->other);
    finding = attempt(f, 2, 1);
    assert_true(finding.renewed);
    assert_memory_equal(c, &fresh, sizeof fresh);
    assert_true(fabs(finding.p / pow(10, -finding.score) - 1) < 0.1);
    assert_true(!attempt(f, 3, 1).renewed);
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
        TEST(single_flows_are_paid_for),
        TEST(chance_alone_has_no_rare_windows),
        TEST(a_usual_window_teaches_what_it_is_worth),
        TEST(a_suspicious_window_teaches_by_the_leak),
        TEST(in_the_first_pass_a_suspicious_window_teaches_nothing),
        TEST(a_pinned_window_teaches_nothing),
        TEST(a_closed_window_is_a_sample_for_the_calibration),
        TEST(a_window_begun_before_the_model_is_no_sample_and_teaches_nothing),
        TEST(another_model_makes_the_past_void),
        TEST(another_model_counts_an_open_window_anew),
        TEST(so_does_another_limit),
        TEST(another_model_begins_the_calibration_anew),
        TEST(what_a_host_always_does_becomes_usual),
        TEST(also_where_it_is_all_that_the_host_does),
        TEST(the_past_fades),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
