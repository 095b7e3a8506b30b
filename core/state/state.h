/* SPDX-License-Identifier: MIT */
/* state.h - what is remembered of hosts and pairs, bounded in bytes by state.memory. */
#pragma once

#include "cms.h"
#include "host.h"
#include "names.h"
#include "part.h"
#include "row.h"
#include "table.h"
#include "topk.h"
#include "watermark.h"

extern const struct part state_part;

struct state_conf {
    uint64_t memory;
    uint64_t seed;
    int64_t window_us;
    int64_t lateness_us;
    uint64_t top_hosts;
    uint64_t names;
    int64_t names_window_us;
};

struct state {
    struct table hosts, windows, pairs, rings, services;
    struct cms *popular;  /* service of a destination -> flows to it */
    struct topk *busiest; /* sources by flows; used if state.top_hosts > 0 */
    struct names names;   /* what services and addresses are called */
    struct watermark watermark;
    uint64_t seed;
    uint64_t memory; /* bytes, as set at the start */
    uint64_t late;   /* flows older than lateness, or far ahead of all others */
};

int state_new(const struct state_conf *conf, struct state **out, eddy_error *err);
void state_free(struct state *state);

/* Hashes the row's ends and has their places in the tables fetched, while other work is done. Reads
 * nothing that changes: needs no lock. */
void state_prepare(const struct state *state, struct row *row);

/* Finds or makes the records of the row's host and pair and counts the flow in; of a ROW_NAME,
 * those of its names. After state_prepare. */
void state_update(struct state *state, const struct state_conf *conf, struct row *row);

/* The latest time of flows, or of other records where there was no flow yet. */
int64_t state_now_us(const struct state *state);

/* Before a second pass: forgets windows and counts, keeps baselines and the times of pairs. */
void state_rewind(struct state *state);
