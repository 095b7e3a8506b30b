/* SPDX-License-Identifier: MIT */
/* scratch.h - a directory of its own for each test, and short words for files in it. */
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka setup: a new directory becomes *state. */
static inline int scratch_new(void **state)
{
    const char *parent = getenv("TMPDIR");
    char *path = malloc(4096);
    if (path == NULL)
        return -1;
    (void)snprintf(path, 4096, "%s/eddy-test-XXXXXX", parent != NULL ? parent : "/tmp");
    *state = mkdtemp(path);
    return *state == NULL;
}

/* cmocka teardown: removes the directory and the files in it. */
static inline int scratch_free(void **state)
{
    DIR *dir = opendir(*state);
    const struct dirent *entry;
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (unlinkat(dirfd(dir), entry->d_name, 0) != 0) /* "." and ".." fail, as they should */
            (void)unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
    }
    if (dir != NULL)
        (void)closedir(dir);
    int status = rmdir(*state);
    free(*state);
    return status;
}

/* The path of a file in the directory; good for four calls. */
static inline const char *scratch_path(void **state, const char *name)
{
    static char paths[4][4400];
    static unsigned next;
    char *path = paths[next++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", (const char *)*state, name);
    return path;
}

/* All of a file as text, "" if there is none; cut at 64 KiB. */
static inline const char *scratch_read(const char *path)
{
    static char text[65536];
    FILE *file = fopen(path, "r");
    size_t length = file != NULL ? fread(text, 1, sizeof text - 1, file) : 0;
    text[length] = '\0';
    if (file != NULL)
        (void)fclose(file);
    return text;
}

static inline void scratch_write(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fwrite(bytes, 1, length, file) != length || fclose(file) != 0)
        abort(); /* the test can't go on */
}
