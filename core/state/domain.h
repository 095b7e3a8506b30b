/* SPDX-License-Identifier: MIT */
/* domain.h - what of a DNS name somebody has registered, and what the rest can carry. */
#pragma once

#include <stddef.h>

/* The registered domain at the end of a lower-case name: its last two labels, or three where the
 * second is one under which a country registers ("co.uk"). NULL if the name has nothing below
 * such a domain, is from no public tree (local, localhost, arpa), or asks a list of addresses:
 * an address back to front, as DNSBLs are asked (RFC 5782), says nothing but that address.
 *
 * No list of public suffixes: a wrong guess only counts two neighbours apart or together. */
const char *domain_of(const char *name);

/* What a text of `length` bytes can carry, in bytes: its length times the Shannon entropy of its
 * characters (A Mathematical Theory of Communication, 1948), as Born and Gustafson compared
 * names of tunnels with others (Detecting DNS Tunnels Using Character Frequency Analysis, 2010).
 * Dots do not count. `bits`: the entropy of a character. */
double domain_carries(const char *text, size_t length, double *bits);
