/* SPDX-License-Identifier: MIT */
/* fake_worker.h - stands in for eddy_worker_* in tests of what feeds it: it keeps the lines.
 *
 * Include it before the .c file under test: the calls in there lead here then. */
#pragma once

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/eddy.h"

struct fake_worker {
    char *lines; /* complete records, each with a newline */
    size_t used, size;
    char partial[4096];
    size_t partial_used;
    uint64_t skip;
    int started; /* bytes were fed since the last end */
    int ends;
};

static inline void fake_take(struct fake_worker *w, const char *bytes, size_t length)
{
    while (w->used + length + 1 > w->size) {
        w->size = w->size == 0 ? 4096 : w->size * 2;
        w->lines = realloc(w->lines, w->size);
        if (w->lines == NULL)
            abort();
    }
    memcpy(w->lines + w->used, bytes, length);
    w->used += length;
    w->lines[w->used] = '\0';
}

static inline int fake_worker_feed(eddy_worker *worker, const void *bytes, size_t length)
{
    struct fake_worker *w = (struct fake_worker *)worker;
    const char *p = bytes;
    w->started = 1;
    for (size_t i = 0; i < length; i++) {
        if (w->skip > 0) {
            w->skip--;
            continue;
        }
        if (w->partial_used == sizeof w->partial)
            abort();
        w->partial[w->partial_used++] = p[i];
        if (p[i] == '\n') {
            fake_take(w, w->partial, w->partial_used);
            w->partial_used = 0;
        }
    }
    return 0;
}

static inline int fake_worker_end(eddy_worker *worker)
{
    struct fake_worker *w = (struct fake_worker *)worker;
    if (w->partial_used > 0) {
        w->partial[w->partial_used] = '\n';
        fake_take(w, w->partial, w->partial_used + 1);
    }
    w->partial_used = 0;
    w->skip = 0;
    w->started = 0;
    w->ends++;
    return 0;
}

static inline int fake_worker_skip(eddy_worker *worker, uint64_t bytes)
{
    struct fake_worker *w = (struct fake_worker *)worker;
    if (w->started)
        abort(); /* eddy.h: to be called before the first bytes of a stream */
    w->skip = bytes;
    return 0;
}

static inline int fake_worker_new(eddy_engine *engine, const char *name, const char *format,
                                  eddy_worker **out, eddy_error *err)
{
    (void)name;
    (void)format;
    (void)err;
    /* The engine of these tests is the one fake worker all streams share. */
    *out = (eddy_worker *)engine;
    return 0;
}

static inline void fake_worker_free(eddy_worker *worker)
{
    (void)worker;
}

#define eddy_worker_feed fake_worker_feed
#define eddy_worker_end  fake_worker_end
#define eddy_worker_skip fake_worker_skip
#define eddy_worker_new  fake_worker_new
#define eddy_worker_free fake_worker_free
#define eddy_strerror(s) "refused"
