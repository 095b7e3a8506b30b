/* SPDX-License-Identifier: MIT */
/* table.c - fixed-size records by key, in memory allocated once; full means the stalest goes. */
#define _DEFAULT_SOURCE /* madvise */
#include "table.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "eddy.h"

#define KEEP_US   4000000           /* one unit of `keep` */
#define HUGE_PAGE ((size_t)2 << 20) /* of x86-64 and arm64 */

static uint32_t set_of(const struct table *table, uint64_t hash)
{
    return (uint32_t)(((hash >> 32) * table->set_count) >> 32);
}

static uint32_t tag_of(uint64_t hash)
{
    return (uint32_t)hash | 1u; /* 0 means free */
}

static unsigned char *record_at(const struct table *table, uint32_t set, unsigned way)
{
    return table->records + ((size_t)set * TABLE_WAYS + way) * table->record_size;
}

/* Memory that is really there: page faults belong to the start, not to the first flows. The
 * explicit memset is on purpose (calloc maps pages lazily). */
static void *touched(size_t count, size_t size)
{
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *memory;
    if (posix_memalign(&memory, bytes >= HUGE_PAGE ? HUGE_PAGE : 64, bytes) != 0)
        return NULL;
    if (bytes >= HUGE_PAGE) /* a lookup touches some ten places: each page not in the TLB costs */
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* a hint; without it, it is only slower */
    memset(memory, 0, bytes);
    return memory;
}

int table_init(struct table *table, size_t bytes, size_t record_size, size_t key_size)
{
    size_t per_set = sizeof(struct table_set) + TABLE_WAYS * record_size;
    size_t sets = bytes / per_set;
    *table = (struct table){.record_size = record_size, .key_size = key_size};
    table->set_count = sets == 0 ? 1 : sets > UINT32_MAX ? UINT32_MAX : (uint32_t)sets;
    table->sets = touched(table->set_count, sizeof *table->sets);
    table->records = touched(table->set_count, TABLE_WAYS * record_size);
    if (table->sets != NULL && table->records != NULL)
        return EDDY_OK;
    table_done(table);
    return EDDY_ENOMEM;
}

void table_done(struct table *table)
{
    free(table->sets);
    free(table->records);
    table->sets = NULL;
    table->records = NULL;
}

void table_prefetch_record(const struct table *table, uint64_t hash, unsigned lines)
{
    uint32_t number = set_of(table, hash), tag = tag_of(hash);
    const struct table_set *set = &table->sets[number];
    for (unsigned way = 0; way < TABLE_WAYS; way++) {
        if (set->tag[way] != tag)
            continue;
        const unsigned char *record = record_at(table, number, way);
        for (unsigned line = 0; line < lines; line++)
            __builtin_prefetch(record + 64 * (size_t)line);
        return;
    }
}

void *table_find(const struct table *table, uint64_t hash, const void *key)
{
    uint32_t number = set_of(table, hash), tag = tag_of(hash);
    const struct table_set *set = &table->sets[number];
    for (unsigned way = 0; way < TABLE_WAYS; way++) {
        if (set->tag[way] != tag)
            continue;
        unsigned char *record = record_at(table, number, way);
        if (memcmp(record, key, table->key_size) == 0)
            return record;
    }
    return NULL;
}

/* A free way if there is one (its keep is 0), else the one least worth keeping. */
static unsigned stalest(const struct table_set *set)
{
    unsigned best = 0;
    for (unsigned way = 1; way < TABLE_WAYS; way++)
        if (set->keep[way] < set->keep[best])
            best = way;
    return best;
}

void *table_take(struct table *table, uint64_t hash, const void *key, bool *created)
{
    void *found = table_find(table, hash, key);
    *created = found == NULL;
    if (found != NULL)
        return found;
    uint32_t number = set_of(table, hash);
    struct table_set *set = &table->sets[number];
    unsigned way = stalest(set);
    if (set->tag[way] != 0)
        table->evictions++;
    else
        table->used++;
    unsigned char *record = record_at(table, number, way);
    memset(record, 0, table->record_size);
    memcpy(record, key, table->key_size);
    set->tag[way] = tag_of(hash);
    set->keep[way] = 1;
    return record;
}

void table_keep(struct table *table, uint64_t hash, const void *record, int64_t until_us)
{
    uint32_t number = set_of(table, hash);
    size_t offset = (size_t)((const unsigned char *)record - record_at(table, number, 0));
    int64_t units = until_us / KEEP_US;
    table->sets[number].keep[offset / table->record_size] = units < 1            ? 1
                                                            : units > UINT32_MAX ? UINT32_MAX
                                                                                 : (uint32_t)units;
}

void table_each(struct table *table, table_fn *each, void *user)
{
    for (uint32_t set = 0; set < table->set_count; set++)
        for (unsigned way = 0; way < TABLE_WAYS; way++)
            if (table->sets[set].tag[way] != 0)
                each(record_at(table, set, way), user);
}

uint64_t table_capacity(const struct table *table)
{
    return (uint64_t)table->set_count * TABLE_WAYS;
}
