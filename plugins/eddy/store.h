/* SPDX-License-Identifier: MIT */
/* store.h - incidents read back from lines of JSON, each in its last state.
 *
 *     struct store store = {0};
 *     store_read(&store, "/var/lib/eddy/history.jsonl", &err)
 *     store_find(&store, "3746648c", &err)->incident.detector
 *     store_done(&store);
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

/* An incident as its last line tells it. All text is NUL-terminated, never NULL, and hostile: it
 * comes from a file. What the line does not have is empty, zero or NAN. */
struct stored {
    eddy_incident incident;    /* .host, .peer: 16 bytes; .suppressed_by "" if none is */
    char host[46], peer[46];   /* the same as text; peer "" if there is none */
    uint64_t told;             /* lines there were of it */
    const char *json;          /* the line, without newline */
    eddy_evidence evidence;    /* what incident.evidence points to, if anything */
    void *words, *lists, *own; /* what all the pointers point into; the store's */
};

/* Zeroed is empty. */
struct store {
    struct stored *incidents; /* in the order of their first lines, until they are sorted */
    size_t count, room;
    uint64_t lines, others, bad; /* read; of no incident; not readable */

    /* Told of bad lines: "history.jsonl:12: ...". The first few of each file, then how many more.
     * NULL: only counted. */
    void (*complain)(const char *message, void *user);
    void *user;

    uint32_t *slots; /* hash of ids: 1 + index in incidents, 0 = free */
    size_t slot_count;
    struct store_reader *reader;
};

void store_done(struct store *store);

/* Adds what a file has, plain or gzip'ed; "-" is standard input. Lines that are no incidents of
 * eddy are passed over, bad ones counted. Fails if the file can't be read, or for want of memory.
 */
int store_read(struct store *store, const char *path, eddy_error *err);

/* The same for the file and the older generation of it, PATH.1: what `history.path` names. That
 * the older one is missing is no failure. */
int store_read_history(struct store *store, const char *path, eddy_error *err);

/* Adds one incident. EDDY_EINPUT if it can't be read: `err` says why. */
int store_add(struct store *store, const char *line, size_t length, eddy_error *err);

/* By the time of their last flow, the latest first. */
void store_sort(struct store *store);

/* The incident with this id, or the only one whose id begins so. NULL: none or several, and `err`
 * says so. */
const struct stored *store_find(const struct store *store, const char *id, eddy_error *err);
