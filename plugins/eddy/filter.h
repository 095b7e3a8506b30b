/* SPDX-License-Identifier: MIT */
/* filter.h - which incidents are wanted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum want { WANT_NOT, WANT_TOO, WANT_ONLY };

/* Start from FILTER_ALL. */
struct filter {
    int64_t now_us;             /* what spans like "24h" count back from */
    int64_t since_us, until_us; /* something of it lies between */
    const char *since, *until;  /* as written; NULL: not asked for */
    bool has_net;
    uint8_t net[16]; /* host or peer lies in it */
    unsigned net_bits;
    const char *detector; /* NULL: any */
    int severity;         /* at least */
    int state;            /* -1: any */
    enum want withheld, suppressed;
};

#define FILTER_ALL ((struct filter){.since_us = INT64_MIN, .until_us = INT64_MAX, .state = -1})

/* "10.0.0.0/8", "2001:db8::1". */
bool filter_net(struct filter *filter, const char *text);
bool filter_severity(struct filter *filter, const char *text);
bool filter_state(struct filter *filter, const char *text);

/* One of core/parts.def. */
#define FILTER_DETECTORS "tail, fanout, beacon, dns, burst, exfil, rarity, iforest, forest"
bool filter_detector(struct filter *filter, const char *text);

/* Makes times of `since` and `until`: a span before now or a time. What is wrong with them, or
 * NULL. Once now_us is known. */
const char *filter_times(struct filter *filter);

bool filter_takes(const struct filter *filter, const struct stored *stored);
