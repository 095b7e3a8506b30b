/* SPDX-License-Identifier: MIT */
/* models.c - models as files, for hosts: what the engine has learned is written, a file is checked.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "features/features.h"
#include "model/model_file.h"
#include "model/schema.h"
#include "score/iforest.h"
#include "util/error.h"
#include "util/text.h"

/* What is learned and how, taken under the engine's lock. */
struct taken {
    struct nursery *nursery; /* a copy */
    struct nursery_conf growing;
    int64_t now_us;
    uint64_t seed;
};

static int take(eddy_engine *e, struct taken *out, eddy_error *err)
{
    *out = (struct taken){.nursery = malloc(sizeof *out->nursery)};
    if (out->nursery == NULL)
        return error_nomem(err);
    pthread_mutex_lock(&e->lock);
    const struct settings *set = atomic_load_explicit(&e->settings, memory_order_relaxed);
    *out->nursery = *iforest_view(e->score).nursery;
    out->growing = iforest_growing(&set->score);
    out->now_us = state_now_us(e->state);
    const char *seed = eddy_config_value(set->config, "iforest.seed");
    (void)text_to_count(seed, &out->seed); /* as it was checked when it was set */
    pthread_mutex_unlock(&e->lock);
    nursery_settle(out->nursery);
    return EDDY_OK;
}

/* ---- metadata ---- */

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

static int add_data(struct text *text, const eddy_model_origin *origin, eddy_error *err)
{
    add_key(text, "data");
    text_char(text, '[');
    for (size_t i = 0; i < origin->data_count; i++) {
        const eddy_model_data *data = &origin->data[i];
        uint8_t digest[SHA256_SIZE];
        char hex[65];
        text_add(text, i > 0 ? ",{" : "{");
        add_text(text, "file", data->path);
        if (strcmp(data->path, "-") != 0) {
            int status = sha256_of_file(data->path, digest, err);
            if (status != EDDY_OK)
                return status;
            sha256_hex(digest, hex);
            add_text(text, "sha256", hex);
        }
        add_count(text, "flows", data->flows);
        text_char(text, '}');
    }
    text_char(text, ']');
    return EDDY_OK;
}

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

static void add_model(struct text *text, const struct taken *taken)
{
    const struct model *model = nursery_model(taken->nursery);
    char hex[65] = "";
    uint8_t digest[SHA256_SIZE];
    add_key(text, "parameters");
    text_char(text, '{');
    add_count(text, "trees", model->forest.trees);
    add_count(text, "samples", taken->nursery->plot.samples);
    add_count(text, "seed", taken->seed);
    text_char(text, '}');
    add_count(text, "vetted_flows", taken->nursery->learned);
    add_count(text, "held_out_flows", model->heldout.total);
    add_key(text, "features");
    text_char(text, '[');
    for (uint32_t i = 0; i < model->forest.width; i++) {
        text_add(text, i > 0 ? "," : "");
        text_json(text, feature_of((enum column)model->column[i])->name);
    }
    text_char(text, ']');
    if (schema_fingerprint(model->column, model->forest.width, digest))
        sha256_hex(digest, hex);
    add_text(text, "features_sha256", hex);
    add_scores(text, &model->heldout);
}

static int add_metadata(struct text *text, const struct taken *taken,
                        const eddy_model_origin *origin, eddy_error *err)
{
    text_char(text, '{');
    add_count(text, "schema_version", 1);
    add_text(text, "name", origin->name);
    add_text(text, "version", origin->version);
    add_text(text, "algorithm", "isolation_forest");
    add_text(text, "trainer", "eddy");
    add_text(text, "eddy_version", eddy_version());
    add_count(text, "created_s", (uint64_t)origin->created_s);
    add_count(text, "trained_us", taken->now_us > 0 ? (uint64_t)taken->now_us : 0);
    add_model(text, taken);
    int status = add_data(text, origin, err);
    text_char(text, '}');
    return status;
}

/* Given. */
static int make_metadata(const struct taken *taken, const eddy_model_origin *origin, char **out,
                         eddy_error *err)
{
    size_t size = 16384;
    for (size_t i = 0; i < origin->data_count; i++)
        size += 160 + 6 * strlen(origin->data[i].path);
    char *buffer = malloc(size);
    if (buffer == NULL)
        return error_nomem(err);
    struct text text = text_over(buffer, size);
    int status = add_metadata(&text, taken, origin, err);
    if (status == EDDY_OK && !text_fits(&text))
        status = error_set(err, EDDY_EUSAGE, "the model's name or version is too long");
    if (status != EDDY_OK) {
        free(buffer);
        return status;
    }
    *out = buffer;
    return EDDY_OK;
}

/* ---- the public part ---- */

int eddy_engine_save_model(eddy_engine *engine, const eddy_model_origin *origin, const char *path,
                           eddy_error *err)
{
    struct taken taken;
    char *metadata = NULL;
    if (origin->name == NULL || origin->name[0] == '\0' || origin->version == NULL)
        return error_set(err, EDDY_EUSAGE, "a model needs a name and a version");
    int status = take(engine, &taken, err);
    if (status == EDDY_OK && !nursery_finish(taken.nursery, &taken.growing, taken.now_us))
        status = error_set(err, EDDY_EINPUT,
                           "too little to train a model from: %zu usual flows, at least %d needed",
                           taken.nursery->reservoir.rows, NURSERY_FIRST);
    if (status == EDDY_OK)
        status = make_metadata(&taken, origin, &metadata, err);
    if (status == EDDY_OK)
        status = model_file_write(taken.nursery, metadata, path, err);
    free(metadata);
    free(taken.nursery);
    return status;
}

int eddy_model_check(const char *path, char *buf, size_t size, eddy_error *err)
{
    struct model_file *file;
    int status = model_file_load(path, &file, NULL, err);
    if (status != EDDY_OK)
        return status;
    struct text text = text_over(buf, size);
    text_char(&text, '{');
    add_text(&text, "sha256", file->sha256);
    add_count(&text, "trees", file->model.forest.trees);
    add_count(&text, "bytes", (uint64_t)file->identity.st_size);
    add_key(&text, "metadata");
    text_add(&text, file->metadata);
    text_char(&text, '}');
    model_file_free(file);
    return (int)text.length;
}

/* What is to be visited: one of the two. */
struct visitor {
    eddy_model_node_fn *node;
    eddy_model_golden_fn *golden;
    void *user;
};

static int visit(const char *path, const struct visitor *visitor, eddy_error *err)
{
    struct stat info;
    struct model_file *file = NULL;
    eddy_error why = {0};
    size_t length = 0;
    void *bytes = model_file_bytes(path, &info, &length, &why);
    if (bytes == NULL)
        return error_set(err, why.code, "%s", why.message);
    int status = model_file_parse(bytes, length, &file, NULL, &why);
    if (status != EDDY_OK)
        status = error_set(err, status, "%s: %s", path, why.message);
    else if (visitor->node != NULL)
        status = model_file_nodes(file, bytes, length, visitor->node, visitor->user);
    else
        status = model_file_golden(file, bytes, length, visitor->golden, visitor->user);
    model_file_free(file);
    free(bytes);
    return status;
}

int eddy_model_nodes(const char *path, eddy_model_node_fn *each, void *user, eddy_error *err)
{
    const struct visitor visitor = {.node = each, .user = user};
    return visit(path, &visitor, err);
}

int eddy_model_golden(const char *path, eddy_model_golden_fn *each, void *user, eddy_error *err)
{
    const struct visitor visitor = {.golden = each, .user = user};
    return visit(path, &visitor, err);
}
