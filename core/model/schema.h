/* SPDX-License-Identifier: MIT */
/* schema.h - which columns a model was trained on, and whether they are still ours. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/sha256.h"
#include "row.h"

/* The column with this name. False if there is none. */
bool schema_find(const char *name, size_t length, enum column *out);

/* SHA-256 of name and formula of these columns, in this order: a column whose formula has changed
 * is another one, a new column that the model does not read changes nothing. */
bool schema_fingerprint(const uint8_t *column, uint32_t width, uint8_t out[SHA256_SIZE]);
