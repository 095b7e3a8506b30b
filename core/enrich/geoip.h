/* SPDX-License-Identifier: MIT */
/* geoip.h - country and autonomous system of an address, from MaxMind DB files. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "part.h"
#include "row.h"

extern const struct part geoip_part;

struct geoip_conf {
    const char *country, *asn;             /* paths of the files; "" = none */
    const char *country_field, *asn_field; /* where the value is in a record, dotted */
};

struct geoip;
struct log;

/* Opens what is configured; with nothing configured an empty one, which knows nothing. */
int geoip_open(const struct geoip_conf *conf, struct geoip **out, eddy_error *err);

struct geoip_renewal {
    struct geoip *before; /* NULL: as geoip_open() */
    bool only_changed;    /* not what was refused before and is still there */
    struct log *log;      /* told what was renewed, and what could not be */
};

/* The same from what was open before: databases whose path and file are the same are taken over. So
 * is one whose file has become one that can't be opened. If all is the same, it is `before` itself,
 * held once more. Not reentrant for one `before`. */
int geoip_renew(const struct geoip_conf *conf, const struct geoip_renewal *how, struct geoip **out,
                eddy_error *err);

/* Gives up a hold; the last one closes it. */
void geoip_close(struct geoip *geoip);

/* Has one of the files been replaced since it was opened, or since geoip_renew() has refused what
 * it became? Looks at the disk. Not while another one renews it. */
bool geoip_changed(const struct geoip *geoip);

/* Fills country and asn of `place`, or leaves them empty. Reentrant. */
void geoip_find(const struct geoip *geoip, const uint8_t address[16], struct place *place);

/* When the database was built, seconds since 1970; 0 if there is none. */
uint64_t geoip_country_built(const struct geoip *geoip);
uint64_t geoip_asn_built(const struct geoip *geoip);
