/* SPDX-License-Identifier: MIT */
/* progress.h - one line on the terminal about long work, and messages that do not tear it. */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* Zeroed is silent. */
struct progress {
    bool on;           /* standard error is a terminal and may be drawn on */
    bool drawn;        /* the line is on the terminal now */
    const char *label; /* "learning", "scoring" */
    uint64_t total;    /* bytes; 0: not known */
    uint64_t done, flows;
    int64_t began_us, looked_us; /* monotonic */
};

/* `total` bytes lie ahead (0: not known). Nothing is drawn for work of less than a second. */
void progress_begin(struct progress *progress, bool wanted, uint64_t total);
void progress_add(struct progress *progress, uint64_t bytes, uint64_t flows);
/* Takes the line off the terminal; a later progress_add draws it again. */
void progress_clear(struct progress *progress);

/* To standard error, without a newline: words come from the command line, from logs and from files,
 * so control bytes and what is no UTF-8 are written as \x1b. */
void say_safely(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

/* One line on standard error, "eddy: " first; written safely. */
void complain(struct progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* 1234567 as "1,234,567". Returns `buf`. */
const char *with_commas(uint64_t n, char buf[32]);
