/* SPDX-License-Identifier: MIT */
/* model_parts.c - reads what is in a model file besides its trees. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/json.h"
#include "model/model_read.h"
#include "model/schema.h"
#include "util/arena.h"
#include "util/error.h"
#include "util/text.h"

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

static bool is_printable(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < ' ' || text[i] >= 0x7f)
            return false;
    return true;
}

/* It becomes a label and goes to terminals. */
static bool take_text(char *out, size_t size, const char *text, size_t length)
{
    if (length >= size || !is_printable(text, length))
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

struct meta {
    struct model_file *file;
    bool unfit; /* a name or version that can't be one */
};

static void meta_value(void *user, unsigned key, const char *text, size_t length)
{
    struct meta *meta = user;
    struct model_file *file = meta->file;
    char number[32];
    uint64_t us;
    if (key == KEY_NAME)
        meta->unfit |= !take_text(file->name, sizeof file->name, text, length);
    if (key == KEY_VERSION)
        meta->unfit |= !take_text(file->version, sizeof file->version, text, length);
    if (key != KEY_TRAINED || !take_text(number, sizeof number, text, length))
        return;
    const char *end = text_to_count(number, &us);
    if (end != NULL && *end == '\0' && us <= INT64_MAX)
        file->model.trained_us = (int64_t)us;
}

int model_read_meta(struct model_read *read)
{
    static const struct json_format format = {.key = meta_key, .value = meta_value};
    struct wire *meta = &read->section[META];
    const char *json = (const char *)meta->at;
    size_t length = meta->left;
    struct arena scratch;
    if (length > (size_t)1 << 20 || memchr(json, '\n', length) != NULL ||
        memchr(json, '\0', length) != NULL || !json_is_object(json, length))
        return model_refuse(read, MODEL_MALFORMED, "its metadata is no JSON object on one line");
    read->file->metadata = strndup(json, length);
    if (read->file->metadata == NULL || arena_init(&scratch, json_scratch_size(length)) != EDDY_OK)
        return error_nomem(read->err);
    struct meta told = {.file = read->file};
    bool good = json_strict(&scratch, json, length, &format, &told) == REASON_NONE;
    arena_done(&scratch);
    if (good && told.unfit)
        return model_refuse(read, MODEL_MALFORMED,
                            "its name or version is too long, or not printable ASCII");
    if (!good || read->file->name[0] == '\0')
        return model_refuse(read, MODEL_MALFORMED, "its metadata is damaged, or has no name");
    read->file->model.name = read->file->name;
    read->file->model.version = read->file->version;
    return EDDY_OK;
}

/* ---- features ---- */

static bool comes_twice(const struct model *model, uint32_t columns, enum column column)
{
    for (uint32_t i = 0; i < columns; i++)
        if (model->column[i] == column)
            return true;
    return false;
}

int model_read_features(struct model_read *read)
{
    struct wire *feat = &read->section[FEAT];
    struct model *model = &read->file->model;
    uint8_t ours[SHA256_SIZE];
    uint32_t width = wire_u32(feat);
    uint32_t reserved = wire_u32(feat);
    const uint8_t *fingerprint = wire_bytes(feat, SHA256_SIZE);
    if (!wire_good(feat) || width == 0 || width >= FOREST_COLUMNS)
        return model_refuse(read, MODEL_MALFORMED, "it has no features, or too many");
    if (reserved != 0)
        return model_refuse(read, MODEL_MALFORMED,
                            "something is before its fingerprint where 0 should be");
    for (uint32_t i = 0; i < width; i++) {
        const uint8_t *length = wire_bytes(feat, 1);
        const char *name = length == NULL ? NULL : (const char *)wire_bytes(feat, *length);
        enum column column;
        if (name == NULL)
            return model_refuse(read, MODEL_MALFORMED, "the names of its features are cut short");
        if (!schema_find(name, *length, &column))
            return model_refuse(
                read, MODEL_FEATURES, "it wants the feature '%.*s', which this eddy does not have",
                is_printable(name, *length) && *length < 40 ? (int)*length : 0, name);
        if (comes_twice(model, i, column))
            return model_refuse(read, MODEL_MALFORMED, "a feature comes twice");
        model->column[i] = (uint8_t)column;
    }
    model->forest.width = width;
    if (feat->left != 0)
        return model_refuse(read, MODEL_MALFORMED, "it has more features than it says");
    if (!schema_fingerprint(model->column, width, ours) ||
        memcmp(ours, fingerprint, SHA256_SIZE) != 0)
        return model_refuse(read, MODEL_FEATURES,
                            "its features are worked out differently by this eddy: "
                            "train it anew");
    return EDDY_OK;
}

/* ---- classes ---- */

/* A byte with its length, and so many printable characters. */
static bool read_name(struct wire *from, char *out, size_t size, size_t least)
{
    const uint8_t *length = wire_bytes(from, 1);
    const char *text = length == NULL ? NULL : (const char *)wire_bytes(from, *length);
    if (text == NULL || *length < least || *length >= size || !is_printable(text, *length))
        return false;
    memcpy(out, text, *length); /* zeroed before: it ends in NUL */
    return true;
}

static const char *read_class_names(struct wire *from, struct model_classes *classes)
{
    for (uint32_t i = 0; i < classes->count; i++) {
        struct model_class *own = &classes->of[i];
        if (!read_name(from, own->name, sizeof own->name, 1) ||
            !read_name(from, own->technique, sizeof own->technique, 0))
            return "the names of its classes are cut short, too long, or not printable";
        for (uint32_t other = 0; other < i; other++)
            if (strcmp(classes->of[other].name, own->name) == 0)
                return "two of its classes have one name";
    }
    return from->left == 0 ? NULL : "it has more classes than it says";
}

static const char *check_classes(const struct model_classes *classes, const struct forest *forest,
                                 enum model_kind kind)
{
    uint32_t wanted = kind == MODEL_BOOSTED && classes->count == 2 ? 1 : classes->count;
    if (classes->count < 2 || classes->count > MODEL_CLASSES_MAX || forest->outputs != wanted)
        return "its trees do not tell as many classes apart as it names";
    if (classes->benign >= classes->count)
        return "the class that is no attack is none of its classes";
    if (!(classes->alert >= 0.0 && classes->alert <= 1.0) ||
        !(classes->weight >= 1.0 && classes->weight <= 1e6))
        return "its alert or weight is out of range";
    return NULL;
}

static const char *read_base(struct wire *from, struct model_classes *classes, uint32_t outputs)
{
    for (uint32_t i = 0; i < outputs; i++) {
        classes->base[i] = wire_f64(from);
        if (!(fabs(classes->base[i]) <= 1e6))
            return "what its sums begin with is beyond a million, or no number";
    }
    return wire_good(from) && from->left == 0 ? NULL : "it begins more sums than it has, or fewer";
}

int model_read_classes(struct model_read *read)
{
    struct wire *from = &read->section[CLAS];
    struct model *model = &read->file->model;
    if ((from->at != NULL) != (model->kind != MODEL_ISOLATION) ||
        (read->section[BASE].at != NULL) != (model->kind == MODEL_BOOSTED))
        return model_refuse(read, MODEL_MALFORMED,
                            "a section is missing, or of another kind of model");
    if (from->at == NULL)
        return EDDY_OK;
    struct model_classes *classes = calloc(1, sizeof *classes);
    if (classes == NULL)
        return error_nomem(read->err);
    read->file->classes = classes;
    classes->count = wire_u32(from);
    classes->benign = wire_u32(from);
    classes->alert = wire_f64(from);
    classes->weight = wire_f64(from);
    const char *fault = check_classes(classes, &model->forest, model->kind);
    if (fault == NULL)
        fault = read_class_names(from, classes);
    if (fault == NULL && model->kind == MODEL_BOOSTED)
        fault = read_base(&read->section[BASE], classes, model->forest.outputs);
    if (fault != NULL)
        return model_refuse(read, MODEL_MALFORMED, "%s", fault);
    model->classes = classes;
    return EDDY_OK;
}

/* ---- scores, bins, golden rows ---- */

int model_read_scores(struct model_read *read)
{
    struct wire *scores = &read->section[SCOR];
    struct heldout *heldout = &read->file->model.heldout;
    if (wire_u32(scores) != HELDOUT_BINS || scores->left != HELDOUT_BINS * (size_t)4)
        return model_refuse(read, MODEL_MALFORMED, "its scores are in other bins than ours");
    uint64_t total = 0;
    for (size_t i = 0; i < HELDOUT_BINS; i++)
        total += heldout->count[i] = wire_u32(scores);
    if (total < 100 || total > INT32_MAX)
        return model_refuse(read, MODEL_MALFORMED, "its scores are of too few flows, or too many");
    heldout->total = (uint32_t)total;
    heldout_fit(heldout);
    return EDDY_OK;
}

int model_read_bins(struct model_read *read)
{
    struct wire *bins = &read->section[BINS];
    struct model *model = &read->file->model;
    uint32_t width = wire_u32(bins);
    if (width != model->forest.width || wire_u32(bins) != COLUMN_BINS ||
        bins->left != width * (size_t)COLUMN_BINS * 4)
        return model_refuse(read, MODEL_MALFORMED, "its columns are in other bins than ours");
    for (uint32_t i = 0; i < width; i++)
        for (size_t bin = 0; bin < COLUMN_BINS; bin++)
            model->bins[i][bin] = wire_u32(bins);
    return EDDY_OK;
}

static int run_row(struct model_read *read, uint32_t number)
{
    struct wire *gold = &read->section[GOLD];
    const struct model *model = &read->file->model;
    double own[FOREST_COLUMNS], sums[FOREST_OUTPUTS];
    float row[FOREST_COLUMNS + 1];
    for (uint32_t i = 0; i < model->forest.width; i++)
        own[i] = wire_f64(gold);
    model_own_row(model, own, row);
    model_sums(model, row, sums);
    for (uint32_t i = 0; i < model->forest.outputs; i++) {
        double expected = wire_f64(gold);
        if (memcmp(&expected, &sums[i], sizeof expected) != 0)
            return model_refuse(read, MODEL_GOLDEN_ROWS,
                                "golden row %u comes to %.17g, not to %.17g as it says", number,
                                sums[i], expected);
    }
    return EDDY_OK;
}

int model_run_golden(struct model_read *read)
{
    struct wire *gold = &read->section[GOLD];
    const struct forest *forest = &read->file->model.forest;
    uint64_t rows = wire_u32(gold), width = wire_u32(gold);
    if (rows > MODEL_GOLDEN_MOST)
        return model_refuse(read, MODEL_MALFORMED, "it has more than %d golden rows",
                            MODEL_GOLDEN_MOST);
    if (rows == 0 || width != forest->width ||
        gold->left != rows * (width + forest->outputs) * 8) /* below 2^43 */
        return model_refuse(read, MODEL_MALFORMED, "it has no golden rows, or of another width");
    int status = EDDY_OK;
    for (uint32_t i = 0; i < rows && status == EDDY_OK; i++)
        status = run_row(read, i);
    return status;
}
