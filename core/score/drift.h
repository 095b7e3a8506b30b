/* SPDX-License-Identifier: MIT */
/* drift.h - are flows still like those the model was grown from?
 *
 * The population stability index of a column: with the shares a_i of recent flows and e_i of
 * the model's own held-out flows in each of its fixed bins,
 *
 *     PSI = sum over i of (a_i - e_i) ln(a_i / e_i)
 *
 * (Siddiqi: Credit risk scorecards, 2006; it is Jeffreys' divergence). Below 0.1 nothing is read
 * into it, above 0.25 the two differ. Without any change it is about (bins - 1)(1/n + 1/m), n and m
 * the two sizes (Yurdakul: Statistical properties of population stability index, 2018): 0.01 here.
 * A bin that one of them has not would make it infinite, so each bin begins with half a flow
 * (Jeffreys' prior). One that neither has is not in use and begins with none: the halves weigh more
 * in the smaller sample, and 13 of them beside 100 held-out flows would be a drift of 0.2. */
#pragma once

#include "model/model.h"

#define DRIFT_STRIDE 4    /* one row in four is looked at */
#define DRIFT_RECENT 4096 /* rows after which all counts are halved: 8000 to 16000 flows */
#define DRIFT_LEAST  1024 /* rows before anything is said */

struct drift {
    float count[COLUMN_COUNT][COLUMN_BINS];
    float total;
    unsigned since; /* rows since the last one that was looked at */
};

/* Counts the row, if it is its turn. A zeroed drift is empty. */
void drift_note(struct drift *drift, const double *columns);

/* Of the `index`-th column of the model; NAN while too little was seen. */
double drift_psi(const struct drift *drift, const struct model *model, uint32_t index);

/* Of two histograms. */
double drift_index(const float *recent, const uint32_t *expected);
