/* SPDX-License-Identifier: MIT */
/* text.h - builds text in a fixed buffer, and reads numbers; the same under every locale. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Like snprintf over several calls: `length` counts what was added even when it no longer
 * fits, and what is in the buffer always ends in NUL (if it has any room at all).
 *
 *     at ->  [ text added so far ][NUL][ free ... ]   size bytes, length may pass it
 */
struct text {
    char *at;    /* borrowed; NULL only if size is 0 */
    size_t size; /* of the buffer, with the NUL */
    size_t length;
};

/* An empty text over `size` bytes. A `size` of 0 only counts. */
struct text text_over(char *buffer, size_t size);

/* Forgets what was added after the text was `length` long. */
void text_cut(struct text *text, size_t length);

/* Did everything fit? */
static inline bool text_fits(const struct text *text)
{
    return text->length < text->size;
}

void text_char(struct text *text, char c);
void text_bytes(struct text *text, const char *bytes, size_t length);
void text_add(struct text *text, const char *string);
/* Not for doubles: their decimal point depends on the host's locale. Up to 1023 bytes a call. */
void text_format(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The shortest decimal that reads back as the same double; "NaN", "+Inf", "-Inf". */
void text_number(struct text *text, double number);
/* With `digits` significant digits (1..17), as %g does. */
void text_digits(struct text *text, double number, int digits);
/* A JSON string with its quotes. What is not UTF-8 becomes \ufffd, one for each bad byte. */
void text_json(struct text *text, const char *string);
void text_json_bytes(struct text *text, const char *bytes, size_t length);

/* Length of the UTF-8 character that begins at `at`, 0 if there is none (also for overlong
 * forms, surrogates and what is beyond U+10FFFF). */
size_t text_utf8(const char *at, size_t length);

/* Reads all of `string` as a decimal number: [+-]digits[.digits][e[+-]digits]. False, and
 * `out` as it was, for anything else, and for what is too large for a double. */
bool text_to_number(const char *string, double *out);

/* Reads the decimal digits that begin `string` (at least one). Returns what follows them;
 * NULL if there are none, or beyond 64 bits. */
const char *text_to_count(const char *string, uint64_t *out);
