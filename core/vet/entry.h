/* SPDX-License-Identifier: MIT */
/* entry.h - reads the files that people write: one entry a line, words `key=value`.
 *
 *     # a comment
 *     src=10.0.0.5 dst=198.51.100.0/24 port=443 owner=ops why="the backup, every night"
 *
 * In quotes, \" and \\ stand for " and \. A # that begins a line or follows a blank begins a
 * comment. Everything is refused that a person can't see or would not expect: control characters,
 * bytes that are not UTF-8, a key twice, a last line without its end (a file that is still being
 * written would pass for a wider rule). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

#define ENTRY_LINE   1000              /* bytes of a line, without its newline */
#define ENTRY_WORDS  24                /* of a line */
#define ENTRIES_MAX  10000             /* of a file */
#define ENTRIES_FILE (4 * 1024 * 1024) /* bytes of a file */

struct entry {
    unsigned line;    /* from 1 */
    const char *text; /* the line, without the blanks around it; not ended by NUL */
    size_t length;
    eddy_word word[ENTRY_WORDS];
    size_t count;
    char room[2 * ENTRY_LINE + ENTRY_WORDS]; /* what the words point into */
};

/* Told of each entry. Anything but EDDY_OK ends the reading; `err` then says why, without place. */
typedef int entry_fn(const struct entry *entry, void *user, eddy_error *err);

struct entries {
    const char *name; /* of the file, for messages */
    const char *text; /* any bytes */
    size_t length;
};

/* Reads all entries. ECONFIG: "name:line: why". */
int entries_each(const struct entries *entries, entry_fn *each, void *user, eddy_error *err);

/* The value of a key, NULL if it is not there. */
const char *entry_find(const struct entry *entry, const char *key);
