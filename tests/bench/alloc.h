/* SPDX-License-Identifier: MIT */
/* alloc.h - counts what the whole process allocates, libraries included, while told to. */
#pragma once

#include <stdint.h>
#include <stdio.h>

/* Counts from now on, adding to what was counted before. */
void alloc_begin(void);
void alloc_end(void);

/* Calls of malloc, calloc, realloc, aligned_alloc and posix_memalign that were counted. */
uint64_t alloc_count(void);

/* Forgets the counts. */
void alloc_reset(void);

/* Where the first one counted came from, one frame a line. */
void alloc_explain(FILE *to);
