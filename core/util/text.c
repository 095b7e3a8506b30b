/* SPDX-License-Identifier: MIT */
/* text.c - builds text in a fixed buffer, and reads numbers; the same under every locale.
 *
 * A host may have set a locale with a decimal comma, and printf and strtod follow it. So the
 * point is put right after printing and before reading. */
#include "text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_SIZE 64 /* "-1.7976931348623157e+308" and a decimal point of several bytes */

struct text text_over(char *buffer, size_t size)
{
    if (size > 0)
        buffer[0] = '\0';
    return (struct text){.at = buffer, .size = size, .length = 0};
}

void text_cut(struct text *text, size_t length)
{
    if (length >= text->length)
        return;
    text->length = length;
    if (length < text->size)
        text->at[length] = '\0';
}

void text_bytes(struct text *text, const char *bytes, size_t length)
{
    if (text->length + 1 < text->size) {
        size_t room = text->size - text->length - 1;
        size_t n = length < room ? length : room;
        memcpy(text->at + text->length, bytes, n);
        text->at[text->length + n] = '\0';
    }
    text->length += length;
}

void text_char(struct text *text, char c)
{
    text_bytes(text, &c, 1);
}

void text_add(struct text *text, const char *string)
{
    text_bytes(text, string, strlen(string));
}

void text_format(struct text *text, const char *format, ...)
{
    char piece[1024];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    if (n > 0)
        text_bytes(text, piece, (size_t)n < sizeof piece ? (size_t)n : sizeof piece - 1);
}

/* ---- Numbers ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* May this byte be part of a printed number, apart from the decimal point? */
static bool is_number_byte(char c)
{
    return is_digit(c) || c == '+' || c == '-' || c == 'e';
}

/* Adds what printf made of a finite number, with the locale's point made a '.'. */
static void add_with_point(struct text *text, const char *printed)
{
    size_t whole = 0;
    while (is_number_byte(printed[whole]))
        whole++;
    text_bytes(text, printed, whole);
    if (printed[whole] == '\0')
        return;
    size_t point = whole;
    while (printed[point] != '\0' && !is_number_byte(printed[point]))
        point++;
    text_char(text, '.');
    text_add(text, printed + point);
}

static bool add_not_finite(struct text *text, double number)
{
    if (isfinite(number))
        return false;
    text_add(text, isnan(number) ? "NaN" : number > 0 ? "+Inf" : "-Inf");
    return true;
}

void text_digits(struct text *text, double number, int digits)
{
    if (add_not_finite(text, number))
        return;
    char printed[NUMBER_SIZE];
    (void)snprintf(printed, sizeof printed, "%.*g", digits, number);
    add_with_point(text, printed);
}

void text_number(struct text *text, double number)
{
    if (add_not_finite(text, number))
        return;
    char printed[NUMBER_SIZE];
    for (int digits = 15; digits <= 17; digits++) { /* DBL_DIG .. DBL_DECIMAL_DIG */
        (void)snprintf(printed, sizeof printed, "%.*g", digits, number);
        double back = strtod(printed, NULL); /* printed under the same locale */
        if (memcmp(&back, &number, sizeof back) == 0)
            break;
    }
    add_with_point(text, printed);
}

static const char *skip_digits(const char *at)
{
    while (is_digit(*at))
        at++;
    return at;
}

/* Where the point is, or would be; NULL if the string is no decimal number. */
static const char *find_point(const char *string)
{
    const char *at = string;
    if (*at == '+' || *at == '-')
        at++;
    if (!is_digit(*at))
        return NULL;
    const char *point = at = skip_digits(at);
    if (*at == '.') {
        at++;
        if (!is_digit(*at))
            return NULL;
        at = skip_digits(at);
    }
    if (*at == 'e' || *at == 'E') {
        at++;
        if (*at == '+' || *at == '-')
            at++;
        if (!is_digit(*at))
            return NULL;
        at = skip_digits(at);
    }
    return *at == '\0' ? point : NULL;
}

bool text_to_number(const char *string, double *out)
{
    const char *point = find_point(string);
    if (point == NULL)
        return false;
    char half[NUMBER_SIZE], local[256];
    (void)snprintf(half, sizeof half, "%.1f", 0.5); /* "0.5" or "0,5": tells the locale's point */
    struct text text = text_over(local, sizeof local);
    text_bytes(&text, string, (size_t)(point - string));
    if (*point == '.') {
        text_bytes(&text, half + 1, strlen(half) - 2);
        point++;
    }
    text_add(&text, point);
    if (!text_fits(&text))
        return false;
    double number = strtod(local, NULL);
    if (!isfinite(number))
        return false;
    *out = number;
    return true;
}

const char *text_to_count(const char *string, uint64_t *out)
{
    if (!is_digit(*string))
        return NULL;
    uint64_t count = 0;
    for (; is_digit(*string); string++) {
        if (__builtin_mul_overflow(count, 10U, &count) ||
            __builtin_add_overflow(count, (uint64_t)(*string - '0'), &count))
            return NULL;
    }
    *out = count;
    return string;
}

/* ---- UTF-8 and JSON ---- */

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

size_t text_utf8(const char *at, size_t length)
{
    unsigned char b[4] = {0};
    memcpy(b, at, length < sizeof b ? length : sizeof b);
    if (length == 0)
        return 0;
    if (b[0] < 0x80)
        return 1;
    if (b[0] < 0xC2 || b[0] > 0xF4 || length < 2 || !is_continuation(b[1]))
        return 0;
    if (b[0] < 0xE0)
        return 2;
    if (length < 3 || !is_continuation(b[2]))
        return 0;
    if (b[0] < 0xF0) /* no overlong form, no surrogate */
        return (b[0] == 0xE0 && b[1] < 0xA0) || (b[0] == 0xED && b[1] > 0x9F) ? 0 : 3;
    if (length < 4 || !is_continuation(b[3]))
        return 0;
    return (b[0] == 0xF0 && b[1] < 0x90) || (b[0] == 0xF4 && b[1] > 0x8F) ? 0 : 4;
}

static void add_json_control(struct text *text, char c)
{
    switch (c) {
    case '\n':
        text_add(text, "\\n");
        break;
    case '\r':
        text_add(text, "\\r");
        break;
    case '\t':
        text_add(text, "\\t");
        break;
    default:
        text_format(text, "\\u%04x", (unsigned)(unsigned char)c);
        break;
    }
}

void text_json_bytes(struct text *text, const char *bytes, size_t length)
{
    text_char(text, '"');
    for (size_t i = 0; i < length;) {
        char c = bytes[i];
        size_t n = text_utf8(bytes + i, length - i);
        if (n == 0) {
            text_add(text, "\\ufffd");
            n = 1;
        } else if (c == '"' || c == '\\') {
            text_char(text, '\\');
            text_char(text, c);
        } else if ((unsigned char)c < 0x20 || c == 0x7F) {
            add_json_control(text, c);
        } else {
            text_bytes(text, bytes + i, n);
        }
        i += n;
    }
    text_char(text, '"');
}

void text_json(struct text *text, const char *string)
{
    text_json_bytes(text, string, strlen(string));
}
