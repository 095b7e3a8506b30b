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
                                .depth = {2, 0},
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

/* Keys are in the order of the floats, and lead back to them. */
static void keys_are_in_the_order_of_floats(void **state)
{
    (void)state;
    const float rising[] = {-INFINITY,    -FLT_MAX, -1.0f, -FLT_MIN,   -FLT_TRUE_MIN, 0.0f,
                            FLT_TRUE_MIN, FLT_MIN,  1.0f,  1.0000001f, FLT_MAX,       INFINITY};
    for (size_t i = 0; i < sizeof rising / sizeof *rising; i++) {
        assert_true(i == 0 || forest_key(rising[i - 1]) < forest_key(rising[i]));
        assert_true(forest_key(rising[i]) > 0 && forest_key(rising[i]) < FOREST_MISSING);
        assert_true(node_threshold(node_split(0, 0, rising[i])) == rising[i]);
    }
    assert_int_equal(forest_key(-0.0f), forest_key(0.0f));
    assert_int_equal(forest_key(NAN), FOREST_MISSING);
    assert_int_equal(forest_key(copysignf(NAN, -1.0f)), FOREST_MISSING);
}

/* ---- many rows and many trees ----
 *
 * Forests at random, walked in three ways: as one would write it down, row by row, in a batch. */

#define WIDE 7

struct wood {
    struct forest forest;
    struct random random;
    uint32_t nodes, leaves;
};

static struct wood *new_wood(uint64_t seed, uint32_t outputs, uint32_t trees, uint32_t nodes_each)
{
    struct wood *w = calloc(1, sizeof *w);
    size_t room = (size_t)trees * nodes_each;
    assert_non_null(w);
    w->random.state = seed;
    w->forest = (struct forest){.width = WIDE,
                                .outputs = outputs,
                                .node = calloc(room, sizeof(struct node)),
                                .missing_left = calloc(room, 1),
                                .value = calloc(room * outputs, sizeof(double))};
    return w;
}

static void free_wood(struct wood *w)
{
    free(w->forest.node);
    free(w->forest.missing_left);
    free(w->forest.value);
    free(w);
}

/* Values have all the bits a double has, so that another order of adding shows. */
static void put_leaf(struct wood *w, uint32_t at)
{
    struct forest *f = &w->forest;
    f->node[at] = node_leaf(at, WIDE, w->leaves);
    for (uint32_t i = 0; i < f->outputs; i++)
        f->value[(size_t)w->leaves * f->outputs + i] = random_uniform(&w->random) - 0.25;
    w->leaves++;
}

/* Thresholds are few, so that rows are often right on one. */
static void put_split(struct wood *w, uint32_t at)
{
    uint32_t column = (uint32_t)random_below(&w->random, WIDE);
    float threshold = ((float)random_below(&w->random, 21) - 10.0f) / 4.0f;
    w->forest.missing_left[at] = (uint8_t)random_below(&w->random, 2);
    w->forest.node[at] = node_split(w->nodes, column, threshold);
    w->nodes += 2;
}

/* A chain `depth` deep with a leaf beside each step; 0 is a single leaf. Which child goes on is
 * drawn, unless `left`. */
static void add_chain(struct wood *w, unsigned depth, bool left)
{
    uint32_t at = w->nodes++;
    w->forest.root[w->forest.trees] = at;
    w->forest.depth[w->forest.trees++] = (uint8_t)depth;
    for (; depth > 0; depth--) {
        put_split(w, at);
        if (left) /* always so, for rows of numbers */
            w->forest.node[at].key = forest_key(FLT_MAX);
        uint32_t pair = node_left(w->forest.node[at]);
        uint32_t right = left ? 0 : (uint32_t)random_below(&w->random, 2);
        put_leaf(w, pair + 1 - right);
        at = pair + right;
    }
    put_leaf(w, at);
}

/* Each node of each level is split, or becomes a leaf one time in eight. */
static void add_bush(struct wood *w, unsigned depth)
{
    uint32_t begin = w->nodes++, end = w->nodes;
    w->forest.root[w->forest.trees] = begin;
    unsigned level = 0;
    for (; begin < end && level < depth; level++) {
        for (uint32_t at = begin; at < end; at++) {
            if (at > w->forest.root[w->forest.trees] && random_below(&w->random, 8) == 0)
                put_leaf(w, at);
            else
                put_split(w, at);
        }
        begin = end;
        end = w->nodes;
    }
    for (uint32_t at = begin; at < end; at++)
        put_leaf(w, at);
    w->forest.depth[w->forest.trees++] = (uint8_t)level;
}

/* As one would write it down. */
static void sums_by_the_book(const struct forest *f, const float *row, double *sums)
{
    for (uint32_t tree = 0; tree < f->trees; tree++) {
        uint32_t at = f->root[tree];
        while (node_left(f->node[at]) != at) {
            struct node node = f->node[at];
            float x = row[node_column(node)];
            bool left = isnan(x) ? f->missing_left != NULL && f->missing_left[at] != 0
                                 : x <= node_threshold(node);
            at = node_left(node) + (left ? 0 : 1);
        }
        for (uint32_t i = 0; i < f->outputs; i++)
            sums[i] += f->value[(size_t)f->node[at].key * f->outputs + i];
    }
}

#define MANY FOREST_BATCH

static void draw_rows(struct random *random, float *rows, bool gaps)
{
    static const float odd[] = {-0.0f, FLT_MAX, -FLT_MAX, FLT_TRUE_MIN, INFINITY};
    for (size_t i = 0; i < MANY * (WIDE + 1); i++) {
        rows[i] = ((float)random_below(random, 25) - 12.0f) / 4.0f;
        if (random_below(random, 30) == 0)
            rows[i] = odd[random_below(random, sizeof odd / sizeof *odd)];
        if (gaps && random_below(random, 20) == 0)
            rows[i] = NAN;
    }
}

/* Three ways, the same bits, whatever the count of rows; what is not asked for is not written. */
static void all_ways_agree(struct wood *w, bool gaps)
{
    static const size_t counts[] = {0, 1, 15, 16, 17, 300, MANY};
    static float rows[MANY * (WIDE + 1)];
    static uint32_t keys[MANY * FOREST_COLUMNS];
    static double book[(MANY + 1) * FOREST_OUTPUTS], batch[(MANY + 1) * FOREST_OUTPUTS];
    uint32_t outputs = w->forest.outputs;
    draw_rows(&w->random, rows, gaps);
    for (size_t n = 0; n < sizeof counts / sizeof *counts; n++) {
        size_t count = counts[n];
        for (size_t i = 0; i < (count + 1) * outputs; i++)
            book[i] = batch[i] = 0.125;
        for (size_t i = 0; i < count; i++) {
            double one[FOREST_OUTPUTS];
            memcpy(one, book + i * outputs, outputs * sizeof *one);
            sums_by_the_book(&w->forest, rows + i * (WIDE + 1), book + i * outputs);
            forest_sums(&w->forest, rows + i * (WIDE + 1), one);
            assert_memory_equal(one, book + i * outputs, outputs * sizeof *one);
        }
        for (size_t i = 0; i < count; i++)
            forest_keys(&w->forest, rows + i * (WIDE + 1), keys + i * FOREST_COLUMNS);
        forest_sums_batch(&w->forest, keys, count, batch);
        assert_memory_equal(batch, book, (count + 1) * outputs * sizeof *book);
    }
}

static void each_way_to_walk_comes_to_the_same_bits(void **state)
{
    (void)state;
    static const uint32_t outputs[] = {1, 2, 3, 7, 64}, trees[] = {1, 19, 20, 21, 45};
    for (size_t o = 0; o < 5; o++) {
        for (size_t t = 0; t < 5; t++) {
            struct wood *w = new_wood(o * 5 + t + 1, outputs[o], trees[t], 1024);
            while (w->forest.trees < trees[t])
                add_bush(w, (unsigned)random_below(&w->random, 9));
            all_ways_agree(w, false);
            all_ways_agree(w, true);
            uint8_t *sides = w->forest.missing_left;
            w->forest.missing_left = NULL; /* what is missing goes right */
            all_ways_agree(w, true);
            w->forest.missing_left = sides;
            free_wood(w);
        }
    }
}

static void a_thousand_trees_and_more_are_walked(void **state)
{
    (void)state;
    struct wood *w = new_wood(5, 2, FOREST_TREES, 64);
    while (w->forest.trees < FOREST_TREES)
        add_bush(w, (unsigned)random_below(&w->random, 5));
    all_ways_agree(w, false);
    all_ways_agree(w, true);
    free_wood(w);
}

static void the_deepest_and_the_flattest_trees_are_walked(void **state)
{
    (void)state;
    struct wood *w = new_wood(9, 3, 23, 2 * 255 + 1);
    for (unsigned i = 0; i < 23; i++)
        add_chain(w, i % 5 == 0 ? 255 : i % 5 == 1 ? 0 : i, i % 2 == 0);
    all_ways_agree(w, false);
    all_ways_agree(w, true);
    free_wood(w);
    w = new_wood(10, 1, 1, 1); /* nothing but one leaf */
    add_chain(w, 0, false);
    all_ways_agree(w, true);
    free_wood(w);
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
        assert_true(node_threshold(root) >= 0.0f && node_threshold(root) < 1.0f);
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
        assert_true(node_threshold(g->node[i * ISOLATION_NODES]) == 16777216.0f);
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
            at = node_left(g->node[at]) + !(x <= node_threshold(g->node[at]));
            depth++;
        }
        count[at]++;
        assert_true(depth <= 8);
        assert_true(fabs(g->value[g->node[at].key] - (depth + isolation_c(g->cover[at]))) < 1e-12);
    }
    for (size_t at = 0; at < ISOLATION_NODES; at++)
        if (g->cover[at] > 0 && node_left(g->node[at]) == at)
            assert_int_equal(count[at], g->cover[at]);
    assert_int_equal(g->forest.depth[0], 8);
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
        cmocka_unit_test(keys_are_in_the_order_of_floats),
        cmocka_unit_test(each_way_to_walk_comes_to_the_same_bits),
        cmocka_unit_test(a_thousand_trees_and_more_are_walked),
        cmocka_unit_test(the_deepest_and_the_flattest_trees_are_walked),
        cmocka_unit_test(samples_that_are_the_same_are_one_leaf),
        cmocka_unit_test(two_samples_are_parted_by_the_column_in_which_they_differ),
        cmocka_unit_test(neighbouring_floats_are_parted),
        cmocka_unit_test(every_sample_is_in_the_leaf_that_counts_it),
        cmocka_unit_test(columns_are_chosen_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
