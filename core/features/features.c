/* SPDX-License-Identifier: MIT */
/* features.c - evaluates features.def for a row, and tells its schema. */
#include "features/features.h"

#include <math.h>
#include <stddef.h>

#include "state/host.h"

static double log2_1p(double x)
{
    return log2(1.0 + x);
}

#define lg(x) log2_1p((double)(x))

static double ratio(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0.0 : (double)part / (double)whole;
}

static double share(uint32_t part, uint32_t whole)
{
    return ratio(part, whole);
}

/* Bytes per second; a flow shorter than a millisecond counts as one. */
static double rate(const struct row *row)
{
    double seconds = (double)row->duration_us * 1e-6;
    return ((double)row->bytes_out + (double)row->bytes_in) / fmax(seconds, 1e-3);
}

void features(struct row *row)
{
    const struct row *r = row;
    const struct window *w = row->window;
    const struct pair *p = row->pair;
#define COLUMN(name, formula, help) row->column[COLUMN_##name] = (double)(formula);
#include "features.def"
#undef COLUMN
}

static const eddy_feature table[COLUMN_COUNT] = {
#define COLUMN(name, formula, help) {#name, help},
#include "features.def"
#undef COLUMN
};

const eddy_feature *feature_of(enum column column)
{
    return &table[column];
}

int eddy_features(eddy_feature_fn *each, void *user)
{
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        int stop = each == NULL ? 0 : each(&table[i], user);
        if (stop != 0)
            return stop;
    }
    return COLUMN_COUNT;
}
