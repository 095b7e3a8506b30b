/* SPDX-License-Identifier: MIT */
/* lines.h - joins bytes that were cut anywhere into lines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct line {
    const char *text; /* borrowed; not ended by NUL */
    size_t length;    /* without newline, and without one CR before it */
    uint64_t offset;  /* of its first byte in the stream */
    bool too_long;    /* these are its first `max` bytes; the rest is dropped */
};

typedef void line_fn(void *user, const struct line *line);

/* A line that is whole in the bytes fed is passed from there; only what is cut off at their end
 * is copied:
 *
 *     fed:   ..."end of a line\nwhole\nwhole\nbegin"
 *     kept:  "begin of a line"                 -> "begin"
 */
struct lines {
    char *kept; /* room for `max` bytes */
    size_t max, used;
    uint64_t offset; /* of the next byte to be fed */
    bool dropping;   /* inside a line that was too long, until its newline */
};

/* Room for lines of up to `max` bytes. EDDY_OK or EDDY_ENOMEM. */
int lines_init(struct lines *lines, size_t max);
void lines_done(struct lines *lines);

/* The result does not depend on how the bytes are cut. */
void lines_feed(struct lines *lines, const char *bytes, size_t length, line_fn *each, void *user);

/* The stream ends: what follows the last newline is a line, if it is not empty. */
void lines_end(struct lines *lines, line_fn *each, void *user);

/* Forgets everything: the next byte is the first of another stream. */
void lines_reset(struct lines *lines);
