/* SPDX-License-Identifier: MIT */
/* mmdb_writer.h - small MaxMind DB files made by hand, for tests: a tree of 24-bit records, a data
 * section, metadata. Format: MaxMind DB File Format Specification 2.0. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MMDB_NODES = 1024 };

struct bytes {
    uint8_t *at;
    size_t length, size;
};

struct mmdb_writer {
    unsigned ip_version;
    uint32_t node[MMDB_NODES][2]; /* 0: nothing; below 1 << 20 a node; else 1 << 20 | offset */
    uint32_t nodes;
    struct bytes data;
    struct bytes extra; /* put at the end of the metadata's map: MMDB_EXTRA entries */
    unsigned extra_count;
};

static inline void bytes_add(struct bytes *b, const void *from, size_t length)
{
    if (b->length + length > b->size) {
        b->size = 2 * (b->length + length) + 64;
        b->at = realloc(b->at, b->size);
        if (b->at == NULL)
            abort();
    }
    memcpy(b->at + b->length, from, length);
    b->length += length;
}

static inline void bytes_big(struct bytes *b, uint64_t value, unsigned length)
{
    while (length-- > 0) {
        uint8_t byte = 0;
        if (length < 8)
            byte = (uint8_t)(value >> 8 * length);
        bytes_add(b, &byte, 1);
    }
}

/* ---- values ---- */

enum {
    MMDB_POINTER = 1,
    MMDB_UTF8 = 2,
    MMDB_U16 = 5,
    MMDB_U32 = 6,
    MMDB_MAP = 7,
    MMDB_U64 = 9,
    MMDB_ARRAY = 11
};

/* Control bytes of a value; `size` below 285. */
static inline void put_head(struct bytes *b, unsigned type, uint32_t size)
{
    unsigned low = size < 29 ? size : 29;
    bytes_big(b, type < 8 ? type << 5 | low : low, 1);
    if (type >= 8)
        bytes_big(b, type - 7, 1);
    if (size >= 29)
        bytes_big(b, size - 29, 1);
}

static inline void put_text(struct bytes *b, const char *text)
{
    put_head(b, MMDB_UTF8, (uint32_t)strlen(text));
    bytes_add(b, text, strlen(text));
}

static inline void put_number(struct bytes *b, unsigned type, uint64_t value, unsigned length)
{
    put_head(b, type, length);
    bytes_big(b, value, length);
}

static inline void put_pointer(struct bytes *b, uint32_t target) /* below 2048 */
{
    bytes_big(b, (uint64_t)MMDB_POINTER << 13 | target, 2);
}

/* ---- the file ---- */

/* The record at `offset` of the data section is that of all addresses with this prefix. */
static inline void mmdb_insert(struct mmdb_writer *w, const uint8_t prefix[16], unsigned bits,
                               size_t offset)
{
    uint32_t node = 0;
    w->nodes += w->nodes == 0;
    unsigned first = w->ip_version == 4 ? 96 : 0;
    for (unsigned i = first; i < bits; i++) {
        uint32_t *record = &w->node[node][prefix[i / 8] >> (7 - i % 8) & 1];
        if (i + 1 == bits) {
            *record = 1u << 20 | (uint32_t)offset;
            return;
        }
        if (*record == 0)
            *record = w->nodes++;
        node = *record;
        if (w->nodes >= MMDB_NODES)
            abort();
    }
}

static inline void put_metadata(const struct mmdb_writer *w, struct bytes *out)
{
    put_head(out, MMDB_MAP, 9 + w->extra_count);
    put_text(out, "node_count");
    put_number(out, MMDB_U32, w->nodes, 4);
    put_text(out, "record_size");
    put_number(out, MMDB_U16, 24, 2);
    put_text(out, "ip_version");
    put_number(out, MMDB_U16, w->ip_version, 2);
    put_text(out, "binary_format_major_version");
    put_number(out, MMDB_U16, 2, 2);
    put_text(out, "binary_format_minor_version");
    put_number(out, MMDB_U16, 0, 2);
    put_text(out, "build_epoch");
    put_number(out, MMDB_U64, 1700000000, 8);
    put_text(out, "database_type");
    put_text(out, "Test");
    put_text(out, "languages");
    put_head(out, MMDB_ARRAY, 0);
    put_text(out, "description");
    put_head(out, MMDB_MAP, 0);
    if (w->extra.length > 0)
        bytes_add(out, w->extra.at, w->extra.length);
}

/* The whole file; free(out.at). The writer's own memory is given back. */
static inline struct bytes mmdb_finish(struct mmdb_writer *w)
{
    struct bytes out = {0};
    for (uint32_t i = 0; i < w->nodes; i++)
        for (unsigned side = 0; side < 2; side++) {
            uint32_t record = w->node[i][side];
            bytes_big(&out,
                      record == 0         ? w->nodes
                      : record < 1u << 20 ? record
                                          : w->nodes + 16 + (record & ((1u << 20) - 1)),
                      3);
        }
    bytes_add(&out, (const uint8_t[16]){0}, 16);
    bytes_add(&out, w->data.at, w->data.length);
    bytes_add(&out, "\xab\xcd\xefMaxMind.com", 14);
    put_metadata(w, &out);
    free(w->data.at);
    free(w->extra.at);
    return out;
}
