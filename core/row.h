/* SPDX-License-Identifier: MIT */
/* row.h - one flow on its way through the pipeline, and which step fills which field. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eddy.h"
#include "part.h"
#include "service.h"

enum column {
#define COLUMN(name, formula, help) COLUMN_##name,
#include "features.def"
#undef COLUMN
    COLUMN_COUNT
};

struct host;
struct models;
struct pair;
struct ring;
struct window;
struct asked;
struct watermark;

/* What is known of an address besides itself. */
struct place {
    char country[3]; /* ISO 3166, "" if not known */
    uint32_t asn;    /* 0 if not known */
    bool local;      /* one of our networks (nets.local) */
    bool group;      /* as a destination: multicast or broadcast, nobody is scanned by it */
};

/* What a window of a host came to. */
struct closed_window {
    int64_t start_us;
    uint32_t flows, alerts, unseen; /* unseen: by forest's model, as it was another's time */
    float peers, width;
    float score; /* of fanout */
    bool pinned; /* it holds what nobody may learn from */
};

struct row {
    enum row_kind kind;            /* worker */
    eddy_flow flow;                /* ingest; clean corrects it */
    const struct context *context; /* ingest, of a ROW_NAME: what the record says */

    uint64_t duration_us;             /* clean: 0 where the flow has EDDY_UNSET, as below */
    uint64_t bytes_out, bytes_in;     /* clean */
    uint64_t packets_out, packets_in; /* clean */
    int64_t end_us;                   /* clean: start + duration */
    bool failed;                      /* clean: the peer did not answer, or refused */
    bool cleaned;                     /* clean: something impossible was corrected */
    enum service service;             /* clean: what kind of conversation this is */

    struct place src, dst; /* enrich */

    struct {
        uint64_t source, destination, service, pair;
        uint64_t domain;      /* of a ROW_NAME */
    } hash;                   /* state_prepare: of the row's ends, as the tables know them */
    struct host *host;        /* state: the source's record */
    struct host *destination; /* state: the destination's, if it is ours and has one; else NULL */
    struct window *window;    /* state: what the source has done of late; NULL of a ROW_NAME */
    bool closed; /* state: the row has closed a window of its source: `was` is what it came to */
    struct closed_window was;
    struct pair *pair; /* state: source, destination, port and protocol */
    float gap_s;       /* state: since the pair's latest flow before began; 0 for its first */
    struct ring *ring; /* state: recent times of the pair; NULL until it has a few flows */
    uint32_t users;    /* state: of our hosts, about how many use this service of the destination */
    uint32_t service_flows; /* state: about how many flows went to it of late */
    struct asked *asked;    /* state, of a ROW_NAME: what the source asks below `domain`; or NULL */
    const char *domain;     /* likewise: the registered domain, in the context's name */
    uint32_t clients;       /* likewise: of our hosts, about how many ask the source for names */
    double domains;         /* likewise: how many the source has asked for in its window */
    const char *name;       /* decide: what the destination is called; NULL if not known */
    const struct watermark *clock; /* state: the time that is believed, with this row */
    bool fresh;                    /* state: the first flow of its pair */
    bool late;                     /* state: older than the windows or far ahead; scored, in none */
    bool first_pass;               /* worker: only learning */

    double column[COLUMN_COUNT]; /* features */
    const struct models *models; /* worker: those from files */

    struct finding finding[DETECTOR_MAX]; /* score, in the order of parts.def */
    eddy_verdict verdict;                 /* score; decide adds flags */
    int best;                             /* score: index of the lowest p, -1 if none spoke */
    double teach; /* score: how much is learned from it: 1, or calibrate.leak if it is suspicious;
                     vet: 0 if it is suppressed or known to be malicious */
    bool again;   /* score_learn: suspicious, as another row of its actor was within a day */
};
