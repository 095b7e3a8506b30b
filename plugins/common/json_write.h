/* SPDX-License-Identifier: MIT */
/* json_write.h - writes a JSON text into memory that grows. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begin with `struct json_writer w = {.max = ...};`; commas come by themselves. What is written
 * after a failure is nothing. */
struct json_writer {
    char *text;       /* the caller's to free; NUL-terminated */
    size_t used;      /* without the NUL */
    size_t size, max; /* allocated; never more than this */
    bool failed;      /* out of memory, or longer than `max` */
    bool follows;     /* a value is in front, so a comma is needed */
};

void json_put_open(struct json_writer *w, char bracket);  /* '{' or '[' */
void json_put_close(struct json_writer *w, char bracket); /* '}' or ']' */
void json_put_key(struct json_writer *w, const char *key);

/* Bytes that are no UTF-8 become U+FFFD. */
void json_put_text(struct json_writer *w, const char *text);
void json_put_string(struct json_writer *w, const char *text, size_t length);

/* So that reading gives the same number; what is not finite becomes null. */
void json_put_number(struct json_writer *w, double number);
void json_put_count(struct json_writer *w, uint64_t count);
void json_put_truth(struct json_writer *w, bool truth);

/* A value that is JSON already. */
void json_put_json(struct json_writer *w, const char *json);

/* Bytes as they are, behind the JSON or between it; no comma. */
void json_put_raw(struct json_writer *w, const void *bytes, size_t length);

/* Key and text, as most things are. */
void json_put_pair(struct json_writer *w, const char *key, const char *text);
