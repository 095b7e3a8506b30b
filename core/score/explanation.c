/* SPDX-License-Identifier: MIT */
/* explanation.c - why: what a detector says of a row in numbers and in words. */
#include "score/explanation.h"

#include <math.h>
#include <string.h>

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

void evidence_begin(struct explanation *e, const char *kind, const char *x_name, const char *y_name)
{
    e->evidence = (struct evidence){.kind = kind, .x_name = x_name, .y_name = y_name, .mark = NAN};
}

void evidence_point(struct explanation *e, double x, double y)
{
    struct evidence *evidence = &e->evidence;
    if (evidence->count == EVIDENCE_POINTS)
        return;
    evidence->x[evidence->count] = (float)x;
    evidence->y[evidence->count++] = (float)y;
}

void explanation_name(struct explanation *e, const char *kind, const char *value)
{
    struct explained_name name = {.kind = kind};
    size_t length = 0;
    for (; value[length] != '\0' && length < sizeof name.value - 1; length++) {
        unsigned char c = (unsigned char)value[length];
        name.value[length] = c < 0x20 || c > 0x7e ? '?' : (char)c;
    }
    for (size_t i = 0; i < e->name_count; i++)
        if (strcmp(e->name[i].kind, kind) == 0 && strcmp(e->name[i].value, name.value) == 0)
            return;
    if (length > 0 && e->name_count < EXPLANATION_NAMES)
        e->name[e->name_count++] = name;
}
