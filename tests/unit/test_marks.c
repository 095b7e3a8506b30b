/* SPDX-License-Identifier: MIT */
/* test_marks.c - what a mark does to findings, worked by hand; which marks are refused. */
#include "pipeline.h"
#include "vet/marks.h"

#define NOW (T0 * US)
#define DAY (86400 * US)
#define A   "10.0.0.5"
#define B   "203.0.113.7"
#define C   "198.51.100.9"

static const struct mark_time at_once = {.now_us = NOW, .half_life_us = 90 * DAY, .join = 1e-3};

static struct marks *marks_of(const char *text)
{
    struct entries entries = {.name = "marks", .text = text, .length = strlen(text)};
    struct marks *marks;
    eddy_error err = {0};
    if (marks_new(&entries, &marks, &err) != EDDY_OK)
        fail_msg("%s", err.message);
    return marks;
}

static void assert_refused(const char *text, const char *message)
{
    struct entries entries = {.name = "marks", .text = text, .length = strlen(text)};
    struct marks *marks = NULL;
    eddy_error err = {0};
    assert_int_equal(marks_new(&entries, &marks, &err), EDDY_ECONFIG);
    assert_null(marks);
    assert_string_equal(err.message, message);
}

/* A row in which beacon found this much about its source. */
static struct row row_of(const char *src, const char *dst, double score)
{
    struct row row = {.flow = flow_at(0, src, dst, 443)};
    row.finding[detector_named("beacon")].p = pow(10, -score);
    return row;
}

static struct mark_effect weigh(const char *text, const struct row *row, const char *reason,
                                const struct mark_time *time)
{
    struct marks *marks = marks_of(text);
    struct mark_effect effect = marks_weigh(marks, row, detector_named("beacon"), reason, time);
    marks_free(marks);
    return effect;
}

#define BENIGN                                                                                     \
    "incident=i1 verdict=benign detector=beacon host=10.0.0.5 score=8 marked=2023-11-14T22:13:20Z"

/* S' = S - w min(S, M), M = 8, w = 2^-(age / 90 d):
 *   at once          S = 8    lowered by 8         nothing is left
 *                    S = 6    lowered by 6         nor here: it was usual before
 *                    S = 14   lowered by 8         S' = 6: p' = 1e-14 / 1e-8 = 1e-6, an incident
 *   after 90 days    S = 8    lowered by 4
 *   after 180 days   S = 8    lowered by 2
 *   before the mark  S = 8    lowered by 8         logs of the time before are judged with it, too
 */
static void a_benign_mark_lowers_scores_up_to_its_own_and_fades(void **state)
{
    (void)state;
    static const struct {
        double score;
        int days;
        double lower_by;
    } cases[] = {{8, 0, 8}, {6, 0, 6}, {14, 0, 8}, {8, 90, 4}, {8, 180, 2}, {8, -30, 8}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct mark_time time = at_once;
        time.now_us += cases[i].days * DAY;
        struct row row = row_of(A, B, cases[i].score);
        struct mark_effect effect = weigh(BENIGN "\n", &row, "gaps", &time);
        assert_float_equal(effect.lower_by, cases[i].lower_by, 1e-9);
        assert_false(effect.malicious);
    }
}

static void a_benign_mark_is_about_one_host_detector_peer_and_reason(void **state)
{
    (void)state;
    struct row row = row_of(A, B, 8), other_host = row_of(C, B, 8);
    assert_float_equal(weigh(BENIGN "\n", &other_host, "gaps", &at_once).lower_by, 0, 0);
    assert_float_equal(weigh(BENIGN " reason=gaps\n", &row, "gaps", &at_once).lower_by, 8, 1e-9);
    assert_float_equal(weigh(BENIGN " reason=gaps\n", &row, "sizes", &at_once).lower_by, 0, 0);
    assert_float_equal(weigh(BENIGN " peer=" B "\n", &row, "gaps", &at_once).lower_by, 8, 1e-9);
    assert_float_equal(weigh(BENIGN " peer=" C "\n", &row, "gaps", &at_once).lower_by, 0, 0);
    struct marks *marks = marks_of(BENIGN "\n");
    assert_true(marks_ask(marks, &row, detector_named("beacon")));
    assert_false(marks_ask(marks, &row, detector_named("tail")));
    marks_free(marks);
}

static void a_mark_about_a_victim_is_about_the_destination(void **state)
{
    (void)state;
    struct row row = row_of(C, A, 8);
    assert_float_equal(weigh(BENIGN "\n", &row, "gaps", &at_once).lower_by, 0, 0);
    row.finding[detector_named("beacon")].of_destination = true;
    assert_float_equal(weigh(BENIGN "\n", &row, "gaps", &at_once).lower_by, 8, 1e-9);
    assert_float_equal(weigh(BENIGN " peer=" C "\n", &row, "gaps", &at_once).lower_by, 8, 1e-9);
}

static void several_marks_do_not_add_up(void **state)
{
    (void)state;
    struct row row = row_of(A, B, 12);
    static const char two[] =
        BENIGN "\nincident=i2 verdict=benign detector=beacon host=10.0.0.5 score=9 "
               "marked=2023-11-14T22:13:20Z\n";
    assert_float_equal(weigh(two, &row, "gaps", &at_once).lower_by, 9, 1e-9);
}

static void the_last_mark_of_an_incident_counts(void **state)
{
    (void)state;
    struct row row = row_of(A, B, 8);
    static const char host[] = "detector=beacon host=10.0.0.5 score=8 marked=2023-11-14T22:13:20Z";
    char text[512];
    (void)snprintf(text, sizeof text, BENIGN "\nincident=i1 verdict=malicious %s\n", host);
    struct mark_effect effect = weigh(text, &row, "gaps", &at_once);
    assert_true(effect.malicious);
    assert_float_equal(effect.lower_by, 0, 0);
    struct marks *marks = marks_of(BENIGN "\nincident=i1 verdict=none\n");
    assert_int_equal(marks->benign + marks->malicious, 0);
    assert_false(marks_ask(marks, &row, detector_named("beacon")));
    marks_free(marks);
    marks = marks_of(BENIGN "\nincident=i1 verdict=none\n" BENIGN "\n");
    assert_int_equal(marks->benign, 1);
    marks_free(marks);
}

#define MALICIOUS "incident=m1 verdict=malicious detector=beacon host=10.0.0.5 marked=2023-11-14"

/* The conversation of a host with a malicious peer teaches nothing, whatever is found in it. */
static void a_malicious_mark_pins_the_conversation(void **state)
{
    (void)state;
    struct marks *marks = marks_of(MALICIOUS " peer=203.0.113.7 port=443\n");
    struct row out = row_of(A, B, 0), back = row_of(B, A, 0), other = row_of(A, C, 0);
    assert_true(marks_pin(marks, &out));
    assert_false(marks_pin(marks, &other));
    back.flow.dst_port = 50000;
    assert_false(marks_pin(marks, &back));
    back.flow.src_port = 443;
    assert_true(marks_pin(marks, &back));
    out.flow.dst_port = 80;
    assert_false(marks_pin(marks, &out));
    assert_false(marks_weigh(marks, &out, detector_named("beacon"), "gaps", &at_once).malicious);
    marks_free(marks);
}

static void a_malicious_mark_without_a_peer_pins_what_is_found(void **state)
{
    (void)state;
    struct row row = row_of(A, B, 8), other = row_of(C, B, 8);
    struct marks *marks = marks_of(MALICIOUS "\n");
    assert_false(marks_pin(marks, &row));
    assert_true(marks_weigh(marks, &row, detector_named("beacon"), "gaps", &at_once).malicious);
    assert_false(marks_weigh(marks, &other, detector_named("beacon"), "gaps", &at_once).malicious);
    marks_free(marks);
}

static void what_makes_no_sense_is_refused(void **state)
{
    (void)state;
    assert_refused("verdict=none\n", "marks:1: no incident=");
    assert_refused("incident=i1\n", "marks:1: no verdict=");
    assert_refused("incident=i1 verdict=benign host=10.0.0.5\n", "marks:1: no detector=");
    assert_refused("incident=i1 verdict=malicious detector=beacon host=10.0.0.5\n",
                   "marks:1: no marked=");
    assert_refused("incident=i1 verdict=benign detector=beacon host=10.0.0.5 marked=2026-01-01\n",
                   "marks:1: no score=");
    assert_refused("incident=i1 verdict=good\n",
                   "marks:1: verdict=good: not benign, malicious or none");
    assert_refused("incident=../x verdict=none\n",
                   "marks:1: incident=../x: not an id of at most 23 "
                   "letters and digits");
    assert_refused("incident=i1 verdict=none host=10.0.0.0/8\n",
                   "marks:1: host=10.0.0.0/8: not an address");
    assert_refused("incident=i1 verdict=none detector=x\n",
                   "marks:1: detector=x: not a detector of eddy");
    static const char *const scores[] = {"nan", "inf", "-1", "0", "301", "1e999", "8x"};
    for (size_t i = 0; i < sizeof scores / sizeof *scores; i++) {
        char text[128], message[128];
        (void)snprintf(text, sizeof text, "incident=i1 verdict=none score=%s\n", scores[i]);
        (void)snprintf(message, sizeof message, "marks:1: score=%s: not above 0 and at most 300",
                       scores[i]);
        assert_refused(text, message);
    }
    assert_refused("incident=i1 verdict=none marked=nan\n",
                   "marks:1: marked=nan: not a time such as 2026-12-31T12:00:00Z");
    assert_refused("incident=i1 verdict=none port=443\n", "marks:1: port= without peer=");
    assert_refused("incident=i1 verdict=none colour=red\n", "marks:1: colour: no such key");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_benign_mark_lowers_scores_up_to_its_own_and_fades),
        cmocka_unit_test(a_benign_mark_is_about_one_host_detector_peer_and_reason),
        cmocka_unit_test(a_mark_about_a_victim_is_about_the_destination),
        cmocka_unit_test(several_marks_do_not_add_up),
        cmocka_unit_test(the_last_mark_of_an_incident_counts),
        cmocka_unit_test(a_malicious_mark_pins_the_conversation),
        cmocka_unit_test(a_malicious_mark_without_a_peer_pins_what_is_found),
        cmocka_unit_test(what_makes_no_sense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
