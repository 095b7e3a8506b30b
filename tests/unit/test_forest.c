/* SPDX-License-Identifier: MIT */
/* test_forest.c - the walk, the credits and growing, against numbers worked by hand. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/isolation.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-6)

/* c(3) = 2 (ln 2 + gamma) - 4/3 = 2 * 1.27036284 - 1.33333333; c(256) is that of the paper's
 * authors and of scikit-learn: 2 (ln 255 + gamma) - 510/256 = 12.2369583 - 1.9921875. */
static void c_is_the_mean_length_of_a_search_that_fails(void **state)
{
    (void)state;
    assert_true(isolation_c(0) == 0 && isolation_c(1) == 0);
    assert_true(isolation_c(2) == 1);
    NEAR(isolation_c(3), 1.2073924);
    NEAR(isolation_c(4), 1.8516559);
    NEAR(isolation_c(256), 10.2447709);
}

/* Four samples. x <= 5 ? (y <= 2 ? two samples : one) : one.
 *
 *            0: x <= 5            4 samples
 *           /         \
 *      1: y <= 2     2: leaf 0    1 sample,  path 1
 *      /       \
 *  3: leaf 1   4: leaf 2          2 samples, path 2 + c(2) = 3; 1 sample, path 2
 *
 * and a tree that is one leaf: 4 samples, path 0 + c(4) = 1.8516559. */
struct small {
    struct forest forest;
    struct node node[6];
    double value[4];
    uint32_t cover[6];
};

static void plant(struct small *s, uint32_t trees)
{
    *s = (struct small){
        .node = {node_split(1, 0, 5.0f), node_split(3, 1, 2.0f), node_leaf(2, 2, 0),
                 node_leaf(3, 2, 1), node_leaf(4, 2, 2), node_leaf(5, 2, 3)},
        .value = {1.0, 3.0, 2.0, 1.8516559},
        .cover = {4, 3, 1, 2, 1, 4},
    };
    s->forest = (struct forest){.trees = trees,
                                .width = 2,
                                .outputs = 1,
                                .root = {0, 5},
                                .steps = {2},
                                .node = s->node,
                                .value = s->value,
                                .cover = s->cover,
                                .normaliser = isolation_c(4)};
}

static void a_walk_ends_where_the_hand_says(void **state)
{
    (void)state;
    struct small s;
    plant(&s, 1);
    const float far[] = {9, 0, 0}, both[] = {5, 2, 0}, next_to[] = {5, 2.0000002f, 0};
    assert_true(forest_sum(&s.forest, far) == 1.0);
    assert_true(forest_sum(&s.forest, both) == 3.0); /* on both thresholds: left */
    assert_true(forest_sum(&s.forest, next_to) == 2.0);
    plant(&s, 2);
    NEAR(forest_sum(&s.forest, far), 2.8516559);
    /* 2^(-(2.8516559 / 2) / 1.8516559) = 2^-0.7700286 */
    NEAR(forest_score(&s.forest, far), 0.5864058);
}

/* Of the way to leaf 0: c(4) - c(1) - 1. To leaf 1: c(4) - c(3) - 1, then c(3) - c(2) - 1. */
static void credits_add_up_to_the_path_saved(void **state)
{
    (void)state;
    struct small s;
    double credit[2];
    plant(&s, 1);
    const float far[] = {9, 0, 0}, crowd[] = {1, 1, 0};
    forest_credit(&s.forest, far, credit);
    NEAR(credit[0], 0.8516559);
    assert_true(credit[1] == 0);
    forest_credit(&s.forest, crowd, credit);
    NEAR(credit[0], -0.3557365);
    NEAR(credit[1], -0.7926076);
    NEAR(credit[0] + credit[1], isolation_c(4) - forest_sum(&s.forest, crowd));
}

static void what_is_no_float_becomes_one(void **state)
{
    (void)state;
    assert_true(isnan(forest_number((double)NAN))); /* missing */
    assert_true(forest_number((double)INFINITY) == FLT_MAX);
    assert_true(forest_number(-1e300) == -FLT_MAX);
    assert_true(forest_number(0.1) == 0.1f);
}

/* ---- growing ---- */

struct grown {
    struct forest forest;
    struct node node[20 * ISOLATION_NODES];
    double value[20 * ISOLATION_SAMPLES];
    uint32_t cover[20 * ISOLATION_NODES];
    struct isolation_plot plot;
};

static struct grown *new_grown(uint32_t samples, uint32_t width)
{
    struct grown *g = calloc(1, sizeof *g);
    assert_non_null(g);
    g->forest.node = g->node;
    g->forest.value = g->value;
    g->forest.cover = g->cover;
    g->forest.outputs = 1;
    g->forest.width = g->plot.width = width;
    g->plot.samples = samples;
    for (uint32_t i = 0; i < samples; i++)
        g->plot.order[i] = (uint16_t)i;
    return g;
}

static void grow(struct grown *g, uint32_t trees)
{
    struct random random = {7};
    for (g->forest.trees = 0; g->forest.trees < trees; g->forest.trees++)
        isolation_grow(&g->forest, g->forest.trees, &g->plot, &random);
    g->forest.normaliser = isolation_c(g->plot.samples);
}

static void samples_that_are_the_same_are_one_leaf(void **state)
{
    (void)state;
    struct grown *g = new_grown(50, 3);
    const float row[] = {0, 0, 0, 0};
    grow(g, 1);
    assert_true(fabs(forest_sum(&g->forest, row) - isolation_c(50)) < 1e-12);
    free(g);
}

/* Column 0 is constant, 1 parts them: one cut, and both are alone. */
static void two_samples_are_parted_by_the_column_in_which_they_differ(void **state)
{
    (void)state;
    struct grown *g = new_grown(2, 2);
    g->plot.sample[1][1] = 1.0f;
    grow(g, 20);
    for (uint32_t i = 0; i < 20; i++) {
        struct node root = g->node[i * ISOLATION_NODES];
        assert_int_equal(node_column(root), 1);
        assert_true(root.threshold >= 0.0f && root.threshold < 1.0f);
    }
    const float low[] = {0, 0, 0}, high[] = {0, 1, 0};
    assert_true(forest_sum(&g->forest, low) == 20 && forest_sum(&g->forest, high) == 20);
    free(g);
}

/* Neighbouring floats: whatever is drawn between, the lower goes left and the higher right. */
static void neighbouring_floats_are_parted(void **state)
{
    (void)state;
    struct grown *g = new_grown(2, 1);
    g->plot.sample[0][0] = 16777216.0f;
    g->plot.sample[0][1] = nextafterf(16777216.0f, INFINITY);
    grow(g, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_true(g->node[i * ISOLATION_NODES].threshold == 16777216.0f);
    free(g);
}

/* How many samples come to each leaf is what its cover says; no path is longer than 8. */
static void every_sample_is_in_the_leaf_that_counts_it(void **state)
{
    (void)state;
    struct grown *g = new_grown(256, 3);
    struct random random = {3};
    for (size_t c = 0; c < 3; c++)
        for (size_t i = 0; i < 256; i++)
            g->plot.sample[c][i] = (float)random_uniform(&random);
    grow(g, 1);
    uint32_t count[ISOLATION_NODES] = {0};
    for (size_t i = 0; i < 256; i++) {
        uint32_t at = 0, depth = 0;
        while (node_left(g->node[at]) != at) {
            float x = g->plot.sample[node_column(g->node[at])][i];
            at = node_left(g->node[at]) + !(x <= g->node[at].threshold);
            depth++;
        }
        count[at]++;
        assert_true(depth <= 8);
        assert_true(fabs(g->value[(uint32_t)g->node[at].threshold] -
                         (depth + isolation_c(g->cover[at]))) < 1e-12);
    }
    for (size_t at = 0; at < ISOLATION_NODES; at++)
        if (g->cover[at] > 0 && node_left(g->node[at]) == at)
            assert_int_equal(count[at], g->cover[at]);
    assert_int_equal(g->forest.steps[0], 8);
    free(g);
}

/* Uniform among columns: of 20 x 400 roots over 4 columns that differ, 2000 each. The bound is
 * chi-square with 3 degrees at p = 1e-4. */
static void columns_are_chosen_alike(void **state)
{
    (void)state;
    struct grown *g = new_grown(8, 5);
    struct random random = {11};
    double count[5] = {0}, chi = 0;
    for (size_t c = 1; c < 5; c++) /* column 0 is constant */
        for (size_t i = 0; i < 8; i++)
            g->plot.sample[c][i] = (float)(i << c);
    for (unsigned n = 0; n < 8000; n++) {
        isolation_grow(&g->forest, 0, &g->plot, &random);
        count[node_column(g->node[0])]++;
    }
    assert_true(count[0] == 0);
    for (size_t c = 1; c < 5; c++)
        chi += (count[c] - 2000) * (count[c] - 2000) / 2000;
    assert_true(chi < 21.1);
    free(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(c_is_the_mean_length_of_a_search_that_fails),
        cmocka_unit_test(a_walk_ends_where_the_hand_says),
        cmocka_unit_test(credits_add_up_to_the_path_saved),
        cmocka_unit_test(what_is_no_float_becomes_one),
        cmocka_unit_test(samples_that_are_the_same_are_one_leaf),
        cmocka_unit_test(two_samples_are_parted_by_the_column_in_which_they_differ),
        cmocka_unit_test(neighbouring_floats_are_parted),
        cmocka_unit_test(every_sample_is_in_the_leaf_that_counts_it),
        cmocka_unit_test(columns_are_chosen_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
