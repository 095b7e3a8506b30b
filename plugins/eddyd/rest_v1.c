/* SPDX-License-Identifier: MIT */
/* rest_v1.c - /v1/models: which models are in use and served, taking them up and giving them up. */
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "json_read.h"
#include "rest_route.h"

static void put_info(struct json_writer *w, const eddy_model *model)
{
    eddy_model_info info = {.size = sizeof info};
    eddy_model_describe(model, &info);
    json_put_pair(w, "model", info.name);
    json_put_pair(w, "version", info.version);
    json_put_pair(w, "kind", info.kind);
    json_put_pair(w, "sha256", info.sha256);
    json_put_key(w, "trees");
    json_put_count(w, info.trees);
    json_put_key(w, "columns");
    json_put_count(w, info.columns);
    json_put_key(w, "outputs");
    json_put_open(w, '[');
    for (size_t i = 0; i < info.outputs; i++)
        json_put_text(w, info.output[i]);
    json_put_close(w, ']');
}

/* "forest.model" and "forest.challenger". */
static int put_use(const eddy_model_use *use, void *user)
{
    struct json_writer *w = user;
    size_t detector = strcspn(use->setting, ".");
    json_put_open(w, '{');
    json_put_pair(w, "setting", use->setting);
    json_put_key(w, "detector");
    json_put_string(w, use->setting, detector);
    json_put_pair(w, "role",
                  strcmp(use->setting + detector, ".challenger") == 0 ? "challenger" : "champion");
    json_put_pair(w, "path", use->path);
    put_info(w, use->model);
    json_put_close(w, '}');
    return 0;
}

static void put_served(const struct model_state *state, void *user)
{
    struct json_writer *w = user;
    json_put_open(w, '{');
    json_put_pair(w, "name", state->name);
    json_put_pair(w, "state", state->model != NULL ? "ready" : "unavailable");
    json_put_pair(w, "reason", state->reason);
    if (state->model != NULL)
        put_info(w, state->model);
    json_put_close(w, '}');
}

void serve_models(const struct service *s, const struct request *q, struct answer *a)
{
    (void)q;
    struct json_writer w = {.max = ANSWER_MAX};
    json_put_open(&w, '{');
    json_put_key(&w, "in_use");
    json_put_open(&w, '[');
    (void)eddy_engine_models(s->engine, put_use, &w); /* put_use() never stops it */
    json_put_close(&w, ']');
    json_put_key(&w, "served");
    json_put_open(&w, '[');
    models_each(s->models, put_served, &w);
    json_put_close(&w, ']');
    json_put_close(&w, '}');
    answer_json(a, STATUS_OK, &w);
}

/* ---- taking up and giving up ---- */

static const char *const uses[] = {"forest.model", "forest.challenger", "iforest.model",
                                   "iforest.challenger"};

/* Reads `use` of the body: NULL if there is none. False: the answer says why. */
static bool read_use(const struct request *q, const char **use, struct answer *a)
{
    static const struct json_limits limits = {.depth = 2, .values = 16};
    struct json_tree *tree;
    eddy_error err;
    *use = NULL;
    if (q->length == 0)
        return true;
    if (json_tree_new(q->body, q->length, &limits, &tree, &err) < 0) {
        answer_error(a, STATUS_BAD, "%s", err.message);
        return false;
    }
    const struct json_value *root = json_tree_root(tree);
    const struct json_value *wanted = json_find(root, "use");
    const char *text = json_text(wanted);
    for (size_t i = 0; text != NULL && i < sizeof uses / sizeof *uses; i++)
        if (strcmp(text, uses[i]) == 0)
            *use = uses[i];
    bool fine = json_is(root, JSON_OBJECT) && root->length == (wanted != NULL ? 1 : 0) &&
                (wanted == NULL || *use != NULL);
    json_tree_free(tree);
    if (!fine)
        answer_error(a, STATUS_BAD,
                     "the body may be {\"use\": ...} with forest.model, forest.challenger, "
                     "iforest.model or iforest.challenger");
    return fine;
}

static void answer_refused(struct answer *a, int status, const eddy_error *err)
{
    answer_error(a,
                 status == EDDY_EUSAGE   ? STATUS_NOT_FOUND
                 : status == EDDY_ENOMEM ? STATUS_FAILED
                                         : STATUS_REFUSED,
                 "%s", err->message);
}

static void answer_done_with(struct answer *a, const struct request *q, const char *use,
                             const char *state)
{
    struct json_writer w = {.max = ANSWER_MAX};
    json_put_open(&w, '{');
    json_put_pair(&w, "name", q->name);
    json_put_pair(&w, "state", state);
    if (use != NULL)
        json_put_pair(&w, "use", use);
    json_put_close(&w, '}');
    answer_json(a, STATUS_OK, &w);
}

void serve_model_load(const struct service *s, const struct request *q, struct answer *a)
{
    char path[4096];
    const char *use;
    eddy_error err;
    if (!read_use(q, &use, a))
        return;
    int status = models_load(s->models, q->name, &err);
    if (status < 0) {
        say(s->say, LOG_WARNING, "model %s asked for by HTTP was refused: %s", q->name,
            err.message);
        answer_refused(a, status, &err);
        return;
    }
    if (use != NULL) {
        (void)models_path(s->models, q->name, path, sizeof path); /* it was opened by it */
        status = eddy_engine_set(s->engine, use, path, &err);
        if (status < 0) {
            answer_error(a, STATUS_REFUSED, "%s", err.message);
            return;
        }
    }
    say(s->say, LOG_NOTICE, "model %s loaded by HTTP%s%s", q->name, use != NULL ? " as " : "",
        use != NULL ? use : "");
    answer_done_with(a, q, use, "ready");
}

struct wanted_use {
    const char *setting, *path;
};

static int is_used(const eddy_model_use *use, void *user)
{
    const struct wanted_use *wanted = user;
    return strcmp(use->setting, wanted->setting) == 0 && strcmp(use->path, wanted->path) == 0;
}

/* Gives up the use of this very model. */
static bool give_up(const struct service *s, const struct request *q, const char *use,
                    struct answer *a)
{
    char path[4096];
    eddy_error err;
    struct wanted_use wanted = {use, path};
    if (!models_path(s->models, q->name, path, sizeof path) ||
        eddy_engine_models(s->engine, is_used, &wanted) == 0) {
        answer_error(a, STATUS_CONFLICT, "%s does not use %s", use, q->name);
        return false;
    }
    if (eddy_engine_set(s->engine, use, "", &err) < 0) {
        answer_error(a, STATUS_REFUSED, "%s", err.message);
        return false;
    }
    return true;
}

void serve_model_unload(const struct service *s, const struct request *q, struct answer *a)
{
    const char *use;
    if (!read_use(q, &use, a) || (use != NULL && !give_up(s, q, use, a)))
        return;
    if (use == NULL && !models_unload(s->models, q->name)) {
        answer_error(a, STATUS_NOT_FOUND, "no model %s is served", q->name);
        return;
    }
    say(s->say, LOG_NOTICE, "model %s unloaded by HTTP%s%s", q->name, use != NULL ? " as " : "",
        use != NULL ? use : "");
    answer_done_with(a, q, use, use != NULL ? "given_up" : "unloaded");
}
