/* SPDX-License-Identifier: MIT */
/* beacon.c - regular call-home: a pair whose connections come at too even a pace.
 *
 * Greenwood's statistic G = sum g^2 / (sum g)^2 of the gaps g (J. Royal Stat. Soc. 109, 1946) is
 * 1/k for k equal gaps and 2/(k+1) on average when connections come at random (a Poisson
 * process). Given their sum, random gaps are uniform on a simplex of k - 1 dimensions (Moran,
 * Suppl. J. Royal Stat. Soc. 9, 1947), and G - 1/k is the squared distance r^2 from its centre. So
 *
 *     p = P(G <= seen) <= volume of the ball of radius r / volume of the simplex
 *       = pi^((k-1)/2) / Gamma((k+1)/2)  r^(k-1)  (k-1)! / sqrt(k)
 *
 * exactly while the ball fits into the simplex (r^2 <= 1/(k (k-1))), and from above beyond: never
 * too small a p. Gaps far beyond the median are missed beats or an outage and are left out
 * (capped); connections that come together are one beat. Random gaps of at least t are t and
 * something exponential, so after joining what is closer than t it is the gaps less t that are
 * compared.
 *
 * Much that is regular is benign. What lowers the score is said as counter-evidence: many
 * hosts use the service, it is DNS or a clock or discovery protocol, the other end is one of
 * ours, or the sizes differ. */
#include <math.h>
#include <string.h>

#include "row.h"
#include "score/explanation.h"
#include "score/subscores.h"
#include "score/words.h"
#include "state/host.h"

struct beacon_conf {
    uint64_t min_gaps;
    double outage, together, min_span;
    double most;
    double nature, common, inside, sizes;
    uint64_t common_hosts;
};

#define CONF(field) offsetof(struct beacon_conf, field)

static const struct option options[] = {
    {"min_gaps", OPTION_COUNT, CONF(min_gaps), "10", 4, RING_TIMES - 1,
     "Gaps between connections that are needed before a pair is judged."},
    {"min_span", OPTION_NUMBER, CONF(min_span), "15", 0, 1e7,
     "Seconds over which a pair must have kept its pace: a program's burst is no beacon."},
    {"outage", OPTION_NUMBER, CONF(outage), "6", 1.5, 1e6,
     "A gap of more than this many median gaps is an outage and left out."},
    {"together", OPTION_NUMBER, CONF(together), "0.1", 0, 0.9,
     "Connections closer than this share of the median gap are one beat."},
    {"most", OPTION_NUMBER, CONF(most), "12", 1, 300,
     "The score (-log10 p) that the most regular pair can have before counter-evidence."},
    {"common_hosts", OPTION_COUNT, CONF(common_hosts), "3", 2, 1e9,
     "From so many of our hosts on, a service counts as commonly used."},
    {"common", OPTION_NUMBER, CONF(common), "0.35", 0, 1,
     "What is left of the score when the service is commonly used."},
    {"nature", OPTION_NUMBER, CONF(nature), "0.25", 0, 1,
     "What is left of the score for DNS, clock and discovery protocols: regular by nature, or "
     "echoes of other connections."},
    {"inside", OPTION_NUMBER, CONF(inside), "0.6", 0, 1,
     "What is left of the score when the other end is one of our own hosts."},
    {"sizes", OPTION_NUMBER, CONF(sizes), "0.7", 0, 1,
     "What is left of the score when the sizes vary by 100 % or more."},
    {0},
};

#define JITTER_S 0.002 /* timestamps are no better than this: no set of gaps is more even */

struct beacon_state {
    double log_ball[RING_TIMES]; /* ln of everything in p but r^(k-1), by k */
};

static void beacon_open(void *state, const void *settings)
{
    struct beacon_state *s = state;
    (void)settings;
    double log_factorial = 0.0; /* ln (k-1)! */
    double log_gamma = 0.0;     /* ln Gamma((k+1)/2), by Gamma(x + 1) = x Gamma(x) */
    double gamma_odd = 0.0,
           gamma_even = log(sqrt(acos(-1.0)) / 2); /* k = 1: Gamma(1); k = 2: Gamma(1.5) */
    for (unsigned k = 1; k < RING_TIMES; k++) {
        if (k > 1)
            log_factorial += log(k - 1.0);
        log_gamma = k % 2 == 1 ? gamma_odd : gamma_even;
        if (k % 2 == 1)
            gamma_odd += log((k + 1.0) / 2);
        else
            gamma_even += log((k + 1.0) / 2);
        s->log_ball[k] = (k - 1) / 2.0 * log(acos(-1.0)) - log_gamma + log_factorial - 0.5 * log(k);
    }
}

/* ---- gaps ---- */

struct gaps {
    double gap[RING_TIMES];  /* seconds, between beats */
    double size[RING_TIMES]; /* bytes sent in a beat */
    size_t count, sizes;
};

/* Quickselect (Hoare, Algorithm 65: Find, CACM 1961), on a copy. */
static double median(const double *values, size_t count)
{
    double v[RING_TIMES];
    memcpy(v, values, count * sizeof *v);
    size_t low = 0, high = count - 1, middle = count / 2;
    while (low < high) {
        double pivot = v[(low + high) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] < pivot)
                i++;
            while (v[j] > pivot)
                j--;
            if (i >= j)
                break;
            double moved = v[i];
            v[i++] = v[j];
            v[j--] = moved;
        }
        if (middle <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[middle];
}

/* Gaps of at least `least` seconds; what is closer belongs to the same beat. */
static void gaps_take(const struct ring *ring, double least, struct gaps *out)
{
    double since = 0.0;
    out->count = 0;
    out->sizes = 0;
    out->size[out->sizes++] = ring->size[0];
    for (uint32_t i = 1; i < ring->count; i++) {
        since += (ring->time_ms[i] - ring->time_ms[i - 1]) * 1e-3;
        if (since < least || since <= 0.0) {
            out->size[out->sizes - 1] += ring->size[i];
            continue;
        }
        out->gap[out->count++] = since;
        out->size[out->sizes++] = ring->size[i];
        since = 0.0;
    }
}

/* Leaves out gaps of more than `outage` medians. */
static void gaps_cap(struct gaps *g, double outage)
{
    double limit = outage * median(g->gap, g->count);
    size_t kept = 0;
    for (size_t i = 0; i < g->count; i++)
        if (g->gap[i] <= limit)
            g->gap[kept++] = g->gap[i];
    g->count = kept;
}

static void moments(const double *values, size_t count, double *mean, double *cv)
{
    double sum = 0.0, squares = 0.0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        squares += values[i] * values[i];
    }
    *mean = sum / (double)count;
    double variance = squares / (double)count - *mean * *mean;
    *cv = *mean > 0 ? sqrt(fmax(0.0, variance)) / *mean : 0.0;
}

/* -log10 of the bound on p for k gaps with this coefficient of variation: r = cv / sqrt(k). */
static double regularity(const struct beacon_state *s, size_t k, double mean, double cv)
{
    double least = JITTER_S / mean;
    double r = fmax(cv, least) / sqrt((double)k);
    double log_p = s->log_ball[k] + (double)(k - 1) * log(r);
    return fmax(0.0, -log_p * 0.43429448190325182); /* 1 / ln(10) */
}

static void judge(const struct beacon_state *s, const struct beacon_conf *conf, struct ring *ring)
{
    struct gaps g;
    double mean;
    ring->since = 0;
    ring->score = 0.0f;
    ring->gaps = 0;
    gaps_take(ring, 0.0, &g);
    if (g.count < conf->min_gaps)
        return;
    double least = conf->together * median(g.gap, g.count);
    gaps_take(ring, least, &g);
    if (g.count < conf->min_gaps)
        return;
    gaps_cap(&g, conf->outage);
    if (g.count < conf->min_gaps)
        return;
    double cv;
    moments(g.gap, g.count, &mean, &cv);
    if (mean * (double)g.count < conf->min_span)
        return;
    ring->gaps = (uint32_t)g.count;
    ring->gap_s = (float)mean;
    ring->gap_cv = (float)cv;
    double cv_beyond = cv * mean / (mean - least);
    ring->score = (float)fmin(conf->most, regularity(s, g.count, mean, cv_beyond));
    moments(g.size, g.sizes, &mean, &cv);
    ring->size_cv = (float)cv;
}

/* ---- counter-evidence ---- */

/* What is left of the score, and what took the rest. */
struct doubts {
    double common, nature, inside, sizes;
};

static struct doubts doubts_of(const struct beacon_conf *conf, const struct row *row)
{
    struct doubts d = {1, 1, 1, 1};
    if (row->users >= conf->common_hosts)
        d.common = conf->common;
    if (row->service == SERVICE_CLOCK || row->service == SERVICE_LOCAL ||
        row->service == SERVICE_ICMP || row->service == SERVICE_DNS)
        d.nature = conf->nature;
    if (row->dst.local)
        d.inside = conf->inside;
    d.sizes = 1.0 - (1.0 - conf->sizes) * fmin(1.0, row->ring->size_cv);
    return d;
}

static double left_of(const struct doubts *d)
{
    return d->common * d->nature * d->inside * d->sizes;
}

/* ---- the detector ---- */

static void beacon_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    const struct beacon_conf *conf = settings;
    struct ring *ring = row->ring;
    if (ring == NULL || ring->count <= conf->min_gaps)
        return;
    if (ring->since * 8 >= ring->count) /* an eighth is new: the cost per flow stays small */
        judge(state, conf, ring);
    if (ring->gaps == 0)
        return;
    struct doubts doubts = doubts_of(conf, row);
    out->score = ring->score * left_of(&doubts);
    if (ring->taught == 0)
        row->host->beacon_pairs++;
    out->tests = fmax(1.0, row->host->beacon_pairs); /* 0: the host was evicted, the ring not */
    if (ring->taught == 0 || (ring->count >= 2 * ring->taught)) {
        out->sample_of = OF_PAIR;
        out->sample = out->score; /* a pair teaches when it is first judged and at each doubling */
        ring->taught = ring->count;
    }
}

/* ---- why ---- */

static void doubt(struct explanation *out, const char *feature, double value, double left,
                  const char *words)
{
    if (left >= 0.995)
        return;
    struct explained *reason = explanation_add(out, feature, value, NAN, left - 1.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    text_add(&text, words);
}

static void explain_doubts(const struct beacon_conf *conf, const struct row *row,
                           struct explanation *out)
{
    struct doubts d = doubts_of(conf, row);
    char words[96];
    struct text text = text_over(words, sizeof words);
    text_format(&text, "%u of our hosts use this service", row->users);
    doubt(out, "prevalence", row->users, d.common, words);
    doubt(out, "service", NAN, d.nature, "this protocol is regular by nature");
    doubt(out, "dst_local", 1.0, d.inside, "the other end is one of our own hosts");
    text = text_over(words, sizeof words);
    text_format(&text, "sizes vary by %.0f %%", 100.0 * (double)row->ring->size_cv);
    if (d.sizes < 0.9)
        doubt(out, "size_variation", (double)row->ring->size_cv, d.sizes, words);
}

/* The connections as a plot, and the scores that hunters know from elsewhere. */
static void explain_series(const struct ring *ring, struct explanation *out)
{
    struct gaps g;
    gaps_take(ring, 0.0, &g);
    evidence_begin(out, "gaps", "seconds since the first of them", "seconds since the one before");
    double since = 0.0;
    for (size_t i = 0; i < g.count; i++)
        evidence_point(out, since += g.gap[i], g.gap[i]);
    double timing = subscore(g.gap, g.count), sizes = subscore(g.size, g.sizes);
    struct explained *reason = explanation_add(out, "evenness", (timing + sizes) / 2.0, NAN, 0.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    text_format(&text, "evenness of timing %.2f, of sizes %.2f (1 is perfect; for comparison only)",
                timing, sizes);
}

static void pace(struct text *text, const struct ring *ring)
{
    text_add(text, "every ");
    words_seconds(text, (double)ring->gap_s);
    text_format(text, " +-%.0f %%", 100.0 * (double)ring->gap_cv);
}

static void beacon_explain(const void *state, const void *settings, const struct row *row,
                           struct explanation *out)
{
    (void)state;
    const struct ring *ring = row->ring;
    struct explained *reason =
        explanation_add(out, "gap_variation", (double)ring->gap_cv, 1.0, 1.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    text_format(&text, "%u gaps ", ring->gaps);
    pace(&text, ring);
    text_add(&text, "; connections made by people vary by 100 % or more");
    explain_doubts(settings, row, out);
    explain_series(ring, out);

    text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_add(&text, " calls ");
    words_service(&text, row);
    text_char(&text, ' ');
    pace(&text, ring);
    text_format(&text, ", %u times so far, ", row->pair->flows);
    text_add(&text, ring->size_cv < 0.25f ? "sending much the same each time"
                                          : "sending different amounts");
    text_format(&text, " (+-%.0f %%)", 100.0 * (double)ring->size_cv);
    if (row->users <= 1)
        text_add(&text, "; no other host of ours does.");
    else
        text_format(&text, "; %u hosts of ours do.", row->users);
    out->names_peer = out->names_port = true;
    out->since_us = ring->base_us + (int64_t)ring->time_ms[0] * 1000;
}

const struct detector score_beacon = {
    .part = {.name = "beacon",
             .help = "Regular call-home: connections at too even a pace.",
             .conf_size = sizeof(struct beacon_conf),
             .options = options},
    .technique = "T1071", /* Application Layer Protocol */
    .state_size = sizeof(struct beacon_state),
    .open = beacon_open,
    .score = beacon_score,
    .explain = beacon_explain,
};
