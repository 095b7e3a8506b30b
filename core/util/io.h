/* SPDX-License-Identifier: MIT */
/* io.h - whole reads and writes of files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

/* Reads until `size` bytes or the end. Returns their number, or -1 with errno. */
ssize_t io_read(int fd, char *buffer, size_t size);

/* Writes all. On failure errno says why, and a part may have been written. */
bool io_write(int fd, const char *bytes, size_t length);

/* Are these two looks at a path of different files, or of one that was written in between? */
bool io_differs(const struct stat *was, const struct stat *now);
