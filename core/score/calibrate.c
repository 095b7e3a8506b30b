/* SPDX-License-Identifier: MIT */
/* calibrate.c - from a detector's score to p: how often something this unusual is seen here. */
#include "score/calibrate.h"

#include <math.h>
#include <string.h>

#define CONF(field) offsetof(struct calibrate_conf, field)

static const struct option options[] = {
    {"prior", OPTION_NUMBER, CONF(prior), "200", 1, 1e6,
     "How many past scores a detector's own null model is worth."},
    {"suspicious", OPTION_NUMBER, CONF(suspicious), "1e-5", 0, 1,
     "A score with a lower p, by the null model or by the past, teaches only by calibrate.leak."},
    {"leak", OPTION_NUMBER, CONF(leak), "0.05", 0, 1,
     "How much a suspicious score teaches, where a usual one teaches 1."},
    {"memory", OPTION_NUMBER, CONF(memory), "1e6", 1000, 1e12,
     "Past scores after which the weight of all earlier ones is halved."},
    {0},
};

const struct part calibrate_part = {
    .name = "calibrate",
    .help = "How scores become probabilities.",
    .conf_size = sizeof(struct calibrate_conf),
    .options = options,
};

#define TAIL_QUANTILE    0.95
#define NULL_SCALE       0.43429448190325182 /* 1 / ln(10): mean of -log10(U) */
#define NULL_FROM        1.30102999566398120 /* -log10(0.05): u before anything is seen */
#define FIRST_PASS_SCORE 3.0
#define REFRESH          256 /* samples: a refresh costs about as much as this many adds */

static double null_p(double score)
{
    return exp2(-score * 3.32192809488736235); /* 10^-score; log2(10) */
}

/* p up to u, for a score in this bucket. */
static double p_below(const struct calibration *c, const struct calibrate_conf *conf, double score,
                      size_t bucket)
{
    return (conf->prior * null_p(score) + c->above[bucket]) / (conf->prior + c->total);
}

static void refresh(struct calibration *c, const struct calibrate_conf *conf)
{
    if (c->sketch.total > conf->memory)
        ddsketch_scale(&c->sketch, 0.5);
    double above = 0.0;
    c->above[DDSKETCH_BUCKETS] = 0.0;
    for (size_t i = DDSKETCH_BUCKETS; i-- > 0;)
        c->above[i] = above += c->sketch.weight[i];
    c->total = above;
    c->since = 0;

    /* The prior's own excesses begin at NULL_FROM: u is never below it. */
    c->from = fmax(NULL_FROM, ddsketch_quantile(&c->sketch, TAIL_QUANTILE));
    size_t first = ddsketch_bucket(c->from);
    double weight = conf->prior * null_p(NULL_FROM), excess = weight * NULL_SCALE;
    for (size_t i = first + 1; i < DDSKETCH_BUCKETS; i++) {
        weight += c->sketch.weight[i];
        excess += c->sketch.weight[i] * (ddsketch_value(i) - c->from);
    }
    c->scale = fmax(excess / weight, NULL_SCALE); /* never lighter than the null model's */
    c->p_from = p_below(c, conf, c->from, first);
}

void calibration_begin(struct calibration *c, const struct calibrate_conf *conf)
{
    memset(c, 0, sizeof *c);
    refresh(c, conf);
}

double calibration_p(const struct calibration *c, const struct calibrate_conf *conf, double score)
{
    if (!(score > 0.0))
        return 1.0;
    if (score > c->from)
        return fmax(c->p_from * exp(-(score - c->from) / c->scale), 1e-300);
    return fmin(p_below(c, conf, score, ddsketch_bucket(score)), 1.0);
}

bool calibration_suspicious(const struct calibrate_conf *conf, double score, double p)
{
    return p < conf->suspicious || null_p(score) < conf->suspicious;
}

void calibration_add(struct calibration *c, const struct calibrate_conf *conf, double score,
                     bool first_pass)
{
    if (first_pass && score > FIRST_PASS_SCORE)
        return;
    double p = calibration_p(c, conf, score);
    c->error_expected += 0.01;
    c->error_seen += p <= 0.01;
    ddsketch_add(&c->sketch, score, calibration_suspicious(conf, score, p) ? conf->leak : 1.0);
    if (++c->since >= REFRESH || c->total < REFRESH)
        refresh(c, conf);
}

double calibration_error(const struct calibration *c)
{
    return c->error_expected < 10.0 ? NAN : c->error_seen / c->error_expected;
}
