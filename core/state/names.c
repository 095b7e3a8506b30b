/* SPDX-License-Identifier: MIT */
/* names.c - what services and addresses were called, bounded in bytes by state.names. */
#include "state/names.h"

#include <string.h>

#include "ingest/context.h"
#include "util/hash.h"

int names_init(struct names *n, uint64_t bytes, uint64_t seed)
{
    n->seed = seed;
    if (table_init(&n->pairs, bytes / 100 * 40, sizeof(struct names_pair), 8) != EDDY_OK ||
        table_init(&n->answers, bytes / 100 * 20, sizeof(struct names_answer), 16) != EDDY_OK)
        return EDDY_ENOMEM;
    return asked_init(&n->asked, bytes / 100 * 40, seed);
}

void names_done(struct names *n)
{
    table_done(&n->pairs);
    table_done(&n->answers);
    asked_done(&n->asked);
}

/* The end says more than the beginning: it is where the domain is. Dots stand for what was cut.
 * True if another name was there. */
static bool replace(char out[NAMES_TEXT], const char *name)
{
    size_t length = strlen(name);
    char end[NAMES_TEXT] = "...";
    if (length >= NAMES_TEXT) {
        memcpy(end + 3, name + length - (NAMES_TEXT - 4), NAMES_TEXT - 3);
        name = end;
    }
    bool other = out[0] != '\0' && strcmp(out, name) != 0;
    memcpy(out, name, strlen(name) + 1);
    return other;
}

static void add_pair(struct names *n, const struct row *row, int64_t now_us)
{
    const struct context *context = row->context;
    bool created;
    struct names_pair *pair = table_take(&n->pairs, row->hash.pair, &row->hash.pair, &created);
    if (context->name[0] != '\0') {
        pair->several |= replace(pair->name, context->name);
        pair->http = context->kind == CONTEXT_HTTP;
    }
    if (context->ja3[0] != '\0')
        memcpy(pair->ja3, context->ja3, sizeof pair->ja3);
    if (context->ja4[0] != '\0')
        memcpy(pair->ja4, context->ja4, sizeof pair->ja4);
    table_keep(&n->pairs, row->hash.pair, pair, now_us);
}

static void add_answers(struct names *n, const struct context *context, int64_t now_us)
{
    for (unsigned i = 0; i < context->answers; i++) {
        const uint8_t *address = context->answer[i];
        uint64_t hash = hash_address(address, n->seed);
        bool created;
        struct names_answer *answer = table_take(&n->answers, hash, address, &created);
        answer->several |= replace(answer->name, context->name);
        table_keep(&n->answers, hash, answer, now_us);
    }
}

void names_add(struct names *n, const struct row *row, int64_t now_us)
{
    int64_t at_us = row->end_us < now_us ? row->end_us : now_us;
    if (row->context->kind == CONTEXT_DNS)
        add_answers(n, row->context, at_us);
    else
        add_pair(n, row, at_us);
}

const struct names_pair *names_of_pair(const struct names *n, uint64_t pair)
{
    return table_find(&n->pairs, pair, &pair);
}

const struct names_answer *names_of_address(const struct names *n, const uint8_t address[16])
{
    return table_find(&n->answers, hash_address(address, n->seed), address);
}

const char *names_call(const struct names *n, const struct row *row)
{
    const struct names_pair *pair = names_of_pair(n, row->hash.pair);
    if (pair != NULL && pair->name[0] != '\0')
        return pair->several ? NULL : pair->name;
    const struct names_answer *answer = names_of_address(n, row->flow.dst);
    return answer == NULL || answer->several ? NULL : answer->name;
}

uint64_t names_key(const struct names *n, const uint8_t src[16], const uint8_t dst[16],
                   uint16_t dst_port, uint8_t proto)
{
    uint64_t service = hash_add(hash_address(dst, n->seed), (uint64_t)dst_port << 8 | proto);
    return hash_add(service, hash_address(src, n->seed));
}

uint64_t names_evictions(const struct names *n)
{
    return n->pairs.evictions + n->answers.evictions + n->asked.table.evictions;
}
