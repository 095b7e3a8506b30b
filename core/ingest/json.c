/* SPDX-License-Identifier: MIT */
/* json.c - reads the wanted fields of one JSON object on one line (the only file that includes
 * yajl). */
#define _GNU_SOURCE /* memmem: part of POSIX only since 2024 */
#include "json.h"

#include <limits.h>
#include <string.h>

#include <yajl/yajl_parse.h>

/* Suricata nests up to about 8 deep. yajl's own stack holds 128 levels before it grows. */
enum { DEPTH_MAX = 64 };

#define IN_ARRAY UINT_MAX

/* yajl has no way to hear of a failed allocation, so there must be none. For a line of n bytes its
 * two buffers (a string with escapes, a token cut off by the end of the line) begin with 2 KiB and
 * double until they hold n + 2; what was outgrown may stay behind: 2 * (2 * 2n + 2 KiB). The rest
 * (handle, lexer, stack) takes less than 2 KiB. */
enum { SCRATCH_FIXED = 16384, SCRATCH_PER_BYTE = 8 };

struct reader {
    const struct json_format *format;
    void *user;
    unsigned depth;
    /* key[d]: the key last seen in the object at depth d; for an array, the array's own. The
     * line's object is at depth 1, and key[0] is its "key". */
    unsigned key[DEPTH_MAX + 1];
    /* inside[d]: what the object at depth d is the value of, or IN_ARRAY. */
    unsigned inside[DEPTH_MAX + 1];
};

/* ---- What yajl calls ---------------------------------------------------- */

static void give(const struct reader *r, const char *text, size_t length)
{
    if (r->key[r->depth] > JSON_TOP)
        r->format->value(r->user, r->key[r->depth], text, length);
}

static int on_null(void *context)
{
    (void)context;
    return 1;
}

static int on_boolean(void *context, int value)
{
    give(context, value ? "true" : "false", value ? 4 : 5);
    return 1;
}

static int on_number(void *context, const char *text, size_t length)
{
    give(context, text, length);
    return 1;
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    give(context, (const char *)text, length);
    return 1;
}

static int on_key(void *context, const unsigned char *text, size_t length)
{
    struct reader *r = context;
    unsigned inside = r->inside[r->depth];
    r->key[r->depth] = inside == JSON_UNWANTED ? JSON_UNWANTED
                                               : r->format->key(inside, (const char *)text, length);
    return 1;
}

/* Goes one level deeper. */
static int enter(struct reader *r, bool array)
{
    if (r->depth == DEPTH_MAX)
        return 0;
    unsigned key = r->inside[r->depth] == IN_ARRAY ? JSON_UNWANTED : r->key[r->depth];
    r->depth++;
    r->inside[r->depth] = array ? IN_ARRAY : key;
    r->key[r->depth] = array ? key : JSON_UNWANTED;
    return 1;
}

static int on_object(void *context)
{
    return enter(context, false);
}

static int on_array(void *context)
{
    return enter(context, true);
}

static int on_end(void *context)
{
    struct reader *r = context;
    r->depth--;
    return 1;
}

static void *yajl_get(void *context, size_t size)
{
    return arena_alloc(context, size);
}

static void *yajl_grow(void *context, void *block, size_t size)
{
    return arena_grow(context, block, size);
}

static void yajl_drop(void *context, void *block)
{
    (void)context; /* all at once, by whoever owns the arena */
    (void)block;
}

/* ---- Reading ------------------------------------------------------------ */

size_t json_scratch_size(size_t length)
{
    return SCRATCH_FIXED + SCRATCH_PER_BYTE * length;
}

static enum reason why_not(yajl_handle handle, const char *line, size_t length)
{
    if (memchr(line, '\0', length) != NULL)
        return REASON_bad_utf8;
    const unsigned char *message = yajl_get_error(handle, 0, NULL, 0); /* lives in the arena */
    if (message != NULL && strstr((const char *)message, "UTF8") != NULL)
        return REASON_bad_utf8;
    return REASON_bad_json;
}

enum reason json_read(struct arena *scratch, const char *line, size_t length,
                      const struct json_format *format, void *user)
{
    static const yajl_callbacks callbacks = {
        .yajl_null = on_null,
        .yajl_boolean = on_boolean,
        .yajl_number = on_number, /* the text: integers above INT64_MAX occur in EVE */
        .yajl_string = on_string,
        .yajl_start_map = on_object,
        .yajl_map_key = on_key,
        .yajl_end_map = on_end,
        .yajl_start_array = on_array,
        .yajl_end_array = on_end,
    };
    if (scratch->size - scratch->used < json_scratch_size(length))
        return REASON_line_too_long;
    yajl_alloc_funcs memory = {yajl_get, yajl_grow, yajl_drop, scratch};
    struct reader r;
    r.format = format;
    r.user = user;
    r.depth = 0;
    r.key[0] = JSON_TOP;
    r.inside[0] = JSON_UNWANTED;
    yajl_handle handle = yajl_alloc(&callbacks, &memory, &r);
    yajl_status status = yajl_parse(handle, (const unsigned char *)line, length);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(handle);
    return status == yajl_status_ok ? REASON_NONE : why_not(handle, line, length);
}

/* ---- Before reading ----------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

bool json_is_object(const char *line, size_t length)
{
    const char *at = line, *end = line + length;
    while (at < end && is_blank(*at))
        at++;
    while (end > at && is_blank(end[-1]))
        end--;
    return end - at >= 2 && *at == '{' && end[-1] == '}';
}

enum reason json_not_object(const char *line, size_t length)
{
    return memchr(line, '\0', length) != NULL ? REASON_bad_utf8 : REASON_bad_json;
}

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && is_blank(*at))
        at++;
    return at;
}

enum json_peek json_peek(const char *line, size_t length, struct json_string key,
                         struct json_string *value)
{
    const char *end = line + length;
    /* Never inside a string: there the quotes would be escaped. */
    const char *hit = memmem(line, length, key.text, key.length);
    if (hit == NULL)
        return JSON_ABSENT;
    const char *open = memchr(line, '{', length);
    if (open == NULL || open > hit || memchr(open + 1, '{', (size_t)(hit - open - 1)) != NULL)
        return JSON_UNKNOWN; /* perhaps in an inner object */
    const char *at = skip_blanks(hit + key.length, end);
    if (at == end || *at != ':')
        return JSON_UNKNOWN; /* a value, not a key */
    at = skip_blanks(at + 1, end);
    if (at == end || *at != '"')
        return JSON_UNKNOWN;
    at++;
    const char *close = memchr(at, '"', (size_t)(end - at));
    if (close == NULL || memchr(at, '\\', (size_t)(close - at)) != NULL)
        return JSON_UNKNOWN;
    *value = (struct json_string){at, (size_t)(close - at)};
    return JSON_FOUND;
}
