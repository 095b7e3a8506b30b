/* SPDX-License-Identifier: MIT */
/* report_axis.h - from numbers to places in a plot, and the ticks beside them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define AXIS_TICKS 16

enum axis_unit {
    AXIS_NUMBER,
    AXIS_SECONDS, /* a length of time */
    AXIS_TIME     /* seconds since 1970, UTC */
};

struct axis {
    double low, high; /* of the values; low < high */
    double from, to;  /* the same in the drawing */
    enum axis_unit unit;
    bool logarithmic;
};

/* Spans low..high, and a bit where they are the same. Logarithmic if it is asked for and all of it
 * is above zero and over more than 50 to 1. */
struct axis axis_over(double low, double high, enum axis_unit unit, bool may_be_logarithmic);

double axis_at(const struct axis *axis, double value);

/* Round values, about five, in rising order. Returns their number. */
size_t axis_ticks(const struct axis *axis, double ticks[AXIS_TICKS]);

void axis_label(const struct axis *axis, double value, char buf[32]);

/* Where the middle of a label is to be, so that it is not cut at the sides of the drawing. */
double axis_label_at(double at, const char *label, double width);
