/* SPDX-License-Identifier: MIT */
/* gz.c - reads gzip'ed old parts of a log and requests; the only file of the hosts that includes
 * zlib.h. */
#include "gz.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

/* struct gz is zlib's gzFile under a name of ours. */

struct gz *gz_open(int fd)
{
    /* gzclose() closes its descriptor, and a dup() shares the file position: both belong to zlib
     * from here on, the caller only uses pread() and fstat(). */
    int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own < 0)
        return NULL;
    if (lseek(own, 0, SEEK_SET) != 0) {
        (void)close(own);
        return NULL;
    }
    gzFile file = gzdopen(own, "rb");
    if (file == NULL) {
        (void)close(own);
        return NULL;
    }
    (void)gzbuffer(file, 64 * 1024);
    return (struct gz *)file;
}

void gz_close(struct gz *gz)
{
    if (gz != NULL)
        (void)gzclose((gzFile)gz);
}

ssize_t gz_read(struct gz *gz, void *buf, size_t size, bool *cut)
{
    gzFile file = (gzFile)gz;
    *cut = false;
    if (size > INT_MAX)
        size = INT_MAX;
    int got = gzread(file, buf, (unsigned)size);
    if (got > 0)
        return got;
    int status = Z_OK;
    (void)gzerror(file, &status);
    if (status == Z_BUF_ERROR) { /* zlib's word for an unexpected end */
        *cut = true;
        gzclearerr(file);
        return 0;
    }
    return got < 0 ? -1 : 0;
}

/* ---- in memory ---- */

#define FIRST_SIZE ((size_t)64 * 1024)

struct unpacked {
    char *text;
    size_t used, size, max;
};

/* Room for more. EDDY_ECONFIG: there is to be no more. */
static int grow(struct unpacked *u)
{
    if (u->size > u->max)
        return EDDY_ECONFIG;
    size_t size = u->size == 0 ? FIRST_SIZE : 2 * u->size;
    if (size > u->max)
        size = u->max + 1; /* one more byte tells that it is too long */
    char *grown = realloc(u->text, size);
    if (grown == NULL)
        return EDDY_ENOMEM;
    u->text = grown;
    u->size = size;
    return EDDY_OK;
}

/* One member after the other, until all is read. */
static int inflate_all(z_stream *stream, struct unpacked *u)
{
    int result = Z_OK;
    while (stream->avail_in > 0 || result == Z_OK) {
        if (u->used == u->size) {
            int status = grow(u);
            if (status < 0)
                return status;
        }
        size_t room = u->size - u->used;
        stream->next_out = (Bytef *)u->text + u->used;
        stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
        uInt before = stream->avail_out;
        result = inflate(stream, Z_NO_FLUSH);
        u->used += before - stream->avail_out;
        if (result == Z_STREAM_END && stream->avail_in > 0 && inflateReset(stream) == Z_OK)
            result = Z_OK;
        else if (result == Z_STREAM_END)
            return u->used > u->max ? EDDY_ECONFIG : EDDY_OK;
        else if (result != Z_OK)
            return result == Z_MEM_ERROR ? EDDY_ENOMEM : EDDY_EINPUT; /* Z_BUF_ERROR: cut off */
    }
    return EDDY_EINPUT;
}

int gz_unpack(const char *packed, size_t length, size_t max, char **out, size_t *out_length)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed}; /* zlib does not write to it */
    struct unpacked u = {.max = max};
    if (length > UINT_MAX)
        return EDDY_ECONFIG;
    stream.avail_in = (uInt)length;
    if (inflateInit2(&stream, 15 + 16) != Z_OK) /* 32 KiB of window, gzip only */
        return EDDY_ENOMEM;
    int status = inflate_all(&stream, &u);
    (void)inflateEnd(&stream); /* frees; can't fail for a stream that was begun */
    if (status < 0) {
        free(u.text);
        return status;
    }
    *out = u.text;
    *out_length = u.used;
    return EDDY_OK;
}
