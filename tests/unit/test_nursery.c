/* SPDX-License-Identifier: MIT */
/* test_nursery.c - the reservoir is a fair sample, the next model grows beside the one in use, and
 * p of held-out scores is honest. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/nursery.h"

#define DAY_US INT64_C(86400000000)

/* 20,000 streams of 200 rows into 20 slots: each row is kept in a tenth of them, 2000 times. Kept
 * are exactly 20 of 200, so counts vary (1 - 20/200) times as much as independent ones: the sum
 * below is chi-square with 199 degrees, 199 +- 20. A chance of k/(n+1) does not pass. */
static void each_row_has_the_same_chance_to_be_kept(void **state)
{
    (void)state;
    double kept[200] = {0}, chi = 0;
    for (uint64_t stream = 0; stream < 20000; stream++) {
        struct reservoir r = {.random = {stream << 32}};
        size_t slot[20];
        for (size_t i = 0; i < 200; i++) {
            size_t place = reservoir_place(&r, 20);
            if (place != RESERVOIR_NONE)
                slot[place] = i;
        }
        for (size_t i = 0; i < 20; i++)
            kept[slot[i]]++;
    }
    for (size_t i = 0; i < 200; i++)
        chi += (kept[i] - 2000) * (kept[i] - 2000) / (2000 * 0.9);
    assert_true(chi > 119 && chi < 279); /* 4 standard deviations */
}

/* 100 rows a day for 30 days, aged each day: of the last day's rows twice as many are kept as of
 * the day before, and so on. */
static void each_day_counts_half_as_much_as_the_next(void **state)
{
    (void)state;
    double kept[30] = {0};
    for (uint64_t stream = 0; stream < 2000; stream++) {
        struct reservoir r = {.random = {stream << 32}};
        size_t slot[20];
        for (size_t i = 0; i < 3000; i++) {
            if (i % 100 == 0)
                reservoir_age(&r);
            size_t place = reservoir_place(&r, 20);
            if (place != RESERVOIR_NONE)
                slot[place] = i / 100;
        }
        for (size_t i = 0; i < 20; i++)
            kept[slot[i]]++;
    }
    for (size_t day = 26; day < 29; day++)
        assert_true(kept[day + 1] / kept[day] > 1.8 && kept[day + 1] / kept[day] < 2.2);
}

/* ---- held-out scores ---- */

/* 59 scores of 0.4 and 40 of 0.6. The tail begins at the bin of 0.6: 614/1024, p = 41/100. The mean
 * excess is half a bin, with its error 0.5/1024 (1 + 2/sqrt(40)) = 0.00064269. */
static void p_is_counted_and_beyond_that_fitted(void **state)
{
    (void)state;
    struct heldout h = {.total = 0};
    for (unsigned i = 0; i < 99; i++)
        heldout_add(&h, i < 59 ? 0.4 : 0.6);
    heldout_fit(&h);
    assert_true(heldout_surprise(&h, 0.3) == 0); /* (99 + 1) / 100 */
    assert_true(heldout_surprise(&h, 0.4) == 0);
    assert_true(fabs(heldout_surprise(&h, 0.5) - 0.3872161) < 1e-6); /* -log10 0.41 */
    assert_true(fabs(heldout_surprise(&h, 614.0 / 1024) - 0.3872161) < 1e-6);
    double beyond = heldout_surprise(&h, 614.0 / 1024 + 0.00064269) - 0.3872161;
    assert_true(fabs(beyond - 0.4342945) < 1e-4);  /* e times rarer */
    assert_true(heldout_surprise(&h, 1.0) == 3.0); /* at most ten times rarer than 1 in 100 */
}

static void no_score_at_all_is_no_reason_to_worry(void **state)
{
    (void)state;
    struct heldout h = {.total = 0};
    heldout_fit(&h);
    assert_true(heldout_surprise(&h, 0.9) < 0.5);
    for (unsigned i = 0; i < 3; i++)
        heldout_add(&h, 0.5);
    heldout_fit(&h);
    assert_true(heldout_surprise(&h, 0.5) == 0);
    assert_true(isfinite(heldout_surprise(&h, 1.0)));
}

/* More oddness is never less surprising. */
static void surprise_never_falls(void **state)
{
    (void)state;
    struct heldout h = {.total = 0};
    struct random random = {5};
    for (unsigned i = 0; i < 4096; i++)
        heldout_add(&h, 0.4 + 0.05 * -log(1.0 - random_uniform(&random)));
    heldout_fit(&h);
    double last = 0;
    for (unsigned i = 0; i <= 4000; i++) {
        double now = heldout_surprise(&h, i / 4000.0);
        assert_true(now >= last);
        last = now;
    }
}

/* ---- the nursery ---- */

static const enum column columns[] = {COLUMN_duration, COLUMN_bytes_out, COLUMN_bytes_in,
                                      COLUMN_tcp};
static const struct nursery_conf conf = {.trees = 50, .samples = 128, .retrain_us = DAY_US};

static struct nursery *begun(void)
{
    struct nursery *n = calloc(1, sizeof *n);
    assert_non_null(n);
    nursery_begin(n, columns, 4);
    return n;
}

/* About normal: a sum of uniform numbers. */
static double normal(struct random *random)
{
    double sum = -6;
    for (unsigned i = 0; i < 12; i++)
        sum += random_uniform(random);
    return sum;
}

static void draw_row(struct random *random, float *row)
{
    double size = normal(random);
    row[0] = (float)(20 + 2 * normal(random));
    row[1] = (float)(12 + 2 * size + 0.5 * normal(random)); /* 1 and 2 go together */
    row[2] = (float)(12 + 2 * size + 0.5 * normal(random));
    row[3] = random_below(random, 3) > 0 ? 1.0f : 0.0f;
    row[4] = 0.0f;
}

static void feed(struct nursery *n, struct random *random, unsigned flows, int64_t *now_us)
{
    float row[5];
    for (unsigned i = 0; i < flows; i++) {
        draw_row(random, row);
        nursery_add(n, row);
        nursery_step(n, &conf, *now_us);
        *now_us += 1000;
    }
}

/* 1024 flows, then one tree with every eighth of 400, then 683 held-out rows, 16 and all others
 * with each flow: the ranking passes over all 1424 + ... rows. */
static void the_first_model_is_there_after_its_flows_and_not_before(void **state)
{
    (void)state;
    struct nursery *n = begun();
    struct random random = {1};
    int64_t now = DAY_US;
    feed(n, &random, NURSERY_FIRST + 8 * 50, &now);
    assert_null(nursery_model(n)); /* grown, not ranked */
    feed(n, &random, 120, &now);
    const struct model *model = nursery_model(n);
    assert_non_null(model);
    assert_int_equal(model->forest.trees, 50);
    assert_true(model->heldout.total > 2 * NURSERY_FIRST / 3);
    free(n);
}

static void a_new_model_takes_over_after_a_day_and_the_old_one_stays_until_then(void **state)
{
    (void)state;
    struct nursery *n = begun();
    struct random random = {1};
    int64_t now = DAY_US;
    feed(n, &random, 3000, &now);
    const struct model *first = nursery_model(n);
    uint32_t key = first->forest.node[0].key;
    now += DAY_US;
    feed(n, &random, 300, &now);
    assert_ptr_equal(nursery_model(n), first); /* growing beside it */
    assert_true(first->forest.node[0].key == key);
    feed(n, &random, 600, &now);
    assert_ptr_not_equal(nursery_model(n), first);
    assert_true(nursery_model(n)->trained_us > DAY_US * 2);
    free(n);
}

static void a_clock_that_was_years_ahead_does_not_stop_retraining(void **state)
{
    (void)state;
    struct nursery *n = begun();
    struct random random = {1};
    int64_t ahead = 4000 * DAY_US, now = DAY_US;
    feed(n, &random, 3000, &ahead);
    const struct model *first = nursery_model(n);
    feed(n, &random, 900, &now);
    assert_ptr_not_equal(nursery_model(n), first);
    free(n);
}

/* Of 20,000 new flows about 2000 have p <= 0.1 and 200 p <= 0.01. The held-out 4096 leave that open
 * by 5 % and 16 % (one standard deviation, of 410 and of 41); three are allowed. Beyond, p is
 * rather too large: fewer than 20 have p <= 0.001. */
static void p_of_new_flows_is_how_often_they_come(void **state)
{
    (void)state;
    struct nursery *n = begun();
    struct random random = {9};
    int64_t now = DAY_US;
    unsigned low = 0, lower = 0, least = 0;
    float row[5];
    feed(n, &random, 30000, &now);
    assert_true(nursery_finish(n, &conf, now));
    const struct model *model = nursery_model(n);
    for (unsigned i = 0; i < 20000; i++) {
        draw_row(&random, row);
        double surprise = heldout_surprise(&model->heldout, forest_score(&model->forest, row));
        low += surprise >= 1;
        lower += surprise >= 2;
        least += surprise >= 3;
    }
    assert_in_range(low, 1700, 2300);
    assert_in_range(lower, 100, 300);
    assert_in_range(least, 1, 32);
    /* Much sent and little received: each alone is usual, together they are not. */
    float odd[] = {20, 16, 8, 1, 0}, big[] = {20, 16, 16, 1, 0};
    assert_true(forest_score(&model->forest, odd) > forest_score(&model->forest, big));
    free(n);
}

static void the_same_flows_give_the_same_forest(void **state)
{
    (void)state;
    struct nursery *a = begun(), *b = begun();
    struct random one = {4}, same = {4};
    int64_t now = DAY_US, again = DAY_US;
    feed(a, &one, 5000, &now);
    feed(b, &same, 5000, &again);
    assert_memory_equal(a->plant[0].node, b->plant[0].node, sizeof a->plant[0].node);
    assert_memory_equal(&a->plant[0].model.heldout, &b->plant[0].model.heldout,
                        sizeof(struct heldout));
    assert_memory_equal(a->row, b->row, sizeof a->row);
    free(a);
    free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_row_has_the_same_chance_to_be_kept),
        cmocka_unit_test(each_day_counts_half_as_much_as_the_next),
        cmocka_unit_test(p_is_counted_and_beyond_that_fitted),
        cmocka_unit_test(no_score_at_all_is_no_reason_to_worry),
        cmocka_unit_test(surprise_never_falls),
        cmocka_unit_test(the_first_model_is_there_after_its_flows_and_not_before),
        cmocka_unit_test(a_new_model_takes_over_after_a_day_and_the_old_one_stays_until_then),
        cmocka_unit_test(a_clock_that_was_years_ahead_does_not_stop_retraining),
        cmocka_unit_test(p_of_new_flows_is_how_often_they_come),
        cmocka_unit_test(the_same_flows_give_the_same_forest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
