/* SPDX-License-Identifier: MIT */
/* mmdb_value.h - reads one value out of a MaxMind DB data section, trusting none of its bytes.
 *
 * libmaxminddb finds the record of an address; its own reader of values recurses as deep as a
 * file tells it to (1.7.1 overflows the stack on a hostile one). This one does not recurse:
 * nested values are skipped by counting how many are still to come. Format: MaxMind DB File
 * Format Specification 2.0. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mmdb_section {
    const uint8_t *data;
    size_t size;
};

/* Follows `path` ("country.iso_code") through the maps at `offset`; true if a UTF-8 string is
 * found there, which is borrowed from the section. */
bool mmdb_text(const struct mmdb_section *section, size_t offset, const char *path,
               const char **text, size_t *length);

/* The same for an unsigned number of up to 64 bits. */
bool mmdb_number(const struct mmdb_section *section, size_t offset, const char *path,
                 uint64_t *number);

/* Is nothing in the value at the section's beginning nested deeper than `depth`? A value that is
 * cut off counts as deep. */
bool mmdb_shallow(const struct mmdb_section *section, unsigned depth);
