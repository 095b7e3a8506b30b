/* SPDX-License-Identifier: MIT */
/* report_plot.h - what is plotted of an incident, as inline SVG. */
#pragma once

#include <stddef.h>
#include <stdio.h>

#include "eddy.h"

/* The evidence of any detector, by its kind. `number` makes ids of the page unique. Returns whether
 * there was anything to plot. */
int plot_evidence(FILE *to, const eddy_evidence *evidence, size_t number);

/* Flows over time. */
int plot_activity(FILE *to, const eddy_incident *incident, size_t number);
