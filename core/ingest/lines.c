/* SPDX-License-Identifier: MIT */
/* lines.c - joins bytes that were cut anywhere into lines. */
#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "eddy.h"

int lines_init(struct lines *lines, size_t max)
{
    char *kept = malloc(max);
    if (kept == NULL)
        return EDDY_ENOMEM;
    *lines = (struct lines){.kept = kept, .max = max};
    return EDDY_OK;
}

void lines_done(struct lines *lines)
{
    free(lines->kept);
    *lines = (struct lines){0};
}

void lines_reset(struct lines *lines)
{
    lines->used = 0;
    lines->offset = 0;
    lines->dropping = false;
}

static void pass(const char *text, size_t length, uint64_t offset, line_fn *each, void *user)
{
    if (length > 0 && text[length - 1] == '\r')
        length--;
    struct line line = {.text = text, .length = length, .offset = offset};
    each(user, &line);
}

/* The first `max` bytes of a line that goes on. */
static void pass_too_long(const struct lines *lines, const char *text, uint64_t offset,
                          line_fn *each, void *user)
{
    struct line line = {.text = text, .length = lines->max, .offset = offset, .too_long = true};
    each(user, &line);
}

/* Bytes of one line, with its newline (`ends`) or without. */
static void add(struct lines *lines, const char *bytes, size_t length, bool ends, line_fn *each,
                void *user)
{
    if (!lines->dropping) {
        uint64_t start = lines->offset - lines->used;
        if (length > lines->max - lines->used) {
            memcpy(lines->kept + lines->used, bytes, lines->max - lines->used);
            pass_too_long(lines, lines->kept, start, each, user);
            lines->used = 0;
            lines->dropping = true;
        } else if (ends && lines->used == 0) {
            pass(bytes, length, start, each, user);
        } else {
            memcpy(lines->kept + lines->used, bytes, length);
            lines->used += length;
            if (ends)
                pass(lines->kept, lines->used, start, each, user);
        }
    }
    lines->offset += length + ends;
    if (ends) {
        lines->used = 0;
        lines->dropping = false;
    }
}

void lines_feed(struct lines *lines, const char *bytes, size_t length, line_fn *each, void *user)
{
    const char *at = bytes, *end = bytes + length;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *stop = newline != NULL ? newline : end;
        add(lines, at, (size_t)(stop - at), newline != NULL, each, user);
        at = newline != NULL ? newline + 1 : end;
    }
}

void lines_end(struct lines *lines, line_fn *each, void *user)
{
    if (lines->used > 0)
        pass(lines->kept, lines->used, lines->offset - lines->used, each, user);
    lines_reset(lines);
}
