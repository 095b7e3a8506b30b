/* SPDX-License-Identifier: MIT */
/* alloc.c - counts what the whole process allocates, libraries included, while told to.
 *
 * A program's own malloc takes the place of the C library's for every shared library, too: yajl
 * and libmaxminddb are counted. It hands on to glibc by the names that glibc exports for this
 * purpose, so that nothing needs to be preloaded. For programs of one thread. */
#define _GNU_SOURCE /* execinfo.h */
#include "alloc.h"

#include <errno.h>
#include <execinfo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define OURS __attribute__((visibility("default")))

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

#define FRAMES 16

static bool counting;
static uint64_t count;
static void *frames[FRAMES];
static int frame_count;

static void note(void)
{
    if (!counting)
        return;
    if (count++ == 0) {
        counting = false; /* backtrace may allocate */
        frame_count = backtrace(frames, FRAMES);
        counting = true;
    }
}

OURS void *malloc(size_t size)
{
    note();
    return __libc_malloc(size);
}

OURS void *calloc(size_t number, size_t size)
{
    note();
    return __libc_calloc(number, size);
}

OURS void *realloc(void *old, size_t size)
{
    note();
    return __libc_realloc(old, size);
}

OURS void *aligned_alloc(size_t alignment, size_t size)
{
    note();
    return __libc_memalign(alignment, size);
}

OURS int posix_memalign(void **out, size_t alignment, size_t size)
{
    note();
    *out = __libc_memalign(alignment, size);
    return *out == NULL ? ENOMEM : 0;
}

void alloc_begin(void)
{
    counting = true;
}

void alloc_end(void)
{
    counting = false;
}

uint64_t alloc_count(void)
{
    return count;
}

void alloc_reset(void)
{
    count = 0;
    frame_count = 0;
}

void alloc_explain(FILE *to)
{
    (void)fflush(to);
    backtrace_symbols_fd(frames, frame_count, fileno(to));
}
