/* SPDX-License-Identifier: MIT */
/* generation.c - one file in the life of a log: opened, recognised again, read. */
#include "generation.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "gz.h"

struct print print_of(const unsigned char *bytes, size_t length)
{
    if (length > PRINT_MAX)
        length = PRINT_MAX;
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a offset basis and prime, 64 bit */
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3u;
    return (struct print){.hash = hash, .length = (uint32_t)length};
}

int64_t stat_mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* The first bytes of the text, decompressed if need be. Returns their number, -1 on failure. `*cut`
 * says that there are fewer only because a gzip file ends too early. */
static ssize_t read_head_of(const struct generation *g, unsigned char head[PRINT_MAX], bool *cut)
{
    *cut = false;
    if (g->kind != GENERATION_GZIP) {
        ssize_t got = pread(g->fd, head, PRINT_MAX, 0);
        return got;
    }
    struct gz *gz = gz_open(g->fd); /* moves the shared file position: only before reading */
    if (gz == NULL)
        return -1;
    ssize_t total = 0;
    while (total < PRINT_MAX) {
        ssize_t got = gz_read(gz, head + total, (size_t)(PRINT_MAX - total), cut);
        if (got <= 0)
            break; /* damage shows again, and is reported, when the file is read */
        total += got;
    }
    gz_close(gz);
    return total;
}

static ssize_t read_head(const struct generation *g, unsigned char head[PRINT_MAX])
{
    bool cut;
    return read_head_of(g, head, &cut);
}

/* Compressed or not, by the first bytes: names lie. */
static enum generation_kind recognise(int fd)
{
    unsigned char magic[4];
    ssize_t got = pread(fd, magic, sizeof magic, 0);
    if (got <= 0)
        return GENERATION_UNKNOWN;
    if (magic[0] != 0x1f && magic[0] != 0x28)
        return GENERATION_PLAIN;
    if (got < (ssize_t)sizeof magic)
        return GENERATION_UNKNOWN;
    if (magic[0] == 0x1f && magic[1] == 0x8b)
        return GENERATION_GZIP;
    if (memcmp(magic, "\x28\xb5\x2f\xfd", 4) == 0)
        return GENERATION_OPAQUE;
    return GENERATION_PLAIN;
}

int generation_open(int dir, const char *name, int flags, struct generation *out)
{
    int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | flags);
    if (fd < 0)
        return -1;
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd); /* read only */
        errno = EINVAL;
        return -1;
    }
    struct generation g = {
        .fd = fd, .kind = recognise(fd), .dev = (uint64_t)st.st_dev, .ino = (uint64_t)st.st_ino};
    unsigned char head[PRINT_MAX];
    ssize_t length = read_head_of(&g, head, &g.cut);
    if (length > 0)
        g.print = print_of(head, (size_t)length);
    *out = g;
    return 0;
}

void generation_close(struct generation *g)
{
    gz_close(g->gz);
    if (g->fd >= 0)
        (void)close(g->fd); /* read only */
    *g = (struct generation){.fd = -1};
}

/* Does what begins with `head` begin as the print says? */
static bool begins_as(struct print print, const unsigned char *head, ssize_t length)
{
    return length >= (ssize_t)print.length &&
           (print.length == 0 || print_of(head, print.length).hash == print.hash);
}

void generation_restart(struct generation *g)
{
    g->kind = recognise(g->fd);
    g->print = (struct print){0}; /* grows with the next read */
    g->offset = 0;
}

void generation_settle(struct generation *g)
{
    if (g->kind != GENERATION_GZIP)
        return;
    gz_close(g->gz);
    g->gz = NULL;
    unsigned char head[PRINT_MAX];
    ssize_t length = read_head(g, head);
    if (length > 0)
        g->print = print_of(head, (size_t)length);
}

uint64_t generation_last_line(const struct generation *g)
{
    uint64_t end = generation_size(g);
    unsigned char block[4096];
    while (end > 0) {
        size_t want = end < sizeof block ? (size_t)end : sizeof block;
        if (pread(g->fd, block, want, (off_t)(end - want)) != (ssize_t)want)
            return 0;
        for (size_t i = want; i > 0; i--)
            if (block[i - 1] == '\n')
                return end - want + i;
        end -= want;
    }
    return 0;
}

bool generation_is(const struct generation *g, struct print print)
{
    unsigned char head[PRINT_MAX];
    ssize_t length = read_head(g, head);
    return begins_as(print, head, length);
}

int generation_first_byte(const struct generation *g)
{
    unsigned char head[PRINT_MAX];
    return read_head(g, head) > 0 ? head[0] : -1;
}

uint64_t generation_size(const struct generation *g)
{
    struct stat st;
    return fstat(g->fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

int64_t generation_mtime_ns(const struct generation *g)
{
    struct stat st;
    return fstat(g->fd, &st) == 0 ? stat_mtime_ns(&st) : 0;
}

/* Does the file still begin as before, and reach to `needed`? Lets the print grow. */
static bool intact(struct generation *g, uint64_t needed)
{
    unsigned char head[PRINT_MAX];
    ssize_t length = pread(g->fd, head, sizeof head, 0);
    if (!begins_as(g->print, head, length) || generation_size(g) < needed)
        return false;
    if (length > (ssize_t)g->print.length)
        g->print = print_of(head, (size_t)length);
    return true;
}

static ssize_t read_gz(struct generation *g, unsigned char *buf, size_t size)
{
    if (g->gz == NULL) {
        g->gz = gz_open(g->fd);
        if (g->gz == NULL)
            return GENERATION_FAILED;
    }
    ssize_t got = gz_read(g->gz, buf, size, &g->cut);
    if (got < 0) {
        errno = EBADMSG;
        return GENERATION_FAILED;
    }
    g->offset += (uint64_t)got;
    return got;
}

ssize_t generation_read(struct generation *g, unsigned char *buf, size_t size)
{
    if (g->kind == GENERATION_UNKNOWN) {
        g->kind = recognise(g->fd);
        g->print = (struct print){0}; /* perhaps taken of compressed bytes */
    }
    if (g->kind == GENERATION_GZIP)
        return read_gz(g, buf, size);
    ssize_t got = pread(g->fd, buf, size, (off_t)g->offset);
    if (got < 0 && (errno == EINTR || errno == EAGAIN))
        got = 0;
    if (got < 0)
        return GENERATION_FAILED;
    /* Checked after the read: what was read before a truncation is right, what was read
     * after one is thrown away here. */
    if (!intact(g, g->offset + (uint64_t)got))
        return GENERATION_CHANGED;
    if (g->kind == GENERATION_UNKNOWN)
        return 0;
    g->offset += (uint64_t)got;
    return got;
}
