/* SPDX-License-Identifier: MIT */
/* said_file.h - a file that people and commands write: one editor at a time, all or nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "eddy.h"

struct said_file {
    char *path; /* without symbolic links: what is replaced is the file, not a link to it */
    char *text; /* what is in it, ended by NUL; "" for a new one */
    int fd;     /* locked */
};

/* Opens the file and locks it against other commands of eddy; waits for one that has it. With
 * `create` a missing one is made, else it is an error. */
int said_file_open(struct said_file *file, const char *path, bool create, eddy_error *err);

/* Puts `text` in the place of what is in the file: into a new file beside it, synced, then renamed
 * over it. Who reads meanwhile sees the old or the new one. Owner and mode are kept. */
int said_file_replace(struct said_file *file, const char *text, eddy_error *err);

void said_file_close(struct said_file *file);

/* Reads a file without locking it; a missing one is "". The caller frees `out`. */
int said_file_read(const char *path, char **out, eddy_error *err);
