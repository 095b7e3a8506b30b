/* SPDX-License-Identifier: MIT */
/* enrich.c - what is known of a flow's addresses: ours or not, country, autonomous system. */
#include "enrich/enrich.h"

#include <string.h>

#include "util/hash.h"

void enrich_forget(struct enrich_cache *cache)
{
    memset(cache, 0, sizeof *cache);
}

static const struct place *place_of(const struct geoip *geoip, const struct nets *nets,
                                    struct enrich_cache *cache, const uint8_t address[16])
{
    struct enrich_slot *slot = &cache->slot[hash_address(address, 0) % ENRICH_CACHE];
    if (slot->used && memcmp(slot->address, address, 16) == 0)
        return &slot->place;
    *slot = (struct enrich_slot){.used = true};
    memcpy(slot->address, address, 16);
    slot->place.group = nets_group(nets, address);
    slot->place.local = nets_local(nets, address);
    if (!slot->place.local && !slot->place.group)
        geoip_find(geoip, address, &slot->place);
    return &slot->place;
}

void enrich(const struct geoip *geoip, const struct nets *nets, struct enrich_cache *cache,
            struct row *row)
{
    row->src = *place_of(geoip, nets, cache, row->flow.src);
    row->dst = *place_of(geoip, nets, cache, row->flow.dst);
}
