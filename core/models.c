/* SPDX-License-Identifier: MIT */
/* models.c - models as files, for hosts: what the engine has learned is written, a file is checked.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "engine.h"
#include "metadata.h"
#include "model/model_file.h"
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
        status = metadata_make(&(struct learned){taken.nursery, taken.now_us, taken.seed}, origin,
                               &metadata, err);
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
    text_format(&text, "{\"sha256\":\"%s\",\"trees\":%" PRIu32 ",\"bytes\":%" PRIu64 ",",
                file->sha256, file->model.forest.trees, (uint64_t)file->identity.st_size);
    text_add(&text, "\"metadata\":");
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
