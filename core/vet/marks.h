/* SPDX-License-Identifier: MIT */
/* marks.h - what a person said of an incident: benign or malicious.
 *
 * benign: what was marked has a harmless cause, so evidence of the same kind is judged given that
 * the cause exists. Let S = -log10(p) of a finding, M the score of the marked incident, and
 *
 *     w = 2^-((now - marked) / feedback.half_life)     event time; 1 before the mark
 *     S' = S - w min(S, M)                             p' = 10^-S'
 *
 * With w = 1 scores up to M become usual, and beyond M p' = p / 10^-M: how unusual it is among what
 * is at least as extreme as the mark. So something clearly more extreme (by -log10(decide.p), 5
 * decades) is an incident again. Of several marks the one that lowers most counts; they do not add
 * up. It holds for findings of the marked detector about the marked host, with the marked peer if
 * the incident named one, and for the same reason, if the mark names one.
 *
 * malicious: what was marked is never learned from: with a peer, no flow between host and peer
 * (on the port, if one is named); without, no flow in which the detector finds something about
 * the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "row.h"
#include "vet/entry.h"

#define MARKS_BUCKETS 1024
#define MARK_REASON   32
#define MARK_INCIDENT 24

enum mark_verdict { MARK_NONE, MARK_BENIGN, MARK_MALICIOUS };

struct mark {
    enum mark_verdict verdict;
    uint8_t host[16], peer[16];
    bool has_peer;
    uint16_t port; /* 0: any */
    uint8_t detector;
    bool void_now;            /* a later line is about the same incident */
    char reason[MARK_REASON]; /* "": any */
    double score;
    int64_t marked_us;
    char incident[MARK_INCIDENT];
    uint32_t next;       /* of the same host; number + 1, 0 = none */
    uint32_t next_named; /* whose incident falls into the same bucket */
};

struct marks {
    struct mark *mark;
    size_t count;
    size_t benign, malicious, pins; /* in force; pins: malicious ones with a peer */
    uint32_t bucket[MARKS_BUCKETS]; /* by host */
    uint32_t named[MARKS_BUCKETS];  /* by incident */
};

/* Reads a mark without looking at others. ECONFIG says what is wrong with it. */
int mark_read(const struct entry *entry, struct mark *out, eddy_error *err);

/* Reads a whole file; the last line about an incident is the one that counts. */
int marks_new(const struct entries *entries, struct marks **out, eddy_error *err);
void marks_free(struct marks *marks);

/* Is the flow between two ends that were marked malicious? */
bool marks_pin(const struct marks *marks, const struct row *row);

/* What marks say of one finding. */
struct mark_effect {
    bool malicious;  /* do not learn from it */
    double lower_by; /* w min(S, M) above */
};

/* Is anything marked about this host and detector? Then the reasons are worth finding out. */
bool marks_ask(const struct marks *marks, const struct row *row, size_t detector);

struct mark_time {
    int64_t now_us, half_life_us;
    double join; /* findings above this p are no matter */
};

/* `reason` is the finding's first. */
struct mark_effect marks_weigh(const struct marks *marks, const struct row *row, size_t detector,
                               const char *reason, const struct mark_time *time);
