/* SPDX-License-Identifier: MIT */
/* topk.c - the keys counted most often, in fixed memory. */
#include "topk.h"

#include <stdlib.h>
#include <string.h>

/* Restores the heap below `i` after its count has grown. */
static void sink(struct topk *topk, size_t i)
{
    for (;;) {
        size_t least = i, left = 2 * i + 1, right = left + 1;
        if (left < topk->used && topk->slot[left].count < topk->slot[least].count)
            least = left;
        if (right < topk->used && topk->slot[right].count < topk->slot[least].count)
            least = right;
        if (least == i)
            return;
        struct topk_slot moved = topk->slot[i];
        topk->slot[i] = topk->slot[least];
        topk->slot[least] = moved;
        i = least;
    }
}

/* A new key has count 1, which is the least there can be: it belongs at the top, so the
 * former top moves to the end, and up from there it is no smaller than its parents' 1. */
static void insert(struct topk *topk, const uint8_t key[16])
{
    size_t end = topk->used++;
    topk->slot[end] = topk->slot[0];
    memcpy(topk->slot[0].key, key, 16);
    topk->slot[0].count = 1;
    topk->slot[0].error = 0;
    for (size_t i = end; i > 0 && topk->slot[i].count < topk->slot[(i - 1) / 2].count;) {
        size_t parent = (i - 1) / 2;
        struct topk_slot moved = topk->slot[i];
        topk->slot[i] = topk->slot[parent];
        topk->slot[parent] = moved;
        i = parent;
    }
}

void topk_add(struct topk *topk, const uint8_t key[16])
{
    for (size_t i = 0; i < topk->used; i++) {
        if (memcmp(topk->slot[i].key, key, 16) == 0) {
            topk->slot[i].count++;
            sink(topk, i);
            return;
        }
    }
    if (topk->used < TOPK_SLOTS) {
        insert(topk, key);
        return;
    }
    memcpy(topk->slot[0].key, key, 16);
    topk->slot[0].error = topk->slot[0].count++;
    sink(topk, 0);
}

static int larger_first(const void *left, const void *right)
{
    const struct topk_slot *a = left, *b = right;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return memcmp(a->key, b->key, sizeof a->key);
}

size_t topk_largest(const struct topk *topk, struct topk_slot *out, size_t wanted)
{
    struct topk_slot sorted[TOPK_SLOTS];
    memcpy(sorted, topk->slot, topk->used * sizeof *sorted);
    qsort(sorted, topk->used, sizeof *sorted, larger_first);
    size_t count = topk->used < wanted ? topk->used : wanted;
    memcpy(out, sorted, count * sizeof *out);
    return count;
}
