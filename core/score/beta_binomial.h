/* SPDX-License-Identifier: MIT */
/* beta_binomial.h - how many of n come true when nobody knows exactly how probable each is.
 *
 * The share of what comes true is itself taken to vary, by a beta distribution: a / (a + b) on
 * average, and the less the larger a + b is. Flows of one window are alike, so that a model that
 * is wrong of one is wrong of many: a binomial distribution, which knows no such thing, would call
 * half of all windows impossible. (Skellam, JRSS B 10, 1948.) */
#pragma once

#include <stdint.h>

#define BETA_BINOMIAL_MOST 4096 /* terms in a sum */

/* P(X >= k) of n; a, b > 0. 1 for k = 0. Of an n above BETA_BINOMIAL_MOST both are scaled down to
 * it, which makes the result rather too large: of so many, the beta distribution decides. */
double beta_binomial_tail(uint64_t n, uint64_t k, double a, double b);
