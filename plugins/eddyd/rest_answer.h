/* SPDX-License-Identifier: MIT */
/* rest_answer.h - what is answered to a request. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "eddy.h"
#include "json_write.h"

#define ANSWER_MAX ((size_t)64 << 20) /* bytes of an answer */

enum status {
    STATUS_OK = 200,
    STATUS_BAD = 400,
    STATUS_UNAUTHORIZED = 401,
    STATUS_FORBIDDEN = 403,
    STATUS_NOT_FOUND = 404,
    STATUS_METHOD = 405,
    STATUS_CONFLICT = 409,
    STATUS_TOO_LARGE = 413,
    STATUS_TYPE = 415,
    STATUS_REFUSED = 422,
    STATUS_FAILED = 500,
    STATUS_BUSY = 503
};

struct answer {
    unsigned status;
    const char *type;  /* static */
    const char *allow; /* methods, for STATUS_METHOD; static */
    char *text;        /* the owner's to free */
    size_t length;
    size_t json_length; /* behind that many bytes are tensors; 0: there are none */
};

void answer_done(struct answer *a);

/* {"error": "..."}; what was there before is freed. */
void answer_error(struct answer *a, unsigned status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Takes over what was written; if that failed, the answer is an error. */
void answer_json(struct answer *a, unsigned status, struct json_writer *w);

/* A line of plain text. */
void answer_line(struct answer *a, unsigned status, const char *line);
