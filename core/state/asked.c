/* SPDX-License-Identifier: MIT */
/* asked.c - which names a host asks for below a domain, window by window. */
#include "state/asked.h"

#include <math.h>
#include <string.h>

#include "ingest/context.h"
#include "state/domain.h"
#include "util/hash.h"

int asked_init(struct asked_table *asked, uint64_t bytes, uint64_t seed)
{
    asked->seed = seed;
    return table_init(&asked->table, bytes, sizeof(struct asked), 8);
}

void asked_done(struct asked_table *asked)
{
    table_done(&asked->table);
}

uint64_t asked_hash(const struct asked_table *asked, const char *text)
{
    uint64_t hash = asked->seed;
    size_t length = strlen(text);
    for (size_t part; length > 0; text += part, length -= part) {
        uint64_t value = 0;
        part = length < sizeof value ? length : sizeof value;
        memcpy(&value, text, part);
        hash = hash_add(hash, value);
    }
    return hash;
}

/* Whang, Vander-Zanden, Taylor, TODS 15, 1990: each bit that is set was a new name. */
double asked_names(const struct asked *a)
{
    double share = fmin(a->names, ASKED_BITS - 1) / ASKED_BITS;
    return -ASKED_BITS * log1p(-share);
}

double asked_bytes(const struct asked *a)
{
    return a->names == 0 ? 0.0 : (double)a->bytes * asked_names(a) / a->names;
}

static void close_window(struct asked *a)
{
    a->closed = a->records > 0;
    a->was.names = (float)asked_names(a);
    a->was.bytes = (float)asked_bytes(a);
    a->was.score = a->score;
    a->was.teach = a->teach;
    a->records = a->answered = a->no_domain = a->carrying = a->names = a->last_s = 0;
    a->bytes = a->bits = a->score = 0.0f;
    a->teach = 1.0f;
    memset(a->step, 0, sizeof a->step);
    memset(a->seen, 0, sizeof a->seen);
}

/* True if the thing with this hash is the first of its bit in the window. */
static bool see(struct asked *a, uint64_t hash)
{
    uint64_t bit = hash % ASKED_BITS, mask = UINT64_C(1) << bit % 64;
    bool fresh = (a->seen[bit / 64] & mask) == 0;
    a->seen[bit / 64] |= mask;
    a->names += fresh;
    return fresh;
}

/* Keeps a record for ten minutes longer with each doubling of its names. */
static int64_t credit_us(const struct asked *a)
{
    return (63 - __builtin_clzll(a->names | 1u)) * INT64_C(600000000);
}

/* The record with this key, in a window that holds the row's time. */
static struct asked *take(struct asked_table *t, uint64_t key, const struct row *row,
                          int64_t window_us, int64_t now_us)
{
    bool created;
    struct asked *a = table_take(&t->table, key, &key, &created);
    a->closed = false;
    if (a->records == 0 || row->end_us >= a->start_us + window_us || a->start_us > now_us) {
        close_window(a);
        a->start_us = row->end_us;
        a->window_s = (uint32_t)(window_us / 1000000);
    }
    a->records++;
    return a;
}

static void add_name(struct asked *a, const struct row *row, int64_t window_us)
{
    const struct context *context = row->context;
    int64_t since_us = row->end_us > a->start_us ? row->end_us - a->start_us : 0;
    size_t step =
        (size_t)(since_us * ASKED_STEPS / window_us); /* below ASKED_STEPS: in the window */
    double bits;
    a->bytes +=
        (float)domain_carries(context->name, (size_t)(row->domain - 1 - context->name), &bits);
    a->bits += (float)bits;
    if (since_us / 1000000 > a->last_s)
        a->last_s = (uint32_t)(since_us / 1000000);
    if (a->step[step] < UINT16_MAX)
        a->step[step]++;
}

void asked_add(struct asked_table *t, struct row *row, int64_t window_us, int64_t now_us)
{
    const struct context *context = row->context;
    row->asked = NULL;
    row->domain = domain_of(context->name);
    if (row->domain == NULL)
        return;
    uint64_t domain = asked_hash(t, row->domain);
    uint64_t name = asked_hash(t, context->name);
    uint64_t host_key = hash_add(row->hash.source, 0), key = hash_add(row->hash.source, domain);
    row->hash.domain = domain;
    struct asked *asker = take(t, host_key, row, window_us, now_us);
    (void)see(asker, domain);
    table_keep(&t->table, host_key, asker, now_us + credit_us(asker));
    row->domains = asked_names(asker); /* its place may be taken by the next */

    struct asked *a = take(t, key, row, window_us, now_us);
    a->answered += context->answered;
    a->no_domain += context->no_domain;
    a->carrying += context->carries;
    a->fresh = see(a, name);
    if (a->fresh)
        add_name(a, row, window_us);
    table_keep(&t->table, key, a, now_us + credit_us(a));
    row->asked = a;
}

static void rewind_one(void *record, void *user)
{
    struct asked *a = record;
    (void)user;
    close_window(a);
    a->closed = false;
}

void asked_rewind(struct asked_table *t)
{
    table_each(&t->table, rewind_one, NULL);
}
