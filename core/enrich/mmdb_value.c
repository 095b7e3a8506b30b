/* SPDX-License-Identifier: MIT */
/* mmdb_value.c - reads one value out of a MaxMind DB data section, trusting none of its bytes. */
#include "enrich/mmdb_value.h"

#include <string.h>

enum {
    TYPE_POINTER = 1,
    TYPE_UTF8 = 2,
    TYPE_UINT16 = 5,
    TYPE_UINT32 = 6,
    TYPE_MAP = 7,
    TYPE_UINT64 = 9,
    TYPE_ARRAY = 11,
    TYPE_BOOLEAN = 14
};

/* A value's control bytes, read. */
struct head {
    unsigned type;
    uint32_t size;  /* bytes, entries of a map or array, or where a pointer points */
    size_t payload; /* offset of what follows the control bytes */
};

static bool read_big(const struct mmdb_section *s, size_t offset, unsigned bytes, uint64_t *out)
{
    if (offset > s->size || s->size - offset < bytes)
        return false;
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | s->data[offset + i];
    *out = value;
    return true;
}

static bool read_pointer(const struct mmdb_section *s, size_t offset, uint8_t control,
                         struct head *head)
{
    static const uint32_t base[4] = {0, 2048, 526336, 0};
    unsigned extra = (control >> 3) & 3u;
    uint64_t rest;
    if (!read_big(s, offset, extra + 1, &rest))
        return false;
    uint64_t high = extra == 3 ? 0 : (uint64_t)(control & 7u) << (8 * (extra + 1));
    uint64_t target = high + rest + base[extra];
    head->size = target > UINT32_MAX ? UINT32_MAX : (uint32_t)target;
    head->payload = offset + extra + 1;
    return true;
}

static bool read_head(const struct mmdb_section *s, size_t offset, struct head *head)
{
    uint64_t byte;
    if (!read_big(s, offset++, 1, &byte))
        return false;
    uint8_t control = (uint8_t)byte;
    head->type = control >> 5;
    if (head->type == TYPE_POINTER)
        return read_pointer(s, offset, control, head);
    if (head->type == 0) { /* extended */
        if (!read_big(s, offset++, 1, &byte))
            return false;
        head->type = (unsigned)byte + 7;
    }
    static const uint32_t base[3] = {29, 285, 65821};
    unsigned size = control & 31u;
    uint64_t more = 0;
    if (size >= 29 && !read_big(s, offset, size - 28, &more))
        return false;
    head->size = size < 29 ? size : base[size - 29] + (uint32_t)more;
    head->payload = size < 29 ? offset : offset + (size - 28);
    return true;
}

/* Steps over a value's own bytes, into what it contains; tells how many values that is. */
static bool step(const struct mmdb_section *s, size_t *offset, uint64_t *inside)
{
    struct head head;
    if (!read_head(s, *offset, &head))
        return false;
    *offset = head.payload;
    *inside = head.type == TYPE_MAP     ? 2 * (uint64_t)head.size
              : head.type == TYPE_ARRAY ? head.size
                                        : 0;
    if (head.type == TYPE_MAP || head.type == TYPE_ARRAY || head.type == TYPE_POINTER ||
        head.type == TYPE_BOOLEAN)
        return true;
    if (s->size - *offset < head.size)
        return false;
    *offset += head.size;
    return true;
}

/* Steps over one value with all that is nested in it. */
static bool skip(const struct mmdb_section *s, size_t *offset)
{
    uint64_t inside;
    for (uint64_t values = 1; values > 0; values += inside - 1)
        if (!step(s, offset, &inside))
            return false;
    return true;
}

/* The head of the value at `offset`, through at most one pointer (the format allows no more). */
static bool read_value(const struct mmdb_section *s, size_t offset, struct head *head)
{
    if (!read_head(s, offset, head))
        return false;
    return head->type != TYPE_POINTER ||
           (read_head(s, head->size, head) && head->type != TYPE_POINTER);
}

/* Finds the offset of the value of `key` in the map at `offset`. */
static bool map_find(const struct mmdb_section *s, size_t offset, const char *key,
                     size_t key_length, size_t *out)
{
    struct head map, name;
    if (!read_value(s, offset, &map) || map.type != TYPE_MAP)
        return false;
    size_t at = map.payload;
    for (uint32_t i = 0; i < map.size; i++) {
        if (!read_value(s, at, &name) || name.type != TYPE_UTF8 || !skip(s, &at))
            return false;
        if (name.size == key_length && s->size - name.payload >= key_length &&
            memcmp(s->data + name.payload, key, key_length) == 0) {
            *out = at;
            return true;
        }
        if (!skip(s, &at))
            return false;
    }
    return false;
}

static bool find(const struct mmdb_section *s, size_t offset, const char *path, struct head *head)
{
    while (*path != '\0') {
        size_t length = strcspn(path, ".");
        if (!map_find(s, offset, path, length, &offset))
            return false;
        path += length + (path[length] == '.');
    }
    return read_value(s, offset, head) && head->payload <= s->size;
}

bool mmdb_text(const struct mmdb_section *s, size_t offset, const char *path, const char **text,
               size_t *length)
{
    struct head head;
    if (!find(s, offset, path, &head) || head.type != TYPE_UTF8 ||
        s->size - head.payload < head.size)
        return false;
    *text = (const char *)s->data + head.payload;
    *length = head.size;
    return true;
}

bool mmdb_number(const struct mmdb_section *s, size_t offset, const char *path, uint64_t *number)
{
    struct head head;
    if (!find(s, offset, path, &head) || head.size > 8)
        return false;
    if (head.type != TYPE_UINT16 && head.type != TYPE_UINT32 && head.type != TYPE_UINT64)
        return false;
    return read_big(s, head.payload, head.size, number);
}

bool mmdb_shallow(const struct mmdb_section *s, unsigned depth)
{
    uint64_t left[32] = {1}; /* values still to come, by level */
    unsigned level = 0;
    size_t offset = 0;
    do {
        uint64_t inside;
        if (!step(s, &offset, &inside))
            return false;
        left[level]--;
        if (inside > 0) {
            if (++level > depth || level == sizeof left / sizeof *left)
                return false;
            left[level] = inside;
        }
        while (level > 0 && left[level] == 0)
            level--;
    } while (level > 0);
    return true;
}
