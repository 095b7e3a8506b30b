/* SPDX-License-Identifier: MIT */
/* timestamp.h - reads ISO 8601 times, as Suricata and Zeek write them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* 2020-05-01T07:02:02[.186129][+0200|+02:00|+02|Z] as microseconds since 1970, UTC; further
 * digits of the fraction are cut. Without an offset it is taken as UTC. A space may stand for the
 * T. False, and `out` as it was, for anything else. Does not depend on locale or time zone. */
bool timestamp_parse(const char *text, size_t length, int64_t *out);
