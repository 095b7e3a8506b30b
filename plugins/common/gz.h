/* SPDX-License-Identifier: MIT */
/* gz.h - reads a gzip file as if it were not compressed, also while it is still being written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "eddy.h"

struct gz;

/* Begins at the start of the file. `fd` stays the caller's. NULL: out of memory or descriptors. */
struct gz *gz_open(int fd);
void gz_close(struct gz *gz);

/* Returns the bytes put into `buf`, 0 at the end, -1 for damaged data. At the end `*cut` says
 * that the file stops in the middle of a member; reading on later is allowed. */
ssize_t gz_read(struct gz *gz, void *buf, size_t size, bool *cut);

/* Unpacks a whole gzip stream in memory; members may follow each other. What does not fit into
 * `max` bytes is not unpacked: EDDY_ECONFIG; damaged or cut off: EDDY_EINPUT; EDDY_ENOMEM. The
 * result is the caller's to free. */
int gz_unpack(const char *packed, size_t length, size_t max, char **out, size_t *out_length);
