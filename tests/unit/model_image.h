/* SPDX-License-Identifier: MIT */
/* model_image.h - model files for tests: drawn by hand or at random, with whatever in them, and
 * what rows come to, worked out the plain way in doubles, without any code of libeddy's. */
#pragma once

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "features/features.h"
#include "model/model_file.h"
#include "model/schema.h"
#include "random.h"

#define DRAWN_NODES   140000
#define DRAWN_TREES   FOREST_TREES
#define DRAWN_ROWS    200
#define DRAWN_CLASSES 66 /* more than there may be */
#define DRAWN_LEAF    UINT32_MAX
#define DRAWN_LEFT    (UINT32_C(1) << 31) /* in a column: what is missing goes left */

struct drawn_node {
    double threshold;
    uint32_t column, left, cover;
};

struct drawing {
    const char *metadata;
    uint32_t kind, threshold_size, outputs, width;
    uint32_t trees, nodes, leaves, rows;
    double normaliser;
    uint32_t root[DRAWN_TREES];
    struct drawn_node node[DRAWN_NODES];
    double value[DRAWN_NODES * 8]; /* `outputs` of each leaf */
    uint32_t classes, benign;      /* classes 0: no CLAS */
    double alert, weight;
    char name[DRAWN_CLASSES][80], technique[DRAWN_CLASSES][24];
    uint32_t bases; /* 0: no BASE */
    double base[FOREST_OUTPUTS + 1];
    double row[DRAWN_ROWS][FOREST_COLUMNS];
    uint8_t column[FOREST_COLUMNS + 1]; /* of features.def */
    uint32_t held_out;                  /* flows in each bin of scores */
};

/* The bytes of a model file. */
struct image {
    size_t length;
    unsigned char bytes[4000000];
};

/* ---- what rows come to ---- */

static inline double drawn_number(const struct drawing *d, double x)
{
    if (isnan(x))
        return x;
    x = x > (double)FLT_MAX ? (double)FLT_MAX : x < -(double)FLT_MAX ? -(double)FLT_MAX : x;
    return d->threshold_size == 4 ? (double)(float)x : x;
}

/* NaN where the walk does not end. */
static inline void drawn_sums(const struct drawing *d, const double *row, double *sums)
{
    for (uint32_t i = 0; i < d->outputs && i < FOREST_OUTPUTS; i++)
        sums[i] = i < d->bases ? d->base[i] : 0.0;
    for (uint32_t tree = 0; tree < d->trees; tree++) {
        uint32_t at = d->root[tree], steps = 0;
        while (at < d->nodes && d->node[at].column != DRAWN_LEAF && steps++ < DRAWN_NODES) {
            const struct drawn_node *node = &d->node[at];
            double x = drawn_number(d, row[(node->column & ~DRAWN_LEFT) % FOREST_COLUMNS]);
            bool left = isnan(x) ? (node->column & DRAWN_LEFT) != 0 : x <= node->threshold;
            at = node->left + !left;
        }
        uint32_t leaf = at < d->nodes ? d->node[at].left : 0;
        for (uint32_t i = 0; i < d->outputs && i < FOREST_OUTPUTS; i++)
            sums[i] += leaf < d->leaves ? d->value[(size_t)leaf * d->outputs + i] : NAN;
    }
}

/* ---- bytes ---- */

static inline void image_put(struct image *image, uint64_t number, unsigned size)
{
    if (image->length + size > sizeof image->bytes)
        abort();
    for (unsigned i = 0; i < size; i++)
        image->bytes[image->length++] = (unsigned char)(number >> (8 * i));
}

static inline void image_f64(struct image *image, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    image_put(image, bits, 8);
}

static inline void image_f32(struct image *image, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    image_put(image, bits, 4);
}

static inline void image_text(struct image *image, const char *text)
{
    image_put(image, strlen(text), 1);
    for (; *text != '\0'; text++)
        image_put(image, (unsigned char)*text, 1);
}

static inline void image_set(struct image *image, size_t at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        image->bytes[at + i] = (unsigned char)(number >> (8 * i));
}

static inline uint64_t image_number(const struct image *image, size_t at, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = size; i-- > 0;)
        number = number << 8 | image->bytes[at + i];
    return number;
}

/* After a change: the length and SHA-256 that it then has. */
static inline void image_seal(struct image *image)
{
    image_set(image, 16, image->length, 8);
    if (!sha256_of(image->bytes + 64, image->length - 64, image->bytes + 24))
        abort();
}

/* Where a section's contents begin, and the place of its length in the table; 0 if it has none. */
static inline size_t image_section(const struct image *image, const char *tag, size_t *length_at)
{
    size_t count = (size_t)image_number(image, 12, 4), at = 64 + count * 16;
    for (size_t i = 0; i < count; i++) {
        if (memcmp(image->bytes + 64 + i * 16, tag, 4) == 0) {
            *length_at = 64 + i * 16 + 8;
            return at;
        }
        at += (size_t)(image_number(image, 64 + i * 16 + 8, 8) + 7) / 8 * 8;
    }
    return 0;
}

/* ---- sections ---- */

static inline void draw_features(struct image *image, const struct drawing *d)
{
    uint8_t digest[SHA256_SIZE];
    if (!schema_fingerprint(d->column, d->width, digest))
        abort();
    image_put(image, d->width, 8);
    for (size_t i = 0; i < sizeof digest; i++)
        image_put(image, digest[i], 1);
    for (uint32_t i = 0; i < d->width; i++)
        image_text(image, feature_of((enum column)d->column[i])->name);
}

static inline void draw_trees(struct image *image, const struct drawing *d)
{
    const uint32_t head[] = {d->kind, d->trees, d->nodes, d->leaves};
    for (size_t i = 0; i < 4; i++)
        image_put(image, head[i], 4);
    image_f64(image, d->normaliser);
    image_put(image, d->threshold_size, 4);
    image_put(image, d->outputs, 4);
    for (uint32_t i = 0; i < d->trees; i++)
        image_put(image, d->root[i], 4);
    for (uint32_t i = 0; i < d->nodes; i++) {
        const struct drawn_node *node = &d->node[i];
        if (d->threshold_size == 8)
            image_f64(image, node->threshold);
        else
            image_f32(image, (float)node->threshold);
        image_put(image, node->column, 4);
        image_put(image, node->left, 4);
        image_put(image, node->cover, d->threshold_size); /* of 8: and 0 */
    }
    for (uint32_t i = 0; i < d->leaves * d->outputs; i++)
        image_f64(image, d->value[i]);
}

static inline void draw_classes(struct image *image, const struct drawing *d)
{
    image_put(image, d->classes, 4);
    image_put(image, d->benign, 4);
    image_f64(image, d->alert);
    image_f64(image, d->weight);
    for (uint32_t i = 0; i < d->classes; i++) {
        image_text(image, d->name[i]);
        image_text(image, d->technique[i]);
    }
}

static inline void draw_bins(struct image *image, const struct drawing *d)
{
    image_put(image, d->width, 4);
    image_put(image, COLUMN_BINS, 4);
    for (uint32_t i = 0; i < d->width * COLUMN_BINS; i++)
        image_put(image, i, 4);
}

static inline void draw_golden(struct image *image, const struct drawing *d)
{
    double sums[FOREST_OUTPUTS];
    image_put(image, d->rows, 4);
    image_put(image, d->width, 4);
    for (uint32_t row = 0; row < d->rows; row++) {
        drawn_sums(d, d->row[row], sums);
        for (uint32_t i = 0; i < d->width; i++)
            image_f64(image, d->row[row][i]);
        for (uint32_t i = 0; i < d->outputs && i < FOREST_OUTPUTS; i++)
            image_f64(image, sums[i]);
    }
}

static inline void draw_section(struct image *image, const struct drawing *d, const char *tag)
{
    if (strcmp(tag, "META") == 0)
        for (const char *at = d->metadata; *at != '\0'; at++)
            image_put(image, (unsigned char)*at, 1);
    if (strcmp(tag, "FEAT") == 0)
        draw_features(image, d);
    if (strcmp(tag, "TREE") == 0)
        draw_trees(image, d);
    if (strcmp(tag, "CLAS") == 0)
        draw_classes(image, d);
    for (uint32_t i = 0; i < d->bases && strcmp(tag, "BASE") == 0; i++)
        image_f64(image, d->base[i]);
    for (uint32_t i = 0; i <= HELDOUT_BINS && strcmp(tag, "SCOR") == 0; i++)
        image_put(image, i == 0 ? HELDOUT_BINS : d->held_out, 4);
    if (strcmp(tag, "BINS") == 0)
        draw_bins(image, d);
    if (strcmp(tag, "GOLD") == 0)
        draw_golden(image, d);
}

/* Given. */
static inline struct image *drawing_image(const struct drawing *d)
{
    static const char *const tags[] = {"META", "FEAT", "TREE", "CLAS",
                                       "BASE", "SCOR", "BINS", "GOLD"};
    struct image *image = calloc(1, sizeof *image);
    size_t count = 6u + (d->classes > 0) + (d->bases > 0), entry = 64;
    if (image == NULL)
        abort();
    memcpy(image->bytes, MODEL_MAGIC, 8);
    image_set(image, 8, MODEL_MAJOR | MODEL_MINOR << 16, 4);
    image_set(image, 12, count, 4);
    image->length = 64 + count * 16;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if ((strcmp(tags[i], "CLAS") == 0 && d->classes == 0) ||
            (strcmp(tags[i], "BASE") == 0 && d->bases == 0))
            continue;
        size_t begin = image->length;
        draw_section(image, d, tags[i]);
        memcpy(image->bytes + entry, tags[i], 4);
        image_set(image, entry + 8, image->length - begin, 8);
        entry += 16;
        image_put(image, 0, (unsigned)(-(image->length - begin) % 8));
    }
    image_seal(image);
    return image;
}

/* ---- drawings ---- */

static inline uint32_t drawing_leaf(struct drawing *d, struct rng *rng)
{
    double sum = 0.0, *value = d->value + (size_t)d->leaves * d->outputs;
    for (uint32_t i = 0; i < d->outputs; i++)
        sum += value[i] = rng_uniform(rng);
    for (uint32_t i = 0; i < d->outputs; i++)
        value[i] = d->kind == MODEL_CLASSES   ? value[i] / sum
                   : d->kind == MODEL_BOOSTED ? 4.0 * value[i] - 2.0
                                              : 20.0 * value[i];
    return d->leaves++;
}

static inline double drawing_threshold(const struct drawing *d, struct rng *rng)
{
    static const double odd[] = {0.0,   -0.0,  0.1,    1.0 / 3.0, 5e-324,
                                 1e-40, 1e300, -1e300, 16777217.0};
    double x = (rng_uniform(rng) - 0.3) * pow(10.0, (double)rng_below(rng, 6) - 3.0);
    if (rng_below(rng, 8) == 0)
        x = odd[rng_below(rng, sizeof odd / sizeof *odd)];
    if (d->threshold_size == 4)
        x = fabs(x) > (double)FLT_MAX ? 1.0 : (double)(float)x;
    return x;
}

/* A tree of up to so many splits, drawn breadth first. */
static inline void drawing_tree(struct drawing *d, uint32_t splits, struct rng *rng)
{
    uint32_t first = d->nodes++;
    d->root[d->trees++] = first;
    for (uint32_t i = first; i < d->nodes; i++) {
        struct drawn_node *node = &d->node[i];
        *node =
            (struct drawn_node){.column = DRAWN_LEAF, .cover = 1 + (uint32_t)rng_below(rng, 99)};
        if (splits > 0 && d->nodes + 2 <= DRAWN_NODES &&
            (i == d->nodes - 1 || rng_below(rng, 4) > 0)) {
            splits--;
            node->threshold = drawing_threshold(d, rng);
            node->column =
                (uint32_t)rng_below(rng, d->width) | (rng_below(rng, 2) ? DRAWN_LEFT : 0);
            node->left = d->nodes;
            d->nodes += 2;
        } else {
            node->left = drawing_leaf(d, rng);
        }
    }
}

/* A tree of so many splits one below the other, each with a leaf on its right; all leaves have the
 * value 0. */
static inline void drawing_chain(struct drawing *d, uint32_t splits)
{
    uint32_t at = d->nodes;
    d->root[d->trees++] = at;
    d->nodes += 2 * splits + 1;
    for (uint32_t i = at; i < d->nodes; i++)
        d->node[i] = (struct drawn_node){.column = DRAWN_LEAF, .cover = 1};
    for (; splits > 0; splits--) {
        uint32_t left = at == d->root[d->trees - 1] ? at + 1 : at + 2;
        d->node[at] = (struct drawn_node){.threshold = splits, .left = left, .cover = 1};
        at = left;
    }
}

/* A value that is or is nearly some threshold's, or odd. */
static inline double drawing_value(const struct drawing *d, struct rng *rng)
{
    static const double odd[] = {NAN,    INFINITY, -INFINITY, 0.0,  -0.0,
                                 5e-324, 3.5e38,   -3.5e38,   1e301};
    const struct drawn_node *node = &d->node[rng_below(rng, d->nodes)];
    switch (rng_below(rng, 8)) {
    case 0:
        return odd[rng_below(rng, sizeof odd / sizeof *odd)];
    case 1:
        return nextafter(node->threshold, INFINITY);
    case 2:
        return nextafter(node->threshold, -INFINITY);
    case 3:
        return fabs(node->threshold) < 1e30 ? (double)(float)node->threshold : 0.0;
    case 4:
        return fabs(node->threshold) < 1e30 ? (double)nextafterf((float)node->threshold, -INFINITY)
                                            : 0.0;
    case 5:
        return rng_uniform(rng) * 30.0;
    default:
        return node->threshold;
    }
}

struct sketch {
    uint32_t kind, threshold_size, classes, width, trees, splits;
};

/* A model of random trees and adversarial golden rows. Given. */
static inline struct drawing *drawing_new(const struct sketch *s, uint64_t seed)
{
    struct drawing *d = calloc(1, sizeof *d);
    struct rng rng = {seed};
    if (d == NULL)
        abort();
    d->metadata = "{\"name\":\"drawn\",\"version\":\"1\",\"trained_us\":1700000000000000}";
    d->kind = s->kind;
    d->threshold_size = s->threshold_size;
    d->width = s->width;
    d->classes = s->kind == MODEL_ISOLATION ? 0 : s->classes;
    d->outputs = s->kind == MODEL_ISOLATION || (s->kind == MODEL_BOOSTED && s->classes == 2)
                     ? 1
                     : s->classes;
    d->normaliser = s->kind == MODEL_ISOLATION ? 10.0 : 1.0;
    d->held_out = 1;
    for (uint32_t i = 0; i <= FOREST_COLUMNS; i++)
        d->column[i] = (uint8_t)(i % COLUMN_COUNT);
    d->alert = 0.75;
    d->weight = 200.0;
    for (uint32_t i = 0; i < d->classes; i++) {
        d->name[i][0] = (char)('A' + i % 26);
        d->name[i][1] = (char)('a' + i / 26);
        memcpy(d->technique[i], "T1046", i % 2 * 5);
    }
    d->bases = s->kind == MODEL_BOOSTED ? d->outputs : 0;
    for (uint32_t i = 0; i < d->bases; i++)
        d->base[i] = rng_uniform(&rng) - 0.5;
    for (uint32_t i = 0; i < s->trees; i++)
        drawing_tree(d, s->splits, &rng);
    d->rows = DRAWN_ROWS;
    for (uint32_t row = 0; row < d->rows; row++)
        for (uint32_t i = 0; i < d->width; i++)
            d->row[row][i] = drawing_value(d, &rng);
    return d;
}
