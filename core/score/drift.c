/* SPDX-License-Identifier: MIT */
/* drift.c - are flows still like those the model was grown from? */
#include "score/drift.h"

#include <math.h>

#define BEGIN 0.5 /* of a flow, in each bin that is in use */

static void halve(struct drift *d)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        for (size_t bin = 0; bin < COLUMN_BINS; bin++)
            d->count[i][bin] *= 0.5f;
    d->total *= 0.5f;
}

void drift_note(struct drift *d, const double *columns)
{
    if (++d->since < DRIFT_STRIDE)
        return;
    d->since = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        d->count[i][column_bin((enum column)i, columns[i])] += 1.0f;
    d->total += 1.0f;
    if (d->total >= DRIFT_RECENT)
        halve(d);
}

double drift_index(const float *recent, const uint32_t *expected)
{
    double n = 0.0, m = 0.0, sum = 0.0;
    double begin[COLUMN_BINS];
    for (size_t i = 0; i < COLUMN_BINS; i++) {
        begin[i] = recent[i] > 0.0f || expected[i] > 0 ? BEGIN : 0.0;
        n += (double)recent[i] + begin[i];
        m += expected[i] + begin[i];
    }
    for (size_t i = 0; i < COLUMN_BINS; i++) {
        if (begin[i] <= 0.0)
            continue;
        double a = ((double)recent[i] + begin[i]) / n, e = (expected[i] + begin[i]) / m;
        sum += (a - e) * log(a / e);
    }
    return sum;
}

double drift_psi(const struct drift *d, const struct model *model, uint32_t index)
{
    if (d->total < DRIFT_LEAST)
        return NAN;
    return drift_index(d->count[model->column[index]], model->bins[index]);
}
