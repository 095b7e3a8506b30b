/* SPDX-License-Identifier: MIT */
/* quantity.h - a column's value as a person says it: "3.1 MB sent", "37 s long". */
#pragma once

#include "row.h"
#include "util/text.h"

/* The value without its logarithm: seconds, bytes, counts, bytes/s, a factor, 0..1. */
double quantity_plain(enum column column, double value);

/* "3.1 MB sent, usual 5 kB"; of a flag: "TCP, as are 97 % of flows", "not TCP, ...". `usual` is a
 * column value, of a flag the share of flows that have it; NAN if it is not known. */
void quantity_say(struct text *text, enum column column, double value, double usual);
