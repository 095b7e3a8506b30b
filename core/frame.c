/* SPDX-License-Identifier: MIT */
/* frame.c - gathers scored flows as columns of the Arrow C data interface. */
#include "eddy.h"

#include "util/error.h"

int eddy_frame_new(eddy_frame **out, eddy_error *err)
{
    (void)out;
    return error_set(err, EDDY_EUSAGE, "under way");
}

void eddy_frame_free(eddy_frame *frame)
{
    (void)frame;
}

void eddy_frame_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                       void *frame)
{
    (void)flow;
    (void)columns;
    (void)verdict;
    (void)frame;
}

int eddy_frame_export(eddy_frame *frame, struct ArrowSchema *schema, struct ArrowArray *array,
                      eddy_error *err)
{
    (void)frame;
    (void)schema;
    (void)array;
    return error_set(err, EDDY_EUSAGE, "under way");
}
