/* SPDX-License-Identifier: MIT */
/* number.h - reads numbers of logs strictly, exactly, and the same under every locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All of `text` must be the number; false, and `out` as it was, for anything else. */

/* Decimal digits, at most UINT64_MAX. */
bool number_unsigned(const char *text, size_t length, uint64_t *out);

/* The same for a count of a flow, where UINT64_MAX is taken: it means "not reported". A log that
 * says so many is understood as one less, which is absurd enough to be rejected. */
bool number_count(const char *text, size_t length, uint64_t *out);

/* The same up to 65535. */
bool number_port(const char *text, size_t length, uint16_t *out);

/* One or two hexadecimal digits, as Suricata writes TCP flags. */
bool number_hex_byte(const char *text, size_t length, uint8_t *out);

/* [-]digits[.digits][e[+-]digits], in seconds, as microseconds rounded to the nearest (half away
 * from zero). From the decimal text, not through a double: 0.05999898910522461 is 59999. */
bool number_micros(const char *text, size_t length, int64_t *out);
