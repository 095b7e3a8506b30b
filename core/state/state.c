/* SPDX-License-Identifier: MIT */
/* state.c - what is remembered of hosts and pairs, bounded in bytes by state.memory. */
#include "state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/hash.h"

#define CONF(field) offsetof(struct state_conf, field)

static const struct option options[] = {
    {"memory", OPTION_BYTES, CONF(memory), "128M", 4194304, 1099511627776,
     "Bytes for hosts, pairs and their times, taken at start; when full, the stalest goes."},
    {"window", OPTION_DURATION, CONF(window_us), "10m", 10, 86400,
     "How long the window is in which a host's peers and failures are counted."},
    {"lateness", OPTION_DURATION, CONF(lateness_us), "1h", 0, 604800,
     "A flow that ended this long before the latest one is scored but not counted in windows."},
    {"seed", OPTION_COUNT, CONF(seed), "0", 0, 9007199254740992.0,
     "Seed of the hash functions; the same seed and input give the same incidents."},
    {"top_hosts", OPTION_COUNT, CONF(top_hosts), "0", 0, TOPK_SLOTS,
     "How many of the busiest hosts are named in the metrics; 0 keeps addresses out of them."},
    {0},
};

const struct part state_part = {
    .name = "state",
    .help = "What is remembered of hosts and pairs.",
    .conf_size = sizeof(struct state_conf),
    .options = options,
};

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
    s->memory = conf->memory;
    size_t memory = (size_t)conf->memory - sizeof *s - sizeof *s->prevalence - sizeof *s->busiest;
    s->prevalence = calloc(1, sizeof *s->prevalence);
    s->busiest = calloc(1, sizeof *s->busiest);
    /* Shares: a host of an office talks to some ten services, a tenth of which come back often. */
    if (s->prevalence == NULL || s->busiest == NULL ||
        table_init(&s->hosts, memory / 100 * 45, sizeof(struct host), 16) != EDDY_OK ||
        table_init(&s->pairs, memory / 100 * 30, sizeof(struct pair), 8) != EDDY_OK ||
        table_init(&s->rings, memory / 100 * 25, sizeof(struct ring), 8) != EDDY_OK) {
        state_free(s);
        return error_set(err, EDDY_ENOMEM, "state.memory: can't allocate %llu bytes",
                         (unsigned long long)conf->memory);
    }
    *out = s;
    return EDDY_OK;
}

void state_free(struct state *s)
{
    if (s == NULL)
        return;
    table_done(&s->hosts);
    table_done(&s->pairs);
    table_done(&s->rings);
    free(s->prevalence);
    free(s->busiest);
    free(s);
}

/* A flow whose end is after the watermark has a clock that nobody agrees with: nothing may be
 * kept, or be the latest, because of it. */
static int64_t believed_us(const struct state *s, int64_t time_us)
{
    return time_us < s->watermark.now_us ? time_us : s->watermark.now_us;
}

/* ---- windows ---- */

/* Names a window in 32 bits: enough to tell a host's windows apart. 0 is no window. */
static uint32_t window_name(const struct window *w)
{
    return (uint32_t)(w->start_us / 1000) | 1u;
}

static void window_close(struct host *host)
{
    host->closed = host->window.flows > 0;
    host->was.peers = host->window.peer_count;
    host->was.width = (float)window_width(&host->window);
    host->was.flows = host->window.flows;
    host->was.score = host->fanout.score;
    memset(&host->window, 0, sizeof host->window);
}

static void window_add(struct state *s, const struct state_conf *conf, struct row *row)
{
    struct host *host = row->host;
    struct window *w = &host->window;
    host->closed = false;
    if (w->flows == 0 || row->end_us >= w->start_us + conf->window_us ||
        w->start_us > s->watermark.now_us) {
        window_close(host);
        w->start_us = row->end_us;
    }
    w->flows++;
    if (row->dst.group) /* nobody is scanned by speaking to everybody */
        return;
    uint64_t peer = hash_address(row->flow.dst, s->seed);
    if (hll_add(&w->peers, peer))
        w->peer_count = (float)hll_estimate(&w->peers);
    if (!row->failed)
        return;
    w->failed++;
    if (hll_add(&w->failed_peers, peer))
        w->failed_peer_count = (float)hll_estimate(&w->failed_peers);
}

/* A target counts once in a window, when it first fails. */
static void window_target(struct state *s, struct row *row, bool created)
{
    struct window *w = &row->host->window;
    struct pair *pair = row->pair;
    bool counted = pair->window == window_name(w);
    if (created || (row->failed && !counted))
        pair->window = window_name(w);
    if (!row->failed || row->dst.group || (counted && !created))
        return;
    uint32_t key, port = (uint32_t)row->flow.dst_port << 8 | row->flow.proto;
    w->failed_targets++;
    if (hll_add(&w->failed_ports, hash_add(s->seed, port)))
        w->failed_port_count = (float)hll_estimate(&w->failed_ports);
    frequent_add(&w->ports, port);
    frequent_add(&w->destinations, (uint32_t)hash_address(row->flow.dst, s->seed));
    w->on_port = frequent_most(&w->ports, &w->port);
    w->at_peer = frequent_most(&w->destinations, &key);
}

/* ---- pairs ---- */

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

/* Puts the time where it belongs; the oldest goes when the ring is full. */
static void ring_add(struct ring *ring, int64_t start_us, uint32_t size)
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

static uint32_t size_of(const struct row *row)
{
    return row->bytes_out > UINT32_MAX ? UINT32_MAX : (uint32_t)row->bytes_out;
}

static void pair_add(const struct state *s, struct pair *pair, const struct row *row, bool created)
{
    int64_t start_us = believed_us(s, row->flow.start_us);
    if (created)
        pair->begun_us = pair->last_us = start_us;
    pair->gap_s = start_us > pair->last_us ? (float)(start_us - pair->last_us) * 1e-6f : 0.0f;
    if (start_us > pair->last_us)
        pair->last_us = start_us;
    if (pair->flows < PAIR_EARLY) {
        int64_t ms = (start_us - pair->begun_us + HOUR_US) / 1000;
        pair->early_ms[pair->flows] = ms < 0 || ms > EARLY_NONE ? EARLY_NONE : (uint32_t)ms;
        pair->early_size[pair->flows] = size_of(row);
    }
    pair->flows++;
}

/* The pair's ring, made with the first flow that the pair itself has no room for. */
static struct ring *ring_of(struct state *s, const struct row *row)
{
    const struct pair *pair = row->pair;
    if (pair->flows <= PAIR_EARLY || row->dst.group)
        return NULL;
    bool created;
    struct ring *ring = table_take(&s->rings, pair->key, &pair->key, &created);
    if (created) {
        ring->base_us = pair->begun_us - HOUR_US;
        for (size_t i = 0; i < PAIR_EARLY; i++)
            if (pair->early_ms[i] != EARLY_NONE)
                ring_add(ring, ring->base_us + (int64_t)pair->early_ms[i] * 1000,
                         pair->early_size[i]);
    }
    if (row->end_us <= s->watermark.now_us)
        ring_add(ring, row->flow.start_us, size_of(row));
    table_keep(&s->rings, pair->key, ring, believed_us(s, row->end_us) + credit_us(pair->flows));
    return ring;
}

/* ---- the step ---- */

static void host_add(struct state *s, struct row *row, uint64_t hash)
{
    bool created;
    uint64_t evicted = s->hosts.evictions;
    struct host *host = table_take(&s->hosts, hash, row->flow.src, &created);
    if (created) {
        host->first_us = believed_us(s, row->flow.start_us);
        host->local = row->src.local;
        s->local_hosts += host->local && s->hosts.evictions == evicted;
    }
    host->flows++;
    int64_t end_us = believed_us(s, row->end_us);
    if (end_us > host->last_us)
        host->last_us = end_us;
    table_keep(&s->hosts, hash, host, end_us + credit_us(host->flows));
    row->host = host;
}

void state_update(struct state *s, const struct state_conf *conf, struct row *row)
{
    int64_t now_us = watermark_add(&s->watermark, row->end_us);
    row->late = row->end_us < now_us - conf->lateness_us || row->end_us > now_us;
    s->late += row->late;

    uint64_t source = hash_address(row->flow.src, s->seed);
    uint64_t destination = hash_address(row->flow.dst, s->seed);
    uint64_t port = (uint64_t)row->flow.dst_port << 8 | row->flow.proto;
    uint64_t offered = hash_add(destination, port); /* a service of the destination */
    uint64_t key = hash_add(offered, source);
    table_prefetch(&s->pairs, key);
    table_prefetch(&s->rings, key);

    host_add(s, row, source);
    if (row->late)
        row->host->closed = false;
    else
        window_add(s, conf, row);

    bool created;
    row->pair = table_take(&s->pairs, key, &key, &created);
    pair_add(s, row->pair, row, created);
    table_keep(&s->pairs, key, row->pair,
               believed_us(s, row->end_us) + credit_us(row->pair->flows));
    row->ring = ring_of(s, row);
    if (!row->late)
        window_target(s, row, created);
    row->prevalence = created && row->src.local ? cms_add(s->prevalence, offered)
                                                : cms_estimate(s->prevalence, offered);
    row->hosts_known = s->local_hosts;
    if (conf->top_hosts > 0)
        topk_add(s->busiest, row->flow.src);
}

static void rewind_host(void *record, void *user)
{
    struct host *host = record;
    (void)user;
    memset(&host->window, 0, sizeof host->window);
    host->fanout.score = 0.0f;
}

static void rewind_pair(void *record, void *user)
{
    struct pair *pair = record;
    (void)user;
    pair->window = 0;
}

void state_rewind(struct state *s)
{
    table_each(&s->hosts, rewind_host, NULL);
    table_each(&s->pairs, rewind_pair, NULL);
    s->watermark = (struct watermark){0};
}
