/* SPDX-License-Identifier: MIT */
/* ruler.c - makes thresholds that are doubles fit for the walk with floats. */
#include "model/ruler.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct ruler_mark *a = left, *b = right;
    if (a->column != b->column)
        return a->column < b->column ? -1 : 1;
    return (a->threshold > b->threshold) - (a->threshold < b->threshold);
}

struct ruler *ruler_new(struct ruler_mark *marks, size_t count, uint32_t width)
{
    size_t distinct = 0;
    if (count > 0)
        qsort(marks, count, sizeof *marks, compare);
    for (size_t i = 0; i < count; i++) /* -0 and 0 are one mark */
        if (i == 0 || compare(&marks[i], &marks[i - 1]) != 0)
            marks[distinct++] = marks[i];
    struct ruler *ruler = malloc(sizeof *ruler + distinct * sizeof *ruler->mark);
    if (ruler == NULL)
        return NULL;
    ruler->width = width;
    uint32_t at = 0;
    for (uint32_t column = 0; column < width; column++) {
        ruler->begin[column] = at;
        for (; at < distinct && marks[at].column == column; at++)
            ruler->mark[at] = marks[at].threshold;
    }
    ruler->begin[width] = at;
    return ruler;
}

float ruler_mark(const struct ruler *ruler, uint32_t column, double threshold)
{
    const double *marks = ruler->mark + ruler->begin[column];
    uint32_t below = 0, left = ruler->begin[column + 1] - ruler->begin[column];
    while (left > 1) { /* no branch depends on the number: half of them would be mispredicted */
        uint32_t half = left / 2;
        below += half * (marks[below + half - 1] < threshold);
        left -= half;
    }
    if (left == 1)
        below += marks[below] < threshold;
    return (float)below;
}

float ruler_place(const struct ruler *ruler, uint32_t column, double value)
{
    if (isnan(value))
        return NAN;
    return ruler_mark(ruler, column, fmax(fmin(value, (double)FLT_MAX), -(double)FLT_MAX));
}
