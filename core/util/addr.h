/* SPDX-License-Identifier: MIT */
/* addr.h - IP addresses as 16 bytes in network order, IPv4 as ::ffff:a.b.c.d. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Reads all of `text`: a dotted quad without leading zeros, or IPv6 in any form of RFC 4291
 * (Suricata does not compress: 2001:0db8:0000:...). No zone, no brackets, no prefix length. */
bool addr_parse(const char *text, size_t length, uint8_t out[16]);

static inline bool addr_is_v4(const uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(address, mapped, sizeof mapped) == 0;
}

/* All zero: `::`, or `0.0.0.0`. */
bool addr_is_unspecified(const uint8_t address[16]);
