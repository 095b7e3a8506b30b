/* SPDX-License-Identifier: MIT */
/* model_words.h - what detectors with a model say of it: which columns count, what is usual. */
#pragma once

#include "model/model.h"
#include "score/explanation.h"

/* Adds the columns with most credit as reasons, four at most. `columns` are the row's, all of
 * features.def; `credit` is by the model's columns; together they make up `share` of the evidence.
 */
void model_words_columns(const struct model *model, const double *columns, const double *credit,
                         double share, struct explanation *out);

/* The scores of the held-out flows as a plot, and where this one is among them. */
void model_words_scores(const struct model *model, const char *x_name, double score,
                        struct explanation *out);

/* The middle of the held-out flows in the model's `index`-th column; of a flag, the share that has
 * it. NAN if it is not known. */
double model_words_usual(const struct model *model, uint32_t index);
