/* SPDX-License-Identifier: MIT */
/* when.h - times as people write them: a day, or a time of day. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* "2026-12-31" (its beginning, UTC) or any time that timestamp_parse reads, after 1970 and before
 * 10000, in microseconds. False, and `out` as it was, for anything else. */
bool when_read(const char *text, int64_t *out);
