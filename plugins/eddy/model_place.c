/* SPDX-License-Identifier: MIT */
/* model_place.c - where a sensor's model file is, and how another takes its place. */
#include "model_place.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

int model_place_hash(const char *path, char out[FILE_HASH_SIZE], eddy_error *err)
{
    struct stat info;
    out[0] = '\0';
    if (stat(path, &info) != 0 && errno == ENOENT)
        return EDDY_OK;
    if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))
        return fault(err, EDDY_EIO, "%.160s: not a regular file", path);
    return file_hash(path, out, err);
}

/* 0: the file itself. */
static void numbered(const char *path, unsigned number, char *out, size_t size)
{
    (void)snprintf(out, size, number == 0 ? "%s" : "%s.%u", path, number);
}

static bool shift(const char *path, unsigned keep, char *older, char *newer, size_t size)
{
    for (unsigned i = keep; i > 1; i--) {
        numbered(path, i, older, size);
        numbered(path, i - 1, newer, size);
        if (rename(newer, older) != 0 && errno != ENOENT)
            return false;
    }
    numbered(path, 1, older, size);
    numbered(path, 0, newer, size);
    return (unlink(older) == 0 || errno == ENOENT) && (link(newer, older) == 0 || errno == ENOENT);
}

int model_place_keep(const char *path, unsigned keep, eddy_error *err)
{
    size_t size = strlen(path) + 16;
    char *names = calloc(2, size);
    int status = EDDY_OK;
    if (names == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    if (keep > 0 && !shift(path, keep, names, names + size, size))
        status = fault(err, EDDY_EIO, "%.100s: keeping the one before as %.100s: %s", path, names,
                       strerror(errno));
    free(names);
    return status;
}

int model_place_check(const char *part, const char *name, const char *sha256,
                      char out[FILE_HASH_SIZE], eddy_error *err)
{
    char none[1];
    eddy_error why = {0};
    if (file_hash(part, out, &why) != EDDY_OK)
        return fault(err, why.code, "%s", why.message);
    if (sha256[0] != '\0' && strcmp(out, sha256) != 0)
        return fault(err, EDDY_EINPUT,
                     "%.60s: not the file that was registered: its SHA-256 is %.16s..., not "
                     "%.16s...",
                     name, out, sha256);
    if (eddy_model_check(part, none, sizeof none, &why) >= 0)
        return EDDY_OK;
    size_t own =
        strlen(part); /* messages begin with the file's name: that of the part says nothing */
    const char *text = strncmp(why.message, part, own) == 0 ? why.message + own : why.message;
    return fault(err, why.code, "%.60s%s%.180s", name, text == why.message ? ": " : "", text);
}
