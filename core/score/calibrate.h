/* SPDX-License-Identifier: MIT */
/* calibrate.h - from a detector's score to p: how often something this unusual is seen here.
 *
 * A detector's score s is -log10 of a p-value under its own null model, which no site follows
 * exactly. Before anything is seen, p = 10^-s. As scores come in, p becomes how often they were
 * that high here:
 *
 *     p(s) = (prior 10^-s + past scores >= s) / (prior + past scores)        up to u
 *     p(s) = p(u) exp(-(s - u) / sigma)                                      beyond
 *
 * u is the 95 % quantile of the past scores. Excesses over a high threshold follow a generalised
 * Pareto distribution (Pickands 1975; Balkema, de Haan 1974), here the exponential one (shape
 * 0), as the tail of -log10 of a uniform p has; sigma is their mean, begun at 1/ln(10).
 * Beyond calibrate.suspicious a score teaches calibrate.leak, not 1, so that an attack does not
 * make itself usual: there p is nearer to the null model's than to how often it was seen.
 * The idea of thresholding streams this way: Siffer et al., KDD 2017 (SPOT). */
#pragma once

#include <stdint.h>

#include "part.h"
#include "state/ddsketch.h"

extern const struct part calibrate_part;

struct calibrate_conf {
    double prior;      /* samples the null model is worth */
    double suspicious; /* a sample with a lower p teaches slowly */
    double leak;       /* how much it teaches */
    double memory;     /* samples after which half is forgotten */
};

struct calibration {
    struct ddsketch sketch;
    double above[DDSKETCH_BUCKETS + 1]; /* weight from this bucket on, when last refreshed */
    double total;                       /* likewise */
    double from, p_from, scale;         /* u, p(u), sigma */
    uint32_t since;                     /* samples since the refresh */
    double error_expected, error_seen;  /* of samples beyond p = 0.01, for the metric */
};

/* A zeroed calibration must be begun. */
void calibration_begin(struct calibration *c, const struct calibrate_conf *conf);

/* p in (0, 1]; 1 for a score of 0. */
double calibration_p(const struct calibration *c, const struct calibrate_conf *conf, double score);

/* Learns from a score that was new, not one derived from the same evidence again. In the first
 * of two passes nobody has vetted anything, so that an attack that fills the file would make
 * itself usual: there, what the null model finds rarer than 1 in 1000 teaches nothing. */
void calibration_add(struct calibration *c, const struct calibrate_conf *conf, double score,
                     bool first_pass);

/* Is a score with this p one to learn little from? By the past, or by the null model. */
bool calibration_suspicious(const struct calibrate_conf *conf, double score, double p);

/* Seen over expected samples with p <= 0.01: 1 is perfect, NAN if fewer than 10 are expected. */
double calibration_error(const struct calibration *c);
