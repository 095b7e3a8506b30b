/* SPDX-License-Identifier: MIT */
/* flows_csv.h - every scored flow as a CSV line: id,score,p,detector. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eddy.h"

struct flows_csv;

/* Opens `path` for appending, made with mode 0640 if need be, or standard output for "-". An empty
 * file gets the header line. A symlink as last part of the path is refused. */
int flows_csv_open(const char *path, struct flows_csv **out, eddy_error *err);

/* Adds one line: score and p with %.6g (empty if not scored), the detector's name or nothing. Lines
 * are collected and written in large pieces. EDDY_EIO: the file can't be written, and the
 * buffer (16 MiB) is full: this line is lost. */
int flows_csv_add(struct flows_csv *f, const eddy_flow *flow, const eddy_verdict *verdict);

/* Writes what is collected. On failure it stays collected; ask again later. */
int flows_csv_flush(struct flows_csv *f, eddy_error *err);

/* Flushes, waits until the disk has it, and tells which file this is and how long it is. `*regular`
 * is 0 for a terminal, a pipe or a device: then length and identity mean nothing. */
struct flows_csv_place {
    int regular;
    uint64_t dev, ino, length;
};
int flows_csv_sync(struct flows_csv *f, struct flows_csv_place *out, eddy_error *err);

/* Cuts the file back to a place noted earlier, if it still is that file and at least as long.
 * Returns 1 if so, 0 if it is another or a shorter file (nothing is done). */
int flows_csv_rewind(struct flows_csv *f, const struct flows_csv_place *to, eddy_error *err);

/* Opens the path anew if it now leads elsewhere (logrotate). */
int flows_csv_reopen(struct flows_csv *f, eddy_error *err);

/* Did the last attempt to write fail? Then whoever can wait should not add more. */
bool flows_csv_failing(const struct flows_csv *f);

/* Lines that were not kept. */
uint64_t flows_csv_lost(const struct flows_csv *f);

/* Flushes and frees; EDDY_EIO if the last lines could not be written. */
int flows_csv_close(struct flows_csv *f, eddy_error *err);
