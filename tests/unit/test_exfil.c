/* SPDX-License-Identifier: MIT */
/* test_exfil.c - uploads to strangers are found; what is usual, shared or mutual is lowered. */
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

#define MB 1000000.0

static struct finding ask(struct pipeline *p, const eddy_flow *flow)
{
    return pipeline_ask(p, detector_named("exfil"), flow);
}

/* 10.0.0.1 sends so many bytes to this address, and gets a hundredth back. */
static struct finding upload(struct pipeline *p, double start_s, const char *dst, double bytes)
{
    eddy_flow flow = flow_at(start_s, "10.0.0.1", dst, 443);
    flow.bytes_out = (uint64_t)bytes;
    flow.bytes_in = flow.bytes_out / 100;
    flow.packets_out = flow.bytes_out / 1400 + 1;
    flow.packets_in = flow.packets_out / 2 + 1;
    return ask(p, &flow);
}

/* A clock an hour ahead is believed when a second flow bears it out. */
static void pass_time(struct pipeline *p, double now_s)
{
    eddy_flow flow = flow_at(now_s, "10.0.9.9", "10.0.9.8", 443);
    (void)ask(p, &flow);
    (void)ask(p, &flow);
}

static bool near(double value, double expected)
{
    return fabs(value - expected) < 2e-3;
}

/* z = ln(30e6 / 100e3) / ln 5 = 3.544: p = 1.971e-4; one in 200; the better of two looks. */
static void thirty_megabytes_to_a_stranger(void **state)
{
    assert_true(near(upload(*state, 0, "203.0.113.1", 30 * MB).score, 5.705));
}

static void below_the_floor_nothing_is_said(void **state)
{
    assert_true(isnan(upload(*state, 0, "203.0.113.1", 9.9 * MB).score));
}

/* To an address known for two hours volume alone speaks: 2 * 1.971e-4. */
static void a_known_receiver_is_no_stranger(void **state)
{
    (void)upload(*state, 0, "203.0.113.1", 1000);
    pass_time(*state, 7200);
    assert_true(near(upload(*state, 7200, "203.0.113.1", 30 * MB).score, 3.404));
}

/* p = 2 * 1.971e-4: 3.404, of which half is left. */
static void what_many_of_ours_use_is_doubted(void **state)
{
    for (unsigned i = 2; i < 6; i++) {
        eddy_flow other = flow_at(0, numbered("10.0", i), "203.0.113.1", 443);
        (void)ask(*state, &other);
    }
    assert_true(near(upload(*state, 1, "203.0.113.1", 30 * MB).score, 3.404 / 2));
    struct explanation why;
    struct pipeline *p = *state;
    score_explain(p->score, &p->score_conf, detector_named("exfil"), &p->row, &why);
    assert_string_equal(why.reason[1].feature, "prevalence");
    assert_true(near(why.reason[1].share, -0.5));
    assert_non_null(strstr(why.sentence, "hosts use"));
}

static void a_call_is_doubted_and_no_stranger(void **state)
{
    eddy_flow call = flow_at(0, "10.0.0.1", "203.0.113.1", 3478);
    call.bytes_out = call.bytes_in = 30000000;
    call.packets_out = call.packets_in = 30000;
    assert_true(near(ask(*state, &call).score, 3.404 / 2));
    struct explanation why;
    struct pipeline *p = *state;
    score_explain(p->score, &p->score_conf, detector_named("exfil"), &p->row, &why);
    assert_string_equal(why.reason[1].feature, "balance");
    assert_true(near(why.reason[1].share, -0.5));
}

/* What is fetched from elsewhere at the same time does not hide it. */
static void downloads_from_others_hide_nothing(void **state)
{
    eddy_flow film = flow_at(0, "10.0.0.1", "198.51.100.1", 443);
    film.bytes_in = 900000000;
    film.packets_in = 700000;
    (void)ask(*state, &film);
    assert_true(upload(*state, 1, "203.0.113.1", 30 * MB).score > 5.7);
}

/* 6 MB fade to 2.2 within an hour; within a minute they are still 5.9. */
static void the_sum_fades(void **state)
{
    (void)upload(*state, 0, "203.0.113.1", 6 * MB);
    assert_true(isnan(upload(*state, 3600, "203.0.113.1", 6 * MB).score));
    assert_true(upload(*state, 3660, "203.0.113.1", 6 * MB).score >= 0);
}

static void only_the_main_receiver_is_told_of(void **state)
{
    (void)upload(*state, 0, "203.0.113.1", 30 * MB);
    assert_true(isnan(upload(*state, 1, "203.0.113.2", 1 * MB).score));
    assert_true(upload(*state, 2, "203.0.113.1", 1 * MB).score >= 0);
}

/* Ten strangers with 3 MB each: nobody has most of it. */
static void sharing_with_many_is_not_exfiltration(void **state)
{
    for (unsigned i = 0; i < 10; i++)
        assert_true(isnan(upload(*state, i, numbered("203.0", i), 3 * MB).score));
}

static void only_what_our_host_began_and_was_answered_counts(void **state)
{
    const char *const ends[][2] = {
        {"203.0.113.1", "10.0.0.1"}, {"10.0.0.1", "10.0.0.2"}, {"203.0.113.1", "198.51.100.1"}};
    for (size_t i = 0; i < 3; i++) {
        eddy_flow flow = flow_at(0, ends[i][0], ends[i][1], 443);
        flow.bytes_out = flow.bytes_in = 100000000;
        flow.packets_out = flow.packets_in = 100000;
        assert_true(isnan(ask(*state, &flow).score));
    }
    eddy_flow flood = refused_at(0, "10.0.0.1", "203.0.113.1", 80);
    flood.bytes_out = 100000000;
    flood.packets_out = 100000;
    assert_true(isnan(ask(*state, &flood).score));
}

/* 30 MB to its backup in each window: suspicious at first, so that it takes days to be usual. */
static void what_a_host_always_does_is_usual(void **state)
{
    double last = 0;
    for (unsigned i = 0; i < 1000; i++)
        last = upload(*state, 700.0 * i, "203.0.113.1", 30 * MB).score;
    assert_true(last < 0.7);
    assert_true(upload(*state, 700.0 * 1000, "203.0.113.2", 3000 * MB).score > 4);
}

static void a_host_that_never_sends_is_the_more_suspect(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 100; i++)
        (void)upload(p, 700.0 * i, "203.0.113.1", 100);
    /* mean = (12 ln 1e5 + 99 ln 1e3) / 111 = 7.406; spread = ln 3, the least. z = 8.93 */
    const struct exfil_memory *m = &p->row.host->exfil;
    assert_int_equal(m->weight, 99 * EXFIL_WEIGHT);
    assert_true(near((double)m->mean, log(1000)));
    double score = upload(p, 70000, "203.0.113.2", 30 * MB).score;
    double expected = -log10(0.5 * erfc((log(30 * MB) - 7.4056) / log(3) / sqrt(2)) / 100);
    assert_true(fabs(score - expected) < 0.02);
}

/* A suspicious window teaches 0.05, a pinned one nothing. */
static void what_is_rare_teaches_little(void **state)
{
    struct pipeline *p = *state;
    (void)upload(p, 0, "203.0.113.1", 30 * MB);
    (void)upload(p, 700, "203.0.113.1", 1);
    const struct exfil_memory *m = &p->row.host->exfil;
    assert_int_equal(m->weight, 3); /* 0.05 * 64 */
    p->row.window->pinned = true;
    pass_time(p, 30000);
    (void)upload(p, 30000, "203.0.113.1", 1);
    assert_int_equal(m->weight, 3);
    (void)upload(p, 31000, "203.0.113.1", 1);
    assert_int_equal(m->weight, 67);
}

/* So many windows of 100 bytes, then one with 30 MB. */
static double one_upload(struct pipeline *p, unsigned windows)
{
    for (unsigned i = 0; i < windows; i++)
        (void)upload(p, 700.0 * i, "203.0.113.1", 100);
    return upload(p, 700.0 * windows, "203.0.113.2", 30 * MB).score;
}

/* For a day from then on 10.0.0.1 speaks to hosts of ours only. */
static void a_day_inside(struct pipeline *p, double start_s)
{
    for (unsigned i = 0; i < 288; i++) {
        eddy_flow flow = flow_at(start_s + 300.0 * i, "10.0.0.1", "10.0.0.9", 445);
        (void)ask(p, &flow);
    }
}

/* The windows after an upload see its bytes in the sum, and must not teach them: the mean stays
 * (99 ln 1000 + 0.05 ln 30e6 + 97 and more times ln 1000) / 196, which is 0.003 more. */
static void an_upload_is_taught_once(void **state)
{
    struct pipeline *p = *state;
    double first = one_upload(p, 100);
    a_day_inside(p, 70060);
    const struct exfil_memory *m = &p->row.host->exfil;
    assert_true(m->weight > 190 * EXFIL_WEIGHT);
    assert_true(fabs((double)m->mean - log(1000)) < 0.005);
    assert_true(upload(p, 157000, "203.0.113.3", 30 * MB).score > first - 0.1);
}

static void a_pinned_upload_is_never_taught(void **state)
{
    struct pipeline *p = *state;
    double first = one_upload(p, 100);
    p->row.window->pinned = true;
    a_day_inside(p, 70060);
    const struct exfil_memory *m = &p->row.host->exfil;
    assert_true(m->weight > 190 * EXFIL_WEIGHT);
    assert_true(fabs((double)m->mean - log(1000)) < 1e-5);
    assert_true(upload(p, 157000, "203.0.113.3", 30 * MB).score >= first);
}

/* 6 MB at 1 s; the window's last flow ends at 600 s, that of the next window at 2200 s, and what
 * closes that one at 2750 s: ln of 6 MB, less 599 / 3600 and 2199 / 3600. */
static void a_usual_sum_is_taught_as_it_fades(void **state)
{
    struct pipeline *p = *state;
    static const double starts[] = {299, 599, 1649, 2199, 2749};
    (void)upload(p, 0, "203.0.113.1", 6 * MB);
    for (size_t i = 0; i < 5; i++) {
        eddy_flow flow = flow_at(starts[i], "10.0.0.1", "10.0.0.9", 445);
        (void)ask(p, &flow);
        if (i == 2)
            assert_true(near((double)p->row.host->exfil.mean, log(6 * MB) - 599.0 / 3600));
    }
    const struct exfil_memory *m = &p->row.host->exfil;
    assert_int_equal(m->weight, 2 * EXFIL_WEIGHT);
    assert_true(near((double)m->mean, log(6 * MB) - (599.0 + 2199) / 2 / 3600));
}

/* The window of the upload is evicted: it has not closed, so that it is no sample and teaches
 * nothing, neither by itself nor by what is left of the sum. */
static void an_evicted_window_teaches_nothing(void **state)
{
    struct pipeline *p = *state;
    (void)one_upload(p, 2);
    p->row.window->flows = 0; /* as state.c finds it when it was not in the table */
    (void)upload(p, 1410, "203.0.113.1", 100);
    struct finding next = upload(p, 2200, "203.0.113.1", 100);
    assert_true(next.sample < 1e-9);
    assert_true(near((double)p->row.host->exfil.mean, log(1000)));
}

static void a_closed_window_is_a_sample(void **state)
{
    double score = upload(*state, 0, "203.0.113.1", 30 * MB).score;
    struct finding next = upload(*state, 700, "203.0.113.2", 1);
    assert_true(fabs(next.sample - score) < 0.011);
    assert_true(isnan(upload(*state, 701, "203.0.113.2", 1).sample));
}

/* Where three hosts of three did it: (1 + 3) / (200 + 3), not 1 / 200. */
static void strangers_are_less_strange_where_they_are_usual(void **state)
{
    for (unsigned i = 2; i < 5; i++) {
        eddy_flow flow = flow_at(i, numbered("10.0", i), numbered("203.0", i), 443);
        flow.bytes_out = 20000000;
        flow.packets_out = 20000;
        (void)ask(*state, &flow);
    }
    double score = upload(*state, 10, "203.0.113.1", 30 * MB).score;
    assert_true(near(score, 5.705 + log10(203.0 / 200 / 4)));
}

static void the_sentence_says_how_much_and_where(void **state)
{
    struct pipeline *p = *state;
    (void)upload(p, 0, "203.0.113.1", 30 * MB);
    struct explanation why;
    score_explain(p->score, &p->score_conf, detector_named("exfil"), &p->row, &why);
    assert_string_equal(why.sentence,
                        "10.0.0.1 sent 30 MB out within about an hour (usual for a new host: 100 "
                        "kB), most of it to 203.0.113.1 port 443/tcp, which is new to it and used "
                        "by no other host of ours.");
    assert_string_equal(why.technique, "T1567");
    assert_true(why.names_peer && why.names_port);
    assert_string_equal(why.reason[0].feature, "exfil_bytes");
    assert_true(near(why.reason[0].usual, 100000));
    assert_string_equal(why.reason[1].feature, "receiver");
    assert_true(near(why.reason[0].share + why.reason[1].share, 1));
    assert_string_equal(why.evidence.kind, "distribution");
    assert_int_equal(why.evidence.count, 32);
    assert_true(near((double)why.evidence.y[0], 0.5)); /* the plot begins at the usual */
    assert_true(near(why.evidence.mark, 30 * MB));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(thirty_megabytes_to_a_stranger),
        TEST(below_the_floor_nothing_is_said),
        TEST(a_known_receiver_is_no_stranger),
        TEST(what_many_of_ours_use_is_doubted),
        TEST(a_call_is_doubted_and_no_stranger),
        TEST(downloads_from_others_hide_nothing),
        TEST(the_sum_fades),
        TEST(only_the_main_receiver_is_told_of),
        TEST(sharing_with_many_is_not_exfiltration),
        TEST(only_what_our_host_began_and_was_answered_counts),
        TEST(what_a_host_always_does_is_usual),
        TEST(a_host_that_never_sends_is_the_more_suspect),
        TEST(what_is_rare_teaches_little),
        TEST(an_upload_is_taught_once),
        TEST(a_pinned_upload_is_never_taught),
        TEST(a_usual_sum_is_taught_as_it_fades),
        TEST(an_evicted_window_teaches_nothing),
        TEST(a_closed_window_is_a_sample),
        TEST(strangers_are_less_strange_where_they_are_usual),
        TEST(the_sentence_says_how_much_and_where),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
