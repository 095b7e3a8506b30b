/* SPDX-License-Identifier: MIT */
/* columns.h - what kind of quantity a column is, and its bins. */
#pragma once

#include "row.h"

#define COLUMN_BINS 16

enum column_kind {
    KIND_OTHER = 0,   /* a column nobody has said more about: like KIND_LOG_COUNT */
    KIND_LOG_SECONDS, /* log2(1 + microseconds) */
    KIND_LOG_BYTES,
    KIND_LOG_COUNT,
    KIND_LOG_RATE, /* log2(1 + bytes/s) */
    KIND_LOG_FACTOR,
    KIND_BYTES, /* not a logarithm */
    KIND_SHARE, /* 0..1 */
    KIND_FLAG
};

enum column_kind column_kind(enum column column);

/* The bin of a value, 0..COLUMN_BINS-1. Bins are fixed, so that no sample decides where they are,
 * and logarithmic: two octaves wide (bytes of a packet: one), factors from 2^-16 on, shares in
 * sixteenths. The outermost take what is beyond. */
unsigned column_bin(enum column column, double value);

/* The value at a place among the bins: 2.5 is the middle of bin 2. */
double column_at(enum column column, double place);
