/* SPDX-License-Identifier: MIT */
/* told.h - which incidents are worth a message now: each when it is new and when it gets graver, no
 * more than a limit a minute, and when all that was told of a detector is over. What was left out
 * is told when the incident grows, if there is room then.
 *
 * For hosts that send messages from another thread than the one that scores: a small ring is
 * between them. Any thread may call these; none of them waits for a message to be sent. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

#define TOLD_RING    64  /* messages that wait; further ones are left out */
#define TOLD_OPEN    256 /* open ones that are known; the others are told when new, and only then */
#define TOLD_REASONS 3

/* A copy of what is told of an incident; texts are cut. */
struct notice {
    char detector[32], id[24], technique[16], summary[512], reasons[TOLD_REASONS][160];
    char host[46], peer[46], host_country[4], peer_country[4]; /* empty: none */
    uint32_t host_asn, peer_asn;
    uint16_t peer_port;
    int severity;
    uint64_t flows;
    double p, score, start, end; /* the latter as Unix times */
};

/* A message is due when an incident is new and whenever its severity rises. Each that is due waits
 * in the ring or is left out, and is counted once; what was left out and is told later is sent too.
 */
struct told_counts {
    uint64_t sent;    /* taken by told_next(), but those that say that it is quiet */
    uint64_t limited; /* due and left out: over the limit */
    uint64_t dropped; /* due and left out: the ring was full */
};

struct told;

struct told *told_new(void); /* NULL: out of memory. The limit is 0: nothing is told */
void told_free(struct told *t);

/* At most so many messages a minute. Those that say that it is quiet again do not count. */
void told_limit(struct told *t, double per_minute);

/* An event of an incident at a time of a clock that only goes forward. */
void told_incident(struct told *t, const eddy_incident *incident, int64_t now_ms);

/* From now on events are ignored, and nothing is quiet again: what is closed because the host stops
 * is not over. */
void told_stop(struct told *t);

/* The next message to send. TOLD_QUIET: all incidents of the detector that were told are closed;
 * only its name is set. */
enum told_what { TOLD_NOTHING = 0, TOLD_INCIDENT, TOLD_QUIET };
enum told_what told_next(struct told *t, struct notice *out);

void told_counts(struct told *t, struct told_counts *out);
size_t told_waiting(struct told *t);
