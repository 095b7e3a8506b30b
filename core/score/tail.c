/* SPDX-License-Identifier: MIT */
/* tail.c - a column far out for this host, its role, or the site.
 *
 * ECOD (Li, Zhao, Hu, Botta, Ionescu, Chen, TKDE 2022) asks of each column how much of the past
 * lies further out. Here the past is streamed into histograms with fixed logarithmic bins, so
 * that nothing depends on what came first, at three levels:
 *
 *     site   all flows                              half-octave bins
 *     role   side (inside out, ...) and service     half-octave bins
 *     host   one source                             four-octave bins, 8 bits each
 *
 * Each level has p = (flows further out + K p_of_the_level_above) / (flows + K): a young host is
 * judged by its role, a young role by the site. Beyond everything seen, the tail is taken to
 * halve with each octave (a Pareto tail of index 1, as Crovella and Bestavros 1997 found for
 * transfer sizes), but no further than 1/n^2: n flows can't tell more.
 *
 * Columns are combined by the harmonic mean of their p (Wilson, PNAS 2019), which suits columns
 * that depend on each other, as bytes and packets do, and tells each one's share. It is too small
 * by a factor of up to about ln(columns) (Vovk, Wang, Biometrika 2020); the calibration corrects
 * that. */
#include <math.h>
#include <string.h>

#include "features/features.h"
#include "row.h"
#include "score/explanation.h"
#include "score/words.h"
#include "state/host.h"

struct tail_conf {
    double role_weight, host_weight;
};

#define CONF(field) offsetof(struct tail_conf, field)

static const struct option options[] = {
    {"role_weight", OPTION_NUMBER, CONF(role_weight), "100", 1, 1e6,
     "How many flows of its own outweigh the site for a role."},
    {"host_weight", OPTION_NUMBER, CONF(host_weight), "32", 1, 1e6,
     "How many flows of its own outweigh the role for a host."},
    {0},
};

/* ---- what is measured ---- */

enum sides { UPPER, BOTH };
enum unit { SECONDS_LOG_US, BYTES_LOG, COUNT_LOG, BYTES, FACTOR_LOG, RATE_LOG };

static const struct measure {
    enum column column;
    enum sides sides;
    enum unit unit;
    double offset; /* added before binning, so that no value is negative */
    double octaves_per_unit;
    const char *what;
} measures[TAIL_COLUMNS] = {
    {COLUMN_bytes_out, UPPER, BYTES_LOG, 0, 1, "sent"},
    {COLUMN_bytes_in, UPPER, BYTES_LOG, 0, 1, "received"},
    {COLUMN_duration, UPPER, SECONDS_LOG_US, 0, 1, "long"},
    {COLUMN_packets_out, UPPER, COUNT_LOG, 0, 1, "packets sent"},
    {COLUMN_packets_in, UPPER, COUNT_LOG, 0, 1, "packets received"},
    {COLUMN_balance, UPPER, FACTOR_LOG, 24, 1, "times as much sent as received"},
    {COLUMN_rate, UPPER, RATE_LOG, 0, 1, "on average"},
    {COLUMN_packet_size_out, BOTH, BYTES, 0, 1.0 / 64, "a packet sent"},
    {COLUMN_packet_size_in, BOTH, BYTES, 0, 1.0 / 64, "a packet received"},
};

#define BINS     96             /* half-octaves: up to 2^48 */
#define COARSE   TAIL_HOST_BINS /* sums of 8 bins, as wide as a host's */
#define HOST_BIN 8              /* bins of the fine histogram in one of a host's */

static unsigned bin_of(const struct measure *m, const struct row *row)
{
    double bin = (row->column[m->column] + m->offset) * m->octaves_per_unit * 2.0;
    return bin <= 0.0 ? 0 : bin >= BINS - 1 ? BINS - 1 : (unsigned)bin;
}

/* The middle of a bin, as a column value. */
static double value_of(const struct measure *m, double bin)
{
    return (bin + 0.5) / 2.0 / m->octaves_per_unit - m->offset;
}

/* ---- baselines ---- */

struct histogram {
    uint32_t count[BINS];
    uint32_t coarse[COARSE];
    uint32_t total;
    uint16_t lowest, highest; /* bins seen; meaningless while total is 0 */
};

enum side { INSIDE_OUT, OUTSIDE_IN, INSIDE, OUTSIDE, SIDE_COUNT };

#define ROLES (SIDE_COUNT * SERVICE_COUNT)

struct tail_state {
    struct histogram site[TAIL_COLUMNS];
    struct histogram role[ROLES][TAIL_COLUMNS];
    double owed; /* of what suspicious flows teach: counts are whole, so every 1/teach-th does */
    double p[TAIL_COLUMNS];     /* of the latest row */
    unsigned bin[TAIL_COLUMNS]; /* likewise */
};

static size_t role_of(const struct row *row)
{
    enum side side = row->src.local ? (row->dst.local || row->dst.group ? INSIDE : INSIDE_OUT)
                                    : (row->dst.local ? OUTSIDE_IN : OUTSIDE);
    return (size_t)side * SERVICE_COUNT + row->service;
}

/* So that the past fades and nothing overflows. What was seen once is forgotten. */
static void histogram_halve(struct histogram *h)
{
    memset(h->coarse, 0, sizeof h->coarse);
    h->total = 0;
    for (unsigned i = 0; i < BINS; i++) {
        h->count[i] /= 2;
        h->coarse[i / HOST_BIN] += h->count[i];
        if (h->count[i] > 0 && h->total == 0)
            h->lowest = (uint16_t)i;
        if (h->count[i] > 0)
            h->highest = (uint16_t)i;
        h->total += h->count[i];
    }
}

static void histogram_add(struct histogram *h, unsigned bin)
{
    if (h->total == 0 || bin < h->lowest)
        h->lowest = (uint16_t)bin;
    if (h->total == 0 || bin > h->highest)
        h->highest = (uint16_t)bin;
    h->count[bin]++;
    h->coarse[bin / HOST_BIN]++;
    if (++h->total < UINT32_C(1) << 20)
        return;
    histogram_halve(h);
}

/* Flows in bins above (or below) this one, and half of those in it. All sums run over all bins and
 * leave out by a mask: that is what a compiler makes short work of. */
static double further_out(const struct histogram *h, unsigned bin, bool low)
{
    uint32_t sum = 0, own = bin / HOST_BIN, inside = bin % HOST_BIN;
    const uint32_t *fine = h->count + own * HOST_BIN;
    if (low) {
        for (unsigned i = 0; i < COARSE; i++)
            sum += i < own ? h->coarse[i] : 0;
        for (unsigned i = 0; i < HOST_BIN; i++)
            sum += i < inside ? fine[i] : 0;
    } else {
        for (unsigned i = 0; i < COARSE; i++)
            sum += i > own ? h->coarse[i] : 0;
        for (unsigned i = 0; i < HOST_BIN; i++)
            sum += i > inside ? fine[i] : 0;
    }
    return sum + 0.5 * fine[inside];
}

/* `above` is the p of the level above, worth `weight` flows; the site has none (weight 0). */
static double histogram_p(const struct histogram *h, unsigned bin, bool low, double above,
                          double weight)
{
    if (h->total == 0)
        return weight > 0 ? above : 1.0;
    double out = fmax(1.0, further_out(h, bin, low)), n = h->total + 1.0;
    double beyond = low ? (double)h->lowest - bin : (double)bin - h->highest;
    if (beyond > 0) /* half-octaves */
        out = exp2(-beyond / 2.0);
    double p = (out + weight * above) / (n + weight);
    return fmax(p, 1.0 / (n * n));
}

/* ---- hosts ---- */

static double host_p(const struct tail_memory *memory, size_t measure, unsigned bin, bool low,
                     double above, double weight)
{
    unsigned own = bin / HOST_BIN, sum = 0;
    const uint8_t *count = memory->count[measure];
    for (unsigned i = 0; i < TAIL_HOST_BINS; i++)
        sum += (low ? i < own : i > own) ? count[i] : 0;
    double out = sum + 0.5 * count[own];
    return (out + weight * above) / (memory->total[measure] + weight);
}

static void host_add(struct tail_memory *memory, size_t measure, unsigned bin)
{
    uint8_t *count = memory->count[measure];
    memory->total[measure]++;
    if (++count[bin / HOST_BIN] < UINT8_MAX)
        return;
    memory->total[measure] = 0;
    for (unsigned i = 0; i < TAIL_HOST_BINS; i++) {
        count[i] /= 2;
        memory->total[measure] = (uint16_t)(memory->total[measure] + count[i]);
    }
}

/* ---- the detector ---- */

#define OF_AGE 20 /* a role with so many times role_weight flows stands on its own */

static double side_p(const struct tail_state *s, const struct tail_conf *conf,
                     const struct row *row, size_t i, unsigned bin, bool low)
{
    const struct histogram *own = &s->role[role_of(row)][i];
    bool of_age = own->total > OF_AGE * conf->role_weight;
    double site = of_age ? 1.0 : histogram_p(&s->site[i], bin, low, 1.0, 0.0);
    double role = histogram_p(own, bin, low, site, of_age ? 0.0 : conf->role_weight);
    return host_p(&row->host->tail, i, bin, low, role, conf->host_weight);
}

static void tail_learn(void *state, const void *settings, struct row *row)
{
    struct tail_state *s = state;
    struct histogram *role = s->role[role_of(row)];
    (void)settings;
    s->owed += row->teach;
    if (s->owed < 1.0)
        return;
    s->owed -= 1.0;
    for (size_t i = 0; i < TAIL_COLUMNS; i++) {
        histogram_add(&s->site[i], s->bin[i]);
        histogram_add(&role[i], s->bin[i]);
        host_add(&row->host->tail, i, s->bin[i]);
    }
}

static void tail_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    struct tail_state *s = state;
    const struct tail_conf *conf = settings;
    unsigned *bins = s->bin;
    double inverse = 0.0;
    for (size_t i = 0; i < TAIL_COLUMNS; i++) {
        const struct measure *m = &measures[i];
        bins[i] = bin_of(m, row);
        s->p[i] = side_p(s, conf, row, i, bins[i], false);
        if (m->sides == BOTH && s->p[i] > 0.5) /* then the other side may be the unusual one */
            s->p[i] = fmin(s->p[i], side_p(s, conf, row, i, bins[i], true));
        if (m->sides == BOTH)
            s->p[i] = fmin(1.0, 2.0 * s->p[i]);
        inverse += 1.0 / s->p[i];
    }
    out->tests = fmax(1.0, row->host->window.flows);
    out->score = out->sample = fmax(0.0, log10(inverse / TAIL_COLUMNS));
}

/* The middle value of the role: what is usual for flows of this kind. */
static double usual_of(const struct tail_state *s, const struct row *row, size_t i)
{
    const struct histogram *h = &s->role[role_of(row)][i];
    uint32_t below = 0;
    for (unsigned bin = 0; bin < BINS; bin++) {
        below += h->count[bin];
        if (below * UINT64_C(2) > h->total)
            return value_of(&measures[i], bin);
    }
    return NAN;
}

static double plain(enum unit unit, double value)
{
    switch (unit) {
    case SECONDS_LOG_US:
        return (exp2(value) - 1.0) * 1e-6;
    case BYTES:
        return value;
    case FACTOR_LOG:
        return exp2(value);
    default:
        return exp2(value) - 1.0;
    }
}

static void say(struct text *text, enum unit unit, double value)
{
    switch (unit) {
    case SECONDS_LOG_US:
        words_seconds(text, value);
        break;
    case BYTES_LOG:
    case BYTES:
        words_bytes(text, value);
        break;
    case RATE_LOG:
        words_bytes(text, value);
        text_add(text, "/s");
        break;
    case FACTOR_LOG:
        text_digits(text, value, 2);
        break;
    default:
        words_count(text, value);
    }
}

static void explain_column(const struct tail_state *s, const struct row *row, size_t i,
                           double share, struct explanation *out)
{
    const struct measure *m = &measures[i];
    double value = plain(m->unit, row->column[m->column]);
    double usual = plain(m->unit, usual_of(s, row, i));
    struct explained *reason =
        explanation_add(out, feature_of(m->column)->name, value, usual, share);
    struct text text = text_over(reason->text, sizeof reason->text);
    say(&text, m->unit, value);
    text_char(&text, ' ');
    text_add(&text, m->what);
    if (!isnan(usual)) {
        text_add(&text, ", usual ");
        say(&text, m->unit, usual);
    }
}

static void tail_explain(const void *state, const void *settings, const struct row *row,
                         struct explanation *out)
{
    const struct tail_state *s = state;
    (void)settings;
    double inverse = 0.0;
    for (size_t i = 0; i < TAIL_COLUMNS; i++)
        inverse += 1.0 / s->p[i];
    bool told[TAIL_COLUMNS] = {false};
    for (size_t n = 0; n < 3; n++) { /* the three with the largest share */
        size_t most = TAIL_COLUMNS;
        for (size_t i = 0; i < TAIL_COLUMNS; i++)
            if (!told[i] && (most == TAIL_COLUMNS || s->p[i] < s->p[most]))
                most = i;
        told[most] = true;
        double share = 1.0 / s->p[most] / inverse;
        if (n > 0 && share < 0.05)
            break;
        explain_column(s, row, most, share, out);
    }
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_add(&text, " had an unusual connection to ");
    words_service(&text, row);
    text_add(&text, ": ");
    text_add(&text, out->reason[0].text);
    text_format(&text, " among %s flows of this kind", row->src.local ? "our hosts'" : "outside");
    if (out->count > 1) {
        text_add(&text, "; also ");
        text_add(&text, out->reason[1].text);
    }
    text_char(&text, '.');
    out->names_peer = out->names_port = true;
}

const struct detector score_tail = {
    .part = {.name = "tail",
             .help = "A column far out for the host, its role or the site.",
             .conf_size = sizeof(struct tail_conf),
             .options = options},
    .technique = "T1030", /* Data Transfer Size Limits: sizes are what it measures */
    .state_size = sizeof(struct tail_state),
    .score = tail_score,
    .learn = tail_learn,
    .explain = tail_explain,
};
