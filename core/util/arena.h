/* SPDX-License-Identifier: MIT */
/* arena.h - scratch memory that is given back all at once, so that a record costs no malloc. */
#pragma once

#include <stddef.h>

/* Blocks follow each other, each after a header with its size (for growing it):
 *
 *     base -> [size|block][size|block] ... [free ... ]
 *                             ^ last        ^ used
 */
struct arena {
    unsigned char *base;
    size_t size, used;
    size_t last; /* where the newest block begins: it can grow in place */
};

/* EDDY_OK or EDDY_ENOMEM. Memory that is never touched is never resident. */
int arena_init(struct arena *arena, size_t size);
void arena_done(struct arena *arena);

/* Aligned for any type, not zeroed. NULL when the arena is full. */
void *arena_alloc(struct arena *arena, size_t size);

/* Like realloc. Only the newest block grows without a copy; the room of others is lost until the
 * reset. NULL when the arena is full: the block is then as it was. */
void *arena_grow(struct arena *arena, void *block, size_t size);

/* Forgets every block. */
static inline void arena_reset(struct arena *arena)
{
    arena->used = 0;
    arena->last = 0;
}
