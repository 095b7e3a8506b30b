/* SPDX-License-Identifier: MIT */
/* promtext.h - metrics in the Prometheus text format 0.0.4. */
#pragma once

#include "eddy.h"
#include "util/text.h"

struct promtext {
    struct text *text;
    char name[128]; /* of the metric whose HELP and TYPE were written last */
};

struct promtext promtext_over(struct text *text);

/* Writes one sample, and HELP and TYPE before the first of a name. Samples of one name must come
 * together. An `eddy_metric_fn` with a struct promtext as `user`; always 0. */
int promtext_metric(const eddy_metric *metric, void *user);

/* Adds `name="value"` to a label text, with a comma before it if it is not the first. */
void promtext_label(struct text *labels, const char *name, const char *value);
