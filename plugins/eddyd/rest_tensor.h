/* SPDX-License-Identifier: MIT */
/* rest_tensor.h - tensors of the Open Inference Protocol, as JSON or as bytes behind it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "eddy.h"
#include "json_read.h"
#include "rest_models.h"
#include "rest_route.h"

#define TENSOR_INPUT         "input"
#define TENSOR_SCORE         "score"
#define TENSOR_PROBABILITIES "probabilities"
#define TENSOR_LABEL         "label"

enum { TENSOR_COLUMNS_MAX = 256 }; /* of a model: eddy_model_info.column counts in bytes */

/* Names of a model's columns, in its order; static. */
struct columns {
    const char *names[TENSOR_COLUMNS_MAX];
    size_t count;
};

void columns_of(const eddy_model_info *info, struct columns *out);

/* Rows for eddy_model_predict(). */
struct rows {
    double *values; /* the owner's to free */
    size_t count, columns;
};

/* Reads `inputs`: one tensor [n, columns], or one [n] or [n, 1] for each column, by name. `bytes`
 * is what follows the JSON. Returns the status to answer, STATUS_OK if they are read. */
unsigned tensors_read(const struct json_value *inputs, const struct columns *columns,
                      size_t max_rows, const char *bytes, size_t length, struct rows *out,
                      eddy_error *err);

/* The model of a request, held; NULL: the answer says why. */
struct served *v2_hold(const struct service *s, const struct request *q, struct answer *a);
