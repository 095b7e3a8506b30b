/* SPDX-License-Identifier: MIT */
/* json_read.h - reads a JSON text of others into a tree: requests, answers of servers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

enum json_kind { JSON_NULL, JSON_BOOLEAN, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

/* Values lie in one array, each in front of what is in it; 16 bytes a value:
 *
 *     {"a": [1, 2]}   ->   object | "a" | array | 1 | 2
 */
struct json_value {
    uint32_t kind;   /* an enum json_kind */
    uint32_t length; /* of a string: bytes; of an array: values; of an object: pairs */
    union {
        bool truth;
        double number;
        const char *text; /* UTF-8 and a NUL behind it; it may hold NULs itself */
        size_t span;      /* of an array or object: places in the array, its own too */
    } is;
};

struct json_tree;

/* What is read at most: the text may come from anybody. Memory taken is up to 16 bytes a value and
 * nine times the text, of which what has no strings with escapes touches next to nothing. */
struct json_limits {
    unsigned depth; /* of arrays and objects in each other */
    size_t values;  /* keys are values, too */
};

/* Reads all of the text, an object or an array. EDDY_EINPUT: no JSON, or more than the limits;
 * EDDY_ENOMEM. Numbers beyond a double become infinite. */
int json_tree_new(const char *text, size_t length, const struct json_limits *limits,
                  struct json_tree **out, eddy_error *err);
void json_tree_free(struct json_tree *tree);
const struct json_value *json_tree_root(const struct json_tree *tree);

/* All below take NULL for a value that is not there, so that calls can be nested. Of an object, the
 * first and every other value is a key, a string, with what it stands for behind it. */
const struct json_value *json_first(const struct json_value *of); /* NULL: it has none */
const struct json_value *json_behind(const struct json_value *value);

/* What a key of an object stands for; NULL if it is no object or has no such key. Of repeated keys
 * the first one counts. */
const struct json_value *json_find(const struct json_value *object, const char *key);

/* The text of a string without NULs in it, else NULL. */
const char *json_text(const struct json_value *value);

/* The same of json_find(). */
const char *json_find_text(const struct json_value *object, const char *key);

bool json_is(const struct json_value *value, enum json_kind kind);
