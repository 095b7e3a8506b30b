/* SPDX-License-Identifier: MIT */
/* secret_file.c - a token or password in a file that nobody else can read. */
#include "secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

/* The owner alone; or root's group as well: systemd's credentials have an access list, which shows
 * as that. */
static bool is_private(const struct stat *info)
{
    bool roots = info->st_uid == 0 && info->st_gid == 0;
    return S_ISREG(info->st_mode) && (info->st_mode & (roots ? 0037 : 0077)) == 0;
}

static int read_line(const char *path, int fd, char *out, size_t size, eddy_error *err)
{
    ssize_t n = read(fd, out, size);
    if (n < 0)
        return fault(err, EDDY_EIO, "%.160s: %s", path, strerror(errno));
    size_t length = (size_t)n;
    if (length == size)
        return fault(err, EDDY_EIO, "%.160s: longer than %zu bytes", path, size - 1);
    while (length > 0 && (out[length - 1] == '\n' || out[length - 1] == '\r'))
        length--;
    out[length] = '\0';
    if (length == 0)
        return fault(err, EDDY_EIO, "%.160s: empty", path);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)out[i];
        if (byte < ' ' || byte == 0x7F) /* it would become part of a header */
            return fault(err, EDDY_EIO, "%.160s: more than one line, or not text", path);
    }
    return EDDY_OK;
}

int secret_file_read(const char *path, char *out, size_t size, eddy_error *err)
{
    struct stat info;
    int status = EDDY_OK, fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0)
        status = fault(err, EDDY_EIO, "%.160s: %s", path, strerror(errno));
    else if (!is_private(&info))
        status = fault(err, EDDY_EIO, "%.160s: others can read it: chmod 600", path);
    else
        status = read_line(path, fd, out, size, err);
    if (fd >= 0)
        (void)close(fd); /* read only */
    return status;
}
