/* SPDX-License-Identifier: MIT */
/* say.h - how shared host code reports: a line to the host's log, an error to the caller. */
#pragma once

#include "eddy.h"

/* The host's log; the same shape as eddy_hooks.log, so one function serves both. */
struct say {
    void (*line)(int level, const char *message, void *user); /* syslog(3) levels, no newline */
    void *user;
};

/* Formats one line (cut at 1023 bytes) and hands it to the log. A NULL `to` is silent. */
void say(const struct say *to, int level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Fills `err` (may be NULL) and returns `code`: `return fault(err, EDDY_EIO, "...")`. */
int fault(eddy_error *err, int code, const char *format, ...) __attribute__((format(printf, 3, 4)));
