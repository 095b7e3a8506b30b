/* SPDX-License-Identifier: MIT */
/* test_iforest.c - an odd combination stands out and is put into words; what is not vetted does not
 * teach; drift is told. */
#define score_iforest         score_iforest_tested /* its static functions are tested too */
#define iforest_view(state)   iforest_view_tested(state)
#define iforest_growing(conf) iforest_growing_tested(conf)
#include "score/iforest.c"
#undef score_iforest
#undef iforest_view
#undef iforest_growing

#include "pipeline.h"
#include "random.h"

struct iforest_view iforest_view(const struct score_state *state);

/* Web pages and name lookups of ten hosts. */
static eddy_flow usual_flow(struct rng *rng, double start_s)
{
    const char *src = numbered("10.0", (unsigned)rng_below(rng, 10));
    eddy_flow flow = flow_at(start_s, src, numbered("203.0", (unsigned)rng_below(rng, 50)), 443);
    if (rng_below(rng, 3) == 0) {
        flow.proto = 17;
        flow.dst_port = 53;
        flow.state = EDDY_CONN_ESTABLISHED;
        flow.tcp_out = flow.tcp_in = 0;
        flow.packets_out = flow.packets_in = 1;
        flow.bytes_out = 60 + rng_below(rng, 20);
        flow.bytes_in = 80 + rng_below(rng, 300);
        flow.duration_us = 1000 + rng_below(rng, 50000);
        return flow;
    }
    double size = exp2(6 * rng_uniform(rng)); /* 4 KB to 256 KB */
    flow.bytes_out = (uint64_t)(700 * sqrt(size));
    flow.bytes_in = (uint64_t)(4000 * size);
    flow.packets_out = 4 + flow.bytes_out / 200;
    flow.packets_in = 4 + flow.bytes_in / 1100;
    flow.duration_us = 50000 + (uint64_t)(3e6 * rng_exponential(rng));
    return flow;
}

/* A name lookup that lasts an hour and carries a file. */
static eddy_flow tunnel_flow(double start_s)
{
    eddy_flow flow = flow_at(start_s, "10.0.0.3", "203.0.113.9", 53);
    flow.proto = 17;
    flow.state = EDDY_CONN_ESTABLISHED;
    flow.tcp_out = flow.tcp_in = 0;
    flow.packets_out = 9000;
    flow.packets_in = 9000;
    flow.bytes_out = 5000000;
    flow.bytes_in = 1200000;
    flow.duration_us = 3600 * US;
    return flow;
}

static double feed(struct pipeline *p, struct rng *rng, double start_s, unsigned flows)
{
    double sum = 0;
    size_t own = detector_named("iforest");
    for (unsigned i = 0; i < flows; i++) {
        eddy_flow flow = usual_flow(rng, start_s + i * 0.5);
        double score = pipeline_score(p, &flow)->finding[own].score;
        sum += isnan(score) ? 0 : score;
    }
    return sum;
}

static struct finding ask(struct pipeline *p, const eddy_flow *flow)
{
    return pipeline_score(p, flow)->finding[detector_named("iforest")];
}

static void before_there_is_a_forest_nothing_is_said(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct pipeline *p = pipeline_new(NULL);
    (void)feed(p, &rng, 0, 1000);
    eddy_flow flow = usual_flow(&rng, 501);
    struct finding finding = ask(p, &flow);
    assert_true(isnan(finding.score) && isnan(finding.sample) && finding.p == 1);
    pipeline_free(p);
}

static void an_odd_combination_is_odd_and_a_usual_flow_is_not(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct pipeline *p = pipeline_new(NULL);
    (void)feed(p, &rng, 0, 8000);
    double sum = feed(p, &rng, 4000, 2000);
    assert_true(sum / 2000 < 0.6); /* -log10 of a uniform number is 0.43 on average */
    eddy_flow odd = tunnel_flow(5001);
    struct finding finding = ask(p, &odd);
    assert_true(finding.score > 2.5); /* 2730 held-out flows, none as odd: no more can be said */
    assert_true(finding.tests >= 1);
    pipeline_free(p);
}

static void its_words_name_what_is_odd_and_what_is_usual(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct explanation why;
    struct pipeline *p = pipeline_new(NULL);
    (void)feed(p, &rng, 0, 8000);
    eddy_flow odd = tunnel_flow(4001);
    (void)ask(p, &odd);
    score_explain(p->score, &p->score_conf, detector_named("iforest"), &p->row, &why);
    assert_in_range(why.count, 1, 4);
    assert_non_null(
        strstr(why.sentence, "10.0.0.3 had a connection of an odd make to 203.0.113.9"));
    assert_non_null(strstr(why.sentence, "usual"));
    double shares = 0;
    for (size_t i = 0; i < why.count; i++) {
        assert_true(i == 0 || why.reason[i].share <= why.reason[i - 1].share);
        shares += why.reason[i].share;
    }
    assert_true(shares > 0.3 && shares <= 1.0);
    assert_string_equal(why.evidence.kind, "distribution");
    assert_in_range(why.evidence.count, 2, EVIDENCE_POINTS);
    assert_true(why.evidence.mark > 0.5 && why.evidence.mark < 1);
    double all = 0;
    for (size_t i = 0; i < why.evidence.count; i++)
        all += (double)why.evidence.y[i];
    assert_true(fabs(all - 1) < 1e-5);
    assert_true(why.evidence.mark <= (double)why.evidence.x[why.evidence.count - 1] + 0.02);
    pipeline_free(p);
}

static void the_same_flows_give_the_same_scores(void **state)
{
    (void)state;
    double sum[2];
    for (size_t i = 0; i < 2; i++) {
        struct rng rng = {3};
        struct pipeline *p = pipeline_new(NULL);
        sum[i] = feed(p, &rng, 0, 6000);
        pipeline_free(p);
    }
    assert_true(sum[0] == sum[1] && sum[0] > 0);
}

static void another_seed_gives_another_forest(void **state)
{
    (void)state;
    static const char *const settings[] = {"iforest.seed", "2", NULL};
    double sum[2];
    for (size_t i = 0; i < 2; i++) {
        struct rng rng = {3};
        struct pipeline *p = pipeline_new(i == 0 ? NULL : settings);
        sum[i] = feed(p, &rng, 0, 6000);
        pipeline_free(p);
    }
    assert_true(sum[0] != sum[1]);
}

/* A usual stream, then three in ten flows are the attack's. Vetted, they never get into the
 * reservoir; else they make themselves usual. */
static double attacked(double teach)
{
    static const char *const settings[] = {"iforest.trees", "100", NULL}; /* few trees say less */
    struct rng rng = {5};
    struct pipeline *p = pipeline_new(settings);
    size_t own = detector_named("iforest");
    struct iforest_state *s = p->score->detector[own];
    (void)feed(p, &rng, 0, 4000);
    for (unsigned i = 0; i < 40000; i++) {
        bool attack = rng_below(&rng, 10) < 3;
        eddy_flow flow = attack ? tunnel_flow(2000 + i * 0.5) : usual_flow(&rng, 2000 + i * 0.5);
        struct row *row = pipeline_pass(p, &flow);
        row->teach = attack ? teach : 1.0;
        s->surprise = (double)NAN; /* the detector's own vetting is the next test's */
        score_iforest_tested.learn(s, p->score_conf.detector[own], row);
    }
    eddy_flow flow = tunnel_flow(23000);
    struct finding finding = {.score = 0};
    score_iforest_tested.score(s, p->score_conf.detector[own], pipeline_pass(p, &flow), &finding);
    pipeline_free(p);
    return finding.score;
}

static void what_is_not_vetted_does_not_make_itself_usual(void **state)
{
    (void)state;
    double vetted = attacked(0.05), taught = attacked(1.0);
    assert_true(vetted > 3);
    assert_true(taught < 1); /* three in ten flows are like it */
}

/* With all detectors and the vetting as it is: an attack that fills three tenths of the stream.
 * Other detectors may find it usual before long; of what the forest finds rarer than one in a
 * thousand no more than that gets in. */
static void an_attack_that_fills_the_stream_teaches_as_if_it_were_rare(void **state)
{
    (void)state;
    struct rng rng = {6};
    struct pipeline *p = pipeline_new(NULL);
    struct iforest_state *s = p->score->detector[detector_named("iforest")];
    (void)feed(p, &rng, 0, 8000);
    unsigned attacks = 0, taught = 0;
    for (unsigned i = 0; i < 8000; i++) { /* before it is four times as many: one forest */
        bool attack = rng_below(&rng, 10) < 3;
        eddy_flow flow = attack ? tunnel_flow(4000 + i * 0.5) : usual_flow(&rng, 4000 + i * 0.5);
        uint64_t before = s->nursery.learned;
        (void)pipeline_score(p, &flow);
        attacks += attack;
        taught += attack && s->nursery.learned > before;
    }
    assert_true(attacks > 2300);
    assert_in_range(taught, 0, 24); /* 1 in 1000 of 5600 usual flows, and those just below ODD */
    pipeline_free(p);
}

/* Of 2000 usual flows and 1000 odd ones in turn: at most 2 odd ones, and all usual ones. */
static void a_thousand_usual_flows_earn_one_odd_one(void **state)
{
    (void)state;
    static struct iforest_state s;
    static struct row row;
    unsigned odd = 0, usual = 0;
    row.teach = 1.0;
    for (unsigned i = 0; i < 3000; i++) {
        s.surprise = i % 3 == 2 ? 3.5 : 1.0;
        bool taken = vetted(&s, &row);
        odd += taken && i % 3 == 2;
        usual += taken && i % 3 != 2;
    }
    assert_int_equal(usual, 2000);
    assert_in_range(odd, 1, 2);
    row.teach = 0.05;
    assert_false(vetted(&s, &row));
}

static void the_second_pass_begins_with_a_forest_of_the_whole_log(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct pipeline *p = pipeline_new(NULL);
    size_t own = detector_named("iforest");
    struct iforest_state *s = p->score->detector[own];
    s->surprise = (double)NAN;
    for (unsigned i = 0; i < 3000; i++) {
        eddy_flow flow = usual_flow(&rng, i * 0.5);
        struct row *row = pipeline_pass(p, &flow);
        row->first_pass = true;
        row->teach = 1.0;
        score_iforest_tested.learn(s, p->score_conf.detector[own], row);
    }
    eddy_flow flow = usual_flow(&rng, 0);
    struct row *row = pipeline_pass(p, &flow);
    row->first_pass = false;
    row->teach = 1.0;
    score_iforest_tested.learn(s, p->score_conf.detector[own], row);
    assert_int_equal(nursery_model(&s->nursery)->heldout.total, 2000); /* of 3001 */
    pipeline_free(p);
}

/* ---- drift ---- */

/* Two bins of sixteen, 3000 of 4000 and 1000; expected the other way round. With half a flow in
 * both n = m = 4001: a = 3000.5/4001, e = 1000.5/4001, and the other way round; bins that are empty
 * in both are nothing. 2 (a - e) ln(a/e) = 2 * 0.4998750 * 1.0982788. */
static void psi_is_what_the_hand_says(void **state)
{
    (void)state;
    float recent[COLUMN_BINS] = {[3] = 3000, [4] = 1000};
    uint32_t expected[COLUMN_BINS] = {[3] = 1000, [4] = 3000};
    assert_true(fabs(drift_index(recent, expected) - 1.0980046) < 1e-6);
    uint32_t same[COLUMN_BINS] = {[3] = 3000, [4] = 1000};
    assert_true(drift_index(recent, same) == 0);
}

/* The columns whose psi is above a level. */
static unsigned drifted(const struct pipeline *p, double level)
{
    struct iforest_view view = iforest_view(p->score);
    unsigned count = 0;
    for (uint32_t i = 0; i < view.grown->forest.width; i++)
        count += drift_psi(view.drift, view.grown, i) > level;
    return count;
}

static void other_flows_than_those_trained_on_are_told_by_their_columns(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct pipeline *p = pipeline_new(NULL);
    (void)feed(p, &rng, 0, 15000);
    struct iforest_view view = iforest_view(p->score);
    assert_int_equal(drifted(p, 0.1), 0);
    for (unsigned i = 0; i < 8000; i++) { /* all of it carried over UDP by one tunnel */
        eddy_flow flow = tunnel_flow(7500 + i * 0.5);
        struct row *row = pipeline_pass(p, &flow);
        drift_note(&((struct iforest_state *)p->score->detector[detector_named("iforest")])->drift,
                   row->column);
    }
    for (uint32_t i = 0; i < view.grown->forest.width; i++) {
        bool is_udp = view.grown->column[i] == COLUMN_udp;
        bool is_attempt = view.grown->column[i] == COLUMN_attempt;
        if (is_udp)
            assert_true(drift_psi(view.drift, view.grown, i) > 0.25);
        if (is_attempt) /* never one, before or after */
            assert_true(drift_psi(view.drift, view.grown, i) < 0.01);
    }
    pipeline_free(p);
}

static void bins_are_where_they_are_said_to_be(void **state)
{
    (void)state;
    assert_int_equal(column_bin(COLUMN_bytes_out, 0), 0);
    assert_int_equal(column_bin(COLUMN_bytes_out, 9.99), 4);    /* 1 KiB: octaves 8 and 9 */
    assert_int_equal(column_bin(COLUMN_bytes_out, 48), 15);     /* all beyond 1 GiB */
    assert_int_equal(column_bin(COLUMN_packet_size_in, 40), 5); /* log2 41 */
    assert_int_equal(column_bin(COLUMN_balance, -3), 6);
    assert_int_equal(column_bin(COLUMN_window_failed, 0.5), 8);
    assert_int_equal(column_bin(COLUMN_tcp, 0), 0);
    assert_int_equal(column_bin(COLUMN_tcp, 1), 15);
    assert_int_equal(column_bin(COLUMN_duration, (double)NAN), 0);
    for (unsigned bin = 0; bin < COLUMN_BINS; bin++)
        for (enum column c = 0; c < COLUMN_COUNT; c++)
            assert_int_equal(column_bin(c, column_at(c, bin + 0.5)), bin);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(before_there_is_a_forest_nothing_is_said),
        cmocka_unit_test(an_odd_combination_is_odd_and_a_usual_flow_is_not),
        cmocka_unit_test(its_words_name_what_is_odd_and_what_is_usual),
        cmocka_unit_test(the_same_flows_give_the_same_scores),
        cmocka_unit_test(another_seed_gives_another_forest),
        cmocka_unit_test(what_is_not_vetted_does_not_make_itself_usual),
        cmocka_unit_test(an_attack_that_fills_the_stream_teaches_as_if_it_were_rare),
        cmocka_unit_test(a_thousand_usual_flows_earn_one_odd_one),
        cmocka_unit_test(the_second_pass_begins_with_a_forest_of_the_whole_log),
        cmocka_unit_test(psi_is_what_the_hand_says),
        cmocka_unit_test(other_flows_than_those_trained_on_are_told_by_their_columns),
        cmocka_unit_test(bins_are_where_they_are_said_to_be),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
