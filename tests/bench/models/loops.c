/* SPDX-License-Identifier: MIT */
/* loops.c - calls those that have a C interface row by row or in batches, so that no time is
 * Python's. The functions come from the caller, who has loaded the libraries. */
#include <stddef.h>
#include <stdint.h>

#define EXPORT __attribute__((visibility("default")))

typedef void eddy_fn(const void *model, const double *rows, size_t count, double *out);

EXPORT void loop_eddy(eddy_fn *predict, const void *model, const double *rows, size_t columns,
                      size_t count, size_t batch, double *out, size_t outputs);
EXPORT void loop_tl2cgen(void (*predict)(void *row, int margin, double *out), double *rows,
                         size_t columns, size_t count, double *out, size_t outputs);
EXPORT int loop_lightgbm_one(int (*predict)(void *fast, const void *row, int64_t *length,
                                            double *out),
                             void *fast, const double *rows, size_t columns, size_t count,
                             double *out, size_t outputs);

void loop_eddy(eddy_fn *predict, const void *model, const double *rows, size_t columns,
               size_t count, size_t batch, double *out, size_t outputs)
{
    for (size_t i = 0; i < count; i += batch)
        predict(model, rows + i * columns, batch < count - i ? batch : count - i,
                out + i * outputs);
}

/* Generated code takes one row; its sums begin with what is in `out`. */
void loop_tl2cgen(void (*predict)(void *row, int margin, double *out), double *rows, size_t columns,
                  size_t count, double *out, size_t outputs)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t output = 0; output < outputs; output++)
            out[i * outputs + output] = 0.0;
        predict(rows + i * columns, 0, out + i * outputs);
    }
}

int loop_lightgbm_one(int (*predict)(void *fast, const void *row, int64_t *length, double *out),
                      void *fast, const double *rows, size_t columns, size_t count, double *out,
                      size_t outputs)
{
    int64_t length;
    int status = 0;
    for (size_t i = 0; i < count; i++)
        status |= predict(fast, rows + i * columns, &length, out + i * outputs);
    return status;
}
