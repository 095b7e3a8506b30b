/* SPDX-License-Identifier: MIT */
/* store_field.h - the fields of an incident by their names in JSON. */
#pragma once

#include "store.h"

#define STORED_NEVER INT64_MIN /* of a time that is not there */

/* What they return is a problem, static text, or NULL. Keys that they don't know are passed over;
 * `text` is kept. */
const char *stored_set_text(struct stored *out, const char *key, const char *text);
void stored_set_number(struct stored *out, const char *key, double number);

/* A number that counts something, cut to 0..most. */
uint64_t stored_count(double number, uint64_t most);

/* Is there what every incident has? */
const char *stored_check(const struct stored *stored);
