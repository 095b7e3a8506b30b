/* SPDX-License-Identifier: MIT */
/* test_burst.c - guessers and floods are found, newness alone is not, and floods teach little. */
#include <math.h>

#include "pipeline.h"
#include "state/host.h"

static int setup(void **state)
{
    *state = pipeline_new(NULL);
    return 0;
}

static int teardown(void **state)
{
    pipeline_free(*state);
    return 0;
}

#define BEGIN (20.0 - 1700000000 % 60 + 60) /* seconds from T0: 20 s into a minute */

static struct finding ask(struct pipeline *p, const eddy_flow *flow)
{
    return pipeline_ask(p, detector_named("burst"), flow);
}

/* `count` connections within a minute, the `minute`th; what the last one is found to be. */
static struct finding minute(struct pipeline *p, unsigned number, const eddy_flow *like,
                             unsigned count)
{
    struct finding last = {0};
    for (unsigned i = 0; i < count; i++) {
        eddy_flow flow = *like;
        flow.start_us = T0 * US + (int64_t)((BEGIN + 60.0 * number + 30.0 * i / count) * 1e6);
        last = ask(p, &flow);
    }
    return last;
}

static bool near(double value, double expected)
{
    return fabs(value - expected) < 2e-3;
}

static void explain(struct pipeline *p, struct explanation *why)
{
    score_explain(p->score, &p->score_conf, detector_named("burst"), &p->row, why);
}

/* a = b = 16: p = (31!/15!) (45!/61!) = 10^-5.829; half of the chance is the edge's: 5.528. */
static void thirty_one_logins_in_a_minute_without_a_past(void **state)
{
    eddy_flow login = flow_at(0, "198.51.100.7", "10.0.0.1", 22);
    struct finding found = minute(*state, 0, &login, 31);
    assert_true(near(found.score, 5.528));
    assert_false(found.of_destination);
    assert_true(found.tests == 1.0);
}

/* a = 2, b = 20: p = 20/69 21/70 = 0.087 */
static void a_page_of_fifty_connections_is_usual(void **state)
{
    eddy_flow page = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    struct finding found = minute(*state, 0, &page, 50);
    assert_true(near(found.score, 1.061 - 0.301));
}

/* a = 2 + 12, b = 20 + 12 (3 - 1) = 44: p = (57!/43!) (142!/156!) = 10^-6.616 */
static void with_a_past_a_hundred_are_not(void **state)
{
    eddy_flow page = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    for (unsigned i = 0; i < 12; i++)
        (void)minute(*state, i, &page, 3);
    struct finding found = minute(*state, 12, &page, 100);
    assert_true(near(found.score, 6.616 - 0.301));
}

/* Another hour of the same past makes it no surer: burst.sure is 12. */
static void a_past_is_never_known_better_than_sure(void **state)
{
    eddy_flow page = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    for (unsigned i = 0; i < 72; i++)
        (void)minute(*state, i, &page, 3);
    struct finding found = minute(*state, 72, &page, 100);
    assert_true(near(found.score, 6.616 - 0.301));
}

static void nine_are_no_burst_whatever_the_past(void **state)
{
    eddy_flow login = flow_at(0, "10.0.0.1", "10.0.0.2", 22);
    for (unsigned i = 0; i < 100; i++)
        (void)minute(*state, i, &login, 1);
    struct finding found = minute(*state, 100, &login, 9);
    assert_true(isnan(found.score));
}

/* Silence is no past: once an hour or once a day, a tick is compared with ticks. */
static void what_comes_once_an_hour_is_usual(void **state)
{
    eddy_flow backup = flow_at(0, "10.0.0.1", "10.0.0.2", 873);
    for (unsigned i = 0; i < 24; i++)
        (void)minute(*state, 60 * i, &backup, 60);
    struct finding found = minute(*state, 60 * 24, &backup, 120);
    assert_true(found.score < 1);
}

/* a = b/3 = 8: p = prod (24 + j)/(323 + j) = 10^-8.84 */
static void three_hundred_without_an_answer_are_a_flood(void **state)
{
    eddy_flow dead = refused_at(0, "10.0.0.1", "203.0.113.1", 80);
    struct finding found = minute(*state, 0, &dead, 300);
    double p = 1;
    for (unsigned j = 0; j < 8; j++)
        p *= (24.0 + j) / (323.0 + j);
    assert_true(near(found.score, -log10(p) - 0.301));
    assert_true(found.score > 8 && !found.of_destination);
}

/* SYN, SYN and ACK, RST: answered, but the client never meant to go on. */
static void half_open_connections_count_as_failed(void **state)
{
    eddy_flow syn = flow_at(0, "10.0.0.1", "203.0.113.1", 80);
    syn.tcp_out = 0x06;
    syn.tcp_in = 0x12;
    assert_true(minute(*state, 0, &syn, 300).score > 8);
}

/* Each source connects twice, so none of them is told of. b = 8 * 3 * 5 = 120. */
static void a_flood_of_many_sources_is_about_its_victim(void **state)
{
    struct finding found = {0};
    for (unsigned i = 0; i < 1000; i++) {
        eddy_flow flow = refused_at(BEGIN + 0.03 * i, numbered("203.0", i / 2), "10.0.0.1", 443);
        found = ask(*state, &flow);
    }
    double p = 1;
    for (unsigned j = 0; j < 8; j++)
        p *= (120.0 + j) / (120.0 + 999.0 + j);
    assert_true(found.of_destination);
    assert_true(near(found.score, -log10(p) - log10(6)));
    struct explanation why;
    explain(*state, &why);
    assert_non_null(strstr(why.sentence, "10.0.0.1 port 443/tcp is sent 1000 connections in 60 s"));
    assert_non_null(strstr(why.sentence, "from hundreds of sources"));
    assert_false(why.names_peer);
    assert_true(why.names_port);
}

/* Its ticks count what pairs and sources have taught already. */
static void a_victims_tick_is_no_sample(void **state)
{
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = refused_at(BEGIN + 0.3 * i, numbered("203.0", i), "10.0.0.1", 443);
        (void)ask(*state, &flow);
    }
    eddy_flow next = refused_at(BEGIN + 60, "203.0.0.1", "10.0.0.1", 443);
    assert_true(isnan(ask(*state, &next).sample));
}

/* 1000 sources, a port each; and one source at 1000 ports, which is fanout's. */
static void a_flood_of_many_ports_is_about_its_victim_unless_one_scans(void **state)
{
    struct finding found = {0}, scan = {0};
    for (unsigned i = 0; i < 1000; i++) {
        eddy_flow flow =
            refused_at(BEGIN + 0.03 * i, numbered("203.0", i), "10.0.0.1", (uint16_t)(1000 + i));
        found = ask(*state, &flow);
        flow = refused_at(BEGIN + 0.03 * i, "203.0.113.1", "10.0.0.2", (uint16_t)(1000 + i));
        scan = ask(*state, &flow);
    }
    assert_true(found.of_destination && found.score > 5);
    assert_true(isnan(scan.score));
}

/* The pair is new, the service is not: a = 14, b = 2 * 50 + 12 * 3 = 136 from four clients a
 * minute. */
static void a_flood_of_a_known_service_by_one_is_about_its_source(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 12; i++)
        for (unsigned n = 0; n < 4; n++) {
            eddy_flow page = flow_at(0, numbered("10.0", 2 + n), "10.0.0.1", 80);
            (void)minute(p, i, &page, 1);
        }
    eddy_flow page = flow_at(0, "10.0.0.9", "10.0.0.1", 80);
    struct finding found = minute(p, 12, &page, 1000);
    double model = 1;
    for (unsigned j = 0; j < 14; j++)
        model *= (136.0 + j) / (136.0 + 999.0 + j);
    assert_true(near(found.score, -log10(model) - log10(6)));
    assert_false(found.of_destination);
    struct explanation why;
    explain(p, &why);
    assert_non_null(strstr(why.sentence, "1000 connections in 60 s, usually 4; most of them from "
                                         "10.0.0.9."));
    assert_true(why.names_peer && why.names_port);
}

static void a_flood_of_somebody_elses_host_is_about_its_sources(void **state)
{
    for (unsigned i = 0; i < 1000; i++) {
        eddy_flow flow = refused_at(BEGIN + 0.03 * i, numbered("10.0", i / 2), "203.0.113.1", 443);
        assert_true(isnan(ask(*state, &flow).score));
    }
}

/* Twelve quiet minutes, then a flood: it teaches 0.05 of a minute of at most four times the mean,
 * so that the same flood a minute later is as rare. */
static void a_flood_teaches_little(void **state)
{
    eddy_flow page = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    for (unsigned i = 0; i < 12; i++)
        (void)minute(*state, i, &page, 3);
    double first = minute(*state, 12, &page, 1000).score;
    double second = minute(*state, 13, &page, 1000).score;
    assert_true(first > 15);
    assert_true(second < first && second > first - 0.5);
}

static void what_nobody_may_learn_from_teaches_nothing(void **state)
{
    struct pipeline *p = *state;
    size_t burst = detector_named("burst");
    eddy_flow page = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    double suppressed = 0;
    for (unsigned i = 0; i < 12; i++) {
        for (unsigned n = 0; n < 30; n++) {
            page.start_us = T0 * US + (int64_t)((BEGIN + 60.0 * i + n) * 1e6);
            struct finding found = {.score = (double)NAN, .sample = (double)NAN};
            (void)pipeline_pass(p, &page);
            registry_detectors[burst]->score(p->score->detector[burst],
                                             p->score_conf.detector[burst], &p->row, &found);
            p->row.teach = 0;
            registry_detectors[burst]->learn(p->score->detector[burst],
                                             p->score_conf.detector[burst], &p->row);
            suppressed = found.score;
        }
    }
    assert_true(suppressed > 0); /* it goes on being judged */
    struct finding found = minute(p, 12, &page, 30);
    assert_true(near(found.score, suppressed));
    found = minute(p, 13, &page, 30);
    assert_true(found.score < suppressed - 0.1); /* now it has learned a minute */
}

static void lookups_come_in_bursts(void **state)
{
    eddy_flow query = flow_at(0, "10.0.0.1", "10.0.0.53", 53);
    for (unsigned i = 0; i < 12; i++)
        (void)minute(*state, i, &query, 3);
    struct finding found = minute(*state, 12, &query, 100);
    assert_true(near(found.score, 0.5 * (6.616 - 0.301)));
    struct explanation why;
    explain(*state, &why);
    assert_string_equal(why.reason[1].feature, "service");
    assert_true(near(why.reason[1].share, -0.5));
}

static void what_many_of_ours_use_is_doubted(void **state)
{
    eddy_flow page = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    for (unsigned i = 0; i < 12; i++)
        (void)minute(*state, i, &page, 3);
    for (unsigned i = 2; i < 6; i++) {
        eddy_flow other = flow_at(0, numbered("10.0", i), "203.0.113.1", 443);
        (void)minute(*state, 11, &other, 1);
    }
    struct finding found = minute(*state, 12, &page, 100);
    assert_true(near(found.score, 0.7 * (6.616 - 0.301)));
}

static void logins_of_all_sizes_are_doubted(void **state)
{
    eddy_flow login = flow_at(0, "10.0.0.1", "10.0.0.2", 22);
    struct finding found = {0};
    for (unsigned i = 0; i < 31; i++) {
        login.start_us = T0 * US + (int64_t)((BEGIN + i) * 1e6);
        login.packets_out = 100;
        login.bytes_out = 1000 << (i % 13);
        found = ask(*state, &login);
    }
    assert_true(near(found.score, 0.7 * 5.528));
    struct explanation why;
    explain(*state, &why);
    assert_string_equal(why.reason[1].feature, "sizes");
    assert_true(why.reason[1].share < 0);
    assert_non_null(strstr(why.sentence, "or a script"));
}

static void late_flows_and_groups_are_not_counted(void **state)
{
    eddy_flow now = flow_at(20000, "10.0.0.9", "203.0.113.1", 443);
    (void)ask(*state, &now);
    (void)ask(*state, &now);
    eddy_flow late = flow_at(0, "10.0.0.1", "10.0.0.2", 22);
    assert_true(isnan(minute(*state, 0, &late, 100).score));
    eddy_flow group = refused_at(0, "10.0.0.1", "239.255.255.250", 1900);
    assert_true(isnan(minute(*state, 400, &group, 300).score));
}

/* A tick that ends is told to the calibration once, if it was worth a look. */
static void a_tick_is_one_sample(void **state)
{
    eddy_flow login = flow_at(0, "10.0.0.1", "203.0.113.1", 22);
    double score = minute(*state, 0, &login, 20).score;
    struct finding next = minute(*state, 1, &login, 1);
    assert_true(near(next.sample, score));
    assert_true(isnan(minute(*state, 1, &login, 1).sample));
    assert_true(isnan(minute(*state, 2, &login, 1).sample)); /* two connections are none */
}

static void tests_are_the_ticks_that_the_window_may_hold(void **state)
{
    for (unsigned i = 0; i < 50; i++) {
        eddy_flow other = flow_at(BEGIN, "10.0.0.1", numbered("203.0", i), 443);
        (void)ask(*state, &other);
    }
    eddy_flow login = flow_at(0, "10.0.0.1", "10.0.0.2", 22);
    struct finding found = minute(*state, 0, &login, 20);
    assert_true(found.tests == 6.0); /* 1 + 50 / 10 */
}

static void the_second_pass_begins_anew_and_knows_the_past(void **state)
{
    struct pipeline *p = *state;
    eddy_flow page = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    p->row.first_pass = true;
    for (unsigned i = 0; i < 12; i++)
        (void)minute(p, i, &page, 3);
    state_rewind(p->state);
    p->row.first_pass = false;
    struct finding found = minute(p, 2, &page, 100);
    assert_true(found.score > 5); /* a = 2 + 11: the last minute was still open */
}

static void the_sentence_says_what_happened(void **state)
{
    eddy_flow login = flow_at(0, "198.51.100.77", "10.0.0.1", 22);
    for (unsigned i = 0; i < 3; i++)
        (void)minute(*state, i, &login, 2);
    (void)minute(*state, 3, &login, 310);
    struct explanation why;
    explain(*state, &why);
    assert_string_equal(why.sentence,
                        "198.51.100.77 connects to 10.0.0.1 port 22/tcp 310 times in 60 s, usually "
                        "2; all send much the same amount (password guessing).");
    assert_string_equal(why.technique, "T1110");
    assert_true(why.names_peer && why.names_port);
    assert_string_equal(why.reason[0].feature, "burst_count");
    assert_true(why.reason[0].value == 310 && near(why.reason[0].usual, 2));
    assert_string_equal(why.evidence.kind, "distribution");
    assert_true(near(why.evidence.mark, 310));
    assert_true(why.evidence.count > 10 && near((double)why.evidence.y[0], 1));
    for (size_t i = 1; i < why.evidence.count; i++)
        assert_true(why.evidence.x[i] > why.evidence.x[i - 1] &&
                    why.evidence.y[i] < why.evidence.y[i - 1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(thirty_one_logins_in_a_minute_without_a_past),
        TEST(a_page_of_fifty_connections_is_usual),
        TEST(with_a_past_a_hundred_are_not),
        TEST(a_past_is_never_known_better_than_sure),
        TEST(nine_are_no_burst_whatever_the_past),
        TEST(what_comes_once_an_hour_is_usual),
        TEST(three_hundred_without_an_answer_are_a_flood),
        TEST(half_open_connections_count_as_failed),
        TEST(a_flood_of_many_sources_is_about_its_victim),
        TEST(a_victims_tick_is_no_sample),
        TEST(a_flood_of_many_ports_is_about_its_victim_unless_one_scans),
        TEST(a_flood_of_a_known_service_by_one_is_about_its_source),
        TEST(a_flood_of_somebody_elses_host_is_about_its_sources),
        TEST(a_flood_teaches_little),
        TEST(what_nobody_may_learn_from_teaches_nothing),
        TEST(lookups_come_in_bursts),
        TEST(what_many_of_ours_use_is_doubted),
        TEST(logins_of_all_sizes_are_doubted),
        TEST(late_flows_and_groups_are_not_counted),
        TEST(a_tick_is_one_sample),
        TEST(tests_are_the_ticks_that_the_window_may_hold),
        TEST(the_second_pass_begins_anew_and_knows_the_past),
        TEST(the_sentence_says_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
