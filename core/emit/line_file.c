/* SPDX-License-Identifier: MIT */
/* line_file.c - incidents as lines of JSON, appended to a file. */
#include "line_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/error.h"

#define LINE_SIZE 16384     /* almost every incident */
#define LINE_MAX  (1 << 20) /* none is longer: reasons and flow ids are few */

static int io_error(const struct line_file *file, eddy_error *err)
{
    return error_set(err, EDDY_EIO, "%s: %s", file->path, strerror(errno));
}

static void close_file(struct line_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd); /* each write was checked */
    file->fd = -1;
}

/* Writes all, or leaves the file as it was and sets errno. */
static bool append(int fd, const char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = write(fd, bytes + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        done += (size_t)n;
    }
    if (done == length)
        return true;
    int problem = errno;
    off_t end = lseek(fd, 0, SEEK_CUR); /* after what this process wrote last */
    struct stat info;
    if (done > 0 && end >= (off_t)done && fstat(fd, &info) == 0 && info.st_size == end)
        (void)!ftruncate(fd, end - (off_t)done); /* the next line then begins after a cut one */
    errno = problem;
    return false;
}

/* Whoever wrote last may have died in mid-line: ours must not be glued to it. */
static bool end_last_line(int fd)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
        return false;
    return last == '\n' || append(fd, "\n", 1);
}

static int open_file(struct line_file *file, eddy_error *err)
{
    /* O_NONBLOCK: opening a FIFO must not wait for its reader. */
    int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    struct stat info;
    file->fd = open(file->path, flags, 0640);
    if (file->fd < 0 && errno == ELOOP)
        return error_set(err, EDDY_EIO, "%s: is a symbolic link", file->path);
    if (file->fd < 0)
        return io_error(file, err);
    int status = EDDY_OK;
    if (fstat(file->fd, &info) != 0 || !S_ISREG(info.st_mode))
        status = error_set(err, EDDY_EIO, "%s: not a regular file", file->path);
    else if (!end_last_line(file->fd))
        status = io_error(file, err);
    if (status != EDDY_OK)
        close_file(file);
    return status;
}

bool line_file_rotated(const struct line_file *file)
{
    struct stat ours, named;
    return fstat(file->fd, &ours) != 0 || lstat(file->path, &named) != 0 ||
           ours.st_dev != named.st_dev || ours.st_ino != named.st_ino;
}

int line_file_open(struct line_file *file, const char *path, eddy_error *err)
{
    *file = (struct line_file){.fd = -1, .path = strdup(path)};
    if (file->path == NULL)
        return error_nomem(err);
    int status = open_file(file, err);
    if (status != EDDY_OK)
        line_file_close(file);
    return status;
}

void line_file_close(struct line_file *file)
{
    close_file(file);
    free(file->path);
    file->path = NULL;
}

static int write_line(struct line_file *file, char *line, size_t length, eddy_error *err)
{
    line[length] = '\n'; /* in the place of the NUL */
    return append(file->fd, line, length + 1) ? EDDY_OK : io_error(file, err);
}

/* Finds the file that the path names now; opens it if it is another, or none is open. */
static int check_file(struct line_file *file, eddy_error *err)
{
    if (file->fd >= 0 && !file->checked && line_file_rotated(file))
        close_file(file);
    file->checked = true;
    return file->fd >= 0 ? EDDY_OK : open_file(file, err);
}

int line_file_add(struct line_file *file, const eddy_incident *incident, eddy_error *err)
{
    int status = check_file(file, err);
    if (status != EDDY_OK)
        return status;
    char line[LINE_SIZE];
    int length = eddy_incident_json(incident, line, sizeof line);
    if ((size_t)length < sizeof line)
        return write_line(file, line, (size_t)length, err);
    if (length >= LINE_MAX)
        return error_set(err, EDDY_EIO, "%s: an incident of %d bytes", file->path, length);
    char *longer = malloc((size_t)length + 1);
    if (longer == NULL)
        return error_nomem(err);
    (void)eddy_incident_json(incident, longer, (size_t)length + 1);
    status = write_line(file, longer, (size_t)length, err);
    free(longer);
    return status;
}

void line_file_look(struct line_file *file)
{
    file->checked = false;
}
