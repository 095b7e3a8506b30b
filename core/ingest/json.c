/* SPDX-License-Identifier: MIT */
/* json.c - reads the wanted fields of one JSON object on one line (the only file that includes
 * yajl). */
#include "json.h"

#include <string.h>

#include <yajl/yajl_parse.h>

#include "json_quick.h"
#include "json_walk.h"

/* yajl has no way to hear of a failed allocation, so there must be none. For a line of n bytes its
 * two buffers (a string with escapes, a token cut off by the end of the line) begin with 2 KiB and
 * double until they hold n + 2; what was outgrown may stay behind: 2 * (2 * 2n + 2 KiB). The rest
 * (handle, lexer, stack) takes less than 2 KiB. */
enum { SCRATCH_FIXED = 16384, SCRATCH_PER_BYTE = 8 };

/* ---- What yajl calls ---------------------------------------------------- */

struct reader {
    struct json_walk walk; /* first: callbacks that need no more take the reader for it */
    yajl_handle handle;
    size_t end; /* where the object ended; 0 before */
};

static int on_null(void *context)
{
    (void)context;
    return 1;
}

static int on_boolean(void *context, int value)
{
    json_walk_value(context, value ? "true" : "false", value ? 4 : 5);
    return 1;
}

static int on_number(void *context, const char *text, size_t length)
{
    json_walk_value(context, text, length);
    return 1;
}

static int on_string(void *context, const unsigned char *text, size_t length)
{
    json_walk_value(context, (const char *)text, length);
    return 1;
}

static int on_key(void *context, const unsigned char *text, size_t length)
{
    json_walk_key(context, (const char *)text, length);
    return 1;
}

static int on_object(void *context)
{
    return json_walk_enter(context, false);
}

static int on_array(void *context)
{
    struct reader *reader = context;
    return reader->walk.depth > 0 && json_walk_enter(&reader->walk, true);
}

static int on_end(void *context)
{
    struct reader *reader = context;
    if (--reader->walk.depth == 0)
        reader->end = yajl_get_bytes_consumed(reader->handle);
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

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
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

/* After the object yajl lets through the beginning of a token that the line's end cuts off. */
static bool is_all(const struct reader *reader, const char *line, size_t length)
{
    size_t end = reader->end;
    while (end > 0 && end < length && is_blank(line[end]))
        end++;
    return end > 0 && end == length;
}

enum reason json_strict(struct arena *scratch, const char *line, size_t length,
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
    struct reader reader;
    json_walk_init(&reader.walk, format, user);
    reader.end = 0;
    reader.handle = yajl_alloc(&callbacks, &memory, &reader);
    yajl_status status = yajl_parse(reader.handle, (const unsigned char *)line, length);
    if (status == yajl_status_ok)
        status = yajl_complete_parse(reader.handle);
    if (status != yajl_status_ok)
        return why_not(reader.handle, line, length);
    return is_all(&reader, line, length) ? REASON_NONE : REASON_bad_json;
}

static unsigned no_key(unsigned inside, const char *text, size_t length)
{
    (void)inside;
    (void)text;
    (void)length;
    return JSON_UNWANTED;
}

enum reason json_read(struct arena *scratch, const char *line, size_t length,
                      const struct json_format *format, void *user)
{
    static const struct json_format nothing = {.key = no_key};
    if (!json_quick_can(line, length))
        return json_strict(scratch, line, length, format, user);
    if (json_quick(line, length, format, user))
        return REASON_NONE;
    enum reason reason = json_strict(scratch, line, length, &nothing, NULL); /* says why */
    return reason != REASON_NONE ? reason : REASON_bad_json;
}

/* ---- Before reading ----------------------------------------------------- */

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

/* Like memmem(), but with no table to set up. */
static const char *find(const char *line, size_t length, struct json_key key)
{
    if (length < key.length)
        return NULL;
    const char *at = line + key.rare, *end = line + length - key.length + key.rare + 1;
    while (at < end) {
        const char *hit = memchr(at, key.text[key.rare], (size_t)(end - at));
        if (hit == NULL)
            return NULL;
        if (memcmp(hit - key.rare, key.text, key.length) == 0)
            return hit - key.rare;
        at = hit + 1;
    }
    return NULL;
}

enum json_peek json_peek(const char *line, size_t length, struct json_key key,
                         struct json_string *value)
{
    const char *end = line + length;
    /* Never inside a string: there the quotes would be escaped. */
    const char *hit = find(line, length, key);
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
