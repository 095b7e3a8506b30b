/* SPDX-License-Identifier: MIT */
/* rest_body.h - the body of a request as it comes in; and how much all of them may take together.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* Taken from and given back by the threads of connections; the number stands for itself. */
struct body_budget {
    _Atomic size_t left; /* bytes */
};

enum body_fault { BODY_FINE, BODY_TOO_LONG, BODY_NO_ROOM, BODY_UNWANTED };

struct body {
    char *text;
    size_t used, size;
    size_t max;
    size_t dropped; /* bytes that came after a fault */
    struct body_budget *budget;
    enum body_fault fault;
};

void body_init(struct body *b, size_t max, struct body_budget *budget);
void body_done(struct body *b);

/* From now on what comes is dropped: the request is refused. */
void body_refuse(struct body *b);

/* False: so much came after a fault that it is not worth reading the rest. */
bool body_add(struct body *b, const char *bytes, size_t length);
