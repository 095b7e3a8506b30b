/* SPDX-License-Identifier: MIT */
/* beta_binomial.c - how many of n come true when nobody knows exactly how probable each is. */
#define _DEFAULT_SOURCE /* lgamma_r: lgamma writes to a global */
#include "score/beta_binomial.h"

#include <math.h>

#define NEGLIGIBLE 1e-15 /* of the sum so far, times all terms to come */

static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

static double log_beta(double a, double b)
{
    return log_gamma(a) + log_gamma(b) - log_gamma(a + b);
}

/* P(X = k) = C(n, k) B(k + a, n - k + b) / B(a, b) */
static double term(double n, double k, double a, double b)
{
    double choose = -log(n + 1.0) - log_beta(n - k + 1.0, k + 1.0);
    return exp(choose + log_beta(k + a, n - k + b) - log_beta(a, b));
}

/* From k upwards, where k is above the mean: with b >= 1, terms only fall there. */
static double sum_up(double n, double k, double a, double b)
{
    double t = term(n, k, a, b), sum = 0.0;
    for (double j = k; j <= n; j++) {
        sum += t;
        t *= (n - j) / (j + 1.0) * ((a + j) / (b + n - j - 1.0));
        if (b >= 1.0 && t * (n - j) <= sum * NEGLIGIBLE)
            break;
    }
    return sum;
}

/* From k downwards, where k is below the mean. */
static double sum_down(double n, double k, double a, double b)
{
    double t = term(n, k, a, b), sum = 0.0;
    for (double j = k; j >= 0.0; j--) {
        sum += t;
        t *= j / (n - j + 1.0) * ((b + n - j) / (a + j - 1.0));
        if (a >= 1.0 && t * j <= sum * NEGLIGIBLE)
            break;
    }
    return sum;
}

double beta_binomial_tail(uint64_t n, uint64_t k, double a, double b)
{
    if (n > BETA_BINOMIAL_MOST) {
        k = (uint64_t)((double)k * BETA_BINOMIAL_MOST / (double)n);
        n = BETA_BINOMIAL_MOST;
    }
    if (k == 0)
        return 1.0;
    double most = (double)n, least = (double)k;
    if (least * (a + b) > most * a)
        return fmin(1.0, sum_up(most, least, a, b));
    return fmax(0.0, 1.0 - sum_down(most, least - 1.0, a, b));
}
