/* SPDX-License-Identifier: MIT */
/* ruler.h - makes thresholds that are doubles fit for the walk with floats.
 *
 *     marks of a column     -0.5   0.1   0.30000000000000004   7.25     its thresholds, once each
 *     place of a threshold     0     1                     2      3
 *     place of x = 0.2                           2                      marks below it
 *
 * x <= mark k is the same as: at most k marks are below x. Places are whole numbers below 2^24, so
 * they are exact in a float; NaN stays NaN. A row costs one binary search for each column. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "model/forest.h"

struct ruler {
    uint32_t width;
    uint32_t begin[FOREST_COLUMNS + 1]; /* of each column's marks, and where the last ones end */
    double mark[];                      /* ascending within a column */
};

/* A split. */
struct ruler_mark {
    double threshold;
    uint32_t column;
};

/* Given: free(). Sorts `marks`, finite ones, below 2^24 of them. NULL when out of memory. */
struct ruler *ruler_new(struct ruler_mark *marks, size_t count, uint32_t width);

/* The place of a threshold, which is one of the marks. */
float ruler_mark(const struct ruler *ruler, uint32_t column, double threshold);

/* The place of a row's value. What is beyond a float counts as the largest float. */
float ruler_place(const struct ruler *ruler, uint32_t column, double value);
