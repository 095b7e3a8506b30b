/* SPDX-License-Identifier: MIT */
/* test_tail.c - a column far out is found; a young host and a usual flow are not. */
#define score_tail score_tail_tested /* its static functions are tested too */
#include "score/tail.c"
#undef score_tail

#include "pipeline.h"
#include "random.h"

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

/* ---- why ---- */

static struct explanation why_of(struct pipeline *p, const eddy_flow *flow)
{
    struct explanation why;
    (void)tail_of(p, flow);
    score_explain(p->score, &p->score_conf, detector_named("tail"), &p->row, &why);
    return why;
}

static void the_plot_is_the_past_of_the_first_reason(void **state)
{
    (void)state;
    struct pipeline *p = site(2000);
    struct rng rng = {3};
    eddy_flow flow = usual_flow(&rng, 1001, numbered("10.0", 3));
    flow.duration_us = UINT64_C(33120) * 1000000; /* 9.2 h */
    struct explanation why = why_of(p, &flow);
    const struct evidence *plot = &why.evidence;
    assert_string_equal(plot->kind, "distribution");
    assert_string_equal(why.reason[0].feature, "duration");
    assert_string_equal(plot->x_name, "duration, seconds");
    assert_true(fabs(plot->mark / 33120 - 1) < 1e-6);
    double sum = 0;
    for (size_t i = 0; i < plot->count; i++) {
        sum += (double)plot->y[i];
        assert_true(i == 0 || plot->x[i] > plot->x[i - 1]);
        assert_true((double)plot->x[i] > 0.03 && (double)plot->x[i] < 60); /* 0.05 s + 3 s exp(1) */
    }
    assert_true(fabs(sum - 1) < 1e-4);
    pipeline_free(p);
}

static void a_connection_of_hours_is_told_as_such(void **state)
{
    (void)state;
    struct pipeline *p = site(3000);
    struct rng rng = {3};
    eddy_flow flow = usual_flow(&rng, 1501, numbered("10.0", 3));
    flow.duration_us = UINT64_C(33120) * 1000000; /* 9.2 h */
    struct explanation why = why_of(p, &flow);
    assert_string_equal(why.reason[0].feature, "duration");
    assert_non_null(strstr(why.reason[0].text, "lasted 9.2 h, usual "));
    assert_non_null(strstr(why.sentence, "lasted 9.2 h"));
    assert_string_equal(why.technique, "T1572");
    assert_true(why.reason[0].share > 0.9); /* nothing else of it is unusual: not the rate either */
    assert_true(p->row.finding[detector_named("tail")].p < 1e-4);
    pipeline_free(p);
}

/* ---- roles ---- */

static void the_sentence_names_the_hosts_role(void **state)
{
    (void)state;
    struct pipeline *p = site(2000);
    eddy_flow flow = upload(1001, numbered("10.0", 3));
    struct explanation why = why_of(p, &flow);
    assert_non_null(strstr(why.sentence, "among our clients' flows of this kind"));
    flow = upload(1002, "10.66.0.1"); /* new */
    why = why_of(p, &flow);
    assert_non_null(strstr(why.sentence, "among our hosts' flows of this kind"));
    pipeline_free(p);
}

/* Ten servers that back up 30 MB each now and then, beside 10 clients that never do: a new server's
 * first backup is usual once it is known as one, a client's is not. */
static void a_host_is_judged_by_its_role(void **state)
{
    (void)state;
    struct pipeline *p = site(3000);
    const struct tail_state *s = p->score->detector[detector_named("tail")];
    const struct host *host;
    for (unsigned i = 0; i < 3000; i++) {
        const char *server = numbered("10.5", i % 11);
        eddy_flow flow = i % 4 == 0 && i % 11 != 10
                             ? upload(1501 + i, server)
                             : flow_at(1501 + i, i % 4 == 0 ? server : numbered("10.1", i % 9),
                                       i % 4 == 0 ? "198.51.100.1" : server, i % 4 == 0 ? 443 : 22);
        if (i % 4 != 0 && i % 2 == 0)
            flow.dst_port = 80;
        (void)pipeline_score(p, &flow);
    }
    eddy_flow flow = upload(4600, numbered("10.5", 10));
    double of_server = tail_of(p, &flow).score;
    host = p->row.host;
    assert_int_equal(host->role.role, ROLE_SERVER);
    flow = upload(4601, numbered("10.0", 4));
    double of_client = tail_of(p, &flow).score;
    assert_int_equal(p->row.host->role.role, ROLE_CLIENT);
    assert_true(s->role[ROLE_SERVER][kind_of(&p->row)][0].total > 500);
    assert_true(of_client > of_server + 0.5); /* three times as rare */
    pipeline_free(p);
}

/* ---- poisoning ---- */

/* 200 uploads that teach nothing: as unusual at the end as at first. */
static void what_may_not_teach_leaves_no_trace(void **state)
{
    (void)state;
    struct pipeline *p = site(3000);
    const struct tail_state *s = p->score->detector[detector_named("tail")];
    struct tail_state *before = malloc(sizeof *before);
    assert_non_null(before);
    eddy_flow flow = upload(1501, numbered("10.0", 3));
    double first = tail_of(p, &flow).p;
    *before = *s;
    struct calibration calibration = p->score->calibration[detector_named("tail")];
    for (unsigned i = 0; i < 200; i++) {
        flow = upload(1502 + i, numbered("10.0", 3));
        score(p->score, &p->score_conf, pipeline_pass(p, &flow));
        p->row.teach = 0.0; /* suppressed, or marked malicious: see vet */
        score_learn(p->score, &p->score_conf, &p->row);
        double now = p->row.finding[detector_named("tail")].p;
        assert_true(now > first * 0.5 && now < first * 2);
    }
    assert_memory_equal(before->site, s->site, sizeof s->site);
    assert_memory_equal(before->kind, s->kind, sizeof s->kind);
    assert_memory_equal(before->role, s->role, sizeof s->role);
    assert_memory_equal(&calibration.sketch, &p->score->calibration[detector_named("tail")].sketch,
                        sizeof calibration.sketch);
    free(before);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hosts_counts_stay_in_a_byte),
        cmocka_unit_test(an_upload_of_30_mb_after_2000_small_flows_has_p_below_1e_4),
        cmocka_unit_test(a_host_that_uploads_every_day_is_usual),
        cmocka_unit_test(a_young_host_is_not_anomalous_for_being_new),
        cmocka_unit_test(usual_flows_have_p_as_often_as_they_say),
        cmocka_unit_test(suspicious_flows_teach_one_in_twenty),
        cmocka_unit_test(the_reasons_name_the_columns_with_their_usual_values),
        cmocka_unit_test(the_plot_is_the_past_of_the_first_reason),
        cmocka_unit_test(a_connection_of_hours_is_told_as_such),
        cmocka_unit_test(the_sentence_names_the_hosts_role),
        cmocka_unit_test(a_host_is_judged_by_its_role),
        cmocka_unit_test(what_may_not_teach_leaves_no_trace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
