/* SPDX-License-Identifier: MIT */
/* store_line.h - one line of JSON as an incident. */
#pragma once

#include <stddef.h>

#include "store.h"

/* What it keeps between two lines; NULL when out of memory. */
struct store_reader *store_reader_new(void);
void store_reader_free(struct store_reader *reader);

/* Returns 1 for an incident, 0 for JSON of another kind, else an eddy_status; `err` says what is
 * wrong, without the place. */
int store_line_read(struct store_reader *reader, const char *line, size_t length,
                    struct stored *out, eddy_error *err);
void stored_done(struct stored *stored);
