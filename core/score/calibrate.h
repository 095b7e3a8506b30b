/* SPDX-License-Identifier: MIT */
/* calibrate.h - from a detector's score to p: how often something this unusual is seen here.
 *
 * A detector's score s is -log10 of a p-value under its own null model, which no site follows
 * exactly. Before anything is seen, p = 10^-s. As scores come in, p becomes how often they were
 * that high here:
 *
 *     p(s) = (prior 10^-s + past scores >= s) / (prior + past scores)        up to u
 *     p(s) = p(u) (1 + xi (s - u) / sigma)^(-1/xi)                           beyond
 *
 * u is the 95 % quantile of the past scores, or as far out as 100 of them are left. Excesses
 * over a high threshold follow a generalised Pareto distribution (Pickands 1975; Balkema,
 * de Haan 1974), whose scale sigma and shape xi are fitted by probability-weighted moments
 * (Hosking, Wallis, Technometrics 29, 1987): closed, and good with few excesses. The null model's
 * own excesses, exponential (xi = 0) with the mean 1/ln(10), are part of the fit from the start.
 * The idea of thresholding streams this way: Siffer et al., KDD 2017 (SPOT).
 *
 * Three rates of learning: a usual score teaches 1; one beyond calibrate.suspicious teaches
 * calibrate.leak, so that an attack does not make itself usual; one that is suppressed or known
 * to be malicious never gets here. But every site has its odd moments, and p = 0.001 must happen
 * once in a thousand: 1000 usual scores earn one suspicious score the full rate. A host
 * that was suspicious of late (score/suspects.h) teaches nothing as long as it goes on. */
#pragma once

#include <stdint.h>

#include "part.h"
#include "state/ddsketch.h"

extern const struct part calibrate_part;

struct calibrate_conf {
    double prior;        /* samples the null model is worth */
    double suspicious;   /* a sample with a lower p teaches slowly */
    double leak;         /* how much it teaches */
    double memory;       /* samples after which half is forgotten */
    int64_t learning_us; /* verdicts before this are marked as learning */
};

/* The levels at which the metric compares p with what is seen: 1e-2, 1e-3. */
#define CALIBRATION_LEVELS 2
extern const double calibration_levels[CALIBRATION_LEVELS];

struct calibration {
    struct ddsketch sketch;
    double above[DDSKETCH_BUCKETS + 1]; /* weight from this bucket on, when last refreshed */
    double total;                       /* likewise */
    double from, p_from, scale, shape;  /* u, p(u), sigma, xi */
    double suspicious;                  /* calibrate.suspicious as a score */
    double earned;                      /* suspicious samples that may teach as usual ones do */
    uint32_t since;                     /* samples since the refresh */
    struct {
        double expected, seen; /* of late, with p up to the level */
    } error[CALIBRATION_LEVELS];
};

/* A zeroed calibration must be begun. */
void calibration_begin(struct calibration *c, const struct calibrate_conf *conf);

/* p in (0, 1]; 1 for a score of 0. */
double calibration_p(const struct calibration *c, const struct calibrate_conf *conf, double score);

/* Learns from a score that was new, not one derived from the same evidence again; `p` is what
 * calibration_p says of it; suspicious `again`, it teaches nothing. In the first of two passes
 * nobody has vetted anything, so that an attack that fills the file would make itself usual: see
 * calibration_vetted.
 */
void calibration_add(struct calibration *c, const struct calibrate_conf *conf, double score,
                     double p, bool again);

/* May it teach in the first of two passes? Not what the null model finds rarer than 1 in 1000. */
bool calibration_vetted(double score);

/* Is a score with this p one to learn little from? By the past, or by the null model, which an
 * attack can't make lenient. */
bool calibration_suspicious(const struct calibration *c, const struct calibrate_conf *conf,
                            double score, double p);

/* Too few scores seen: p is still the null model's more than what happens here. */
bool calibration_learning(const struct calibration *c, const struct calibrate_conf *conf);

/* Seen over expected samples with p up to calibration_levels[level], of late: of the last 30 to 60
 * expected ones, so that chance alone moves it by a fifth. 1 is perfect, NAN if fewer than 10
 * are expected. */
double calibration_error(const struct calibration *c, size_t level);
