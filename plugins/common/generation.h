/* SPDX-License-Identifier: MIT */
/* generation.h - one file in the life of a log: opened, recognised again, read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "eddy.h"

struct gz;

#define PRINT_MAX 1024 /* a Zeek header is 476 bytes: this reaches the first rows */

/* The hash (FNV-1a, 64 bit) of a file's first bytes, after decompression. Inode numbers are used
 * again within milliseconds on tmpfs and ext4; the beginning of a log is not. */
struct print {
    uint64_t hash;
    uint32_t length; /* bytes hashed; grows with the file up to PRINT_MAX */
};

struct print print_of(const unsigned char *bytes, size_t length);

enum generation_kind {
    GENERATION_UNKNOWN = 0, /* too short to tell */
    GENERATION_PLAIN,
    GENERATION_GZIP,  /* read decompressed, offsets are those of the text */
    GENERATION_OPAQUE /* zstd: passed on as it is; cannot be resumed in its middle */
};

struct generation {
    int fd; /* -1: none */
    enum generation_kind kind;
    struct gz *gz;
    uint64_t dev, ino;
    struct print print;
    uint64_t offset; /* of the next byte to read */
    bool cut;        /* gzip: its end was reached in the middle of a member */
};

/* What generation_read says beside a count; both are no eddy_status. */
#define GENERATION_CHANGED (-100) /* truncated or replaced in place: not the same file any more */
#define GENERATION_FAILED  (-101) /* errno says why; EBADMSG for damaged compression */

/* Opens `name` in the directory `dir` for reading from its beginning. Only regular files; a FIFO
 * or device never blocks. `flags`: 0 or O_NOFOLLOW. Fails with -1 and errno, EINVAL for what is
 * not a regular file. `*out` must be closed. */
int generation_open(int dir, const char *name, int flags, struct generation *out);
void generation_close(struct generation *g); /* also of a zeroed one with fd -1 */

/* The next bytes; 0 at the end. Bytes are only returned if afterwards the file still begins as
 * it did and is long enough: a file truncated and written anew is never mixed up. */
ssize_t generation_read(struct generation *g, unsigned char *buf, size_t size);

/* Begins anew with what the same descriptor leads to after GENERATION_CHANGED. */
void generation_restart(struct generation *g);

/* Fully read: makes the print final (that of a gzip file was taken before its end was there). */
void generation_settle(struct generation *g);

/* Where the last line begins that has no newline yet: the size if all have one. */
uint64_t generation_last_line(const struct generation *g);

/* Is this the file that once had this print? (It may have grown.) */
bool generation_is(const struct generation *g, struct print print);

/* The first byte of the text, or -1 if there is none yet. */
int generation_first_byte(const struct generation *g);

/* Bytes in the file (compressed ones if it is compressed), and when it was last written. */
uint64_t generation_size(const struct generation *g);
int64_t generation_mtime_ns(const struct generation *g);

int64_t stat_mtime_ns(const struct stat *st);
