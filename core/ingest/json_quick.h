/* SPDX-License-Identifier: MIT */
/* json_quick.h - reads the plain JSON that sensors write, several times faster than yajl. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "json.h"

/* Only printable ASCII, and no backslash: then every string is as written. */
bool json_quick_can(const char *line, size_t length);

/* Reads such a line exactly as json_strict() does, value by value. False if that would reject it;
 * some values may then have been passed. */
bool json_quick(const char *line, size_t length, const struct json_format *format, void *user);
