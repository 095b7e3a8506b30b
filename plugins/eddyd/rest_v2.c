/* SPDX-License-Identifier: MIT */
/* rest_v2.c - the Open Inference Protocol but for inference: health, metadata, the repository. */
#include <string.h>

#include "json_read.h"
#include "rest_route.h"
#include "rest_tensor.h"

void serve_v2(const struct service *s, const struct request *q, struct answer *a)
{
    (void)s;
    (void)q;
    struct json_writer w = {.max = ANSWER_MAX};
    json_put_open(&w, '{');
    json_put_pair(&w, "name", "eddyd");
    json_put_pair(&w, "version", eddy_version());
    json_put_key(&w, "extensions");
    json_put_open(&w, '[');
    json_put_text(&w, "binary_tensor_data");
    json_put_text(&w, "model_repository");
    json_put_close(&w, ']');
    json_put_close(&w, '}');
    answer_json(a, STATUS_OK, &w);
}

static void answer_truth(struct answer *a, const char *key, bool truth)
{
    struct json_writer w = {.max = ANSWER_MAX};
    json_put_open(&w, '{');
    json_put_key(&w, key);
    json_put_truth(&w, truth);
    if (!truth)
        json_put_pair(&w, "error", "not ready");
    json_put_close(&w, '}');
    answer_json(a, truth ? STATUS_OK : STATUS_BUSY, &w);
}

void serve_v2_live(const struct service *s, const struct request *q, struct answer *a)
{
    (void)s; /* who answers lives; /healthz looks at the scoring loop */
    (void)q;
    answer_truth(a, "live", true);
}

void serve_v2_ready(const struct service *s, const struct request *q, struct answer *a)
{
    (void)q;
    answer_truth(a, "ready", telemetry_is_ready(s->telemetry));
}

/* ---- a model ---- */

struct served *v2_hold(const struct service *s, const struct request *q, struct answer *a)
{
    eddy_model_info info = {.size = sizeof info};
    struct served *served = models_hold(s->models, q->name);
    if (served == NULL) {
        answer_error(a, STATUS_NOT_FOUND, "no model %s is served", q->name);
        return NULL;
    }
    eddy_model_describe(served_model(served), &info);
    if (q->version[0] != '\0' && strcmp(q->version, info.version) != 0) {
        answer_error(a, STATUS_NOT_FOUND, "model %s is served in version %s, not %s", q->name,
                     info.version, q->version);
        models_release(s->models, served);
        return NULL;
    }
    return served;
}

static void put_tensor(struct json_writer *w, const char *name, const char *type, size_t columns)
{
    json_put_open(w, '{');
    json_put_pair(w, "name", name);
    json_put_pair(w, "datatype", type);
    json_put_key(w, "shape");
    json_put_open(w, '[');
    json_put_json(w, "-1"); /* as many rows as there are */
    if (columns > 0)
        json_put_count(w, columns);
    json_put_close(w, ']');
    json_put_close(w, '}');
}

/* What the columns and classes are called: not part of the protocol, which allows more keys. */
static void put_names(struct json_writer *w, const eddy_model_info *info)
{
    struct columns columns;
    columns_of(info, &columns);
    json_put_key(w, "columns");
    json_put_open(w, '[');
    for (size_t i = 0; i < columns.count; i++)
        json_put_text(w, columns.names[i]);
    json_put_close(w, ']');
    json_put_key(w, "classes");
    json_put_open(w, '[');
    for (size_t i = 0; i < info->outputs && info->outputs > 1; i++)
        json_put_text(w, info->output[i]);
    json_put_close(w, ']');
}

static void put_metadata(struct json_writer *w, const char *name, const eddy_model_info *info)
{
    json_put_open(w, '{');
    json_put_pair(w, "name", name);
    json_put_key(w, "versions");
    json_put_open(w, '[');
    json_put_text(w, info->version);
    json_put_close(w, ']');
    json_put_pair(w, "platform", "eddy");
    json_put_key(w, "inputs");
    json_put_open(w, '[');
    put_tensor(w, TENSOR_INPUT, "FP64", info->columns);
    json_put_close(w, ']');
    json_put_key(w, "outputs");
    json_put_open(w, '[');
    if (info->outputs == 1) {
        put_tensor(w, TENSOR_SCORE, "FP64", 0);
    } else {
        put_tensor(w, TENSOR_PROBABILITIES, "FP64", info->outputs);
        put_tensor(w, TENSOR_LABEL, "BYTES", 0);
    }
    json_put_close(w, ']');
    put_names(w, info);
    json_put_close(w, '}');
}

void serve_v2_model(const struct service *s, const struct request *q, struct answer *a)
{
    eddy_model_info info = {.size = sizeof info};
    struct json_writer w = {.max = ANSWER_MAX};
    struct served *served = v2_hold(s, q, a);
    if (served == NULL)
        return;
    eddy_model_describe(served_model(served), &info);
    put_metadata(&w, q->name, &info);
    models_release(s->models, served);
    answer_json(a, STATUS_OK, &w);
}

void serve_v2_model_ready(const struct service *s, const struct request *q, struct answer *a)
{
    struct json_writer w = {.max = ANSWER_MAX};
    struct served *served = v2_hold(s, q, a);
    if (served == NULL)
        return;
    models_release(s->models, served);
    json_put_open(&w, '{');
    json_put_pair(&w, "name", q->name);
    json_put_key(&w, "ready");
    json_put_truth(&w, true);
    json_put_close(&w, '}');
    answer_json(a, STATUS_OK, &w);
}

/* ---- the repository ---- */

struct index {
    struct json_writer w;
    bool only_ready;
};

static void put_state(const struct model_state *state, void *user)
{
    struct index *index = user;
    eddy_model_info info = {.size = sizeof info, .version = ""};
    if (state->model != NULL)
        eddy_model_describe(state->model, &info);
    else if (index->only_ready)
        return;
    json_put_open(&index->w, '{');
    json_put_pair(&index->w, "name", state->name);
    json_put_pair(&index->w, "version", info.version);
    json_put_pair(&index->w, "state", state->model != NULL ? "READY" : "UNAVAILABLE");
    json_put_pair(&index->w, "reason", state->reason);
    json_put_close(&index->w, '}');
}

/* Reads the body, if there is one: an object. `*tree` is NULL if there is none. */
static bool read_object(const struct request *q, struct json_tree **tree, struct answer *a)
{
    static const struct json_limits limits = {.depth = 8, .values = 256};
    eddy_error err;
    *tree = NULL;
    if (q->length == 0)
        return true;
    if (json_tree_new(q->body, q->length, &limits, tree, &err) < 0) {
        answer_error(a, STATUS_BAD, "%s", err.message);
        return false;
    }
    if (json_is(json_tree_root(*tree), JSON_OBJECT))
        return true;
    json_tree_free(*tree);
    answer_error(a, STATUS_BAD, "the body has to be an object");
    return false;
}

void serve_v2_index(const struct service *s, const struct request *q, struct answer *a)
{
    struct index index = {.w = {.max = ANSWER_MAX}};
    struct json_tree *tree;
    if (!read_object(q, &tree, a))
        return;
    const struct json_value *ready = tree != NULL ? json_find(json_tree_root(tree), "ready") : NULL;
    bool fine = ready == NULL || json_is(ready, JSON_BOOLEAN);
    index.only_ready = fine && ready != NULL && ready->is.truth;
    json_tree_free(tree);
    if (!fine) {
        answer_error(a, STATUS_BAD, "ready: not true or false");
        return;
    }
    json_put_open(&index.w, '[');
    models_each(s->models, put_state, &index);
    json_put_close(&index.w, ']');
    answer_json(a, STATUS_OK, &index.w);
}

static void answer_empty(struct answer *a)
{
    struct json_writer w = {.max = ANSWER_MAX};
    json_put_open(&w, '{');
    json_put_close(&w, '}');
    answer_json(a, STATUS_OK, &w);
}

/* Parameters of other servers: none of them has a meaning here. */
static bool has_parameters(const struct json_tree *tree)
{
    const struct json_value *p =
        tree != NULL ? json_find(json_tree_root(tree), "parameters") : NULL;
    return p != NULL && !(json_is(p, JSON_OBJECT) && p->length == 0);
}

void serve_v2_load(const struct service *s, const struct request *q, struct answer *a)
{
    struct json_tree *tree;
    eddy_error err;
    if (!read_object(q, &tree, a))
        return;
    bool parameters = has_parameters(tree);
    json_tree_free(tree);
    if (parameters) {
        answer_error(a, STATUS_BAD, "parameters: a model is loaded as its file is, without any");
        return;
    }
    int status = models_load(s->models, q->name, &err);
    if (status == EDDY_OK)
        answer_empty(a);
    else
        answer_error(a, status == EDDY_EUSAGE ? STATUS_NOT_FOUND : STATUS_REFUSED, "%s",
                     err.message);
}

/* A client may say whether dependents are to be unloaded: there are none. */
void serve_v2_unload(const struct service *s, const struct request *q, struct answer *a)
{
    struct json_tree *tree;
    if (!read_object(q, &tree, a))
        return;
    json_tree_free(tree);
    if (models_unload(s->models, q->name))
        answer_empty(a);
    else
        answer_error(a, STATUS_NOT_FOUND, "no model %s is served", q->name);
}
