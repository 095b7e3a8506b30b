/* SPDX-License-Identifier: MIT */
/* model_view.c - a model file opened to be looked at. */
#include "model_view.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_write.h"
#include "progress.h"

struct naming {
    struct model_view *view;
    size_t place; /* of the feature among all */
};

static int take_name(const eddy_feature *feature, void *user)
{
    struct naming *naming = user;
    const eddy_model_info *info = &naming->view->info;
    for (size_t i = 0; i < info->columns && i < VIEW_COLUMNS; i++)
        if (info->column[i] == naming->place)
            naming->view->column[i] = feature->name;
    naming->place++;
    return 0;
}

bool model_view_open(struct model_view *view, const char *path)
{
    static const struct json_limits limits = {.depth = 64, .values = 65536};
    struct progress silent = {0};
    eddy_error err = {0};
    *view = (struct model_view){.path = path, .info = {.size = sizeof view->info}};
    if (eddy_model_open(path, &view->model, &err) != EDDY_OK) {
        complain(&silent, "%s", err.message);
        return false;
    }
    eddy_model_describe(view->model, &view->info);
    struct naming naming = {.view = view};
    (void)eddy_features(take_name, &naming);
    const char *text = view->info.metadata;
    if (json_tree_new(text, strlen(text), &limits, &view->metadata, &err) != EDDY_OK) {
        complain(&silent, "%s: its metadata: %s", path, err.message);
        model_view_close(view);
        return false;
    }
    return true;
}

void model_view_close(struct model_view *view)
{
    json_tree_free(view->metadata);
    eddy_model_free(view->model);
    *view = (struct model_view){0};
}

const struct json_value *model_view_meta(const struct model_view *view, const char *key)
{
    return json_find(json_tree_root(view->metadata), key);
}

static void put_number(double number, char *buf, size_t size)
{
    if (number == floor(number) && fabs(number) < 1e15)
        (void)snprintf(buf, size, "%.0f", number);
    else if (isfinite(number))
        (void)snprintf(buf, size, "%.9g", number);
    else
        (void)snprintf(buf, size, "null");
}

static void put_string(const struct json_value *value, char *buf, size_t size)
{
    struct json_writer w = {.max = (size_t)8 << 20};
    json_put_string(&w, value->is.text, value->length);
    (void)snprintf(buf, size, "%s", w.failed ? "?" : w.text);
    free(w.text);
}

const char *json_scalar(const struct json_value *value, char *buf, size_t size)
{
    switch (value->kind) {
    case JSON_NUMBER:
        put_number(value->is.number, buf, size);
        break;
    case JSON_STRING:
        put_string(value, buf, size);
        break;
    case JSON_BOOLEAN:
        (void)snprintf(buf, size, "%s", value->is.truth ? "true" : "false");
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        (void)snprintf(buf, size, value->kind == JSON_ARRAY ? "[%u]" : "{%u}",
                       (unsigned)value->length);
        break;
    default:
        (void)snprintf(buf, size, "null");
    }
    return buf;
}
