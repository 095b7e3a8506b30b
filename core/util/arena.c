/* SPDX-License-Identifier: MIT */
/* arena.c - scratch memory that is given back all at once, so that a record costs no malloc. */
#include "arena.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "eddy.h"

#define ALIGN alignof(max_align_t) /* also the room for a block's size in front of it */

int arena_init(struct arena *arena, size_t size)
{
    unsigned char *base = malloc(size > 0 ? size : 1);
    if (base == NULL)
        return EDDY_ENOMEM;
    *arena = (struct arena){.base = base, .size = size};
    return EDDY_OK;
}

void arena_done(struct arena *arena)
{
    free(arena->base);
    *arena = (struct arena){0};
}

static size_t block_size(const unsigned char *block)
{
    size_t size;
    memcpy(&size, block - ALIGN, sizeof size);
    return size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t left = arena->size - arena->used;
    if (left < 2 * ALIGN || size > left - 2 * ALIGN) /* 2: the header, and rounding up */
        return NULL;
    size_t start = arena->used + ALIGN;
    memcpy(arena->base + arena->used, &size, sizeof size);
    arena->last = start;
    arena->used = start + (size + ALIGN - 1) / ALIGN * ALIGN;
    return arena->base + start;
}

void *arena_grow(struct arena *arena, void *block, size_t size)
{
    if (block == NULL)
        return arena_alloc(arena, size);
    size_t old = block_size(block);
    if (size <= old)
        return block;
    if (arena->base + arena->last == block) {
        size_t used = arena->used, last = arena->last;
        arena->used = last - ALIGN; /* the block is put down again, longer, in the same place */
        void *grown = arena_alloc(arena, size);
        if (grown == NULL)
            arena->used = used;
        return grown;
    }
    void *moved = arena_alloc(arena, size);
    if (moved != NULL)
        memcpy(moved, block, old);
    return moved;
}
