/* SPDX-License-Identifier: MIT */
/* model_view.h - a model file opened to be looked at. */
#pragma once

#include <stdbool.h>

#include "eddy.h"
#include "json_read.h"

#define VIEW_COLUMNS 64 /* more than a model reads */

struct model_view {
    const char *path;
    eddy_model *model;
    eddy_model_info info;
    struct json_tree *metadata;
    const char *column[VIEW_COLUMNS]; /* names of the model's own */
};

/* False if the file was refused, and it was said. */
bool model_view_open(struct model_view *view, const char *path);
void model_view_close(struct model_view *view); /* also of one that did not open */

/* Of the metadata; NULL: it has no such key. */
const struct json_value *model_view_meta(const struct model_view *view, const char *key);

/* A number, string, truth or null as JSON, cut where there is no room; of others "[3]", "{3}": how
 * many there are. Returns `buf`. */
const char *json_scalar(const struct json_value *value, char *buf, size_t size);
