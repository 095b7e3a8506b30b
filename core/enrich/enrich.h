/* SPDX-License-Identifier: MIT */
/* enrich.h - what is known of a flow's addresses: ours or not, country, autonomous system. */
#pragma once

#include "enrich/geoip.h"
#include "enrich/nets.h"
#include "row.h"

#define ENRICH_CACHE 8192 /* addresses: most flows go where others went just before */

struct enrich_slot {
    uint8_t address[16];
    struct place place;
    bool used;
};

/* A worker's own: direct-mapped, so that a lookup is one comparison. */
struct enrich_cache {
    struct enrich_slot slot[ENRICH_CACHE];
};

/* After geoip or nets have changed. */
void enrich_forget(struct enrich_cache *cache);

void enrich(const struct geoip *geoip, const struct nets *nets, struct enrich_cache *cache,
            struct row *row);
