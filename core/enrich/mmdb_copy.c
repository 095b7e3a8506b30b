/* SPDX-License-Identifier: MIT */
/* mmdb_copy.c - a copy of a database file that nobody else can change, looked over before use. */
#define _GNU_SOURCE /* memfd_create, memmem */
#include "enrich/mmdb_copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "enrich/mmdb_value.h"
#include "util/error.h"

#define METADATA_MOST (128 * 1024) /* MaxMind DB File Format Specification 2.0 */
#define DEPTH_MOST    16           /* metadata is a map of strings, numbers, an array and a map */

static const char marker[] = "\xab\xcd\xefMaxMind.com";

static bool copy_bytes(int from, int to)
{
    char buffer[65536];
    ssize_t n;
    while ((n = read(from, buffer, sizeof buffer)) > 0)
        if (write(to, buffer, (size_t)n) != n)
            return false;
    return n == 0;
}

/* Where the metadata begins in the file's last part, NULL if nowhere: after the last marker. */
static const uint8_t *metadata_of(const uint8_t *part, size_t size)
{
    const uint8_t *found = NULL, *at = part, *end = part + size;
    while ((at = memmem(at, (size_t)(end - at), marker, sizeof marker - 1)) != NULL)
        found = at += sizeof marker - 1;
    return found;
}

/* A file without metadata is left to MMDB_open to refuse. */
static bool metadata_is_shallow(const uint8_t *file, size_t size)
{
    size_t part = size < METADATA_MOST ? size : METADATA_MOST;
    const uint8_t *metadata = metadata_of(file + size - part, part);
    if (metadata == NULL)
        return true;
    struct mmdb_section section = {metadata, (size_t)(file + size - metadata)};
    return mmdb_shallow(&section, DEPTH_MOST);
}

static const char *look_over(int fd, size_t size)
{
    if (size == 0)
        return NULL; /* MMDB_open will say it */
    uint8_t *file = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        return strerror(errno);
    bool shallow = metadata_is_shallow(file, size);
    (void)munmap(file, size); /* can't fail: it is ours */
    return shallow ? NULL : "its metadata is nested too deeply";
}

static const char *fill(int from, int to, struct stat *identity)
{
    if (fstat(from, identity) != 0)
        return strerror(errno);
    if (!S_ISREG(identity->st_mode))
        return "not a file";
    if (identity->st_size > MMDB_COPY_MOST)
        return "larger than 2 GiB: that is no database";
    if (!copy_bytes(from, to))
        return strerror(errno);
    return look_over(to, (size_t)identity->st_size);
}

int mmdb_copy(const char *path, struct stat *identity, eddy_error *err)
{
    int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (from < 0)
        return error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
    int to = memfd_create("eddy-geoip", MFD_CLOEXEC);
    const char *wrong = to < 0 ? strerror(errno) : fill(from, to, identity);
    (void)close(from); /* read only */
    if (wrong == NULL)
        return to;
    if (to >= 0)
        (void)close(to); /* our own memory */
    return error_set(err, EDDY_EIO, "%s: can't be used: %s", path, wrong);
}
