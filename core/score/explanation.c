/* SPDX-License-Identifier: MIT */
/* explanation.c - why: what a detector says of a row in numbers and in words. */
#include "score/explanation.h"

#include <math.h>
#include <stdio.h>
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

void explanation_technique(struct explanation *e, const char *technique)
{
    (void)snprintf(e->technique, sizeof e->technique, "%s", technique); /* longer ones are cut */
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

void evidence_grow(struct explanation *e, const char *y_name, double value)
{
    evidence_begin(e, "over_time", "seconds since the first flow", y_name);
    evidence_point(e, 0.0, value);
    e->evidence.grows = true;
}

void evidence_continue(struct evidence *evidence, const struct evidence *before, double now_s)
{
    if (!evidence->grows)
        return;
    float value = evidence->y[0];
    bool same = before->grows && before->count > 0 && strcmp(before->y_name, evidence->y_name) == 0;
    if (same)
        *evidence = *before;
    else
        evidence->count = 0;
    if (evidence->count == EVIDENCE_POINTS) { /* every second point goes, but for the first */
        for (size_t i = 1; i < EVIDENCE_POINTS / 2; i++) {
            evidence->x[i] = evidence->x[2 * i];
            evidence->y[i] = evidence->y[2 * i];
        }
        evidence->count = EVIDENCE_POINTS / 2;
    }
    /* Records come in odd order: the plot is of when it was known. */
    double last_s = evidence->count > 0 ? (double)evidence->x[evidence->count - 1] : 0.0;
    evidence->x[evidence->count] = (float)fmax(now_s, last_s);
    evidence->y[evidence->count++] = value;
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
