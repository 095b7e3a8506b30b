/* SPDX-License-Identifier: MIT */
/* file_hash.h - the SHA-256 of a file, for hosts. */
#pragma once

#include "eddy.h"

#define FILE_HASH_SIZE 65

/* 64 lower-case digits and a NUL, as sha256sum prints it. EDDY_EIO: it can't be read. */
int file_hash(const char *path, char out[FILE_HASH_SIZE], eddy_error *err);
