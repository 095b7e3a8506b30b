/* SPDX-License-Identifier: MIT */
/* test_tail.c - a column far out is found; a young host and a usual flow are not. */
#define score_tail score_tail_tested /* its static functions are tested too */
#include "score/tail.c"
#undef score_tail

#include "pipeline.h"
#include "random.h"

/* ---- histograms ---- */

static void further_out_counts_what_lies_beyond_and_half_of_its_own(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    for (unsigned bin = 0; bin < BINS; bin++)
        for (unsigned n = 0; n < 1 + bin % 3; n++)
            histogram_add(&h, bin);
    for (unsigned bin = 0; bin < BINS; bin++) {
        double above = 0, below = 0;
        for (unsigned i = 0; i < BINS; i++) {
            double count = 1 + i % 3;
            above += i > bin ? count : i == bin ? count / 2 : 0;
            below += i < bin ? count : i == bin ? count / 2 : 0;
        }
        assert_true(further_out(&h, bin, false) == above);
        assert_true(further_out(&h, bin, true) == below);
    }
}

static void a_full_histogram_is_halved(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    for (unsigned i = 0; i < (1u << 20) - 1; i++)
        histogram_add(&h, 10 + i % 2);
    assert_int_equal(h.total, (1u << 20) - 1);
    histogram_add(&h, 90);
    assert_int_equal(h.total, 524287); /* 524288 / 2 + 524287 / 2 + 1 / 2, each cut */
    assert_int_equal(h.count[90], 0);
    assert_true(further_out(&h, 9, false) == h.total);
}

/* A million flows, fewer with each half-octave, in bins 10 to 29; two far out and one further. */
static void fill(struct histogram *h)
{
    histogram_add(h, 60);
    histogram_add(h, 60);
    histogram_add(h, 80);
    histogram_add(h, 2);
    for (unsigned i = 0; h->total < (1u << 20) - 1; i++)
        histogram_add(h, 10 + (unsigned)__builtin_ctz(i | 1u << 19));
}

static void after_halving_what_is_further_out_is_never_less_extreme(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    fill(&h);
    histogram_add(&h, 10);
    assert_in_range(h.total, 524000, 524288); /* halved */
    assert_int_equal(h.count[80], 0);         /* seen once: forgotten */
    assert_int_equal(h.count[60], 1);
    for (unsigned bin = 1; bin < BINS; bin++) {
        assert_true(histogram_p(&h, bin, false, 1, 0) <= histogram_p(&h, bin - 1, false, 1, 0));
        assert_true(histogram_p(&h, bin, true, 1, 0) >= histogram_p(&h, bin - 1, true, 1, 0));
    }
    assert_true(histogram_p(&h, 40, false, 1, 0) >=
                1.0 / (h.total + 1.0)); /* in the gap: one is beyond */
    assert_int_equal(h.highest, 60);    /* so what was forgotten is beyond everything again */
    assert_int_equal(h.lowest, 10);
    assert_true(histogram_p(&h, 80, false, 1, 0) < 0.01 * histogram_p(&h, 60, false, 1, 0));
}

static void halving_leaves_the_p_of_usual_flows_as_it_was(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    double before[20];
    fill(&h);
    for (unsigned i = 0; i < 20; i++)
        before[i] = histogram_p(&h, 10 + i, false, 1, 0);
    histogram_add(&h, 10);
    for (unsigned i = 0; i < 20; i++) {
        double after = histogram_p(&h, 10 + i, false, 1, 0);
        if (before[i] > 1e-4)
            assert_true(fabs(after / before[i] - 1) < 0.05);
        else
            assert_true(after > before[i] / 3 && after < before[i] * 3);
    }
}

/* 1000 flows in bin 20: 2^-d at 2 d half-octaves beyond, of 1001, and never below 1 / n^2. */
static void beyond_all_seen_p_halves_with_each_octave(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    for (unsigned i = 0; i < 1000; i++)
        histogram_add(&h, 20);
    assert_true(fabs(histogram_p(&h, 22, false, 1, 0) * 1001 - 0.5) < 1e-12);
    assert_true(fabs(histogram_p(&h, 28, false, 1, 0) * 1001 - 0.0625) < 1e-12);
    assert_true(fabs(histogram_p(&h, 18, true, 1, 0) * 1001 - 0.5) < 1e-12);
    assert_true(fabs(histogram_p(&h, 90, false, 1, 0) * 1001 * 1001 - 1) < 1e-9);
    assert_true(histogram_p(&h, 0, false, 1, 0) > 0.99);
}

static void nothing_seen_means_nothing_is_unusual(void **state)
{
    (void)state;
    struct histogram h = {.total = 0};
    assert_true(histogram_p(&h, 50, false, 1, 0) == 1);
    assert_true(histogram_p(&h, 50, false, 0.25, 100) == 0.25); /* or what the level above says */
}

static void a_hosts_counts_stay_in_a_byte(void **state)
{
    (void)state;
    struct tail_memory memory = {.total = {0}};
    for (unsigned i = 0; i < 100000; i++) {
        host_add(&memory, 0, i % 4 == 0 ? 40 : 80);
        unsigned sum = 0;
        for (size_t bin = 0; bin < TAIL_HOST_BINS; bin++)
            sum += memory.count[0][bin];
        assert_int_equal(sum, memory.total[0]);
    }
    double share = memory.count[0][40 / HOST_BIN] / (double)memory.total[0];
    assert_true(share > 0.2 && share < 0.3);
}

/* ---- the detector ---- */

static eddy_flow usual_flow(struct rng *rng, double start_s, const char *src)
{
    eddy_flow flow = flow_at(start_s, src, numbered("203.0", (unsigned)rng_below(rng, 50)), 443);
    flow.bytes_out = 500 + (uint64_t)(1500 * rng_exponential(rng));
    flow.bytes_in = 2000 + (uint64_t)(9000 * rng_exponential(rng));
    flow.packets_out = 5 + flow.bytes_out / 300;
    flow.packets_in = 5 + flow.bytes_in / 900;
    flow.duration_us = 50000 + (uint64_t)(3e6 * rng_exponential(rng));
    return flow;
}

static struct pipeline *site(unsigned flows)
{
    struct pipeline *p = pipeline_new(NULL);
    struct rng rng = {1};
    for (unsigned i = 0; i < flows; i++) {
        eddy_flow flow = usual_flow(&rng, i * 0.5, numbered("10.0", (unsigned)rng_below(&rng, 10)));
        (void)pipeline_score(p, &flow);
    }
    return p;
}

static struct finding tail_of(struct pipeline *p, const eddy_flow *flow)
{
    (void)pipeline_score(p, flow);
    return p->row.finding[detector_named("tail")];
}

static eddy_flow upload(double start_s, const char *src)
{
    eddy_flow flow = flow_at(start_s, src, "198.51.100.1", 443);
    flow.bytes_out = 30000000;
    flow.packets_out = 21000;
    flow.bytes_in = 400000;
    flow.packets_in = 9000;
    flow.duration_us = 20000000;
    return flow;
}

static void an_upload_of_30_mb_after_2000_small_flows_has_p_below_1e_4(void **state)
{
    (void)state;
    struct pipeline *p = site(2000);
    eddy_flow flow = upload(1001, numbered("10.0", 3));
    struct finding finding = tail_of(p, &flow);
    assert_true(finding.p < 1e-4);
    assert_true(finding.tests >= 1);
    pipeline_free(p);
}

static void a_host_that_uploads_every_day_is_usual(void **state)
{
    (void)state;
    struct pipeline *p = site(2000);
    double p_first = 0, p_last = 0;
    for (unsigned i = 0; i < 300; i++) {
        eddy_flow flow = upload(1001 + i, numbered("10.0", 3));
        p_last = tail_of(p, &flow).p;
        p_first = i == 0 ? p_last : p_first;
    }
    assert_true(p_last > 50 * p_first);
    pipeline_free(p);
}

static void a_young_host_is_not_anomalous_for_being_new(void **state)
{
    (void)state;
    struct pipeline *p = site(5000);
    struct rng rng = {7};
    unsigned below = 0;
    for (unsigned i = 0; i < 1000; i++) { /* each from a host never seen */
        eddy_flow flow = usual_flow(&rng, 2501 + i, numbered("10.77", i));
        double flow_p = tail_of(p, &flow).p;
        assert_true(flow_p > 1e-5);
        below += flow_p < 0.01;
    }
    assert_true(below < 30); /* 10 are expected */
    pipeline_free(p);
}

static void usual_flows_have_p_as_often_as_they_say(void **state)
{
    (void)state;
    struct pipeline *p = site(10000);
    struct rng rng = {8};
    unsigned below[3] = {0};
    for (unsigned i = 0; i < 10000; i++) {
        eddy_flow flow =
            usual_flow(&rng, 5000 + i * 0.5, numbered("10.0", (unsigned)rng_below(&rng, 10)));
        double flow_p = tail_of(p, &flow).p;
        below[0] += flow_p < 0.1;
        below[1] += flow_p < 0.01;
        below[2] += flow_p < 0.001;
    }
    assert_in_range(below[0], 700, 1300);
    assert_in_range(below[1], 50, 180);
    assert_in_range(below[2], 1, 40);
    pipeline_free(p);
}

static void suspicious_flows_teach_one_in_twenty(void **state)
{
    (void)state;
    struct pipeline *p = site(5000);
    const struct tail_state *s = p->score->detector[detector_named("tail")];
    uint32_t before = s->site[0].total;
    eddy_flow flow = upload(2501, numbered("10.0", 3));
    flow.bytes_out = UINT64_C(1) << 45;
    flow.packets_out = UINT64_C(1) << 35;
    flow.duration_us = UINT64_C(1) << 44;
    (void)tail_of(p, &flow);
    assert_true(p->row.finding[detector_named("tail")].score > 5);
    assert_int_equal(s->site[0].total, before);
    pipeline_free(p);
}

static void the_reasons_name_the_columns_with_their_usual_values(void **state)
{
    (void)state;
    struct pipeline *p = site(2000);
    eddy_flow flow = upload(1001, numbered("10.0", 3));
    (void)tail_of(p, &flow);
    struct explanation why;
    score_explain(p->score, &p->score_conf, detector_named("tail"), &p->row, &why);
    bool bytes_named = false;
    double last = 1;
    for (size_t i = 0; i < why.count; i++) {
        assert_true(why.reason[i].share <= last && why.reason[i].share > 0);
        last = why.reason[i].share;
        if (strcmp(why.reason[i].feature, "bytes_out") == 0) {
            bytes_named = true;
            assert_true(fabs(why.reason[i].value / 30000000 - 1) < 1e-6);
            assert_true(why.reason[i].usual > 500 && why.reason[i].usual < 5000);
            assert_non_null(strstr(why.reason[i].text, "30 MB sent, usual"));
        }
    }
    assert_true(bytes_named);
    assert_non_null(strstr(why.sentence, "10.0.0.4"));
    assert_non_null(strstr(why.sentence, "198.51.100.1 port 443/tcp"));
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(further_out_counts_what_lies_beyond_and_half_of_its_own),
        cmocka_unit_test(a_full_histogram_is_halved),
        cmocka_unit_test(after_halving_what_is_further_out_is_never_less_extreme),
        cmocka_unit_test(halving_leaves_the_p_of_usual_flows_as_it_was),
        cmocka_unit_test(beyond_all_seen_p_halves_with_each_octave),
        cmocka_unit_test(nothing_seen_means_nothing_is_unusual),
        cmocka_unit_test(a_hosts_counts_stay_in_a_byte),
        cmocka_unit_test(an_upload_of_30_mb_after_2000_small_flows_has_p_below_1e_4),
        cmocka_unit_test(a_host_that_uploads_every_day_is_usual),
        cmocka_unit_test(a_young_host_is_not_anomalous_for_being_new),
        cmocka_unit_test(usual_flows_have_p_as_often_as_they_say),
        cmocka_unit_test(suspicious_flows_teach_one_in_twenty),
        cmocka_unit_test(the_reasons_name_the_columns_with_their_usual_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
