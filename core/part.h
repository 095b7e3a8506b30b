/* SPDX-License-Identifier: MIT */
/* part.h - what inputs, detectors and outputs have in common; one const struct each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"
#include "reason.h"

struct arena;
struct row;
struct explanation;
struct ingest_conf;
struct context;

/* What a row is about. Detectors are asked of the rows that they judge. */
enum row_kind {
    ROW_FLOW = 0,
    ROW_NAME /* a DNS record: no columns, and no flow but its ends and time */
};

#define DETECTOR_MAX 12 /* more than parts.def will ever name: rows and hosts have room for all */

/* How a setting is written, and what it becomes in the part's conf struct. */
enum option_type {
    OPTION_END = 0,
    OPTION_FLAG,     /* bool:     on|off */
    OPTION_NUMBER,   /* double:   low..high */
    OPTION_COUNT,    /* uint64_t: low..high */
    OPTION_BYTES,    /* uint64_t: bytes; K, M, G, T are powers of 1024 */
    OPTION_DURATION, /* int64_t:  microseconds; written with us, ms, s, m, h or d */
    OPTION_TEXT,     /* const char *: "" if not set */
    OPTION_LIST      /* const char *: entries joined by newlines; setting again adds one */
};

/* One setting: `section.name` in eddy.conf, where the section is the part's name. */
struct option {
    const char *name;
    enum option_type type;
    size_t offset; /* of the field in the part's conf struct */
    const char *initial;
    double low, high; /* of numbers, counts, bytes (bytes) and durations (seconds) */
    const char *help; /* one sentence */
};

struct part {
    const char *name;
    const char *help; /* one sentence */
    size_t conf_size; /* 0: no settings */
    const struct option *options;
};

/* A log format. `state` is state_size zeroed bytes, fresh for each stream. */
struct input {
    struct part part;
    size_t state_size;
    void (*open)(void *state, const struct ingest_conf *conf); /* NULL: zeroes will do */
    /* Does this look like a line of this format? Asked until one input says yes. */
    bool (*recognise)(const char *line, size_t length);
    /* One line (no newline) -> flow. REASON_NONE means that `flow` is filled; dns_context and its
     * like that `context` is, and of `flow` the time, ends and id. `context` is NULL if nobody
     * wants such records, and begun else. `scratch` is empty at each call. Allocates only from it.
     */
    enum reason (*decode)(void *state, struct arena *scratch, const char *line, size_t length,
                          eddy_flow *flow, struct context *context);
};

/* What a sample tells of, and so who says whether anybody may learn from it. */
enum sample_of {
    OF_ROW = 0, /* the row itself, and then it is its score: not if row->teach is 0 */
    OF_PAIR,    /* the same, told so seldom that a pair may tell it again */
    OF_WINDOW,  /* the host's window that the row has closed: not if that was pinned */
    OF_PAST     /* something else that is over: the detector has left out what was pinned */
};

/* What a detector says of a row. */
struct finding {
    double score;  /* -log10 of p under its own null model; 0 = usual; NAN = nothing to say */
    double sample; /* a score for the calibration to learn from; NAN = none with this row */
    enum sample_of sample_of;
    bool renewed;        /* what it judges by is another from this row on: scores of before tell
                            nothing of this one, and its calibration begins anew */
    double tests;        /* how many such looks the host's window or past holds; at least 1 */
    double p;            /* after calibration: filled by the score step; vet: raised by marks */
    double p_unmarked;   /* likewise, whatever marks say */
    bool of_destination; /* about the row's destination, not its source: a flood's victim */
    const char *rule;    /* vet: id of the suppression that covers it, NULL if none; valid under
                            the engine's lock */
};

struct detector {
    struct part part;
    const char *technique; /* MITRE ATT&CK technique */
    enum row_kind judges;  /* the rows it is asked of */
    /* Has it nothing to judge the row by, as without a model? Then it is not counted among those
     * that have looked. NULL: never. */
    bool (*idle)(const struct row *row);
    size_t state_size; /* of the detector's own site-wide state, zeroed at birth */
    void (*open)(void *state, const void *conf); /* NULL: zeroes will do */
    /* Judges the row. May renew what it has worked out of the row's records, but learns nothing
     * that makes a later row more usual. */
    void (*score)(void *state, const void *conf, struct row *row, struct finding *out);
    /* Learns from the row, row->teach as much as from a usual one; with 0, no more than that
     * nobody may learn from it. NULL: has nothing to learn. */
    void (*learn)(void *state, const void *conf, struct row *row);
    /* Says why, for the row it was just called with. */
    void (*explain)(const void *state, const void *conf, const struct row *row,
                    struct explanation *out);
};

/* Where incidents and metrics go. Runs on the keeper thread and may block. */
struct output {
    struct part part;
    size_t state_size;
    bool (*wanted)(const void *conf); /* is it configured at all? */
    int (*open)(void *state, const void *conf, eddy_error *err);
    int (*incident)(void *state, const eddy_incident *incident, eddy_error *err); /* or NULL */
    /* Once per emit.interval; `text` is all metrics in Prometheus format. NULL: not wanted. */
    int (*metrics)(void *state, const char *text, size_t length, eddy_error *err);
    int (*flush)(void *state, eddy_error *err); /* after incidents, and each second; or NULL */
    void (*close)(void *state);
};

/* The lists made from parts.def, each ended by NULL. */
extern const struct input *const registry_inputs[];
extern const struct detector *const registry_detectors[];
extern const struct output *const registry_outputs[];
/* Settings of steps that are no parts of a kind (ingest, geoip, state, decide ...). */
extern const struct part *const registry_steps[];
