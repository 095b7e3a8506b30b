/* SPDX-License-Identifier: MIT */
/* reservoir.c - a uniform sample of rows of a stream whose length nobody knows. */
#include "model/reservoir.h"

size_t reservoir_place(struct reservoir *reservoir, size_t slots)
{
    reservoir->seen++;
    if (reservoir->rows < slots)
        return reservoir->rows++;
    uint64_t place = random_below(&reservoir->random, reservoir->seen);
    return place < slots ? (size_t)place : RESERVOIR_NONE;
}

void reservoir_age(struct reservoir *reservoir)
{
    uint64_t half = reservoir->seen / 2;
    reservoir->seen = half > reservoir->rows ? half : reservoir->rows;
}
