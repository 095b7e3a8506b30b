/* SPDX-License-Identifier: MIT */
/* ring.h - hands records from any number of threads to one, without locks and without waiting. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

struct ring;

struct ring_counts {
    uint64_t put, taken; /* records */
};

/* `size` bytes, rounded up to a power of two (64 KiB at least), are reserved as addresses; memory
 * is taken when it is first touched. */
int ring_new(size_t size, struct ring **out, eddy_error *err);

/* Nobody may use it any more. */
void ring_free(struct ring *ring);

/* Any thread. Copies the record and adds a newline. No lock, no allocation, no system call, but for
 * one to wake the taker if it sleeps while the ring fills. False: there is no room, or the record
 * is longer than half the ring. */
bool ring_put(struct ring *ring, const char *bytes, size_t length);

/* The rest is for one thread, the taker. */

/* The oldest record with its newline, NULL if there is none. Valid until ring_next(). */
const char *ring_peek(struct ring *ring, size_t *length);

/* Gives back the room of the record that ring_peek() has returned. */
void ring_next(struct ring *ring);

/* Sleeps until an eighth of the ring is filled, ring_wake() is called, or the time is over. While
 * the ring is empty it gives memory of a past burst back to the system. */
void ring_wait(struct ring *ring, int timeout_ms);

/* Any thread: ends the taker's sleep, or the next one if it is awake. */
void ring_wake(struct ring *ring);

/* Any thread. */
void ring_counts(const struct ring *ring, struct ring_counts *out);
