/* SPDX-License-Identifier: MIT */
/* json_write.c - writes a JSON text into memory that grows. */
#include "json_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 1024

/* Room for so many bytes and a NUL. */
static bool make_room(struct json_writer *w, size_t length)
{
    if (w->failed)
        return false;
    if (length < w->size - w->used) /* both 0 at first */
        return true;
    size_t size = w->size > 0 ? w->size : FIRST_SIZE;
    while (size - w->used <= length && size <= w->max)
        size *= 2;
    if (size > w->max)
        size = w->max;
    char *grown = size - w->used > length ? realloc(w->text, size) : NULL;
    if (grown == NULL) {
        w->failed = true;
        return false;
    }
    w->text = grown;
    w->size = size;
    return true;
}

static void add(struct json_writer *w, const char *text, size_t length)
{
    if (!make_room(w, length))
        return;
    memcpy(w->text + w->used, text, length);
    w->used += length;
    w->text[w->used] = '\0';
}

static void add_value(struct json_writer *w, const char *text, size_t length)
{
    if (w->follows)
        add(w, ",", 1);
    add(w, text, length);
    w->follows = true;
}

void json_put_open(struct json_writer *w, char bracket)
{
    add_value(w, &bracket, 1);
    w->follows = false;
}

void json_put_close(struct json_writer *w, char bracket)
{
    add(w, &bracket, 1);
    w->follows = true;
}

/* Of a UTF-8 sequence; 0: it is none. */
static size_t sequence_length(const unsigned char *at, size_t length)
{
    if (at[0] < 0x80)
        return 1;
    size_t n = at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (at[0] < 0xc2 || at[0] > 0xf4 || n > length)
        return 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xc0) != 0x80)
            return 0;
    /* Too long for what they say, halves of a pair, or beyond Unicode. */
    if ((at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xed && at[1] > 0x9f) ||
        (at[0] == 0xf0 && at[1] < 0x90) || (at[0] == 0xf4 && at[1] > 0x8f))
        return 0;
    return n;
}

static void add_escaped(struct json_writer *w, char c)
{
    char text[8];
    if (c == '"' || c == '\\')
        (void)snprintf(text, sizeof text, "\\%c", c);
    else if (c == '\n')
        (void)snprintf(text, sizeof text, "\\n");
    else
        (void)snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)c);
    add(w, text, strlen(text));
}

void json_put_string(struct json_writer *w, const char *text, size_t length)
{
    add_value(w, "\"", 1);
    size_t i = 0;
    while (i < length) {
        size_t plain = i;
        while (plain < length && text[plain] >= ' ' && text[plain] < 0x7f && text[plain] != '"' &&
               text[plain] != '\\')
            plain++;
        if (plain > i)
            add(w, text + i, plain - i);
        i = plain;
        if (i == length)
            break;
        size_t n = sequence_length((const unsigned char *)text + i, length - i);
        if (n == 0)
            add(w, "\xef\xbf\xbd", 3);
        else if (n == 1)
            add_escaped(w, text[i]);
        else
            add(w, text + i, n);
        i += n > 0 ? n : 1;
    }
    add(w, "\"", 1);
}

void json_put_text(struct json_writer *w, const char *text)
{
    json_put_string(w, text, strlen(text));
}

void json_put_key(struct json_writer *w, const char *key)
{
    json_put_text(w, key);
    add(w, ":", 1);
    w->follows = false;
}

/* The decimal point is a point: no host calls setlocale(). */
void json_put_number(struct json_writer *w, double number)
{
    char text[32];
    if (!isfinite(number)) {
        json_put_json(w, "null");
        return;
    }
    (void)snprintf(text, sizeof text, "%.15g", number); /* shorter, for most */
    if (strtod(text, NULL) != number)
        (void)snprintf(text, sizeof text, "%.17g", number);
    add_value(w, text, strlen(text));
}

void json_put_count(struct json_writer *w, uint64_t count)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, count);
    add_value(w, text, strlen(text));
}

void json_put_truth(struct json_writer *w, bool truth)
{
    json_put_json(w, truth ? "true" : "false");
}

void json_put_json(struct json_writer *w, const char *json)
{
    add_value(w, json, strlen(json));
}

void json_put_raw(struct json_writer *w, const void *bytes, size_t length)
{
    add(w, bytes, length);
}

void json_put_pair(struct json_writer *w, const char *key, const char *text)
{
    json_put_key(w, key);
    json_put_text(w, text);
}
