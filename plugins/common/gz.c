/* SPDX-License-Identifier: MIT */
/* gz.c - reads gzip'ed old parts of a log; the only file of the hosts that includes zlib.h. */
#include "gz.h"

#include <fcntl.h>
#include <limits.h>
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
