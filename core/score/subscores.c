/* SPDX-License-Identifier: MIT */
/* subscores.c - how even a series is on a scale of 0..1, as hunters of beacons are used to see it.
 */
#include "score/subscores.h"

#include <math.h>
#include <stdlib.h>

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* Of sorted values, between neighbours in proportion (Hyndman, Fan 1996, type 7). */
static double quantile(const double *sorted, size_t count, double q)
{
    double at = q * (double)(count - 1);
    size_t below = (size_t)at;
    double above = below + 1 < count ? sorted[below + 1] : sorted[below];
    return sorted[below] + (at - (double)below) * (above - sorted[below]);
}

double subscore(const double *values, size_t count)
{
    double sorted[SUBSCORE_VALUES], off[SUBSCORE_VALUES];
    if (count < 3 || count > SUBSCORE_VALUES)
        return 0.0;
    for (size_t i = 0; i < count; i++)
        sorted[i] = values[i];
    qsort(sorted, count, sizeof *sorted, ascending);
    double low = quantile(sorted, count, 0.25), middle = quantile(sorted, count, 0.5);
    double high = quantile(sorted, count, 0.75);
    for (size_t i = 0; i < count; i++)
        off[i] = fabs(sorted[i] - middle);
    qsort(off, count, sizeof *off, ascending);
    double symmetry = high > low ? 1.0 - fabs((low + high - 2.0 * middle) / (high - low)) : 1.0;
    double closeness = middle > 0.0 ? fmax(0.0, 1.0 - quantile(off, count, 0.5) / middle) : 0.0;
    return (symmetry + closeness) / 2.0;
}
