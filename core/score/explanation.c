/* SPDX-License-Identifier: MIT */
/* explanation.c - why: what a detector says of a row in numbers and in words. */
#include "score/explanation.h"

struct explained *explanation_add(struct explanation *e, const char *feature, double value,
                                  double usual, double share)
{
    if (e->count < EXPLANATION_REASONS)
        e->count++;
    struct explained *reason = &e->reason[e->count - 1];
    *reason =
        (struct explained){.feature = feature, .value = value, .usual = usual, .share = share};
    return reason;
}
