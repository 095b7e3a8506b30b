/* SPDX-License-Identifier: MIT */
/* model_file.c - reads models. Whoever sends one may have written any byte of it: nothing is used
 * before it was checked, and nothing is allocated that the file's own length does not allow. */
#include "model/model_file.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ingest/json.h"
#include "model/schema.h"
#include "model/wire.h"
#include "util/arena.h"
#include "util/error.h"
#include "util/io.h"
#include "util/text.h"

const char *const model_fault_names[MODEL_FAULT_COUNT] = {"none",      "unreadable", "damaged",
                                                          "malformed", "features",   "golden_rows"};

/* One file on its way in. */
struct reading {
    struct model_file *file;
    struct wire section[6]; /* in the order of `tags` */
    enum model_fault fault;
    eddy_error *err;
};

enum section { META, FEAT, TREE, SCOR, BINS, GOLD };
static const char tags[][5] = {"META", "FEAT", "TREE", "SCOR", "BINS", "GOLD"};

#define SECTIONS     (sizeof tags / sizeof *tags)
#define SECTIONS_MAX 64 /* with those of later minor versions, which are passed over */

static int blame(struct reading *r, enum model_fault fault, int status)
{
    r->fault = fault;
    return status;
}

static int refuse(struct reading *r, enum model_fault fault, const char *what)
{
    int status = fault == MODEL_FEATURES ? EDDY_ECONFIG : EDDY_EINPUT;
    return error_set(r->err, blame(r, fault, status), "%s", what);
}

/* ---- header and sections ---- */

static int read_header(struct reading *r, struct wire *all, uint32_t *sections)
{
    const uint8_t *begin = all->at;
    uint8_t digest[SHA256_SIZE];
    size_t length = all->left;
    const uint8_t *magic = wire_bytes(all, 8);
    if (magic == NULL || memcmp(magic, MODEL_MAGIC, 8) != 0)
        return refuse(r, MODEL_DAMAGED, "not an eddy model file");
    uint32_t major = wire_u16(all);
    (void)wire_u16(all); /* minor: what it adds can be passed over */
    *sections = wire_u32(all);
    uint64_t told = wire_u64(all);
    const uint8_t *expected = wire_bytes(all, SHA256_SIZE);
    (void)wire_u64(all);
    if (!wire_good(all) || major != MODEL_MAJOR)
        return refuse(r, MODEL_DAMAGED, "of a version this eddy does not read");
    if (told != length)
        return refuse(r, MODEL_DAMAGED, "cut short, or longer than it says");
    if (!sha256_of(begin + 64, length - 64, digest) || memcmp(digest, expected, SHA256_SIZE) != 0)
        return refuse(r, MODEL_DAMAGED, "not what its SHA-256 says: damaged on the way");
    return EDDY_OK;
}

static int read_sections(struct reading *r, struct wire all, uint32_t count)
{
    struct wire body = all;
    if (count > SECTIONS_MAX || wire_bytes(&body, count * (size_t)16) == NULL)
        return refuse(r, MODEL_MALFORMED, "more sections than there is room for");
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *tag = wire_bytes(&all, 8);
        uint64_t length = wire_u64(&all);
        struct wire section = wire_part(&body, length);
        if (!wire_good(&body))
            return refuse(r, MODEL_MALFORMED, "a section is longer than the file");
        for (size_t known = 0; known < SECTIONS; known++) {
            if (memcmp(tag, tags[known], 4) != 0)
                continue;
            if (r->section[known].at != NULL)
                return refuse(r, MODEL_MALFORMED, "a section comes twice");
            r->section[known] = section;
        }
    }
    for (size_t known = 0; known < SECTIONS; known++)
        if (r->section[known].at == NULL)
            return refuse(r, MODEL_MALFORMED, "a section is missing");
    return EDDY_OK;
}

/* ---- metadata ---- */

enum { KEY_NAME = 2, KEY_VERSION, KEY_TRAINED };

static unsigned meta_key(unsigned inside, const char *text, size_t length)
{
    static const char *const names[] = {"name", "version", "trained_us"};
    for (unsigned i = 0; inside == JSON_TOP && i < 3; i++)
        if (strlen(names[i]) == length && memcmp(names[i], text, length) == 0)
            return KEY_NAME + i;
    return JSON_UNWANTED;
}

static void copy_text(char *out, size_t size, const char *text, size_t length)
{
    size_t n = 0;
    for (; n < length && n < size - 1; n++) /* it becomes a label and goes to terminals */
        out[n] = (char)(text[n] >= ' ' && text[n] < 0x7f ? text[n] : '?');
    out[n] = '\0';
}

static void meta_value(void *user, unsigned key, const char *text, size_t length)
{
    struct model_file *file = user;
    char number[32];
    uint64_t us;
    if (key == KEY_NAME)
        copy_text(file->name, sizeof file->name, text, length);
    if (key == KEY_VERSION)
        copy_text(file->version, sizeof file->version, text, length);
    if (key != KEY_TRAINED || length >= sizeof number)
        return;
    copy_text(number, sizeof number, text, length);
    const char *end = text_to_count(number, &us);
    if (end != NULL && *end == '\0' && us <= INT64_MAX)
        file->model.trained_us = (int64_t)us;
}

static int read_meta(struct reading *r)
{
    static const struct json_format format = {.key = meta_key, .value = meta_value};
    struct wire *meta = &r->section[META];
    const char *json = (const char *)meta->at;
    size_t length = meta->left;
    struct arena scratch;
    if (length > (size_t)1 << 20 || memchr(json, '\n', length) != NULL ||
        memchr(json, '\0', length) != NULL || !json_is_object(json, length))
        return refuse(r, MODEL_MALFORMED, "its metadata is no JSON object on one line");
    r->file->metadata = strndup(json, length);
    if (r->file->metadata == NULL || arena_init(&scratch, json_scratch_size(length)) != EDDY_OK)
        return error_nomem(r->err);
    bool good = json_strict(&scratch, json, length, &format, r->file) == REASON_NONE;
    arena_done(&scratch);
    if (!good || r->file->name[0] == '\0')
        return refuse(r, MODEL_MALFORMED, "its metadata is damaged, or has no name");
    return EDDY_OK;
}

/* ---- features ---- */

static int read_features(struct reading *r)
{
    struct wire *feat = &r->section[FEAT];
    struct model *model = &r->file->model;
    uint8_t ours[SHA256_SIZE];
    uint32_t width = wire_u32(feat);
    (void)wire_u32(feat);
    const uint8_t *fingerprint = wire_bytes(feat, SHA256_SIZE);
    if (!wire_good(feat) || width == 0 || width >= FOREST_COLUMNS)
        return refuse(r, MODEL_MALFORMED, "it has no features, or too many");
    for (uint32_t i = 0; i < width; i++) {
        const uint8_t *length = wire_bytes(feat, 1);
        const uint8_t *name = length == NULL ? NULL : wire_bytes(feat, *length);
        enum column column;
        if (name == NULL)
            return refuse(r, MODEL_MALFORMED, "the names of its features are cut short");
        if (!schema_find((const char *)name, *length, &column))
            return error_set(r->err, blame(r, MODEL_FEATURES, EDDY_ECONFIG),
                             "it wants the feature '%.*s', which this eddy does not have",
                             (int)(*length < 40 ? *length : 40), (const char *)name);
        model->column[i] = (uint8_t)column;
    }
    model->forest.width = width;
    if (!schema_fingerprint(model->column, width, ours) ||
        memcmp(ours, fingerprint, SHA256_SIZE) != 0)
        return refuse(r, MODEL_FEATURES,
                      "its features are worked out differently by this eddy: "
                      "train it anew");
    return EDDY_OK;
}

/* ---- trees ---- */

#define MODEL_DEEPEST 64 /* ours are 8 deep: each level costs all flows a step */

struct survey {
    struct forest *forest;
    struct wire nodes; /* all of them */
    uint32_t count, leaves;
    uint8_t *seen;   /* of each node: it has a parent */
    uint16_t *depth; /* of each node */
    uint16_t deepest;
};

static const char *check_split(struct survey *s, uint32_t own, uint32_t child, uint32_t end)
{
    if (child <= own || child >= end - 1 || s->seen[child] != 0 || s->seen[child + 1] != 0)
        return "a node's children are not its own";
    if (s->depth[own] == MODEL_DEEPEST)
        return "a tree is too deep";
    s->seen[child] = s->seen[child + 1] = 1;
    s->depth[child] = s->depth[child + 1] = (uint16_t)(s->depth[own] + 1);
    return NULL;
}

/* A node's children come after it, inside its tree, and are nobody else's: so a walk ends. */
static const char *check_tree(struct survey *s, uint32_t first, uint32_t end)
{
    struct forest *forest = s->forest;
    struct wire nodes = wire_from(&s->nodes, first * (size_t)16);
    s->deepest = 0;
    for (uint32_t i = first; i < end; i++) {
        float threshold = wire_f32(&nodes);
        uint32_t column = wire_u32(&nodes), child = wire_u32(&nodes);
        forest->cover[i] = wire_u32(&nodes);
        if (i > first && s->seen[i] == 0)
            return "a node has no parent";
        s->deepest = s->depth[i] > s->deepest ? s->depth[i] : s->deepest;
        if (column == UINT32_MAX && child >= s->leaves)
            return "a leaf has no value";
        if (column == UINT32_MAX) {
            forest->node[i] = node_leaf(i, forest->width, child);
            continue;
        }
        if (column >= forest->width || !isfinite(threshold))
            return "a node splits on what is no column, or at what is no number";
        const char *fault = check_split(s, i, child, end);
        if (fault != NULL)
            return fault;
        forest->node[i] = node_split(child, column, threshold);
    }
    return NULL;
}

static const char *check_trees(struct survey *s)
{
    struct forest *forest = s->forest;
    for (uint32_t tree = 0; tree < forest->trees; tree++) {
        uint32_t first = forest->root[tree];
        uint32_t end = tree + 1 < forest->trees ? forest->root[tree + 1] : s->count;
        if (first >= end || end > s->count || (tree == 0 && first != 0))
            return "its trees are not one after the other";
        const char *fault = check_tree(s, first, end);
        if (fault != NULL)
            return fault;
        uint16_t *steps = &forest->steps[tree / FOREST_LANES];
        *steps = s->deepest > *steps ? s->deepest : *steps;
    }
    return NULL;
}

struct tree_sizes {
    uint32_t nodes, leaves;
};

static int read_tree_head(struct reading *r, struct wire *trees, struct tree_sizes *sizes)
{
    struct forest *forest = &r->file->model.forest;
    uint32_t kind = wire_u32(trees);
    r->file->model.kind = (enum model_kind)kind;
    forest->outputs = 1;
    forest->trees = wire_u32(trees);
    sizes->nodes = wire_u32(trees);
    sizes->leaves = wire_u32(trees);
    forest->normaliser = wire_f64(trees);
    uint32_t threshold = wire_u32(trees), outputs = wire_u32(trees);
    if (!wire_good(trees) || kind != 1 || threshold != 4 || outputs != 1)
        return refuse(r, MODEL_MALFORMED, "its trees are of a kind this eddy does not walk");
    if (forest->trees == 0 || forest->trees > FOREST_TREES || sizes->nodes == 0 ||
        sizes->nodes >= FOREST_NODES || sizes->leaves == 0 || sizes->leaves > sizes->nodes ||
        !(forest->normaliser >= 1.0 && forest->normaliser < 1e6))
        return refuse(r, MODEL_MALFORMED, "it has no trees, or too many");
    uint64_t need =
        forest->trees * UINT64_C(4) + sizes->nodes * UINT64_C(16) + sizes->leaves * UINT64_C(8);
    if (need != trees->left)
        return refuse(r, MODEL_MALFORMED, "its trees are not as long as they say");
    return EDDY_OK;
}

/* In one piece: values, nodes, covers. */
static bool make_room(struct model_file *file, const struct tree_sizes *sizes)
{
    struct forest *forest = &file->model.forest;
    size_t values = sizes->leaves * sizeof *forest->value, nodes = sizes->nodes;
    file->room = calloc(1, values + nodes * (sizeof *forest->node + sizeof *forest->cover));
    if (file->room == NULL)
        return false;
    forest->value = file->room;
    forest->node = (struct node *)(void *)((char *)file->room + values);
    forest->cover = (uint32_t *)(void *)(forest->node + nodes);
    return true;
}

static int read_trees(struct reading *r)
{
    struct wire *trees = &r->section[TREE];
    struct forest *forest = &r->file->model.forest;
    struct tree_sizes sizes;
    int status = read_tree_head(r, trees, &sizes);
    if (status != EDDY_OK)
        return status;
    struct survey survey = {.forest = forest,
                            .count = sizes.nodes,
                            .leaves = sizes.leaves,
                            .seen = calloc(sizes.nodes, 1),
                            .depth = calloc(sizes.nodes, sizeof *survey.depth)};
    const char *fault = NULL;
    bool room = survey.seen != NULL && survey.depth != NULL && make_room(r->file, &sizes);
    for (uint32_t i = 0; i < forest->trees && room; i++)
        forest->root[i] = wire_u32(trees);
    survey.nodes = *trees;
    (void)wire_bytes(trees, sizes.nodes * (size_t)16);
    for (uint32_t i = 0; i < sizes.leaves && room && fault == NULL; i++) {
        forest->value[i] = wire_f64(trees);
        if (!(forest->value[i] >= 0.0 && forest->value[i] < 1e6))
            fault = "a leaf's value is no path length";
    }
    if (room && fault == NULL)
        fault = check_trees(&survey);
    free(survey.seen);
    free(survey.depth);
    if (!room)
        return error_nomem(r->err);
    return fault == NULL ? EDDY_OK : refuse(r, MODEL_MALFORMED, fault);
}

/* ---- scores, bins, golden rows ---- */

static int read_scores(struct reading *r)
{
    struct wire *scores = &r->section[SCOR];
    struct heldout *heldout = &r->file->model.heldout;
    if (wire_u32(scores) != HELDOUT_BINS || scores->left != HELDOUT_BINS * (size_t)4)
        return refuse(r, MODEL_MALFORMED, "its scores are in other bins than ours");
    uint64_t total = 0;
    for (size_t i = 0; i < HELDOUT_BINS; i++)
        total += heldout->count[i] = wire_u32(scores);
    if (total < 100 || total > INT32_MAX)
        return refuse(r, MODEL_MALFORMED, "its scores are of too few flows, or too many");
    heldout->total = (uint32_t)total;
    heldout_fit(heldout);
    return EDDY_OK;
}

static int read_bins(struct reading *r)
{
    struct wire *bins = &r->section[BINS];
    struct model *model = &r->file->model;
    uint32_t width = wire_u32(bins);
    if (width != model->forest.width || wire_u32(bins) != COLUMN_BINS ||
        bins->left != width * (size_t)COLUMN_BINS * 4)
        return refuse(r, MODEL_MALFORMED, "its columns are in other bins than ours");
    for (uint32_t i = 0; i < width; i++)
        for (size_t bin = 0; bin < COLUMN_BINS; bin++)
            model->bins[i][bin] = wire_u32(bins);
    return EDDY_OK;
}

static int run_golden(struct reading *r)
{
    struct wire *gold = &r->section[GOLD];
    const struct forest *forest = &r->file->model.forest;
    float row[FOREST_COLUMNS + 1] = {0.0f};
    uint32_t rows = wire_u32(gold), width = wire_u32(gold);
    if (rows == 0 || width != forest->width || gold->left != rows * ((size_t)width + 1) * 8)
        return refuse(r, MODEL_MALFORMED, "it has no golden rows, or of another width");
    for (uint32_t i = 0; i < rows; i++) {
        for (uint32_t c = 0; c < width; c++)
            row[c] = forest_number(wire_f64(gold));
        double expected = wire_f64(gold), sum = forest_sum(forest, row);
        if (memcmp(&expected, &sum, sizeof sum) != 0)
            return error_set(r->err, blame(r, MODEL_GOLDEN_ROWS, EDDY_EINPUT),
                             "golden row %u comes to %.17g, not to %.17g as it says", i, sum,
                             expected);
    }
    return EDDY_OK;
}

/* ---- the whole ---- */

int model_file_parse(const void *bytes, size_t length, struct model_file **out,
                     enum model_fault *fault, eddy_error *err)
{
    static int (*const steps[])(struct reading *) = {read_meta,   read_features, read_trees,
                                                     read_scores, read_bins,     run_golden};
    struct reading r = {.err = err, .fault = MODEL_UNREADABLE, .file = calloc(1, sizeof *r.file)};
    struct wire all = wire_over(bytes, length);
    uint32_t sections = 0;
    int status = r.file == NULL ? error_nomem(err) : read_header(&r, &all, &sections);
    if (status == EDDY_OK)
        status = read_sections(&r, all, sections);
    for (size_t i = 0; i < sizeof steps / sizeof *steps && status == EDDY_OK; i++)
        status = steps[i](&r);
    if (fault != NULL)
        *fault = status == EDDY_OK ? MODEL_FINE : r.fault;
    if (status != EDDY_OK) {
        model_file_free(r.file);
        return status;
    }
    *out = r.file;
    return EDDY_OK;
}

/* All of the file, given; NULL and `err` if it can't be read. */
static void *read_all(const char *path, struct stat *info, size_t *length, eddy_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    char *bytes = NULL;
    if (fd < 0 || fstat(fd, info) != 0) {
        (void)error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(info->st_mode) || (uint64_t)info->st_size > MODEL_FILE_MAX) {
        (void)error_set(err, EDDY_EIO, "%s: no plain file of at most %zu MiB", path,
                        MODEL_FILE_MAX >> 20);
    } else if ((bytes = malloc((size_t)info->st_size + 1)) == NULL) {
        (void)error_nomem(err);
    } else {
        ssize_t n = io_read(fd, bytes, (size_t)info->st_size + 1);
        if (n < 0) {
            (void)error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
            free(bytes);
            bytes = NULL;
        }
        *length = n < 0 ? 0 : (size_t)n;
    }
    if (fd >= 0)
        (void)close(fd); /* read only */
    return bytes;
}

int model_file_load(const char *path, struct model_file **out, enum model_fault *fault,
                    eddy_error *err)
{
    struct stat info;
    struct model_file *file = NULL;
    eddy_error why = {0};
    size_t length = 0;
    uint8_t digest[SHA256_SIZE];
    if (fault != NULL)
        *fault = MODEL_UNREADABLE;
    void *bytes = read_all(path, &info, &length, &why);
    if (bytes == NULL)
        return error_set(err, why.code, "%s", why.message);
    int status = model_file_parse(bytes, length, &file, fault, &why);
    if (status == EDDY_OK && !sha256_of(bytes, length, digest))
        status = error_nomem(&why);
    free(bytes);
    if (status == EDDY_OK && (file->path = strdup(path)) == NULL)
        status = error_nomem(&why);
    if (status != EDDY_OK) {
        model_file_free(file);
        return error_set(err, status, "%s: %s", path, why.message);
    }
    sha256_hex(digest, file->sha256);
    file->identity = info;
    *out = file;
    return EDDY_OK;
}

void model_file_free(struct model_file *file)
{
    if (file == NULL)
        return;
    free(file->room);
    free(file->metadata);
    free(file->path);
    free(file);
}

/* A change is told once: a file that can't be loaded is not read again until it changes again. */
bool model_file_changed(struct model_file *file)
{
    struct stat now;
    if (file == NULL || stat(file->path, &now) != 0)
        return false; /* gone for a moment: keep what we have */
    struct stat was = file->identity;
    file->identity = now;
    return now.st_ino != was.st_ino || now.st_dev != was.st_dev || now.st_size != was.st_size ||
           now.st_mtim.tv_sec != was.st_mtim.tv_sec || now.st_mtim.tv_nsec != was.st_mtim.tv_nsec;
}
