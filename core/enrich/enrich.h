/* SPDX-License-Identifier: MIT */
/* enrich.h - what is known of a flow's addresses: ours or not, country, autonomous system. */
#pragma once

#include "enrich/geoip.h"
#include "enrich/nets.h"
#include "row.h"

#define ENRICH_CACHE 32768 /* addresses, 1 MB: most flows go where others went of late */

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
