/* SPDX-License-Identifier: MIT */
/* ring.c - keeps the latest flows of a pair in order of their start. */
#include "state/ring.h"

#include <string.h>

/* Moves the base so that `time_us` fits; times that would then be negative fall out. */
static void ring_rebase(struct ring *ring, int64_t base_us)
{
    int64_t shift_ms = (base_us - ring->base_us) / 1000;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < ring->count; i++) {
        if (ring->time_ms[i] < shift_ms)
            continue;
        ring->time_ms[kept] = (uint32_t)(ring->time_ms[i] - shift_ms);
        ring->size[kept++] = ring->size[i];
    }
    ring->count = kept;
    ring->base_us += shift_ms * 1000;
}

void ring_add(struct ring *ring, int64_t start_us, uint32_t size)
{
    int64_t ms = (start_us - ring->base_us) / 1000;
    if (ms > UINT32_MAX) { /* 49 days after the base: keep the latest half of that */
        ring_rebase(ring, start_us - (int64_t)(UINT32_MAX / 2) * 1000);
        ms = (start_us - ring->base_us) / 1000;
    }
    if (ms < 0 || ms > UINT32_MAX)
        return; /* long before all others: too late to tell anything */
    uint32_t at = ring->count;
    while (at > 0 && ring->time_ms[at - 1] > (uint32_t)ms)
        at--;
    for (uint32_t i = at; i > 0 && ring->time_ms[i - 1] == (uint32_t)ms; i--)
        if (ring->size[i - 1] == size)
            return; /* the same flow again: a second pass, or a capture that overlaps */
    if (ring->count == RING_TIMES) {
        if (at == 0)
            return;
        memmove(ring->time_ms, ring->time_ms + 1, (at - 1) * sizeof *ring->time_ms);
        memmove(ring->size, ring->size + 1, (at - 1) * sizeof *ring->size);
        at--;
    } else {
        memmove(ring->time_ms + at + 1, ring->time_ms + at,
                (ring->count - at) * sizeof *ring->time_ms);
        memmove(ring->size + at + 1, ring->size + at, (ring->count - at) * sizeof *ring->size);
        ring->count++;
    }
    ring->time_ms[at] = (uint32_t)ms;
    ring->size[at] = size;
    ring->since++;
}
