/* SPDX-License-Identifier: MIT */
/* table.h - fixed-size records by key, in memory allocated once; full means the stalest goes.
 *
 * A set-associative table: the hash picks one set of 16 ways, so that looking up, adding and
 * evicting cost the same however full the table is, and however the keys were chosen. (Who knows
 * state.seed can choose keys that evict each other: set it where that matters.)
 *
 *     set:     | tag x 16 | keep x 16 |                     128 bytes, two cache lines
 *     records: | way 0 | way 1 | ... | way 15 |             record_size bytes each
 *
 * tag is 32 bits of the key's hash (0: the way is free); keep says until when, in event time,
 * a record is worth keeping: the way with the smallest keep is evicted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TABLE_WAYS 16

struct table_set {
    uint32_t tag[TABLE_WAYS];
    uint32_t keep[TABLE_WAYS]; /* units of 4 s since 1970: reaches beyond the year 2200 */
};

struct table {
    struct table_set *sets;
    unsigned char *records; /* each begins with its key */
    size_t record_size, key_size;
    uint32_t set_count;
    uint64_t used, evictions;
};

/* Allocates and touches at most `bytes`; returns EDDY_ENOMEM when that fails. */
int table_init(struct table *table, size_t bytes, size_t record_size, size_t key_size);
void table_done(struct table *table);

/* The record with this key, or NULL. */
void *table_find(const struct table *table, uint64_t hash, const void *key);

/* The record with this key; a new one (zeroed, key set, *created true) may replace another. */
void *table_take(struct table *table, uint64_t hash, const void *key, bool *created);

/* The record is worth keeping until this time: last use plus a credit for its history. */
void table_keep(struct table *table, uint64_t hash, const void *record, int64_t until_us);

typedef void table_fn(void *record, void *user);
void table_each(struct table *table, table_fn *each, void *user);

uint64_t table_capacity(const struct table *table);

/* Two steps ahead of a lookup, so that the waits for memory of several tables overlap: first the
 * set, then, when that has come, the record's first `lines` cache lines. */
static inline void table_prefetch_set(const struct table *table, uint64_t hash)
{
    uint32_t set = (uint32_t)(((hash >> 32) * table->set_count) >> 32);
    __builtin_prefetch(table->sets[set].tag);
    __builtin_prefetch(table->sets[set].keep);
}

void table_prefetch_record(const struct table *table, uint64_t hash, unsigned lines);
