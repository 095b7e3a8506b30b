/* SPDX-License-Identifier: MIT */
/* ring.c - hands records from any number of threads to one, without locks and without waiting.
 *
 * Positions grow for ever; a position modulo the size is a place in memory:
 *
 *     0 ... tail [len|record\n..][len|record\n..][0 being written][len|record\n..] head ...
 *           taken by the taker                                            reserved by writers
 *
 * A writer reserves room by moving `head`, copies, and publishes by storing the record's length in
 * its first word. What is free is all zero: the taker zeroes what it has taken, so a length of 0
 * means that the record there is still being written, or that nobody has begun. A record is never
 * cut at the end of memory: a filler (FILLER | bytes) takes the rest. */
#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS and madvise() beside POSIX */

#include "ring.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "say.h"

#define ALIGN      8u /* of records: a word with the length is never cut */
#define FILLER     (UINT64_C(1) << 63)
#define SIZE_LEAST ((size_t)64 * 1024)
#define REST       ((size_t)256 * 1024) /* an empty ring that came so far begins at its start */
#define LINE       64 /* bytes of a cache line: writers and taker don't share one */

struct ring {
    unsigned char *memory;
    size_t size, mask;
    int event; /* eventfd that ends the taker's sleep */

    /* Written by writers with compare-and-swap. Relaxed: what it guards is published by the length
     * words; a writer sees zeroed room because it reads `tail` with acquire. */
    _Alignas(LINE) _Atomic uint64_t head;
    _Atomic uint64_t put; /* writers add, relaxed: only a count */

    /* Written by the taker with release after it has zeroed; writers read with acquire. */
    _Alignas(LINE) _Atomic uint64_t tail;
    _Atomic uint64_t taken; /* the taker's, relaxed: only a count */
    uint64_t lap;           /* the taker's: position at which it last began at the start */
    size_t deepest;         /* the taker's: memory behind this is not in use */

    /* Set by the taker before it sleeps, cleared by whoever wakes it. A wake-up that is missed
     * costs the rest of the taker's timeout. */
    _Alignas(LINE) atomic_bool asleep;
};

int ring_new(size_t size, struct ring **out, eddy_error *err)
{
    size_t rounded = SIZE_LEAST;
    while (rounded < size && rounded <= SIZE_MAX / 4)
        rounded *= 2;
    struct ring *ring = NULL;
    if (posix_memalign((void **)&ring, LINE, sizeof *ring) != 0)
        return fault(err, EDDY_ENOMEM, "out of memory");
    memset(ring, 0, sizeof *ring);
    ring->size = rounded;
    ring->mask = rounded - 1;
    ring->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    void *memory = mmap(NULL, rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ring->memory = memory != MAP_FAILED ? memory : NULL;
    if (ring->event < 0 || ring->memory == NULL) {
        int status = fault(err, EDDY_ENOMEM, "a ring of %zu bytes: %s", rounded, strerror(errno));
        ring_free(ring);
        return status;
    }
    *out = ring;
    return EDDY_OK;
}

void ring_free(struct ring *ring)
{
    if (ring == NULL)
        return;
    if (ring->memory != NULL)
        (void)munmap(ring->memory, ring->size);
    if (ring->event >= 0)
        (void)close(ring->event); /* nothing to write */
    free(ring);
}

static _Atomic uint64_t *word_at(const struct ring *ring, uint64_t position)
{
    return (_Atomic uint64_t *)(void *)(ring->memory + (position & ring->mask));
}

/* The record whose length is there. */
static char *text_at(const struct ring *ring, uint64_t position)
{
    return (char *)ring->memory + (position & ring->mask) + sizeof(uint64_t);
}

/* ---- writers ---- */

void ring_wake(struct ring *ring)
{
    uint64_t one = 1;
    (void)!write(ring->event, &one, sizeof one); /* full: it is going to wake anyway */
}

/* Moves `head` by `bytes`, and by what is left of memory if that is too short. False: no room. */
static bool reserve(struct ring *ring, size_t bytes, uint64_t *position, size_t *filler,
                    size_t *used)
{
    for (;;) {
        /* In this order: `tail` is then never ahead of `head`. */
        uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
        uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
        size_t to_end = ring->size - (size_t)(head & ring->mask);
        *filler = to_end < bytes ? to_end : 0;
        *used = (size_t)(head - tail) + *filler + bytes;
        if (*used > ring->size)
            return false;
        *position = head;
        if (atomic_compare_exchange_weak_explicit(&ring->head, &head, head + *filler + bytes,
                                                  memory_order_relaxed, memory_order_relaxed))
            return true;
    }
}

bool ring_put(struct ring *ring, const char *bytes, size_t length)
{
    uint64_t position;
    size_t filler, used;
    if (length >= ring->size / 2 - 2 * ALIGN)
        return false;
    size_t room = (sizeof(uint64_t) + length + 1 + ALIGN - 1) / ALIGN * ALIGN;
    if (!reserve(ring, room, &position, &filler, &used))
        return false;
    if (filler > 0) {
        atomic_store_explicit(word_at(ring, position), FILLER | filler, memory_order_release);
        position += filler;
    }
    char *text = text_at(ring, position);
    memcpy(text, bytes, length);
    text[length] = '\n';
    atomic_store_explicit(word_at(ring, position), (uint64_t)length + 1, memory_order_release);
    atomic_fetch_add_explicit(&ring->put, 1, memory_order_relaxed);
    if (used > ring->size / 8 && atomic_load_explicit(&ring->asleep, memory_order_relaxed) &&
        atomic_exchange_explicit(&ring->asleep, false, memory_order_relaxed))
        ring_wake(ring);
    return true;
}

/* ---- the taker ---- */

static void release(struct ring *ring, uint64_t tail, size_t bytes)
{
    memset(ring->memory + (tail & ring->mask), 0, bytes);
    atomic_store_explicit(&ring->tail, tail + bytes, memory_order_release);
}

const char *ring_peek(struct ring *ring, size_t *length)
{
    for (;;) {
        uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); /* our own */
        _Atomic uint64_t *word = word_at(ring, tail);
        uint64_t value = atomic_load_explicit(word, memory_order_acquire);
        if (value == 0)
            return NULL;
        if ((value & FILLER) == 0) {
            *length = (size_t)value;
            return text_at(ring, tail);
        }
        atomic_store_explicit(word, 0, memory_order_relaxed); /* the rest of a filler is zero */
        atomic_store_explicit(&ring->tail, tail + (value & ~FILLER), memory_order_release);
    }
}

void ring_next(struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); /* our own */
    size_t length = (size_t)atomic_load_explicit(word_at(ring, tail), memory_order_relaxed);
    atomic_fetch_add_explicit(&ring->taken, 1, memory_order_relaxed);
    release(ring, tail, (sizeof(uint64_t) + length + ALIGN - 1) / ALIGN * ALIGN);
}

/* Gives what lies within [begin, end) and was used back to the system; it reads as zero then. */
static void give_back(const struct ring *ring, size_t begin, size_t end)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    begin = (begin + page - 1) / page * page;
    end = end / page * page;
    if (begin < end) /* should it fail: it was zero already, only the memory stays ours */
        (void)madvise(ring->memory + begin, end - begin, MADV_DONTNEED);
}

/* Lets an empty ring begin at its start again: the same few pages are used over and over, and what
 * a burst has used behind them goes back to the system. The taker reserves the rest for that, as a
 * writer would; half the ring at a time, so that writers always find room. */
static void rest(struct ring *ring)
{
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed); /* our own */
    size_t begun = (size_t)(tail & ring->mask);
    if (tail - begun != ring->lap)
        ring->deepest = ring->size; /* has gone round since */
    if (begun > ring->deepest)
        ring->deepest = begun;
    if (begun < REST)
        return;
    for (size_t at = begun; at != 0; at = (size_t)(tail & ring->mask)) {
        size_t bytes = ring->size - at < ring->size / 2 ? ring->size - at : ring->size / 2;
        uint64_t head = tail;
        if (!atomic_compare_exchange_strong_explicit(&ring->head, &head, tail + bytes,
                                                     memory_order_relaxed, memory_order_relaxed))
            return; /* not empty any more */
        give_back(ring, at, at + bytes < ring->deepest ? at + bytes : ring->deepest);
        tail += bytes;
        atomic_store_explicit(&ring->tail, tail, memory_order_release);
    }
    ring->lap = tail;
    ring->deepest = begun;
}

void ring_wait(struct ring *ring, int timeout_ms)
{
    struct pollfd fd = {.fd = ring->event, .events = POLLIN};
    uint64_t ignored;
    size_t length;
    rest(ring);
    atomic_store_explicit(&ring->asleep, true, memory_order_relaxed);
    if (ring_peek(ring, &length) == NULL)
        (void)poll(&fd, 1, timeout_ms); /* EINTR: a short sleep is no harm */
    atomic_store_explicit(&ring->asleep, false, memory_order_relaxed);
    if ((fd.revents & POLLIN) != 0)
        (void)!read(ring->event, &ignored, sizeof ignored); /* only to reset it */
}

void ring_counts(const struct ring *ring, struct ring_counts *out)
{
    out->taken = atomic_load_explicit(&ring->taken, memory_order_relaxed);
    out->put = atomic_load_explicit(&ring->put, memory_order_relaxed);
}
