/* SPDX-License-Identifier: MIT */
/* subscores.h - how even a series is on a scale of 0..1, as hunters of beacons are used to see it.
 *
 * For display only: such a score has no false-positive meaning (random connections reach 0.5 on
 * average). The two measures are those that RITA's documentation names for its beacon score,
 * https://github.com/activecm/rita: symmetry, 1 - |Bowley's skewness| with (Q1 + Q3 - 2 Q2) / (Q3 -
 * Q1) (Bowley, Elements of Statistics, 1920), and closeness, (median - MAD) / median with the
 * median absolute deviation (Hampel, JASA 69, 1974), not below 0. */
#pragma once

#include <stddef.h>

#define SUBSCORE_VALUES 64

/* The mean of symmetry and closeness of up to SUBSCORE_VALUES values >= 0; 0 for fewer than 3. */
double subscore(const double *values, size_t count);
