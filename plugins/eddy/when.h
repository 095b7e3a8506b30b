/* SPDX-License-Identifier: MIT */
/* when.h - points in time as people and incidents write them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WHEN_SIZE 40

/* Reads all of `text`: "2026-01-02T03:04:05.123456+0000", with Z or +00:00 as well; without a zone
 * it is UTC. The time of day, its seconds and their fraction may be left out. */
bool when_parse(const char *text, int64_t *out_us);

/* Reads all of `text` as a length of time: digits and one of s, m, h, d, w. */
bool when_parse_span(const char *text, int64_t *out_us);

/* "2026-01-02 03:04:05" in UTC; "?" for what no calendar has. Both return `buf`. */
const char *when_text(int64_t us, char buf[WHEN_SIZE]);

/* A length of time in its two largest units at most: "45s", "12m", "3h 20m", "4d 1h". */
const char *when_span(int64_t us, char buf[WHEN_SIZE]);
