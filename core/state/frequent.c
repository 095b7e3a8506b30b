/* SPDX-License-Identifier: MIT */
/* frequent.c - the most frequent of many things, in 96 bytes, never overstated. */
#include "frequent.h"

#include <stddef.h>

void frequent_add(struct frequent *f, uint32_t key)
{
    size_t spare = FREQUENT_SLOTS;
    for (size_t i = 0; i < FREQUENT_SLOTS; i++) {
        if (f->count[i] > 0 && f->key[i] == key) {
            f->count[i] = (uint16_t)(f->count[i] + (f->count[i] < UINT16_MAX));
            return;
        }
        if (f->count[i] == 0)
            spare = i;
    }
    if (spare < FREQUENT_SLOTS) {
        f->key[spare] = key;
        f->count[spare] = 1;
        return;
    }
    for (size_t i = 0; i < FREQUENT_SLOTS; i++)
        f->count[i]--;
}

uint16_t frequent_most(const struct frequent *f, uint32_t *key)
{
    uint16_t most = 0;
    for (size_t i = 0; i < FREQUENT_SLOTS; i++) {
        if (f->count[i] > most) {
            most = f->count[i];
            *key = f->key[i];
        }
    }
    return most;
}
