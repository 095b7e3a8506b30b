/* SPDX-License-Identifier: MIT */
/* model_write.c - writes models: models/README.md has the format, byte by byte. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "features/features.h"
#include "model/model_file.h"
#include "model/schema.h"
#include "util/error.h"
#include "util/io.h"

/* ---- numbers, little-endian ---- */

static void put(FILE *to, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        (void)fputc((int)(number >> (8 * i) & 0xff), to);
}

static void put_u32(FILE *to, uint64_t number)
{
    put(to, number, 4);
}

static void put_f32(FILE *to, float number)
{
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    put(to, bits, 4);
}

static void put_f64(FILE *to, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    put(to, bits, 8);
}

/* ---- sections ---- */

struct content {
    const struct nursery *nursery;
    const struct model *model;
    const char *metadata;
};

static bool put_meta(FILE *to, const struct content *c)
{
    (void)fputs(c->metadata, to);
    return true;
}

static bool put_features(FILE *to, const struct content *c)
{
    uint32_t width = c->model->forest.width;
    uint8_t fingerprint[SHA256_SIZE];
    if (!schema_fingerprint(c->model->column, width, fingerprint))
        return false;
    put_u32(to, width);
    put_u32(to, 0);
    (void)fwrite(fingerprint, 1, sizeof fingerprint, to);
    for (uint32_t i = 0; i < width; i++) {
        const char *name = feature_of((enum column)c->model->column[i])->name;
        put(to, strlen(name), 1);
        (void)fputs(name, to);
    }
    return true;
}

/* A tree grown in place has its nodes one after the other from its root, each pair of children
 * after their parent. */
static uint32_t nodes_of(const struct forest *forest, uint32_t root)
{
    uint32_t last = root;
    for (uint32_t i = root; i <= last; i++) {
        uint32_t left = node_left(forest->node[i]);
        if (left != i && left + 1 > last)
            last = left + 1;
    }
    return last - root + 1;
}

static void put_nodes(FILE *to, const struct forest *forest)
{
    uint32_t base = 0, leaf = 0;
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t root = forest->root[tree], count = nodes_of(forest, root);
        for (uint32_t i = root; i < root + count; i++) {
            struct node node = forest->node[i];
            bool is_leaf = node_left(node) == i;
            put_f32(to, is_leaf ? 0.0f : node_threshold(node));
            put_u32(to, is_leaf ? UINT32_MAX : node_column(node));
            put_u32(to, is_leaf ? leaf++ : node_left(node) - root + base);
            put_u32(to, forest->cover[i]);
        }
        base += count;
    }
}

static void put_values(FILE *to, const struct forest *forest)
{
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t root = forest->root[tree], count = nodes_of(forest, root);
        for (uint32_t i = root; i < root + count; i++)
            if (node_left(forest->node[i]) == i)
                put_f64(to, forest->value[forest->node[i].key]);
    }
}

static bool put_trees(FILE *to, const struct content *c)
{
    const struct forest *forest = &c->model->forest;
    uint32_t nodes = 0;
    for (uint32_t tree = 0; tree < forest->trees; tree++)
        nodes += nodes_of(forest, forest->root[tree]);
    put_u32(to, 1); /* an isolation forest */
    put_u32(to, forest->trees);
    put_u32(to, nodes);
    put_u32(to, (nodes + forest->trees) / 2); /* leaves: one more than splits in each tree */
    put_f64(to, forest->normaliser);
    put_u32(to, 4); /* thresholds are float */
    put_u32(to, 1); /* numbers for each leaf */
    uint32_t root = 0;
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        put_u32(to, root);
        root += nodes_of(forest, forest->root[tree]);
    }
    put_nodes(to, forest);
    put_values(to, forest);
    return true;
}

static bool put_scores(FILE *to, const struct content *c)
{
    put_u32(to, HELDOUT_BINS);
    for (size_t i = 0; i < HELDOUT_BINS; i++)
        put_u32(to, c->model->heldout.count[i]);
    return true;
}

static bool put_bins(FILE *to, const struct content *c)
{
    put_u32(to, c->model->forest.width);
    put_u32(to, COLUMN_BINS);
    for (uint32_t i = 0; i < c->model->forest.width; i++)
        for (size_t bin = 0; bin < COLUMN_BINS; bin++)
            put_u32(to, c->model->bins[i][bin]);
    return true;
}

/* Rows of the reservoir, evenly apart, and what they come to. */
static bool put_golden(FILE *to, const struct content *c)
{
    uint32_t width = c->model->forest.width;
    size_t rows = c->nursery->reservoir.rows;
    put_u32(to, MODEL_GOLDEN);
    put_u32(to, width);
    for (size_t i = 0; i < MODEL_GOLDEN; i++) {
        const float *row = c->nursery->row[i * rows / MODEL_GOLDEN];
        for (uint32_t column = 0; column < width; column++)
            put_f64(to, (double)row[column]);
        put_f64(to, forest_sum(&c->model->forest, row));
    }
    return true;
}

static const struct {
    char tag[9];
    bool (*put)(FILE *to, const struct content *content);
} sections[] = {
    {"META", put_meta},   {"FEAT", put_features}, {"TREE", put_trees},
    {"SCOR", put_scores}, {"BINS", put_bins},     {"GOLD", put_golden},
};

#define SECTIONS (sizeof sections / sizeof *sections)
#define HEADER   64

/* ---- the whole ---- */

static bool put_body(FILE *to, const struct content *content, long length[SECTIONS])
{
    for (size_t i = 0; i < SECTIONS; i++) {
        long begin = ftell(to);
        if (!sections[i].put(to, content))
            return false;
        length[i] = ftell(to) - begin;
        for (long rest = length[i]; rest % 8 != 0; rest++)
            (void)fputc(0, to);
    }
    return fflush(to) == 0 && !ferror(to);
}

/* The file's bytes, given; NULL when out of memory. */
static char *render(const struct content *content, size_t *length)
{
    char *body = NULL, *whole = NULL;
    size_t body_length = 0;
    long part[SECTIONS];
    FILE *to = open_memstream(&body, &body_length);
    bool good = to != NULL && put_body(to, content, part);
    if (to != NULL)
        good = fclose(to) == 0 && good;
    to = good ? open_memstream(&whole, length) : NULL;
    if (to != NULL) {
        uint8_t zero[HEADER] = {0};
        (void)fwrite(zero, 1, sizeof zero, to);
        for (size_t i = 0; i < SECTIONS; i++) {
            (void)fwrite(sections[i].tag, 1, 8, to);
            put(to, (uint64_t)part[i], 8);
        }
        (void)fwrite(body, 1, body_length, to);
        good = !ferror(to) && fclose(to) == 0;
    }
    free(body);
    if (good && to != NULL)
        return whole;
    free(whole);
    return NULL;
}

static void put_number(char *at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (char)(unsigned char)(number >> (8 * i));
}

static bool put_header(char *bytes, size_t length)
{
    uint8_t digest[SHA256_SIZE];
    memcpy(bytes, MODEL_MAGIC, 8);
    put_number(bytes + 8, MODEL_MAJOR, 2);
    put_number(bytes + 10, MODEL_MINOR, 2);
    put_number(bytes + 12, SECTIONS, 4);
    put_number(bytes + 16, length, 8);
    if (!sha256_of(bytes + HEADER, length - HEADER, digest))
        return false;
    memcpy(bytes + 24, digest, sizeof digest);
    return true;
}

/* On a full disk, or when the machine stops, what was there before stays. */
static int replace_file(const char *path, const char *bytes, size_t length, eddy_error *err)
{
    char beside[4096];
    int n = snprintf(beside, sizeof beside, "%s.new", path);
    if (n < 0 || (size_t)n >= sizeof beside)
        return error_set(err, EDDY_EIO, "%.60s...: the path is too long", path);
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return error_set(err, EDDY_EIO, "%s: %s", beside, strerror(errno));
    bool good = io_write(fd, bytes, length) && fsync(fd) == 0;
    int reason = errno;
    if (close(fd) != 0 && good) {
        good = false;
        reason = errno;
    }
    if (good && rename(beside, path) == 0)
        return EDDY_OK;
    reason = good ? errno : reason;
    (void)unlink(beside);
    return error_set(err, EDDY_EIO, "%s: %s", path, strerror(reason));
}

int model_file_write(const struct nursery *nursery, const char *metadata, const char *path,
                     eddy_error *err)
{
    struct content content = {nursery, nursery_model(nursery), metadata};
    size_t length = 0;
    char *bytes = render(&content, &length);
    if (bytes == NULL || !put_header(bytes, length)) {
        free(bytes);
        return error_nomem(err);
    }
    struct model_file *check = NULL; /* what we write, we can read */
    int status = model_file_parse(bytes, length, &check, NULL, err);
    model_file_free(check);
    if (status == EDDY_OK)
        status = replace_file(path, bytes, length, err);
    free(bytes);
    return status;
}
