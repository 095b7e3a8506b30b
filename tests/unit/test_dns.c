/* SPDX-License-Identifier: MIT */
/* test_dns.c - tunnels: new names below one domain, what they carry, and what speaks against it. */
#include <math.h>

#include "naming.h"

struct found {
    double score, sample, tests;
};

/* One question through the state and the detector, as score() and score_learn() ask it. */
static struct found ask_for(struct pipeline *p, double at_s, const char *src, const char *name,
                            double teach)
{
    size_t dns = detector_named("dns");
    const struct detector *detector = registry_detectors[dns];
    struct context context = context_of(CONTEXT_DNS, name);
    struct finding finding = {.score = (double)NAN, .sample = (double)NAN, .tests = 1, .p = 1};
    struct row *row = name_pass(p, at_s, src, "10.0.0.53", &context);
    if (row->asked != NULL) {
        detector->score(p->score->detector[dns], p->score_conf.detector[dns], row, &finding);
        row->teach = teach;
        detector->learn(p->score->detector[dns], p->score_conf.detector[dns], row);
    }
    return (struct found){finding.score, finding.sample, finding.tests};
}

/* 32 characters below example.net: the hexadecimal digits, rotated, twice, so that each name is
 * another and carries exactly 16 bytes (test_domain.c); of 16 there are only 16, so the halves are
 * rotated apart: 256 names. */
static const char *sixteen_bytes(unsigned number)
{
    static const char digits[] = "0123456789abcdef";
    static char name[64];
    for (unsigned i = 0; i < 16; i++) {
        name[i] = digits[(i + number) % 16];
        name[16 + i] = digits[(i + number / 16) % 16];
    }
    memcpy(name + 32, ".example.net", sizeof ".example.net");
    return name;
}

/* 64 names of 16 bytes. That some fall on the same of 1024 bits is allowed for: -1024 ln(1 -
 * n/1024) of n bits is 64 give or take 3, so 1 kB within 5 %, and
 *     score = 4 log10(1024 / 64) = 4.8165 give or take 4 log10(1.05) = 0.085. */
static void what_new_names_carry_is_compared_with_the_usual(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct found found = {0};
    for (unsigned i = 0; i < 64; i++) {
        struct found now = ask_for(p, i, "10.0.0.1", sixteen_bytes(i), 1);
        if (!isnan(now.score))
            found = now;
        if (i < 8)
            assert_true(isnan(now.score)); /* so few are nothing */
    }
    assert_true(fabs(found.score - 4.8165) < 0.1);
    assert_true(fabs(found.tests - 1.0) < 0.01);
    assert_true(fabs(asked_names(p->row.asked) - 64) < 4);
    pipeline_free(p);
}

static void a_name_asked_again_adds_nothing(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    for (unsigned i = 0; i < 1000; i++) {
        struct found now = ask_for(p, i, "10.0.0.1", sixteen_bytes(i % 16), 1);
        if (i >= 16)
            assert_true(isnan(now.score));
    }
    assert_true(asked_bytes(p->row.asked) < 16 * 17);
    pipeline_free(p);
}

/* A content network: many names, but short ones. "s100" to "s355" carry at most a byte each. */
static void many_short_names_are_no_tunnel(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    char name[32];
    for (unsigned i = 0; i < 64; i++) {
        (void)snprintf(name, sizeof name, "s%u.example.net", 100 + i);
        struct found now = ask_for(p, i, "10.0.0.1", name, 1);
        assert_false(now.score > 0.5);
    }
    pipeline_free(p);
}

static void many_domains_are_many_looks(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    char name[32];
    struct found found = {0};
    for (unsigned i = 0; i < 30; i++) {
        (void)snprintf(name, sizeof name, "www.domain%u.org", i);
        (void)ask_for(p, i, "10.0.0.1", name, 1);
    }
    for (unsigned i = 0; i < 16; i++)
        found = ask_for(p, 30 + i, "10.0.0.1", sixteen_bytes(i), 1);
    assert_true(fabs(found.tests - 31) < 2);
    pipeline_free(p);
}

/* common = 0.35 from the third host on. */
static void a_domain_that_many_ask_for_counts_less(void **state)
{
    (void)state;
    double score[2] = {0};
    for (int many = 0; many < 2; many++) {
        struct pipeline *p = pipeline_new(NULL);
        for (unsigned i = 0; many && i < 3; i++)
            (void)ask_for(p, i, numbered("10.0", 10 + i), "www.example.net", 1);
        for (unsigned i = 0; i < 64; i++) {
            struct found now = ask_for(p, 10 + i, "10.0.0.1", sixteen_bytes(i), 1);
            score[many] = isnan(now.score) ? score[many] : now.score;
        }
        pipeline_free(p);
    }
    assert_true(fabs(score[1] / score[0] - 0.35) < 0.01);
}

/* The same names, first from a host, then from its resolver: resolver = 0.35. */
static void a_resolver_passes_on_what_others_ask(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    size_t dns = detector_named("dns");
    double score[2] = {0};
    for (unsigned i = 0; i < 128; i++) {
        struct context context = context_of(CONTEXT_DNS, sixteen_bytes(i / 2));
        struct finding finding = {.score = (double)NAN};
        struct row *row = name_pass(p, i, i % 2 == 0 ? "10.0.0.1" : "10.0.0.53",
                                    i % 2 == 0 ? "10.0.0.53" : "198.51.100.53", &context);
        registry_detectors[dns]->score(p->score->detector[dns], p->score_conf.detector[dns], row,
                                       &finding);
        score[i % 2] = isnan(finding.score) ? score[i % 2] : finding.score;
    }
    assert_true(fabs(score[1] / score[0] - 0.35) < 0.01);
    pipeline_free(p);
}

/* A window of 64 names that carry 1024 bytes. Returns the highest score, and what closing the one
 * before gave as a sample. */
static double window(struct pipeline *p, unsigned hour, double teach, double *sample)
{
    double most = 0;
    *sample = NAN;
    for (unsigned i = 0; i < 64; i++) {
        struct found now = ask_for(p, hour * 3700.0 + i, "10.0.0.1", sixteen_bytes(i), teach);
        most = now.score > most ? now.score : most;
        if (!isnan(now.sample))
            *sample = now.sample;
    }
    return most;
}

/* Usual is exp((3 ln 64 + n ln 1024) / (3 + n)): after 3 windows exp(ln sqrt(64 1024)) = 256, so
 *     score = 4 log10(1024 / 256) = 2.408. */
static void the_pairs_own_past_makes_it_usual(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    double sample, first = window(p, 0, 1, &sample);
    assert_true(isnan(sample));
    for (unsigned hour = 1; hour < 3; hour++)
        (void)window(p, hour, 1, &sample);
    assert_true(fabs(window(p, 3, 1, &sample) - 2.408) < 0.1);
    assert_true(first > 4.7 && sample > 2.4 && sample < first);
    pipeline_free(p);
}

/* Of a window, the row that may teach least decides: one suppressed row, and it teaches nothing. */
static void what_nobody_may_learn_from_stays_unusual(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    double sample, first = window(p, 0, 0, &sample);
    for (unsigned hour = 1; hour < 20; hour++) {
        assert_true(fabs(window(p, hour, 0, &sample) - first) < 1e-9);
        assert_true(isnan(sample));
    }
    pipeline_free(p);
}

static void a_suspicious_window_teaches_a_little(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    double sample, first = window(p, 0, 0.05, &sample);
    double second = window(p, 1, 0.05, &sample);
    /* usual = exp((3 ln 64 + 0.05 ln 1024) / 3.05) = 66.97; 4 log10(66.97 / 64) = 0.0788 less */
    assert_true(fabs(first - second - 0.0788) < 0.01);
    pipeline_free(p);
}

static void a_second_pass_begins_with_no_window(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    double sample;
    (void)window(p, 0, 1, &sample);
    state_rewind(p->state);
    (void)ask_for(p, 0, "10.0.0.1", sixteen_bytes(0), 1);
    assert_int_equal(p->row.asked->records, 1);
    assert_int_equal(p->row.asked->names, 1);
    pipeline_free(p);
}

/* More names than bits: the estimate stays finite, and so does the score. */
static void a_flood_of_names_is_bounded(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    char name[64];
    double most = 0;
    for (unsigned i = 0; i < 50000; i++) {
        (void)snprintf(name, sizeof name, "%08x%08x.example.net", i * 2654435761u, ~i);
        struct found now = ask_for(p, i * 0.01, "10.0.0.1", name, 1);
        most = now.score > most ? now.score : most;
    }
    assert_true(isfinite(most) && most > 9);
    assert_true(asked_names(p->row.asked) < 7200 && asked_names(p->row.asked) > 5000);
    pipeline_free(p);
}

/* Through all of score(): other detectors are not asked, and a flow is not judged by this one. */
static void only_names_are_judged(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct context context;
    size_t dns = detector_named("dns");
    double most = 0;
    for (unsigned i = 0; i < 64; i++) {
        context = context_of(CONTEXT_DNS, sixteen_bytes(i));
        (void)name_pass(p, i, "10.0.0.1", "10.0.0.53", &context);
        p->row.kind = ROW_NAME;
        score(p->score, &p->score_conf, &p->row);
        score_learn(p->score, &p->score_conf, &p->row);
        most = fmax(most, isnan(p->row.finding[dns].score) ? 0 : p->row.finding[dns].score);
        for (size_t d = 0; registry_detectors[d] != NULL; d++)
            assert_true(d == dns || isnan(p->row.finding[d].score));
    }
    assert_true(most > 4);
    p->row.kind = ROW_FLOW;
    eddy_flow flow = flow_at(100, "10.0.0.1", "203.0.113.9", 443);
    assert_true(isnan(pipeline_score(p, &flow)->finding[dns].score));
    pipeline_free(p);
}

static void it_says_why(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    struct context context;
    for (unsigned i = 0; i < 120; i++) {
        context = context_of(CONTEXT_DNS, sixteen_bytes(i));
        context.carries = i % 2 == 0;
        (void)name_pass(p, i, "10.0.0.1", "10.0.0.53", &context);
    }
    struct explanation why;
    score_explain(p->score, &p->score_conf, detector_named("dns"), &p->row, &why);
    assert_non_null(strstr(why.sentence, "10.0.0.1 asked for about 1"));
    assert_non_null(strstr(why.sentence, "names below example.net in 2 min"));
    assert_non_null(strstr(why.sentence, "no other host of ours asks there."));
    assert_string_equal(why.reason[0].feature, "dns_bytes");
    assert_true(fabs(why.reason[0].value - 120 * 16) < 100);
    assert_true(why.reason[0].usual > 63.9 && why.reason[0].usual < 64.1);
    assert_string_equal(why.reason[3].feature, "dns_types");
    assert_true(fabs(why.reason[3].value - 0.5) < 1e-9);
    assert_string_equal(why.evidence.kind, "over_time");
    assert_int_equal(why.evidence.count, 1); /* all in the first 3 of 60 minutes */
    assert_string_equal(why.name[0].kind, "dns");
    assert_false(why.names_peer || why.names_port);
    assert_true(why.since_us == T0 * US);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_new_names_carry_is_compared_with_the_usual),
        cmocka_unit_test(a_name_asked_again_adds_nothing),
        cmocka_unit_test(many_short_names_are_no_tunnel),
        cmocka_unit_test(many_domains_are_many_looks),
        cmocka_unit_test(a_domain_that_many_ask_for_counts_less),
        cmocka_unit_test(a_resolver_passes_on_what_others_ask),
        cmocka_unit_test(the_pairs_own_past_makes_it_usual),
        cmocka_unit_test(what_nobody_may_learn_from_stays_unusual),
        cmocka_unit_test(a_suspicious_window_teaches_a_little),
        cmocka_unit_test(a_second_pass_begins_with_no_window),
        cmocka_unit_test(a_flood_of_names_is_bounded),
        cmocka_unit_test(only_names_are_judged),
        cmocka_unit_test(it_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
