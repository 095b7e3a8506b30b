/* SPDX-License-Identifier: MIT */
/* secret_file.h - a token or password in a file that nobody else can read. */
#pragma once

#include <stddef.h>

#include "eddy.h"

/* Reads the one line that the file has, without its newline. EDDY_EIO: it can't be read, others can
 * read it, it is empty, too long, or more than a line. */
int secret_file_read(const char *path, char *out, size_t size, eddy_error *err);
