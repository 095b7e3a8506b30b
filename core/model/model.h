/* SPDX-License-Identifier: MIT */
/* model.h - an isolation forest and all that makes its scores mean something: which columns it
 * reads, what its scores were on flows it was not grown from, what is usual.
 *
 * The same whether it was grown in place (nursery.h) or read from a file (model_file.h). */
#pragma once

#include <stdint.h>

#include "model/columns.h"
#include "model/forest.h"
#include "model/heldout.h"

struct model {
    struct forest forest;
    uint8_t column[FOREST_COLUMNS]; /* of features.def, in the order the forest reads them */
    struct heldout heldout;
    uint32_t bins[FOREST_COLUMNS][COLUMN_BINS]; /* how the held-out flows lie in each column */
    int64_t trained_us;                         /* event time */
};

/* The row as the forest reads it: out[0..width], the last one zero. */
void model_row(const struct model *model, const double *columns, float *out);
