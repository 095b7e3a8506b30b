/* SPDX-License-Identifier: MIT */
/* metrics_file.h - what became of records, as a *.prom file, for a host that has no engine. */
#pragma once

#include <stdint.h>

#include "eddy.h"
#include "say.h"

struct metrics_file;

struct metrics_file_options {
    const char *path;      /* replaced by rename, as the library's textfile is */
    const char *sensor;    /* value of a label of all samples; "": no label */
    const char *input;     /* value of the label input */
    int64_t interval_ms;   /* the file is written that often, changed or not: its age tells */
    const struct say *say; /* kept */
    /* Any time, by a thread of ours: what is written. `scored` is named "sent". */
    void (*read)(eddy_counts *out, void *user);
    void *user; /* kept */
};

/* Whether such a file can be made there: its name ends in .prom, its directory can be written. */
int metrics_file_check(const char *path, eddy_error *err);

/* Starts a thread, with all signals blocked, that writes the file now and at each interval: only it
 * waits for the disk. A file that can't be written is a line in the log. */
int metrics_file_new(const struct metrics_file_options *options, struct metrics_file **out,
                     eddy_error *err);

/* Writes the file a last time. Waits for the disk. */
void metrics_file_free(struct metrics_file *file);
