/* SPDX-License-Identifier: MIT */
/* model_place.h - where a sensor's model file is, and how another takes its place. */
#pragma once

#include "eddy.h"
#include "file_hash.h"

#define MODEL_KEEP_MAX 99

/* The SHA-256 of what is there; "" if nothing is. */
int model_place_hash(const char *path, char out[FILE_HASH_SIZE], eddy_error *err);

/* PATH becomes PATH.1 (and stays PATH too, until another is renamed over it), PATH.1 becomes
 * PATH.2, and so on; `keep` of them stay. Nothing happens if there is no PATH. */
int model_place_keep(const char *path, unsigned keep, eddy_error *err);

/* Whether `part` is the file meant by `sha256` ("": any), and a model of this eddy: every byte is
 * looked at and its golden rows are worked out. `name` is what messages call it; `out`
 * gets the SHA-256 that it has. */
int model_place_check(const char *part, const char *name, const char *sha256,
                      char out[FILE_HASH_SIZE], eddy_error *err);
