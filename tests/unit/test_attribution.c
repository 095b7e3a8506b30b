/* SPDX-License-Identifier: MIT */
/* test_attribution.c - credits against numbers worked by hand; they add up; reading is bounded. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/attribution.h"
#include "random.h"

#define NEAR(a, b) assert_true(fabs((a) - (b)) < 1e-6)

/* Ten samples, two classes; the share of the second:
 *
 *            0: x <= 5                10 samples   (6 * 0 + 2 * 0.5 + 2 * 1) / 10 = 0.3
 *           /         \
 *      1: y <= 2     2: leaf 1         8 samples   (6 * 0 + 2 * 0.5) / 8 = 0.125;  2 samples, 1
 *      /       \
 *  3: leaf 0   4: leaf 0.5             6 samples, 0;  2 samples, 0.5
 *
 * and a tree that is one leaf, 0.25. */
struct small {
    struct forest forest;
    struct node node[6];
    double value[8];
    uint32_t cover[6];
    uint8_t missing_left[6];
};

static void plant(struct small *s, uint32_t trees)
{
    *s = (struct small){
        .node = {node_split(1, 0, 5.0f), node_split(3, 1, 2.0f), node_leaf(2, 2, 0),
                 node_leaf(3, 2, 1), node_leaf(4, 2, 2), node_leaf(5, 2, 3)},
        .value = {0, 1, 1, 0, 0.5, 0.5, 0.75, 0.25},
        .cover = {10, 8, 2, 6, 2, 10},
        .missing_left = {1},
    };
    s->forest = (struct forest){.trees = trees,
                                .width = 2,
                                .outputs = 2,
                                .root = {0, 5},
                                .depth = {2},
                                .node = s->node,
                                .value = s->value,
                                .cover = s->cover,
                                .missing_left = s->missing_left,
                                .normaliser = 1};
}

static void credits_are_what_the_hand_says(void **state)
{
    (void)state;
    struct small s;
    double credit[2];
    plant(&s, 1);
    const float right[] = {9, 0, 0}, left[] = {1, 3, 0};
    assert_int_equal(attribution(&s.forest, right, 1, credit), 1);
    NEAR(credit[0], 0.7); /* from 0.3 to 1 */
    assert_true(credit[1] == 0);
    (void)attribution(&s.forest, left, 1, credit);
    NEAR(credit[0], -0.175); /* from 0.3 to 0.125 */
    NEAR(credit[1], 0.375);  /* to 0.5 */
    (void)attribution(&s.forest, left, 0, credit);
    NEAR(credit[0], 0.175); /* what the other class loses */
    NEAR(credit[1], -0.375);
}

static void credits_are_the_mean_over_the_trees(void **state)
{
    (void)state;
    struct small s;
    double credit[2];
    plant(&s, 2);
    const float right[] = {9, 0, 0};
    assert_int_equal(attribution(&s.forest, right, 1, credit), 2);
    NEAR(credit[0], 0.35);
}

static void what_is_missing_goes_where_the_trainer_said(void **state)
{
    (void)state;
    struct small s;
    double credit[2];
    plant(&s, 1);
    const float gap[] = {NAN, 0, 0};
    (void)attribution(&s.forest, gap, 1, credit);
    NEAR(credit[0], -0.175);
    NEAR(credit[1], -0.125); /* from 0.125 to 0 */
    s.forest.missing_left = NULL;
    (void)attribution(&s.forest, gap, 1, credit);
    NEAR(credit[0], 0.7);
}

static void leaves_that_know_of_no_samples_weigh_the_same(void **state)
{
    (void)state;
    struct small s;
    double credit[2];
    plant(&s, 1);
    memset(s.cover, 0, sizeof s.cover);
    const float right[] = {9, 0, 0};
    (void)attribution(&s.forest, right, 1, credit);
    NEAR(credit[0], 0.5); /* from (0 + 0.5 + 1) / 3 */
}

/* ---- larger ones ---- */

#define TREES 40
#define DEEP  12
#define NODES ((2 << DEEP) - 1) /* 8191 */

struct large {
    struct forest forest;
    struct node node[TREES * NODES];
    double value[TREES << DEEP];
    uint32_t cover[TREES * NODES];
};

/* Full trees: the children of node i are 2 i + 1 and 2 i + 2. */
static struct large *grow(struct rng *rng)
{
    struct large *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->forest = (struct forest){.trees = TREES,
                                .width = 5,
                                .outputs = 1,
                                .node = l->node,
                                .value = l->value,
                                .cover = l->cover};
    for (uint32_t tree = 0; tree < TREES; tree++) {
        uint32_t root = l->forest.root[tree] = tree * NODES;
        l->forest.depth[tree] = DEEP;
        for (uint32_t i = 0; i < NODES; i++) {
            uint32_t leaf = (tree << DEEP) + i - NODES / 2;
            l->cover[root + i] = 1 + (uint32_t)rng_below(rng, 9);
            if (i < NODES / 2)
                l->node[root + i] = node_split(root + 2 * i + 1, (uint32_t)rng_below(rng, 5),
                                               (float)rng_uniform(rng));
            else
                l->node[root + i] = node_leaf(root + i, 5, leaf);
            if (i >= NODES / 2)
                l->value[leaf] = rng_uniform(rng);
        }
    }
    return l;
}

/* Worked out another way: all leaves of one tree, weighed. */
static double mean_of(const struct large *l, uint32_t tree)
{
    double weight = 0, value = 0;
    for (uint32_t i = NODES / 2; i < NODES; i++) {
        uint32_t at = tree * NODES + i;
        weight += l->cover[at];
        value += l->cover[at] * l->value[l->node[at].key];
    }
    return value / weight;
}

static void credits_add_up_to_the_answer_less_the_mean(void **state)
{
    (void)state;
    struct rng rng = {1};
    struct large *l = grow(&rng);
    l->forest.trees = 7; /* as many as are read */
    for (unsigned n = 0; n < 50; n++) {
        float row[6] = {0};
        double credit[5], sum = 0, mean = 0;
        for (unsigned i = 0; i < 5; i++)
            row[i] = (float)rng_uniform(&rng);
        assert_int_equal(attribution(&l->forest, row, 0, credit), 7);
        for (unsigned i = 0; i < 5; i++)
            sum += credit[i];
        for (uint32_t tree = 0; tree < 7; tree++)
            mean += mean_of(l, tree) / 7;
        NEAR(sum, forest_sum(&l->forest, row) / 7 - mean);
    }
    free(l);
}

static void of_a_large_forest_a_part_is_read(void **state)
{
    (void)state;
    struct rng rng = {2};
    struct large *l = grow(&rng);
    float row[6] = {0.3f, 0.6f, 0.1f, 0.9f, 0.5f, 0};
    double credit[5];
    uint32_t read = attribution(&l->forest, row, 0, credit);
    assert_in_range(read, ATTRIBUTION_NODES / NODES - 1, ATTRIBUTION_NODES / NODES + 1);
    for (unsigned i = 0; i < 5; i++)
        assert_true(fabs(credit[i]) <= 1);
    free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credits_are_what_the_hand_says),
        cmocka_unit_test(credits_are_the_mean_over_the_trees),
        cmocka_unit_test(what_is_missing_goes_where_the_trainer_said),
        cmocka_unit_test(leaves_that_know_of_no_samples_weigh_the_same),
        cmocka_unit_test(credits_add_up_to_the_answer_less_the_mean),
        cmocka_unit_test(of_a_large_forest_a_part_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
