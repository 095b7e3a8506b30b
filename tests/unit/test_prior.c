/* SPDX-License-Identifier: MIT */
/* test_prior.c - the past that eddy comes with: its shape, its weight, and what it is worth at
 * first. */
#include "score/prior.h"

#include "pipeline.h"

/* 6, 3, 0, 1 of 10. Sums times 0.4: 2.4, 3.6, 3.6, 4; rounded 2, 4, 4, 4. */
static void shares_are_kept_and_the_sum_is_the_weight(void **state)
{
    (void)state;
    static const uint16_t counts[] = {6, 3, 0, 1};
    const struct prior_line line = {.lowest = 20, .bins = 4, .count = counts};
    struct histogram h = {.total = 0};
    prior_fill(&h, &line, 4);
    assert_int_equal(h.total, 4);
    assert_int_equal(h.count[20], 2);
    assert_int_equal(h.count[21], 2);
    assert_int_equal(h.count[22], 0);
    assert_int_equal(h.count[23], 0);
    assert_int_equal(h.highest, 21);
}

static void it_is_never_worth_more_than_was_seen(void **state)
{
    (void)state;
    static const uint16_t counts[] = {6, 3, 0, 1};
    const struct prior_line line = {.lowest = 20, .bins = 4, .count = counts};
    struct histogram h = {.total = 0};
    prior_fill(&h, &line, 1000);
    assert_int_equal(h.total, 10);
    assert_int_equal(h.count[23], 1);
    prior_fill(&h, &line, 0);
    assert_int_equal(h.total, 10);
}

static void every_line_is_a_histogram(void **state)
{
    (void)state;
    assert_true(prior_line_count > 2 * TAIL_COLUMNS);
    for (size_t i = 0; i < prior_line_count; i++) {
        const struct prior_line *line = &prior_lines[i];
        assert_true(line->kind <= 4 * SERVICE_COUNT);
        assert_true(line->column < TAIL_COLUMNS);
        assert_true(line->bins >= 1 && line->lowest + line->bins <= HISTOGRAM_BINS);
        assert_true(line->count[0] > 0 && line->count[line->bins - 1] > 0);
    }
}

static double first_upload(const char *weight, const char *bytes)
{
    const char *const settings[] = {"tail.prior_weight", weight, NULL};
    struct pipeline *p = pipeline_new(settings);
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    flow.bytes_out = strtoull(bytes, NULL, 10);
    flow.packets_out = 10 + flow.bytes_out / 1400;
    double score = pipeline_score(p, &flow)->finding[detector_named("tail")].score;
    pipeline_free(p);
    return score;
}

/* 30 GB as the very first flow: with no past nothing is unusual. */
static void with_it_the_first_flow_can_be_unusual(void **state)
{
    (void)state;
    assert_true(first_upload("0", "30000000000") == 0);
    assert_true(first_upload("100", "30000000000") > 2);
    assert_true(first_upload("100", "1000") < 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_are_kept_and_the_sum_is_the_weight),
        cmocka_unit_test(it_is_never_worth_more_than_was_seen),
        cmocka_unit_test(every_line_is_a_histogram),
        cmocka_unit_test(with_it_the_first_flow_can_be_unusual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
