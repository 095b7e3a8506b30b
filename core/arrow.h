/* SPDX-License-Identifier: MIT */
/* arrow.h - the two structs of the Arrow C data interface: columns handed over within a process,
 * without a library in common. Fields, their order and their types are the interface's ABI.
 *
 * `release` frees what the struct refers to (not the struct itself) and becomes NULL. A consumer
 * may take a child out of its parent: it copies the struct, sets the `release` of the one in the
 * parent to NULL, and releases its copy later, before or after the parent. */
#pragma once

#include <stdint.h>

#define ARROW_FLAG_NULLABLE 2

struct ArrowSchema {
    const char *format; /* "+s" struct, "u" text, "g" double, "L" uint64, "tsu:UTC" time ... */
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *schema);
    void *private_data;
};

/* Buffers: whether a value is set, a bit for each, the lowest first (NULL: all are); then the
 * values. Of text: whether, where each begins in the bytes and the last one ends (int32), the
 * bytes. */
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *array);
    void *private_data;
};
