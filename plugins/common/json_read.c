/* SPDX-License-Identifier: MIT */
/* json_read.c - reads a JSON text of others into a tree; the only file of the hosts that includes
 * yajl. */
#include "json_read.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "say.h"

#define DEPTH_MAX 64 /* whatever the limits say */
#define NUMBER_MAX                                                                                 \
    64 /* bytes of a number as written: the exact decimals of a double are no use                  \
        */

/* yajl has no way to hear of a failed allocation, so there must be none. For a text of n bytes its
 * two buffers begin with 2 KiB and double until they hold n + 2; what was outgrown may stay behind.
 * The rest (handle, lexer, stack) takes less than 2 KiB. As in core/ingest/json.c. */
enum { SCRATCH_FIXED = 16384, SCRATCH_PER_BYTE = 8 };

struct json_tree {
    struct json_value *values;
    size_t count, size, max;
    char *text; /* of all strings: never longer than what was read, with a NUL for a quote */
    size_t text_used, text_size;
    size_t open[DEPTH_MAX]; /* arrays and objects we are in, outermost first */
    unsigned depth, depth_max;
    yajl_handle yajl;
    size_t end;        /* byte behind the outermost value; 0: not there yet */
    const char *fault; /* why we stopped; NULL: yajl knows */
    bool no_memory;
};

/* Memory for yajl, from one block. Each piece has its size in front, to be copied when it grows. */
struct scratch {
    char *block;
    size_t used, size;
};

static void *scratch_alloc(void *context, size_t size)
{
    struct scratch *s = context;
    size_t needed =
        (size + 2 * sizeof(max_align_t) - 1) / sizeof(max_align_t) * sizeof(max_align_t);
    if (needed > s->size - s->used)
        return NULL; /* never: see SCRATCH_PER_BYTE */
    char *piece = s->block + s->used;
    memcpy(piece, &size, sizeof size);
    s->used += needed;
    return piece + sizeof(max_align_t);
}

static void *scratch_grow(void *context, void *old, size_t size)
{
    void *grown = scratch_alloc(context, size);
    if (old == NULL || grown == NULL)
        return grown;
    size_t before;
    memcpy(&before, (char *)old - sizeof(max_align_t), sizeof before);
    memcpy(grown, old, before < size ? before : size);
    return grown;
}

static void scratch_drop(void *context, void *piece)
{
    (void)context; /* all at once, with the block */
    (void)piece;
}

/* ---- what yajl calls: 0 ends the reading ---- */

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

static int on_string(void *context, const unsigned char *text, size_t length)
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
    if (tree->depth == 0)
        tree->end = yajl_get_bytes_consumed(tree->yajl);
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_string,
    .yajl_start_map = on_object,
    .yajl_map_key = on_string,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

/* ---- reading ---- */

/* What yajl says ends with a newline. */
static int say_why(const struct json_tree *tree, eddy_error *err)
{
    if (tree->no_memory)
        return fault(err, EDDY_ENOMEM, "out of memory");
    size_t at = yajl_get_bytes_consumed(tree->yajl);
    if (tree->fault != NULL)
        return fault(err, EDDY_EINPUT, "bad JSON before byte %zu: %s", at, tree->fault);
    const char *text = (const char *)yajl_get_error(tree->yajl, 0, NULL, 0); /* in the scratch */
    if (text == NULL)
        text = "it can't be read";
    return fault(err, EDDY_EINPUT, "bad JSON before byte %zu: %.*s", at, (int)strcspn(text, "\n"),
                 text);
}

/* Behind the last bracket yajl lets through the beginning of a token that the end cuts off. */
static int check_end(const struct json_tree *tree, const char *text, size_t length, eddy_error *err)
{
    if (tree->end == 0)
        return fault(err, EDDY_EINPUT, "bad JSON: neither an object nor an array");
    size_t end = tree->end;
    while (end < length && strchr(" \t\r\n", text[end]) != NULL && text[end] != '\0')
        end++;
    return end == length
               ? EDDY_OK
               : fault(err, EDDY_EINPUT, "bad JSON at byte %zu: it should have ended", end);
}

static int parse(struct json_tree *tree, const char *text, size_t length, eddy_error *err)
{
    struct scratch scratch = {.size = SCRATCH_FIXED + SCRATCH_PER_BYTE * length};
    scratch.block = malloc(scratch.size);
    if (scratch.block == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    yajl_alloc_funcs memory = {scratch_alloc, scratch_grow, scratch_drop, &scratch};
    tree->yajl = yajl_alloc(&callbacks, &memory, tree);
    yajl_status status = yajl_parse(tree->yajl, (const unsigned char *)text, length);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(tree->yajl);
    int result = status == yajl_status_ok ? check_end(tree, text, length, err) : say_why(tree, err);
    free(scratch.block);
    return result;
}

int json_tree_new(const char *text, size_t length, const struct json_limits *limits,
                  struct json_tree **out, eddy_error *err)
{
    if (length > INT_MAX)
        return fault(err, EDDY_EINPUT, "bad JSON: it is too long");
    struct json_tree *tree = calloc(1, sizeof *tree);
    if (tree == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    tree->max = limits->values;
    tree->depth_max = limits->depth < DEPTH_MAX ? limits->depth : DEPTH_MAX;
    tree->text_size = length + 1;
    tree->text = malloc(tree->text_size);
    int status = tree->text != NULL ? parse(tree, text, length, err)
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
