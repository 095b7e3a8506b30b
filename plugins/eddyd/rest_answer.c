/* SPDX-License-Identifier: MIT */
/* rest_answer.c - what is answered to a request. */
#include "rest_answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char json_type[] = "application/json";

void answer_done(struct answer *a)
{
    free(a->text);
    *a = (struct answer){0};
}

void answer_error(struct answer *a, unsigned status, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments); /* a cut one is one, too */
    va_end(arguments);
    const char *allow = a->allow;
    answer_done(a);
    struct json_writer w = {.max = 8 * sizeof message};
    json_put_open(&w, '{');
    json_put_pair(&w, "error", message);
    json_put_close(&w, '}');
    if (w.failed) { /* out of memory: a status without words */
        free(w.text);
        w = (struct json_writer){0};
    }
    *a = (struct answer){status, json_type, allow, w.text, w.used, 0};
}

void answer_json(struct answer *a, unsigned status, struct json_writer *w)
{
    if (w->failed) {
        free(w->text);
        answer_error(a, STATUS_FAILED, "the answer does not fit into memory");
        return;
    }
    answer_done(a);
    *a = (struct answer){status, json_type, NULL, w->text, w->used, 0};
}

void answer_line(struct answer *a, unsigned status, const char *line)
{
    size_t length = strlen(line);
    answer_done(a);
    a->status = status;
    a->type = "text/plain; charset=utf-8";
    a->text = malloc(length + 2);
    if (a->text == NULL)
        return;
    memcpy(a->text, line, length);
    memcpy(a->text + length, "\n", 2);
    a->length = length + 1;
}
