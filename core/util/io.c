/* SPDX-License-Identifier: MIT */
/* io.c - whole reads and writes of files. */
#include "io.h"

#include <errno.h>
#include <unistd.h>

ssize_t io_read(int fd, char *buffer, size_t size)
{
    size_t length = 0;
    while (length < size) {
        ssize_t n = read(fd, buffer + length, size - length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        length += (size_t)n;
    }
    return (ssize_t)length;
}

bool io_write(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

bool io_differs(const struct stat *was, const struct stat *now)
{
    return now->st_ino != was->st_ino || now->st_dev != was->st_dev ||
           now->st_size != was->st_size || now->st_mtim.tv_sec != was->st_mtim.tv_sec ||
           now->st_mtim.tv_nsec != was->st_mtim.tv_nsec;
}
