/* SPDX-License-Identifier: MIT */
/* out_file.c - a file that a command writes, by whatever name the user gave it. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "out_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(eddy_error *err, const char *name, const char *problem)
{
    err->code = EDDY_EIO;
    (void)snprintf(err->message, sizeof err->message, "%.160s: %s", name, problem);
    return EDDY_EIO;
}

static void done(struct out_file *out)
{
    free(out->path);
    free(out->part);
    *out = (struct out_file){0};
}

/* Where the name leads. A link to what is not there yet is followed by making it. */
static char *real_path(const char *name)
{
    struct stat info;
    char *path = realpath(name, NULL);
    if (path != NULL || errno != ENOENT)
        return path;
    if (lstat(name, &info) != 0)
        return errno == ENOENT ? strdup(name) : NULL;
    int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY, 0666);
    if (fd < 0)
        return NULL;
    (void)close(fd); /* nothing was written */
    return realpath(name, NULL);
}

/* Beside the file, so that it can be renamed; for a device where temporary files are. */
static char *part_name(const struct out_file *out)
{
    const char *place = getenv("TMPDIR");
    const char *tmp = place != NULL && *place != '\0' ? place : "/tmp";
    size_t size = strlen(out->special ? tmp : out->path) + 16;
    char *part = malloc(size);
    if (part != NULL)
        (void)snprintf(part, size, out->special ? "%s/eddy.XXXXXX" : "%s.XXXXXX",
                       out->special ? tmp : out->path);
    return part;
}

static bool make_part(const struct out_file *out)
{
    int fd = mkstemp(out->part);
    return fd >= 0 && close(fd) == 0;
}

/* What was there keeps its mode; a new file gets what the umask leaves. */
static mode_t mode_for(const struct stat *before)
{
    mode_t mask = umask(0);
    (void)umask(mask);
    return before != NULL ? before->st_mode & 0777 : 0666 & ~mask;
}

int out_file_begin(struct out_file *out, const char *name, eddy_error *err)
{
    struct stat info;
    *out = (struct out_file){.name = name, .path = real_path(name)};
    bool exists = out->path != NULL && stat(out->path, &info) == 0;
    if (out->path == NULL || (!exists && errno != ENOENT))
        goto failed;
    errno = EISDIR;
    if (exists && S_ISDIR(info.st_mode))
        goto failed;
    out->special = exists && !S_ISREG(info.st_mode);
    errno = ENOMEM;
    out->part = part_name(out);
    out->mode = mode_for(exists ? &info : NULL);
    if (out->part != NULL && make_part(out))
        return EDDY_OK;
failed:
    (void)fail(err, name, strerror(errno));
    done(out);
    return EDDY_EIO;
}

static bool copy(int from, int to)
{
    char piece[65536];
    for (;;) {
        ssize_t n = read(from, piece, sizeof piece);
        if (n <= 0)
            return n == 0;
        for (ssize_t at = 0; at < n;) {
            ssize_t written = write(to, piece + at, (size_t)(n - at));
            if (written < 0 && errno != EINTR)
                return false;
            at += written > 0 ? written : 0;
        }
    }
}

/* Opened as it is: nothing is made, nothing cut. A FIFO waits for its reader. */
static bool pass_on(const struct out_file *out)
{
    int from = open(out->part, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int to = open(out->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    bool good = from >= 0 && to >= 0 && copy(from, to);
    int problem = errno;
    if (from >= 0)
        (void)close(from); /* read only */
    if (to >= 0 && close(to) != 0 && good) {
        good = false;
        problem = errno;
    }
    errno = problem;
    return good;
}

static bool put_in_place(const struct out_file *out)
{
    return chmod(out->part, out->mode) == 0 && rename(out->part, out->path) == 0;
}

int out_file_end(struct out_file *out, bool good, eddy_error *err)
{
    int status = EDDY_OK;
    if (good && !(out->special ? pass_on(out) : put_in_place(out)))
        status = fail(err, out->name, strerror(errno));
    if (out->special || !good || status != EDDY_OK)
        (void)unlink(out->part);
    done(out);
    return status;
}
