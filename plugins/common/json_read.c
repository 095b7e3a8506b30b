/* SPDX-License-Identifier: MIT */
/* json_read.c - reads a JSON text of others into a tree. */
#include "json_read.h"

#include <stdlib.h>
#include <string.h>

#include "json_visit.h"
#include "say.h"

#define DEPTH_MAX 64 /* whatever the limits say */
#define NUMBER_MAX                                                                                 \
    64 /* bytes of a number as written: the exact decimals of a double are no use                  \
        */

struct json_tree {
    struct json_value *values;
    size_t count, size, max;
    char *text; /* of all strings: never longer than what was read, with a NUL for a quote */
    size_t text_used, text_size;
    size_t open[DEPTH_MAX]; /* arrays and objects we are in, outermost first */
    unsigned depth, depth_max;
    const char *fault; /* why we stopped; NULL: the text is no JSON */
    bool no_memory;
};

/* ---- what is met: 0 ends the reading ---- */

static int stop(struct json_tree *tree, const char *why)
{
    tree->fault = why;
    return 0;
}

/* Room for one more value; NULL: there is none. */
static struct json_value *add(struct json_tree *tree, enum json_kind kind)
{
    if (tree->count == tree->max) {
        (void)stop(tree, "it has more values than are taken");
        return NULL;
    }
    if (tree->count == tree->size) {
        size_t size = tree->size < 32 ? 64 : tree->size * 2;
        size = size < tree->max ? size : tree->max;
        struct json_value *grown = realloc(tree->values, size * sizeof *grown);
        if (grown == NULL) {
            tree->no_memory = true;
            return NULL;
        }
        tree->values = grown;
        tree->size = size;
    }
    if (tree->depth > 0)
        tree->values[tree->open[tree->depth - 1]].length++;
    struct json_value *value = &tree->values[tree->count++];
    *value = (struct json_value){.kind = (uint32_t)kind};
    return value;
}

static int on_null(void *context)
{
    return add(context, JSON_NULL) != NULL;
}

static int on_boolean(void *context, int truth)
{
    struct json_value *value = add(context, JSON_BOOLEAN);
    if (value != NULL)
        value->is.truth = truth != 0;
    return value != NULL;
}

/* The decimal point is a point: no host calls setlocale(). */
static int on_number(void *context, const char *text, size_t length)
{
    char copy[NUMBER_MAX + 1];
    if (length > NUMBER_MAX)
        return stop(context, "a number has more than 64 characters");
    memcpy(copy, text, length);
    copy[length] = '\0';
    struct json_value *value = add(context, JSON_NUMBER);
    if (value != NULL)
        value->is.number = strtod(copy, NULL);
    return value != NULL;
}

static int on_string(void *context, const char *text, size_t length)
{
    struct json_tree *tree = context;
    struct json_value *value = add(tree, JSON_STRING);
    if (value == NULL)
        return 0;
    if (length >= tree->text_size - tree->text_used)
        return stop(tree, "a string grew"); /* never: escapes are longer than what they stand for */
    char *copy = tree->text + tree->text_used;
    if (length > 0)
        memcpy(copy, text, length);
    copy[length] = '\0';
    tree->text_used += length + 1;
    value->length = (uint32_t)length;
    value->is.text = copy;
    return 1;
}

static int enter(struct json_tree *tree, enum json_kind kind)
{
    if (tree->depth == tree->depth_max)
        return stop(tree, "it is nested too deeply");
    if (add(tree, kind) == NULL)
        return 0;
    tree->open[tree->depth++] = tree->count - 1;
    return 1;
}

static int on_object(void *context)
{
    return enter(context, JSON_OBJECT);
}

static int on_array(void *context)
{
    return enter(context, JSON_ARRAY);
}

static int on_end(void *context)
{
    struct json_tree *tree = context;
    size_t at = tree->open[--tree->depth];
    struct json_value *value = &tree->values[at];
    value->is.span = tree->count - at;
    if (value->kind == JSON_OBJECT)
        value->length /= 2; /* keys were counted, too */
    return 1;
}

static const struct json_visitor growth = {
    .null = on_null,
    .boolean = on_boolean,
    .number = on_number,
    .string = on_string,
    .object = on_object,
    .key = on_string,
    .array = on_array,
    .end = on_end,
};

/* ---- reading ---- */

static int fill(struct json_tree *tree, const char *text, size_t length, eddy_error *err)
{
    int status = json_visit(text, length, &growth, tree, err);
    if (tree->no_memory)
        return fault(err, EDDY_ENOMEM, "out of memory");
    if (tree->fault != NULL)
        return fault(err, EDDY_EINPUT, "bad JSON: %s", tree->fault);
    if (status < 0)
        return status;
    bool holds = tree->values->kind == JSON_ARRAY || tree->values->kind == JSON_OBJECT;
    return holds ? EDDY_OK : fault(err, EDDY_EINPUT, "bad JSON: neither an object nor an array");
}

int json_tree_new(const char *text, size_t length, const struct json_limits *limits,
                  struct json_tree **out, eddy_error *err)
{
    struct json_tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    tree->max = limits->values;
    tree->depth_max = limits->depth < DEPTH_MAX ? limits->depth : DEPTH_MAX;
    tree->text_size = length + 1;
    tree->text = malloc(tree->text_size);
    int status = tree->text != NULL ? fill(tree, text, length, err)
                                    : fault(err, EDDY_ENOMEM, "out of memory");
    if (status < 0) {
        json_tree_free(tree);
        return status;
    }
    *out = tree;
    return EDDY_OK;
}

void json_tree_free(struct json_tree *tree)
{
    if (tree == NULL)
        return;
    free(tree->values);
    free(tree->text);
    free(tree);
}

/* ---- asking ---- */

const struct json_value *json_tree_root(const struct json_tree *tree)
{
    return tree->values;
}

bool json_is(const struct json_value *value, enum json_kind kind)
{
    return value != NULL && value->kind == (uint32_t)kind;
}

const struct json_value *json_first(const struct json_value *of)
{
    bool has = (json_is(of, JSON_ARRAY) || json_is(of, JSON_OBJECT)) && of->length > 0;
    return has ? of + 1 : NULL;
}

const struct json_value *json_behind(const struct json_value *value)
{
    if (value == NULL)
        return NULL;
    bool holds = value->kind == JSON_ARRAY || value->kind == JSON_OBJECT;
    return value + (holds ? value->is.span : 1);
}

const char *json_text(const struct json_value *value)
{
    bool plain = json_is(value, JSON_STRING) && strlen(value->is.text) == value->length;
    return plain ? value->is.text : NULL;
}

const struct json_value *json_find(const struct json_value *object, const char *key)
{
    if (!json_is(object, JSON_OBJECT))
        return NULL;
    const struct json_value *at = json_first(object);
    for (uint32_t i = 0; i < object->length; i++, at = json_behind(at + 1)) {
        const char *name = json_text(at);
        if (name != NULL && strcmp(name, key) == 0)
            return at + 1;
    }
    return NULL;
}

const char *json_find_text(const struct json_value *object, const char *key)
{
    return json_text(json_find(object, key));
}
