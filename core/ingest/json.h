/* SPDX-License-Identifier: MIT */
/* json.h - reads the wanted fields of one JSON object on one line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reason.h"
#include "util/arena.h"

/* How a format names its fields. 0 is a key that is not wanted, nor is anything inside it. */
enum { JSON_UNWANTED = 0, JSON_TOP = 1 /* the line's own object; formats count from 2 */ };

struct json_format {
    /* The number of the key `text` of the object that is the value of `inside`. */
    unsigned (*key)(unsigned inside, const char *text, size_t length);
    /* A value of a wanted key: a string (unescaped), a number as written, or "true" or "false".
     * null is no value. The elements of an array come one by one, objects among them only if
     * `each` says so. */
    void (*value)(void *user, unsigned key, const char *text, size_t length);
    /* Bits of keys below 64: of an array that is their value, the objects are read, too; its keys
     * are then inside that key. */
    uint64_t each;
};

/* Reads all of the line. REASON_NONE, or REASON_bad_json or REASON_bad_utf8: then some values may
 * already have been passed. Allocates from `scratch` only. */
enum reason json_read(struct arena *scratch, const char *line, size_t length,
                      const struct json_format *format, void *user);

/* The same by yajl alone: for lines that json_quick() can't read, and to compare the two. */
enum reason json_strict(struct arena *scratch, const char *line, size_t length,
                        const struct json_format *format, void *user);

/* Room that `scratch` must have for lines of up to `length` bytes. */
size_t json_scratch_size(size_t length);

/* Does it begin with { and end with }, but for blanks around? */
bool json_is_object(const char *line, size_t length);

/* Why a line that is no object is none. */
enum reason json_not_object(const char *line, size_t length);

enum json_peek {
    JSON_ABSENT,  /* the key occurs nowhere */
    JSON_FOUND,   /* this is its value */
    JSON_UNKNOWN, /* only json_read() can tell */
};

struct json_string {
    const char *text;
    size_t length;
};

/* A key with its quotes, and which of its bytes is rare in such logs: it is looked for first. */
struct json_key {
    const char *text;
    size_t length, rare;
};

#define JSON_KEY(literal, rare) ((struct json_key){literal, sizeof(literal) - 1, rare})

/* Looks for a key of the line's own object that has a string value, without reading the rest. */
enum json_peek json_peek(const char *line, size_t length, struct json_key key,
                         struct json_string *value);
