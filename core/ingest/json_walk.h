/* SPDX-License-Identifier: MIT */
/* json_walk.h - where a reader of JSON is, and what of it the format wants to know. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/* Suricata nests up to about 8 deep. yajl's own stack holds 128 levels before it grows. */
enum { JSON_DEPTH_MAX = 64 };

#define JSON_IN_ARRAY UINT_MAX

struct json_walk {
    const struct json_format *format;
    void *user;
    unsigned depth;
    /* key[d]: the key last seen in the object at depth d; for an array, the array's own. The
     * line's object is at depth 1, and key[0] is its "key". */
    unsigned key[JSON_DEPTH_MAX + 1];
    /* inside[d]: what the object at depth d is the value of, or JSON_IN_ARRAY. */
    unsigned inside[JSON_DEPTH_MAX + 1];
};

/* In place, for it costs more to zero it than to use it. */
static inline void json_walk_init(struct json_walk *walk, const struct json_format *format,
                                  void *user)
{
    walk->format = format;
    walk->user = user;
    walk->depth = 0;
    walk->key[0] = JSON_TOP;
    walk->inside[0] = JSON_UNWANTED;
}

static inline void json_walk_key(struct json_walk *walk, const char *text, size_t length)
{
    unsigned inside = walk->inside[walk->depth];
    walk->key[walk->depth] =
        inside == JSON_UNWANTED ? JSON_UNWANTED : walk->format->key(inside, text, length);
}

static inline void json_walk_value(const struct json_walk *walk, const char *text, size_t length)
{
    unsigned key = walk->key[walk->depth];
    if (key > JSON_TOP)
        walk->format->value(walk->user, key, text, length);
}

/* Goes into an object or array. False if that is too deep. */
static inline bool json_walk_enter(struct json_walk *walk, bool array)
{
    unsigned depth = walk->depth;
    if (depth == JSON_DEPTH_MAX)
        return false;
    unsigned key = walk->key[depth];
    if (walk->inside[depth] == JSON_IN_ARRAY &&
        (array || key >= 64 || (walk->format->each >> key & 1) == 0))
        key = JSON_UNWANTED;
    walk->depth = ++depth;
    walk->inside[depth] = array ? JSON_IN_ARRAY : key;
    walk->key[depth] = array ? key : JSON_UNWANTED;
    return true;
}
