/* SPDX-License-Identifier: MIT */
/* host.h - what is remembered of a host, a pair and a pair's recent times: the records of the
 * state tables. state.c fills the common part; each detector owns the part named after it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "frequent.h"
#include "hll.h"
#include "lincount.h"
#include "part.h"

/* What forest takes for an attack among a window's flows; most of it goes to `peer` and `port` if
 * they lead by much: see exfil. 16 bytes. */
struct window_alerts {
    uint32_t peer;                 /* 32 bits of the hash of a destination */
    uint32_t port;                 /* and protocol: port << 8 | protocol */
    uint16_t peer_lead, port_lead; /* votes by which they lead all others */
    uint16_t count;
    uint8_t class, class_lead; /* of the model: what most of it is */
};

/* What a host has done since the window opened. Windows open with a host's first flow after
 * the last one closed and are `state.window` long, by the flows' end times. A flow that comes
 * late counts in the window that is open. */
struct window {
    uint8_t address[16]; /* the key: the source's */
    int64_t start_us;
    int64_t failed_us; /* start of the WINDOW_TARGETS-th failed target's flow, or of the last one */
    uint32_t flows;
    uint32_t failed;              /* flows that were not answered, or refused */
    uint32_t failed_targets;      /* (destination, port, protocol) that did not answer */
    struct hll peers;             /* destinations */
    struct hll failed_peers;      /* destinations that did not answer */
    struct hll failed_ports;      /* (port, protocol) that did not answer */
    struct frequent ports;        /* new failed targets by (port << 8 | protocol) */
    struct frequent destinations; /* new failed targets by a hash of the destination */
    float peer_count;             /* estimates, renewed when a sketch changes */
    float failed_peer_count, failed_port_count;
    uint16_t on_port, at_peer; /* largest count of `ports`, of `destinations` */
    uint32_t port;             /* whose count on_port is */
    uint32_t peer;             /* whose count at_peer is: 32 bits of a destination's hash */
    struct window_alerts alerts;
    bool pinned;     /* holds what nobody may learn from: see row->teach */
    uint16_t unseen; /* its first flows, before the model that `alerts` are of; 65535 at most */
};

#define WINDOW_TARGETS 5 /* fewer failed targets than this are everybody's */

/* How wide the failures of the window are: the most failed hosts on one port, the most failed
 * ports of one host, or, for a scan that is a grid of both, hosts per port times ports per host;
 * whichever is most. n one-to-one failures, each on a port of its own, are 1 wide. */
static inline double window_grid(const struct window *w)
{
    double targets = w->failed_targets;
    double peers = w->failed_peer_count > 1.0f ? (double)w->failed_peer_count : 1.0;
    double ports = w->failed_port_count > 1.0f ? (double)w->failed_port_count : 1.0;
    double grid = targets / peers * targets / ports;
    return grid < targets ? grid : targets;
}

/* Discounted by what succeeded: a resolver fails at many servers, but at few of those it asks. */
static inline double window_failed_share(const struct window *w)
{
    double share = w->peer_count > 0 ? (double)w->failed_peer_count / (double)w->peer_count : 0.0;
    return share < 1.0 ? share : 1.0;
}

static inline double window_width(const struct window *w)
{
    double most = w->on_port > w->at_peer ? w->on_port : w->at_peer;
    double grid = window_grid(w);
    double width = (grid > most ? grid : most) * window_failed_share(w);
    return width > 1.0 ? width : 1.0;
}

/* Past windows of a host, on a log scale, weighted by how far they were to be trusted. */
struct fanout_memory {
    float weight; /* windows, as learned from */
    float peers_mean, peers_var;
    float width_mean;
    float score; /* of the open window */
};

#define TAIL_COLUMNS   9
#define TAIL_HOST_BINS 12

struct tail_memory {
    uint8_t count[TAIL_COLUMNS][TAIL_HOST_BINS]; /* bins of four octaves; halved when one is full */
    uint16_t total[TAIL_COLUMNS];
};

#define EXFIL_WEIGHT 64  /* units of `weight` in a window */
#define EXFIL_SCORE  100 /* units of `score` in one */

/* What a host sends to the outside: a sum that fades, its past, and who got most of it. 40 bytes.
 */
struct exfil_memory {
    float mean, variance; /* of ln of the sum that may be learned, at the ends of past windows */
    float sent;           /* bytes, fading since seen_s, as are the next four */
    float vetted;         /* of them, from closed windows that were usual */
    float open;           /* of them, from the open window */
    float lead;           /* bytes by which `receiver` leads all others */
    float received;       /* from `receiver` */
    uint32_t receiver;    /* upper half of the hash of its address */
    uint32_t seen_s;      /* since 1970; 0: never */
    uint16_t weight;      /* past windows, as learned from */
    uint16_t score;       /* of the open window */
};

#define RARITY_KINDS 5
#define RARITY_SCORE 100 /* units of `score` in one */

/* What a host has met, a bit for each thing, and how many of them were new of late. 64 bytes. */
struct rarity_memory {
    uint64_t lateral, peers[2], services, asns;
    uint32_t countries;
    uint16_t windows;              /* past ones; halved with `met` when either is full */
    uint16_t score;                /* of the open window */
    uint8_t met[RARITY_KINDS];     /* new things in past windows, in quarters */
    uint8_t unusual[RARITY_KINDS]; /* new things in the open one, in quarters */
    uint8_t known[RARITY_KINDS];   /* what was left out of them because others know it */
    uint8_t settled;
};

#define FOREST_SCORE 100 /* units of `score` in one */

/* How often a model took a host's flows for an attack. 12 bytes. */
struct forest_memory {
    float flows, alerts; /* of past windows, as learned from */
    uint16_t score;      /* of the open window */
    uint16_t era;        /* the model that all this, and the window's alerts, are of: a number that
                            forest gave it */
};

/* What a host of ours opens and answers, of late: see score/role.h. */
struct role_memory {
    uint64_t services;         /* of others, that it used: a bit each */
    uint16_t opened, answered; /* connections that did not fail */
    uint16_t port;             /* it first answered on */
    uint8_t others;            /* answers on other ports */
    uint8_t role;
};

struct host {
    uint8_t address[16]; /* the key */
    int64_t first_us, last_us;
    uint64_t flows;
    uint32_t beacon_pairs; /* pairs of this host whose regularity has been looked at */
    struct fanout_memory fanout;
    struct tail_memory tail;
    struct exfil_memory exfil;
    struct forest_memory forest;
    struct rarity_memory rarity;
    struct role_memory role;
};

#define PAIR_EARLY 3 /* flows a pair has before it gets a ring: most pairs never have one */
#define EARLY_NONE UINT32_MAX

/* Source, destination, destination port and protocol, by a 64-bit hash of them: two pairs
 * share a record with probability 1e-7 among a million. */
struct pair {
    uint64_t key;
    int64_t last_us; /* start of the latest flow */
    uint32_t window; /* name of the host's window in which it last failed, or was new */
    uint32_t flows;
    uint32_t begun; /* start of the flow that came first, in units of 4 s since 1970 */
    uint32_t early_ms[PAIR_EARLY]; /* starts of the first flows, from begun less an hour;
                                      EARLY_NONE = did not fit */
    uint32_t early_size[PAIR_EARLY];
};

static inline int64_t pair_begun_us(const struct pair *pair)
{
    return (int64_t)pair->begun * 4000000;
}

/* A service (destination, port, protocol) and who of ours uses it. */
struct offer {
    uint64_t key;
    struct lincount users;
};

#define RING_TIMES 64

/* The latest flows of a pair that has a few, in order of their start. */
struct ring {
    uint64_t key;    /* of the pair */
    int64_t base_us; /* times are milliseconds from here */
    uint32_t count;
    uint32_t since; /* flows since the score was last computed */
    float score;    /* beacon's last word */
    float size_cv;  /* beacon: of bytes sent */
    float gap_s, gap_cv;
    uint32_t gaps;   /* beacon: gaps that counted */
    uint32_t taught; /* beacon: count at which the calibration was last taught */
    uint32_t time_ms[RING_TIMES];
    uint32_t size[RING_TIMES]; /* IP bytes sent, capped at 4 GiB */
};
