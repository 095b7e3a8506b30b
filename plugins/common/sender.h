/* SPDX-License-Identifier: MIT */
/* sender.h - hands the records of a ring to another process's datagram socket: listen.c's other
 * end. */
#pragma once

#include <stdint.h>

#include "eddy.h"
#include "ring.h"
#include "say.h"

struct sender;

struct sender_counts {
    uint64_t sent;     /* records that the kernel has taken */
    uint64_t too_long; /* records that fit in no datagram: dropped */
};

/* `spec` is unix_dgram:PATH. Nobody needs to listen there yet. `say` is kept. */
int sender_new(const char *spec, const struct say *say, struct sender **out, eddy_error *err);
void sender_free(struct sender *s);

/* Sends what the ring has, several records in a datagram. While nobody takes them they stay in the
 * ring, and it waits up to `timeout_ms` instead. Returns the number of records that were taken from
 * the ring. */
size_t sender_turn(struct sender *s, struct ring *ring, int timeout_ms);

/* Records taken from the ring that nobody has got yet. */
size_t sender_waiting(const struct sender *s);

void sender_counts(const struct sender *s, struct sender_counts *out);
