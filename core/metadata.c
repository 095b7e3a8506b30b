/* SPDX-License-Identifier: MIT */
/* metadata.c - where a model that was grown here comes from, as JSON. */
#include "metadata.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "features/features.h"
#include "model/columns.h"
#include "model/schema.h"
#include "util/error.h"
#include "util/text.h"

static void add_key(struct text *text, const char *key)
{
    if (text->at != NULL && text->length > 0 && text->at[text->length - 1] != '{')
        text_char(text, ',');
    text_json(text, key);
    text_char(text, ':');
}

static void add_text(struct text *text, const char *key, const char *value)
{
    add_key(text, key);
    text_json(text, value);
}

static void add_count(struct text *text, const char *key, uint64_t value)
{
    add_key(text, key);
    text_format(text, "%" PRIu64, value);
}

static void add_number(struct text *text, const char *key, double value)
{
    add_key(text, key);
    text_digits(text, value, 6);
}

/* RFC 3339, UTC, whole seconds. */
static void add_time(struct text *text, int64_t seconds)
{
    char buf[40] = "";
    time_t time = (time_t)seconds;
    struct tm utc;
    if (gmtime_r(&time, &utc) != NULL)
        (void)strftime(buf, sizeof buf, "%Y-%m-%dT%H:%M:%SZ", &utc);
    text_json(text, buf);
}

/* ---- data ---- */

/* What standard input was can't be read again: it has neither length nor SHA-256. */
static int add_file(struct text *text, const eddy_model_data *data, eddy_error *err)
{
    uint8_t digest[SHA256_SIZE];
    char hex[65];
    struct stat info;
    text_char(text, '{');
    add_text(text, "uri", data->path);
    if (strcmp(data->path, "-") != 0) {
        int status = sha256_of_file(data->path, digest, err);
        if (status != EDDY_OK)
            return status;
        if (stat(data->path, &info) != 0)
            return error_set(err, EDDY_EIO, "%s: %s", data->path, strerror(errno));
        sha256_hex(digest, hex);
        add_text(text, "sha256", hex);
        add_count(text, "bytes", (uint64_t)info.st_size);
    }
    add_count(text, "flows", data->flows);
    text_char(text, '}');
    return EDDY_OK;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int add_data(struct text *text, const eddy_model_origin *origin, eddy_error *err)
{
    add_key(text, "training_data");
    text_char(text, '[');
    for (size_t i = 0; i < origin->data_count; i++) {
        const eddy_model_data *data = &origin->data[i];
        text_add(text, i > 0 ? ",{" : "{");
        add_text(text, "capture", base_name(data->path));
        add_text(text, "role", "train and held_out");
        add_key(text, "files");
        text_char(text, '[');
        int status = add_file(text, data, err);
        if (status != EDDY_OK)
            return status;
        text_char(text, ']');
        add_count(text, "flows", data->flows);
        add_key(text, "time_range");
        text_char(text, '[');
        add_time(text, data->first_us / 1000000);
        text_char(text, ',');
        add_time(text, data->last_us / 1000000);
        text_add(text, "]}");
    }
    text_char(text, ']');
    return EDDY_OK;
}

/* ---- features ---- */

static void add_features(struct text *text, const struct model *model)
{
    char hex[65] = "";
    uint8_t digest[SHA256_SIZE];
    add_key(text, "features");
    text_char(text, '[');
    for (uint32_t i = 0; i < model->forest.width; i++) {
        const eddy_feature *feature = feature_of((enum column)model->column[i]);
        text_add(text, i > 0 ? ",{" : "{");
        add_text(text, "name", feature->name);
        add_text(text, "dtype", "float64");
        add_text(text, "meaning", feature->help);
        add_text(text, "missing_policy", "NaN goes right");
        text_char(text, '}');
    }
    text_char(text, ']');
    if (schema_fingerprint(model->column, model->forest.width, digest))
        sha256_hex(digest, hex);
    add_text(text, "feature_schema_sha256", hex);
}

/* The value below which a share of the held-out flows is, as far as their bins tell it. */
static double quantile(enum column column, const uint32_t bins[COLUMN_BINS], double share)
{
    double all = 0.0, below = 0.0;
    unsigned bin = 0, last = 0;
    for (unsigned i = 0; i < COLUMN_BINS; i++) {
        all += bins[i];
        last = bins[i] > 0 ? i : last;
    }
    while (bin < last && below + bins[bin] <= share * all)
        below += bins[bin++];
    if (column_kind(column) == KIND_FLAG)
        return bin > 0 ? 1.0 : 0.0;
    double within = bins[bin] > 0 ? (share * all - below) / bins[bin] : 0.0;
    return column_at(column, bin + (within < 1.0 ? within : 1.0));
}

static void add_distribution(struct text *text, const struct model *model)
{
    static const struct {
        const char *name;
        double share;
    } points[] = {{"0", 0.0},     {"0.01", 0.01}, {"0.05", 0.05}, {"0.25", 0.25}, {"0.5", 0.5},
                  {"0.75", 0.75}, {"0.95", 0.95}, {"0.99", 0.99}, {"1", 1.0}};
    add_key(text, "baseline_distribution");
    text_char(text, '{');
    for (uint32_t i = 0; i < model->forest.width; i++) {
        enum column column = (enum column)model->column[i];
        add_key(text, feature_of(column)->name);
        text_char(text, '{');
        for (size_t at = 0; at < sizeof points / sizeof *points; at++)
            add_number(text, points[at].name, quantile(column, model->bins[i], points[at].share));
        text_char(text, '}');
    }
    text_char(text, '}');
}

/* ---- the model ---- */

/* Scores below which a half, nine tenths, 99 in 100 and 999 in 1000 held-out flows are. */
static void add_scores(struct text *text, const struct heldout *heldout)
{
    static const double shares[] = {0.5, 0.9, 0.99, 0.999};
    add_key(text, "scores");
    text_char(text, '{');
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        uint64_t below = 0;
        size_t bin = 0;
        while (bin < HELDOUT_BINS - 1 &&
               (double)(below + heldout->count[bin]) < shares[i] * heldout->total)
            below += heldout->count[bin++];
        char key[16];
        struct text name = text_over(key, sizeof key);
        text_digits(&name, shares[i], 3);
        add_key(text, key);
        text_digits(text, ((double)bin + 1.0) / HELDOUT_BINS, 4);
    }
    text_char(text, '}');
}

static void add_model(struct text *text, const struct learned *learned)
{
    const struct model *model = nursery_model(learned->nursery);
    add_key(text, "hyperparameters");
    text_char(text, '{');
    add_count(text, "trees", model->forest.trees);
    add_count(text, "samples", learned->nursery->plot.samples);
    add_count(text, "seed", learned->seed);
    text_char(text, '}');
    add_count(text, "vetted_flows", learned->nursery->learned);
    add_count(text, "held_out_flows", model->heldout.total);
    add_scores(text, &model->heldout);
    add_features(text, model);
    add_distribution(text, model);
}

static int add_metadata(struct text *text, const struct learned *learned,
                        const eddy_model_origin *origin, eddy_error *err)
{
    text_char(text, '{');
    add_count(text, "schema_version", 1);
    add_text(text, "name", origin->name);
    add_text(text, "version", origin->version);
    add_text(text, "algorithm", "isolation_forest");
    add_text(text, "trainer", "eddy");
    add_text(text, "eddy_core_version", eddy_version());
    add_key(text, "created");
    add_time(text, origin->created_s);
    add_count(text, "created_s", (uint64_t)origin->created_s);
    add_count(text, "trained_us", learned->now_us > 0 ? (uint64_t)learned->now_us : 0);
    add_model(text, learned);
    int status = add_data(text, origin, err);
    text_char(text, '}');
    return status;
}

int metadata_make(const struct learned *learned, const eddy_model_origin *origin, char **out,
                  eddy_error *err)
{
    size_t size = (size_t)64 << 10;
    for (size_t i = 0; i < origin->data_count; i++)
        size += 320 + 12 * strlen(origin->data[i].path); /* escaped, and twice */
    char *buffer = malloc(size);
    if (buffer == NULL)
        return error_nomem(err);
    struct text text = text_over(buffer, size);
    int status = add_metadata(&text, learned, origin, err);
    if (status == EDDY_OK && !text_fits(&text))
        status = error_set(err, EDDY_EUSAGE, "the model's name or version is too long");
    if (status != EDDY_OK) {
        free(buffer);
        return status;
    }
    *out = buffer;
    return EDDY_OK;
}
