/* SPDX-License-Identifier: MIT */
/* log.h - lines for the sensor's operator, through the host's hook or to standard error. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* The levels of syslog(3), so that hosts can pass them on. */
enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6
};

#define LOG_SLOTS       64
#define LOG_INTERVAL_US 60000000LL /* a slot speaks once in a minute */

struct log_slot {
    /* Written by whichever thread logs, by compare-and-swap: only one of several wins the minute.
     * Relaxed, for nothing else depends on it. */
    _Atomic int64_t spoke_us; /* monotonic; 0: never */
    _Atomic uint64_t kept;    /* lines kept back since */
};

/* Zeroed is ready: lines go to standard error. Any thread may log. */
struct log {
    void (*hook)(int level, const char *message, void *user);
    void *user;
    struct log_slot slots[LOG_SLOTS];
};

/* One line without newline, cut at 1023 bytes; control characters become '?'. */
void log_line(struct log *log, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, but at most once a minute for each `slot` (below LOG_SLOTS; the caller's own numbers,
 * one for each thing that can go wrong). The next line says how many were kept back. True if the
 * line was written. */
bool log_limited(struct log *log, unsigned slot, int level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
