/* SPDX-License-Identifier: MIT */
/* gz.h - reads a gzip file as if it were not compressed, also while it is still being written. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct gz;

/* Begins at the start of the file. `fd` stays the caller's. NULL: out of memory or descriptors. */
struct gz *gz_open(int fd);
void gz_close(struct gz *gz);

/* Returns the bytes put into `buf`, 0 at the end, -1 for damaged data. At the end `*cut` says
 * that the file stops in the middle of a member; reading on later is allowed. */
ssize_t gz_read(struct gz *gz, void *buf, size_t size, bool *cut);
