/* SPDX-License-Identifier: MIT */
/* line_file.h - incidents as lines of JSON, appended to a file.
 *
 * A line is written whole or not at all, also on a full disk. Rotation needs no signal: before each
 * round of incidents the path is compared with what is open. A last line that somebody else left
 * unfinished is ended first. Only regular files, and no symbolic links. */
#pragma once

#include <stdbool.h>

#include "eddy.h"

struct line_file {
    char *path;
    bool checked; /* in this round: is the path still what is open? */
    int fd;       /* -1: none */
};

/* Opens it, and makes it with mode 0640 if there is none. */
int line_file_open(struct line_file *file, const char *path, eddy_error *err);
void line_file_close(struct line_file *file);

/* Appends the incident's line. */
int line_file_add(struct line_file *file, const eddy_incident *incident, eddy_error *err);

/* A round is over: before the next line, look whether the path still names the file. */
void line_file_look(struct line_file *file);

/* Was the open file renamed or removed by somebody? */
bool line_file_rotated(const struct line_file *file);
