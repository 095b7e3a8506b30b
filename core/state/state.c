/* SPDX-License-Identifier: MIT */
/* state.c - what is remembered of hosts and pairs, bounded in bytes by state.memory. */
#include "state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/context.h"
#include "state/ring.h"
#include "state/window.h"
#include "util/error.h"
#include "util/hash.h"

#define CONF(field) offsetof(struct state_conf, field)

static const struct option options[] = {
    {"memory", OPTION_BYTES, CONF(memory), "128M", 4194304, 1099511627776,
     "Bytes for hosts, pairs and their times, taken at start; when full, the stalest goes."},
    {"window", OPTION_DURATION, CONF(window_us), "10m", 10, 86400,
     "How long the window is in which a host's peers and failures are counted."},
    {"lateness", OPTION_DURATION, CONF(lateness_us), "1h", 1, 604800,
     "A flow that ended this long before the latest one is scored but not counted in windows; a "
     "clock that is further ahead of all others must be confirmed by a second flow."},
    {"seed", OPTION_COUNT, CONF(seed), "0", 0, 9007199254740992.0,
     "Seed of the hash functions; the same seed and input give the same incidents."},
    {"top_hosts", OPTION_COUNT, CONF(top_hosts), "0", 0, TOPK_SLOTS,
     "How many of the busiest hosts are named in the metrics; 0 keeps addresses out of them."},
    {"names", OPTION_BYTES, CONF(names), "8M", 65536, 1099511627776,
     "Bytes for what DNS, TLS and HTTP records tell, besides state.memory; taken at start."},
    {"names_window", OPTION_DURATION, CONF(names_window_us), "1h", 60, 86400,
     "How long the window is in which the names are counted that a host asks for below a domain."},
    {0},
};

const struct part state_part = {
    .name = "state",
    .help = "What is remembered of hosts and pairs.",
    .conf_size = sizeof(struct state_conf),
    .options = options,
};

#define AHEAD_US                                                                                   \
    (7 * 86400 * INT64_C(1000000)) /* a time this far ahead does no harm in a ring: one odd gap */
#define HOUR_US                                                                                    \
    (3600 * INT64_C(1000000)) /* flows this much earlier than a pair's first still fit */

/* Worth of history: each doubling of its flows keeps a record for ten minutes longer, so that
 * a flood of one-flow addresses does not wash out the hosts that matter. */
static int64_t credit_us(uint64_t flows)
{
    int doublings = 63 - __builtin_clzll(flows | 1);
    return (int64_t)doublings * 600 * 1000000;
}

int state_new(const struct state_conf *conf, struct state **out, eddy_error *err)
{
    struct state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return error_nomem(err);
    s->seed = hash_mix(conf->seed);
    s->memory = conf->memory + conf->names;
    size_t memory = (size_t)conf->memory - sizeof *s - sizeof *s->popular - sizeof *s->busiest;
    s->popular = calloc(1, sizeof *s->popular);
    s->busiest = calloc(1, sizeof *s->busiest);
    /* Shares: a host of an office talks to some ten services, a tenth of which come back often. */
    if (s->popular == NULL || s->busiest == NULL ||
        table_init(&s->hosts, memory / 100 * 29, sizeof(struct host), 16) != EDDY_OK ||
        table_init(&s->windows, memory / 100 * 7, sizeof(struct window), 16) != EDDY_OK ||
        table_init(&s->pairs, memory / 100 * 43, sizeof(struct pair), 8) != EDDY_OK ||
        table_init(&s->rings, memory / 100 * 15, sizeof(struct ring), 8) != EDDY_OK ||
        table_init(&s->services, memory / 100 * 6, sizeof(struct offer), 8) != EDDY_OK) {
        state_free(s);
        return error_set(err, EDDY_ENOMEM, "state.memory: can't allocate %llu bytes",
                         (unsigned long long)conf->memory);
    }
    if (names_init(&s->names, conf->names, s->seed) != EDDY_OK) {
        state_free(s);
        return error_set(err, EDDY_ENOMEM, "state.names: can't allocate %llu bytes",
                         (unsigned long long)conf->names);
    }
    *out = s;
    return EDDY_OK;
}

void state_free(struct state *s)
{
    if (s == NULL)
        return;
    table_done(&s->hosts);
    table_done(&s->windows);
    table_done(&s->pairs);
    table_done(&s->rings);
    table_done(&s->services);
    names_done(&s->names);
    free(s->popular);
    free(s->busiest);
    free(s);
}

/* A flow whose end is after the watermark has a clock that nobody agrees with: nothing may be
 * kept, or be the latest, because of it. */
static int64_t believed_us(const struct state *s, int64_t time_us)
{
    return time_us < s->watermark.now_us ? time_us : s->watermark.now_us;
}

/* ---- pairs ---- */

static uint32_t size_of(const struct row *row)
{
    return row->bytes_out > UINT32_MAX ? UINT32_MAX : (uint32_t)row->bytes_out;
}

/* May the flow's own time stand in a ring, or is its clock wrong? */
static bool fits_ring(const struct state *s, const struct row *row)
{
    return row->end_us <= s->watermark.now_us + AHEAD_US;
}

static void pair_add(const struct state *s, struct pair *pair, struct row *row)
{
    int64_t start_us = believed_us(s, row->flow.start_us);
    if (pair->flows == 0) {
        pair->begun = (uint32_t)(start_us / 4000000);
        pair->last_us = start_us;
    }
    row->gap_s = start_us > pair->last_us ? (float)(start_us - pair->last_us) * 1e-6f : 0.0f;
    if (start_us > pair->last_us)
        pair->last_us = start_us;
    if (pair->flows < PAIR_EARLY) {
        int64_t ms = (row->flow.start_us - pair_begun_us(pair) + HOUR_US) / 1000;
        bool fits = fits_ring(s, row) && ms >= 0 && ms < EARLY_NONE;
        pair->early_ms[pair->flows] = fits ? (uint32_t)ms : EARLY_NONE;
        pair->early_size[pair->flows] = size_of(row);
    }
    pair->flows++;
}

/* The pair's ring, made with the first flow that the pair itself has no room for. */
static struct ring *ring_of(struct state *s, const struct row *row)
{
    const struct pair *pair = row->pair;
    if (row->dst.group)
        return NULL;
    struct ring *ring = table_find(&s->rings, pair->key, &pair->key);
    if (ring == NULL && pair->flows <= PAIR_EARLY)
        return NULL;
    if (ring == NULL) {
        bool created;
        ring = table_take(&s->rings, pair->key, &pair->key, &created);
        ring->base_us = pair_begun_us(pair) - HOUR_US;
        for (size_t i = 0; i < PAIR_EARLY; i++)
            if (pair->early_ms[i] != EARLY_NONE)
                ring_add(ring, ring->base_us + (int64_t)pair->early_ms[i] * 1000,
                         pair->early_size[i]);
    }
    if (fits_ring(s, row))
        ring_add(ring, row->flow.start_us, size_of(row));
    table_keep(&s->rings, pair->key, ring, believed_us(s, row->end_us) + credit_us(pair->flows));
    return ring;
}

/* ---- services ---- */

int64_t state_now_us(const struct state *s)
{
    return s->watermark.now_us != 0 ? s->watermark.now_us : s->names.watermark.now_us;
}

/* How many of our hosts use this service of the destination, the row's own included. */
static uint32_t users_of(struct state *s, const struct row *row, uint64_t offered, uint64_t source)
{
    bool created;
    struct offer *offer = table_take(&s->services, offered, &offered, &created);
    if (row->src.local)
        lincount_add(&offer->users, source);
    uint32_t users = lincount_estimate(&offer->users);
    int64_t now_us = state_now_us(s), end_us = row->end_us < now_us ? row->end_us : now_us;
    table_keep(&s->services, offered, offer, end_us + credit_us(users));
    return users;
}

/* ---- the step ---- */

static struct host *host_of(struct state *s, const struct row *row, int64_t first_us)
{
    bool created;
    struct host *host = table_take(&s->hosts, row->hash.source, row->flow.src, &created);
    if (created)
        host->first_us = first_us;
    return host;
}

static void host_add(struct state *s, struct row *row, uint64_t hash)
{
    struct host *host = host_of(s, row, believed_us(s, row->flow.start_us));
    host->flows++;
    int64_t end_us = believed_us(s, row->end_us);
    if (end_us > host->last_us)
        host->last_us = end_us;
    table_keep(&s->hosts, hash, host, end_us + credit_us(host->flows));
    row->host = host;
    bool created;
    row->window = table_take(&s->windows, hash, row->flow.src, &created);
    table_keep(&s->windows, hash, row->window, end_us + credit_us(host->flows));
}

void state_prepare(const struct state *s, struct row *row)
{
    uint64_t port = (uint64_t)row->flow.dst_port << 8 | row->flow.proto;
    row->hash.source = hash_address(row->flow.src, s->seed);
    row->hash.destination = hash_address(row->flow.dst, s->seed);
    row->hash.service = hash_add(row->hash.destination, port);
    row->hash.pair = hash_add(row->hash.service, row->hash.source);
    table_prefetch_set(&s->hosts, row->hash.source);
    table_prefetch_set(&s->windows, row->hash.source);
    table_prefetch_set(&s->pairs, row->hash.pair);
    table_prefetch_set(&s->rings, row->hash.pair);
    table_prefetch_set(&s->services, row->hash.service);
}

/* How many of our hosts use the source as a resolver: as they reach it, as it reaches others. */
static uint32_t clients_of(const struct state *s, const struct row *row)
{
    uint64_t port = (uint64_t)row->flow.dst_port << 8 | row->flow.proto;
    uint64_t offered = hash_add(row->hash.source, port);
    const struct offer *offer = table_find(&s->services, offered, &offered);
    return offer == NULL ? 0 : lincount_estimate(&offer->users);
}

/* A host that is only seen asking is kept for as long as it asks. */
static void update_names(struct state *s, const struct state_conf *conf, struct row *row)
{
    int64_t now_us = watermark_add(&s->names.watermark, row->end_us, conf->lateness_us);
    row->late = row->end_us < now_us - conf->lateness_us || row->end_us > now_us;
    row->pair = NULL;
    row->ring = NULL;
    row->host = row->destination = NULL;
    row->window = NULL;
    row->asked = NULL;
    names_add(&s->names, row, now_us);
    if (row->context->kind != CONTEXT_DNS || row->late)
        return;
    asked_add(&s->names.asked, row, conf->names_window_us, now_us);
    if (row->asked == NULL)
        return;
    (void)users_of(s, row, row->hash.service, row->hash.source);
    row->clients = clients_of(s, row);
    row->host = host_of(s, row, row->end_us);
    if (row->host->flows == 0)
        table_keep(&s->hosts, row->hash.source, row->host, row->end_us);
    row->users = users_of(s, row, row->hash.domain, row->hash.source);
}

void state_update(struct state *s, const struct state_conf *conf, struct row *row)
{
    row->name = NULL;
    row->clock =
        row->kind == ROW_NAME && s->watermark.now_us == 0 ? &s->names.watermark : &s->watermark;
    if (row->kind == ROW_NAME) {
        update_names(s, conf, row);
        return;
    }
    int64_t now_us = watermark_add(&s->watermark, row->end_us, conf->lateness_us);
    row->late = row->end_us < now_us - conf->lateness_us || row->end_us > now_us;
    s->late += row->late;

    uint64_t source = row->hash.source, offered = row->hash.service, key = row->hash.pair;
    if (row->dst.local)
        table_prefetch_set(&s->hosts, row->hash.destination);
    table_prefetch_record(&s->hosts, source, (sizeof(struct host) + 63) / 64);
    table_prefetch_record(&s->windows, source, (sizeof(struct window) + 63) / 64);
    table_prefetch_record(&s->pairs, key, 1);
    table_prefetch_record(&s->rings, key, 2);
    table_prefetch_record(&s->services, offered, 1);

    host_add(s, row, source);
    row->destination = row->dst.local && !row->dst.group
                           ? table_find(&s->hosts, row->hash.destination, row->flow.dst)
                           : NULL;
    if (row->late)
        row->closed = false;
    else
        window_add(row, now_us, conf->window_us);

    bool created;
    row->pair = table_take(&s->pairs, key, &key, &created);
    pair_add(s, row->pair, row);
    table_keep(&s->pairs, key, row->pair,
               believed_us(s, row->end_us) + credit_us(row->pair->flows));
    row->ring = ring_of(s, row);
    row->fresh = false;
    if (!row->late)
        window_target(row, s->seed);
    row->users = users_of(s, row, offered, source);
    row->service_flows = cms_add(s->popular, offered);
    if (conf->top_hosts > 0)
        topk_add(s->busiest, row->flow.src);
}

/* Windows are forgotten, not closed: the next pass fills them again. */
static void rewind_host(void *record, void *user)
{
    struct host *host = record;
    (void)user;
    host->fanout.score = 0.0f;
    host->forest.score = 0;
    host->exfil.sent = host->exfil.received = host->exfil.lead = 0.0f;
    host->exfil.vetted = host->exfil.open = 0.0f;
    host->exfil.seen_s = 0;
    host->exfil.score = 0;
    memset(host->rarity.unusual, 0, sizeof host->rarity.unusual);
    memset(host->rarity.known, 0, sizeof host->rarity.known);
    host->rarity.score = 0;
    host->flows = 0;
}

static void rewind_window(void *record, void *user)
{
    struct window *w = record;
    (void)user;
    memset(&w->start_us, 0, sizeof *w - offsetof(struct window, start_us));
}

/* As if it were new, but for its ring, which knows the pair's last times from the start. */
static void rewind_pair(void *record, void *user)
{
    struct pair *pair = record;
    (void)user;
    *pair = (struct pair){.key = pair->key};
}

void state_rewind(struct state *s)
{
    table_each(&s->hosts, rewind_host, NULL);
    table_each(&s->windows, rewind_window, NULL);
    table_each(&s->pairs, rewind_pair, NULL);
    memset(s->popular, 0, sizeof *s->popular);
    s->watermark = s->names.watermark = (struct watermark){0};
    asked_rewind(&s->names.asked);
}
