/* SPDX-License-Identifier: MIT */
/* asked.h - which names a host asks for below a domain, window by window. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "row.h"
#include "table.h"

#define ASKED_BITS  1024 /* of names seen in a window: linear counting, as in lincount.h */
#define ASKED_STEPS 20   /* of a window, for the plot */

/* A source and a registered domain, by a 64-bit hash; or a source alone, whose "names" are the
 * domains. A window opens with a record and is state.names_window long. */
struct asked {
    uint64_t key;
    int64_t start_us;                       /* of the window */
    uint32_t records;                       /* of DNS in the window; 0: none is open */
    uint32_t answered, no_domain, carrying; /* of them: answers, NXDOMAIN, type TXT or NULL */
    uint32_t names;                         /* bits of `seen` that are set */
    uint32_t window_s;                      /* its length */
    uint32_t last_s;                        /* of the latest new name, from the window's start */
    float bytes;                            /* what the names below the domain can carry */
    float bits;                             /* entropy of a character, summed over the names */
    float score, teach;                     /* dns: of the open window; the least row->teach */
    bool closed;                            /* this row has closed a window: `was` */
    bool fresh;                             /* this row brought a new name */
    struct {
        float names, bytes, score, teach;
    } was;
    float weight, names_mean, bytes_mean; /* dns: past windows, on a log scale */
    uint16_t step[ASKED_STEPS];           /* new names over the window's time */
    uint64_t seen[ASKED_BITS / 64];
};

struct asked_table {
    struct table table;
    uint64_t seed;
};

int asked_init(struct asked_table *asked, uint64_t bytes, uint64_t seed);
void asked_done(struct asked_table *asked);

/* Counts a DNS record in: sets row->domain and row->asked, both NULL if its name has no registered
 * domain, and row->domains. `window_us` is the window's length, `now_us` the watermark of such
 * rows. */
void asked_add(struct asked_table *asked, struct row *row, int64_t window_us, int64_t now_us);

/* Of another pass nothing but what was learned is kept. */
void asked_rewind(struct asked_table *asked);

/* About how many different names, and what they can carry in all. */
double asked_names(const struct asked *asked);
double asked_bytes(const struct asked *asked);

/* The hash of a domain, as those of services. */
uint64_t asked_hash(const struct asked_table *asked, const char *text);
