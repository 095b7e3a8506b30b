/* SPDX-License-Identifier: MIT */
/* report_timeline.h - all incidents over time, a row for each detector, as inline SVG. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "store.h"

#define TIMELINE_MAX 2000 /* bars; what is beyond is not drawn */

/* The first `count` incidents, those sent before those held back. `linked` of them have a section
 * of their own, #i0 and so on. False when out of memory. */
int plot_timeline(FILE *to, const struct stored *const *incidents, size_t count, size_t linked);
