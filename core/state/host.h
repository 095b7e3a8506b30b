/* SPDX-License-Identifier: MIT */
/* host.h - what is remembered of a host, a pair and a pair's recent times: the records of the
 * state tables. state.c fills the common part; each detector owns the part named after it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "hll.h"

/* What a host has done since the window opened. Windows open with a host's first flow after
 * the last one closed and are `state.window` long, by the flows' end times. A flow that comes
 * late counts in the window that is open. */
struct window {
    int64_t start_us;
    uint32_t flows;
    uint32_t failed;          /* flows that were not answered, or refused */
    struct hll peers;         /* destinations */
    struct hll failed_peers;  /* destinations that did not answer */
    struct hll failed_ports;  /* (port, protocol) that did not answer */
    struct hll failed_targets;/* (destination, port, protocol) that did not answer */
    float peer_count;         /* estimates, renewed when a sketch changes */
    float failed_peer_count, failed_port_count, failed_target_count;
    float width;              /* failed targets per failed port or peer, the larger of the two */
};

/* Past windows of a host, on a log scale, weighted by how far they were to be trusted. */
struct fanout_memory {
    float weight;             /* windows, as learned from */
    float peers_mean, peers_var;
    float width_mean;
    float score;              /* of the open window */
};

#define TAIL_COLUMNS   9
#define TAIL_HOST_BINS 16

struct tail_memory {
    uint8_t count[TAIL_COLUMNS][TAIL_HOST_BINS]; /* bins of four octaves; halved when one is full */
    uint16_t total[TAIL_COLUMNS];
};

#define HOST_DETECTORS 12 /* as DETECTOR_MAX of row.h */

struct host {
    uint8_t address[16]; /* the key */
    int64_t first_us, last_us;
    uint64_t flows;
    uint32_t beacon_pairs; /* pairs of this host whose regularity has been looked at */
    uint16_t incident[HOST_DETECTORS]; /* decide: open incident by detector, 0 = none */
    bool local;
    bool closed;           /* this row has closed a window: `was` is what it came to */
    struct {
        float peers, width, score;
        uint32_t flows;
    } was;
    struct window window;
    struct fanout_memory fanout;
    struct tail_memory tail;
};

/* Source, destination, destination port and protocol, by a 64-bit hash of them: two pairs
 * share a record with probability 1e-7 among a million. */
struct pair {
    uint64_t key;
    int64_t first_us, last_us; /* starts of the earliest and latest flow */
    int64_t gap_us;            /* of the last flow to the latest before it; 0 for the first */
    int64_t window_us;         /* start of the host's window in which it was last new */
    uint32_t flows;
    uint32_t spare;
};

#define RING_TIMES 64

/* The latest flows of a pair that has a few, in order of their start. */
struct ring {
    uint64_t key;      /* of the pair */
    int64_t base_us;   /* times are milliseconds from here */
    uint32_t count;
    uint32_t since;    /* flows since the score was last computed */
    float score;       /* beacon's last word */
    float size_cv;     /* beacon: of bytes sent */
    float gap_s, gap_cv;
    uint32_t gaps;     /* beacon: gaps that counted */
    uint32_t taught;   /* beacon: count at which the calibration was last taught */
    uint32_t time_ms[RING_TIMES];
    uint32_t size[RING_TIMES]; /* IP bytes sent, capped at 4 GiB */
};
