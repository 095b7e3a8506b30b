/* SPDX-License-Identifier: MIT */
/* out_file.h - a file that a command writes, by whatever name the user gave it.
 *
 *     out_file_begin(&out, "report.html", &err)     where the bytes are to go: out.part
 *     ...                                           who writes there, does
 *     out_file_end(&out, true, &err)                they are under the name
 *
 * A regular file is replaced by rename, so that a failure leaves the one of before; a symbolic link
 * goes on leading to it. A device, a pipe or a socket is written to and stays what it is. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "eddy.h"

struct out_file {
    const char *name; /* as given */
    char *path;       /* without symbolic links */
    char *part;       /* a new and empty file: to be written */
    bool special;     /* path is no regular file */
    mode_t mode;      /* of a regular one */
};

int out_file_begin(struct out_file *out, const char *name, eddy_error *err);

/* `good`: the part is whole. Else, and on failure, nothing is left of it. */
int out_file_end(struct out_file *out, bool good, eddy_error *err);
