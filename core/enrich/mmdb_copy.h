/* SPDX-License-Identifier: MIT */
/* mmdb_copy.h - a copy of a database file that nobody else can change, looked over before use. */
#pragma once

#include <sys/stat.h>

#include "eddy.h"

#define MMDB_COPY_MOST (INT64_C(2) << 30) /* bytes; the largest published ones have under 1 GiB */

/* Returns a descriptor of anonymous memory with the file's bytes, and which file it was. A file
 * that is truncated or rewritten while it is mapped would kill the process (SIGBUS), and metadata
 * nested deeper than any real one would overflow libmaxminddb's stack in MMDB_open: EDDY_EIO. */
int mmdb_copy(const char *path, struct stat *identity, eddy_error *err);
