/* SPDX-License-Identifier: MIT */
/* said_file.c - a file that people and commands write: one editor at a time, all or nothing. */
#define _XOPEN_SOURCE 700 /* realpath */
#include "said_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SIZE_MAX_FILE ((size_t)8 * 1024 * 1024) /* twice what an engine reads: it says why not */

static int fail(eddy_error *err, const char *path, const char *problem)
{
    err->code = EDDY_EIO;
    (void)snprintf(err->message, sizeof err->message, "%.160s: %s", path, problem);
    return EDDY_EIO;
}

/* All of an open file, ended by NUL. A NUL inside would hide what follows from the check. */
static int read_all(int fd, const char *path, char **out, eddy_error *err)
{
    char *text = malloc(SIZE_MAX_FILE + 1);
    size_t length = 0;
    if (text == NULL)
        return fail(err, path, "out of memory");
    for (;;) {
        ssize_t n = pread(fd, text + length, SIZE_MAX_FILE - length, (off_t)length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int problem = errno;
            free(text);
            return fail(err, path, strerror(problem));
        }
        if (n == 0)
            break;
        length += (size_t)n;
    }
    text[length] = '\0';
    bool fits = length < SIZE_MAX_FILE && strlen(text) == length;
    char *exact = fits ? strdup(text) : NULL;
    free(text);
    if (exact == NULL)
        return fail(err, path, fits ? "out of memory" : "too large, or has a NUL byte");
    *out = exact;
    return EDDY_OK;
}

int said_file_read(const char *path, char **out, eddy_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 && errno == ENOENT) {
        *out = strdup("");
        return *out != NULL ? EDDY_OK : fail(err, path, "out of memory");
    }
    if (fd < 0)
        return fail(err, path, strerror(errno));
    int status = read_all(fd, path, out, err);
    (void)close(fd); /* read only */
    return status;
}

/* Opens and locks what the path names now. Whoever held the lock may have put another file in its
 * place meanwhile: then that one is the one to lock. */
static int lock(struct said_file *file, const char *path, bool create, eddy_error *err)
{
    for (;;) {
        struct stat mine, now;
        file->fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY | (create ? O_CREAT : 0), 0644);
        if (file->fd < 0)
            return fail(err, path, strerror(errno));
        while (flock(file->fd, LOCK_EX) != 0)
            if (errno != EINTR)
                return fail(err, path, strerror(errno));
        if (fstat(file->fd, &mine) != 0)
            return fail(err, path, strerror(errno));
        if (!S_ISREG(mine.st_mode))
            return fail(err, path, "not a regular file");
        if (stat(path, &now) == 0 && now.st_dev == mine.st_dev && now.st_ino == mine.st_ino)
            return EDDY_OK;
        (void)close(file->fd);
    }
}

int said_file_open(struct said_file *file, const char *path, bool create, eddy_error *err)
{
    *file = (struct said_file){.fd = -1};
    int status = lock(file, path, create, err);
    if (status == EDDY_OK && (file->path = realpath(path, NULL)) == NULL)
        status = fail(err, path, strerror(errno));
    if (status == EDDY_OK)
        status = read_all(file->fd, path, &file->text, err);
    if (status != EDDY_OK)
        said_file_close(file);
    return status;
}

static bool write_all(int fd, const char *text)
{
    size_t length = strlen(text);
    while (length > 0) {
        ssize_t n = write(fd, text, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        length -= (size_t)n;
    }
    return true;
}

/* So that the new name, too, survives a crash. */
static void sync_directory(const char *path)
{
    char directory[4096];
    (void)snprintf(directory, sizeof directory, "%s", path);
    char *slash = strrchr(directory, '/'); /* the path is absolute */
    slash[slash == directory] = '\0';
    int fd = open(directory, O_RDONLY | O_CLOEXEC | O_DIRECTORY);
    if (fd < 0)
        return;
    (void)fsync(fd); /* some file systems can't; the file itself is synced */
    (void)close(fd);
}

/* As the file was. A file of somebody else's stays his if we may give it away. */
static bool dress(int fd, const struct said_file *file)
{
    struct stat info;
    if (fstat(file->fd, &info) != 0)
        return false;
    (void)!fchown(fd, info.st_uid, info.st_gid); /* only root may; else it is ours now */
    return fchmod(fd, info.st_mode & 07777) == 0;
}

int said_file_replace(struct said_file *file, const char *text, eddy_error *err)
{
    size_t size = strlen(file->path) + 8;
    char *fresh = malloc(size);
    if (fresh == NULL)
        return fail(err, file->path, "out of memory");
    (void)snprintf(fresh, size, "%s.XXXXXX", file->path);
    int fd = mkstemp(fresh);
    bool done = fd >= 0 && dress(fd, file) && write_all(fd, text) && fsync(fd) == 0;
    int problem = errno;
    if (fd >= 0 && close(fd) != 0 && done) {
        done = false;
        problem = errno;
    }
    if (done && rename(fresh, file->path) != 0) {
        done = false;
        problem = errno;
    }
    if (!done && fd >= 0)
        (void)unlink(fresh);
    free(fresh);
    if (!done)
        return fail(err, file->path, strerror(problem));
    sync_directory(file->path);
    return EDDY_OK;
}

void said_file_close(struct said_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd); /* and the lock is gone */
    free(file->path);
    free(file->text);
    *file = (struct said_file){.fd = -1};
}
