/* SPDX-License-Identifier: MIT */
/* rest_body.c - the body of a request as it comes in; and how much all of them may take together.
 */
#include "rest_body.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE ((size_t)16 * 1024)

void body_init(struct body *b, size_t max, struct body_budget *budget)
{
    *b = (struct body){.max = max, .budget = budget};
}

static bool take(struct body_budget *budget, size_t bytes)
{
    size_t left = atomic_load(&budget->left);
    while (left >= bytes)
        if (atomic_compare_exchange_weak(&budget->left, &left, left - bytes))
            return true;
    return false;
}

static void drop(struct body *b)
{
    free(b->text);
    atomic_fetch_add(&b->budget->left, b->size);
    b->text = NULL;
    b->used = b->size = 0;
}

void body_done(struct body *b)
{
    if (b->budget != NULL)
        drop(b);
}

/* Room for so many bytes more, which `max` allows. */
static bool grow(struct body *b, size_t length)
{
    size_t size = b->size > 0 ? b->size : FIRST_SIZE;
    while (size - b->used < length)
        size *= 2;
    size = size < b->max ? size : b->max;
    if (!take(b->budget, size - b->size))
        return false;
    char *grown = realloc(b->text, size);
    if (grown == NULL) {
        atomic_fetch_add(&b->budget->left, size - b->size);
        return false;
    }
    b->text = grown;
    b->size = size;
    return true;
}

void body_refuse(struct body *b)
{
    b->fault = BODY_UNWANTED;
}

bool body_add(struct body *b, const char *bytes, size_t length)
{
    if (b->fault == BODY_FINE && length > b->max - b->used)
        b->fault = BODY_TOO_LONG;
    else if (b->fault == BODY_FINE && length > b->size - b->used && !grow(b, length))
        b->fault = BODY_NO_ROOM;
    if (b->fault != BODY_FINE) {
        drop(b);
        b->dropped += length;
        return b->dropped <= b->max;
    }
    memcpy(b->text + b->used, bytes, length);
    b->used += length;
    return true;
}
