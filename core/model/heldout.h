/* SPDX-License-Identifier: MIT */
/* heldout.h - how unusual a score is, by the scores of flows that the forest was not grown from.
 *
 *     p(s) = (1 + those in the bin of s or above) / (1 + all)      up to u
 *     p(s) = p(u) exp(-(s - u) / sigma)                            beyond
 *
 * u is reached by one in a hundred of them, and by at least forty. Excesses over it are taken to be
 * exponential (Pickands 1975; Balkema, de Haan 1974: a generalised Pareto distribution, of shape 0
 * here). Scores of an isolation forest end at 1, so their true tail is lighter, and p is rather too
 * large than too small; the calibration corrects that. sigma is the mean excess and twice its
 * standard error sigma / sqrt(k). And p is never below a tenth of 1/n, for that is as far as a few
 * dozen excesses tell anything: where all flows are alike, sigma is tiny, and a flow just a little
 * different must not come out as one in 10^15. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define HELDOUT_BINS 1024 /* over 0..1 */

struct heldout {
    uint32_t count[HELDOUT_BINS];
    uint32_t total;
    /* made by heldout_fit */
    float surprise[HELDOUT_BINS]; /* -log10 p of a score in this bin, up to u */
    double from, surprise_from;   /* u, -log10 p(u) */
    double slope, most;           /* of -log10 p beyond u; its largest value */
};

/* The bin of a score. */
size_t heldout_bin(double score);

/* A zeroed one is empty. */
void heldout_add(struct heldout *heldout, double score);

/* To be called after the last one was added, and before the first question. */
void heldout_fit(struct heldout *heldout);

/* -log10 p, from 0 on. */
double heldout_surprise(const struct heldout *heldout, double score);

/* Of the flows, how many have this score or a higher one, by bins: those in its bin, too. */
uint32_t heldout_above(const struct heldout *heldout, double score);

/* The score in the middle. */
double heldout_middle(const struct heldout *heldout);
