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
     "A score with a lower p, by the null model or by the past, teaches only by calibrate.leak, "
     "and not at all within a day of another by the same host."},
    {"leak", OPTION_NUMBER, CONF(leak), "0.05", 0, 1,
     "How much a suspicious score teaches, where a usual one teaches 1."},
    {"memory", OPTION_NUMBER, CONF(memory), "1e6", 1000, 1e12,
     "Past scores after which the weight of all earlier ones is halved."},
    {"learning", OPTION_DURATION, CONF(learning_us), "24h", 0, 31536000,
     "How long after its first flow a sensor is said to be learning, by the flows' own time."},
    {0},
};

const struct part calibrate_part = {
    .name = "calibrate",
    .help = "How scores become probabilities.",
    .conf_size = sizeof(struct calibrate_conf),
    .options = options,
};

const double calibration_levels[CALIBRATION_LEVELS] = {1e-2, 1e-3};

#define TAIL_QUANTILE 0.95
#define TAIL_SAMPLES  100  /* a scale from so many excesses is right within 10 % (one sigma) */
#define SHAPE_MOST    0.25 /* 40 scales beyond u, p is p(u) 11^-4: still an incident */
#define NULL_SCALE    0.43429448190325182 /* 1 / ln(10): mean of -log10(U) */
#define NULL_FROM     1.30102999566398120 /* -log10(0.05): u before anything is seen */
#define VETTED_SCORE  3.0
#define REFRESH       256  /* samples: a refresh costs about as much as this many adds */
#define EARNS         1e-3 /* of a suspicious sample at the full rate, for each usual one */
#define EARNED_MOST   10.0 /* so that a quiet year does not pay for one attack */
#define ERROR_KEPT    60.0 /* expected samples at which both counts of the error are halved */
#define ERROR_LEAST   10.0

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

/* Scale and shape from the excesses over u, a0 = E[Y] and a1 = E[Y (1 - F(Y))]. Of the null
 * model's, that is its scale and a quarter of it. */
static void fit_tail(struct calibration *c, const struct calibrate_conf *conf, size_t first)
{
    double prior = conf->prior * null_p(NULL_FROM), weight = c->above[first + 1];
    double a0 = prior * NULL_SCALE, a1 = prior * NULL_SCALE / 4.0;
    for (size_t i = first + 1; i < DDSKETCH_BUCKETS; i++) {
        double own = c->sketch.weight[i];
        if (own <= 0.0)
            continue;
        double excess = ddsketch_value(i) - c->from;
        a0 += own * excess;
        a1 += own * excess * (c->above[i + 1] + 0.5 * own) / weight;
    }
    a0 /= prior + weight;
    a1 /= prior + weight;
    /* Hosking and Wallis: xi = 2 - a0 / (a0 - 2 a1), sigma = 2 a0 a1 / (a0 - 2 a1) = a0 (1 - xi).
     * A tail that ends (xi < 0) is nothing to rely on, nor is one lighter than the null model's. */
    double shape = 2.0 - a0 / (a0 - 2.0 * a1);
    c->shape = shape > 0.0 ? fmin(shape, SHAPE_MOST) : 0.0;
    c->scale = fmax(a0 * (1.0 - c->shape), NULL_SCALE);
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
    c->suspicious = -log10(conf->suspicious); /* infinite for 0 */

    /* The prior's own excesses begin at NULL_FROM: u is never below it. */
    double quantile = fmax(TAIL_QUANTILE, 1.0 - TAIL_SAMPLES / fmax(c->total, 1.0));
    c->from = fmax(NULL_FROM, ddsketch_quantile(&c->sketch, quantile));
    size_t first = ddsketch_bucket(c->from);
    fit_tail(c, conf, first);
    c->p_from = p_below(c, conf, c->from, first);
}

void calibration_begin(struct calibration *c, const struct calibrate_conf *conf)
{
    memset(c, 0, sizeof *c);
    refresh(c, conf);
}

/* What is left of p(u) this far beyond u. */
static double tail_share(const struct calibration *c, double excess)
{
    if (c->shape < 1e-6)
        return exp(-excess / c->scale);
    return pow(1.0 + c->shape * excess / c->scale, -1.0 / c->shape);
}

double calibration_p(const struct calibration *c, const struct calibrate_conf *conf, double score)
{
    if (!(score > 0.0))
        return 1.0;
    if (score > c->from)
        return fmax(c->p_from * tail_share(c, score - c->from), 1e-300);
    return fmin(p_below(c, conf, score, ddsketch_bucket(score)), 1.0);
}

bool calibration_suspicious(const struct calibration *c, const struct calibrate_conf *conf,
                            double score, double p)
{
    return p < conf->suspicious || score > c->suspicious;
}

bool calibration_vetted(double score)
{
    return score <= VETTED_SCORE;
}

bool calibration_learning(const struct calibration *c, const struct calibrate_conf *conf)
{
    return c->total < conf->prior;
}

static void compare(struct calibration *c, double p)
{
    for (size_t i = 0; i < CALIBRATION_LEVELS; i++) {
        c->error[i].expected += calibration_levels[i];
        c->error[i].seen += p <= calibration_levels[i];
        if (c->error[i].expected > ERROR_KEPT) {
            c->error[i].expected /= 2.0;
            c->error[i].seen /= 2.0;
        }
    }
}

void calibration_add(struct calibration *c, const struct calibrate_conf *conf, double score,
                     double p, bool again)
{
    double teach = 1.0;
    compare(c, p);
    if (!calibration_suspicious(c, conf, score, p))
        c->earned = fmin(c->earned + EARNS, EARNED_MOST);
    else if (again)
        teach = 0.0;
    else if (c->earned >= 1.0)
        c->earned -= 1.0;
    else
        teach = conf->leak;
    ddsketch_add(&c->sketch, score, teach);
    if (++c->since >= REFRESH || c->total < REFRESH)
        refresh(c, conf);
}

double calibration_error(const struct calibration *c, size_t level)
{
    return c->error[level].expected < ERROR_LEAST * (1.0 - 1e-9)
               ? NAN
               : c->error[level].seen / c->error[level].expected;
}
