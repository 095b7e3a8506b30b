/* SPDX-License-Identifier: MIT */
/* siblings.h - the other files of a log in its directory: rotated parts, plain or gzip'ed. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIBLINGS_MAX 4096 /* of one scan; the newest are kept */
#define PLACES_MAX   16   /* directories of one scan */

struct sibling {
    char name[NAME_MAX + 1];
    int place;         /* index into the directories given */
    bool live;         /* the followed path itself */
    int64_t mtime_ns;  /* of the last line in it: rename and gzip keep it */
    uint64_t dev, ino; /* of the live one: of the file a symlink leads to */
    uint64_t size;
};

struct siblings {
    struct sibling *list; /* oldest first, the live file last */
    size_t count;
};

/* Could `name` be an old part of the log `base`? NAME.1, NAME.1.gz, NAME-20260101,
 * STEM.2026-01-01-00-00-00.EXT and the like; never another log such as conn-summary or
 * conn_long. */
bool siblings_match(const char *base, const char *name);

/* Lists the parts of `base` in directories (open descriptors; the first one holds the live
 * file, or is -1: there is none) that were last written at `since_ns` or later; the live file
 * always. Returns 0, or -1 with errno; EAGAIN means that files were being renamed all the time: ask
 * again later. */
int siblings_scan(const int *places, size_t place_count, const char *base, int64_t since_ns,
                  struct siblings *out);
void siblings_free(struct siblings *s);

/* Opens one of them. Returns 1; 0 with errno if that is not permitted or it is no regular file;
 * -1 if the name leads elsewhere by now (renamed, compressed): scan again. */
struct generation;
int sibling_open(const int *places, const struct sibling *s, struct generation *out);
