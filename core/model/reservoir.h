/* SPDX-License-Identifier: MIT */
/* reservoir.h - a uniform sample of rows of a stream whose length nobody knows.
 *
 * Algorithm R (Vitter: Random sampling with a reservoir, ACM TOMS 1985): the n-th row takes the
 * place of a random one of the k kept, with probability k/n. */
#pragma once

#include <stddef.h>

#include "model/random.h"

#define RESERVOIR_NONE SIZE_MAX

struct reservoir {
    uint64_t seen; /* rows that had their chance; fewer after ageing */
    size_t rows;   /* kept */
    struct random random;
};

/* Where the next row goes, or RESERVOIR_NONE. The first `slots` rows fill the slots in order. */
size_t reservoir_place(struct reservoir *reservoir, size_t slots);

/* Halves what was seen, so that the next rows have twice the chance: called once a day, each day
 * counts about half as much as the next. */
void reservoir_age(struct reservoir *reservoir);
