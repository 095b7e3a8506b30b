/* SPDX-License-Identifier: MIT */
/* wire.h - reads little-endian numbers from bytes that may end anywhere: after the end all are 0,
 * and wire_good() is false. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct wire {
    const uint8_t *at; /* borrowed */
    size_t left;
    bool over; /* more was asked for than there was */
};

static inline struct wire wire_over(const void *bytes, size_t length)
{
    return (struct wire){bytes, length, false};
}

static inline bool wire_good(const struct wire *wire)
{
    return !wire->over;
}

/* The next bytes, or NULL. */
static inline const uint8_t *wire_bytes(struct wire *wire, size_t length)
{
    if (wire->over || length > wire->left) {
        wire->over = true;
        return NULL;
    }
    const uint8_t *at = wire->at;
    wire->at += length;
    wire->left -= length;
    return at;
}

static inline uint64_t wire_number(struct wire *wire, unsigned size)
{
    const uint8_t *bytes = wire_bytes(wire, size);
    uint64_t number = 0;
    for (unsigned i = size; bytes != NULL && i > 0; i--)
        number = number << 8 | bytes[i - 1];
    return number;
}

static inline uint32_t wire_u16(struct wire *wire)
{
    return (uint32_t)wire_number(wire, 2);
}

static inline uint32_t wire_u32(struct wire *wire)
{
    return (uint32_t)wire_number(wire, 4);
}

static inline uint64_t wire_u64(struct wire *wire)
{
    return wire_number(wire, 8);
}

/* IEEE 754, as their bits. */
static inline float wire_f32(struct wire *wire)
{
    uint32_t bits = wire_u32(wire);
    float number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

static inline double wire_f64(struct wire *wire)
{
    uint64_t bits = wire_u64(wire);
    double number;
    memcpy(&number, &bits, sizeof number);
    return number;
}

/* A part of so many bytes, and the padding to a multiple of 8 behind it. */
static inline struct wire wire_part(struct wire *wire, uint64_t length)
{
    const uint8_t *at = length > wire->left ? NULL : wire_bytes(wire, (size_t)length);
    if (at == NULL || wire_bytes(wire, (size_t)(-length % 8)) == NULL)
        wire->over = true;
    return wire->over ? wire_over(NULL, 0) : wire_over(at, (size_t)length);
}

/* The same bytes, without the first ones, of which there are as many. */
static inline struct wire wire_from(const struct wire *wire, size_t skipped)
{
    return wire_over(wire->at + skipped, wire->left - skipped);
}
