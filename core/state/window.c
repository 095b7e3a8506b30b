/* SPDX-License-Identifier: MIT */
/* window.c - what a host has done of late. */
#include "state/window.h"

#include <stddef.h>
#include <string.h>

#include "util/hash.h"

/* Names a window in 32 bits: enough to tell a host's windows apart. 0 is no window. */
static uint32_t window_name(const struct window *w)
{
    return (uint32_t)(w->start_us / 1000) | 1u;
}

static void window_close(struct row *row, struct window *w)
{
    row->closed = w->flows > 0;
    row->was = (struct closed_window){.start_us = w->start_us,
                                      .flows = w->flows,
                                      .alerts = w->alerts.count,
                                      .unseen = w->unseen,
                                      .peers = w->peer_count,
                                      .width = (float)window_width(w),
                                      .score = row->host->fanout.score,
                                      .pinned = w->pinned};
    memset(&w->start_us, 0, sizeof *w - offsetof(struct window, start_us)); /* all but the key */
}

void window_add(struct row *row, int64_t now_us, int64_t length_us)
{
    struct window *w = row->window;
    row->closed = false;
    if (w->flows == 0 || row->end_us >= w->start_us + length_us || w->start_us > now_us) {
        window_close(row, w);
        w->start_us = row->end_us;
    }
    w->flows++;
    if (row->dst.group) /* nobody is scanned by speaking to everybody */
        return;
    uint64_t peer = row->hash.destination;
    if (hll_add(&w->peers, peer))
        w->peer_count = (float)hll_estimate(&w->peers);
    if (!row->failed)
        return;
    w->failed++;
    if (hll_add(&w->failed_peers, peer))
        w->failed_peer_count = (float)hll_estimate(&w->failed_peers);
}

void window_target(struct row *row, uint64_t seed)
{
    struct window *w = row->window;
    struct pair *pair = row->pair;
    row->fresh = pair->window == 0; /* never met before, in this pass */
    bool counted = pair->window == window_name(w);
    if (row->fresh || (row->failed && !counted))
        pair->window = window_name(w);
    if (!row->failed || row->dst.group || counted)
        return;
    uint32_t port = (uint32_t)row->flow.dst_port << 8 | row->flow.proto;
    if (w->failed_targets++ < WINDOW_TARGETS)
        w->failed_us = row->flow.start_us;
    if (hll_add(&w->failed_ports, hash_add(seed, port)))
        w->failed_port_count = (float)hll_estimate(&w->failed_ports);
    frequent_add(&w->ports, port);
    frequent_add(&w->destinations, (uint32_t)row->hash.destination);
    w->on_port = frequent_most(&w->ports, &w->port);
    w->at_peer = frequent_most(&w->destinations, &w->peer);
}
