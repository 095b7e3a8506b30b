/* SPDX-License-Identifier: MIT */
/* tail.c - a column far out for this host, its role, or the site.
 *
 * ECOD (Li, Zhao, Hu, Botta, Ionescu, Chen, TKDE 2022) asks of each column how much of the past
 * lies further out. Here the past is streamed into histograms with fixed logarithmic bins, so
 * that nothing depends on what came first, at four levels:
 *
 *     site   all flows                                        half-octave bins
 *     kind   side (inside out, ...) and service               half-octave bins
 *     role   the same, of clients, servers or devices         half-octave bins
 *     host   one source                                       four-octave bins, 8 bits each
 *
 * Each level has p = (flows further out + K p_of_the_level_above) / (flows + K): a young host is
 * judged by its role, a young role by the kind of flow, a young kind by the site.
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
#include "score/histogram.h"
#include "score/prior.h"
#include "score/role.h"
#include "score/words.h"
#include "state/host.h"

struct tail_conf {
    double role_weight, host_weight;
    double prior_weight;
};

#define CONF(field) offsetof(struct tail_conf, field)

static const struct option options[] = {
    {"role_weight", OPTION_NUMBER, CONF(role_weight), "100", 1, 1e6,
     "How many flows of its own outweigh the level above for a kind of flow, and for a role."},
    {"host_weight", OPTION_NUMBER, CONF(host_weight), "32", 1, 1e6,
     "How many flows of its own outweigh the role for a host."},
    {"prior_weight", OPTION_NUMBER, CONF(prior_weight), "100", 0, 10000,
     "How many flows the past that eddy comes with is worth, for each kind of flow; 0 begins "
     "blind."},
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
    const char *what; /* after the value */
    const char *axis; /* of the plot */
} measures[TAIL_COLUMNS] = {
    {COLUMN_bytes_out, UPPER, BYTES_LOG, 0, 1, "sent", "bytes sent"},
    {COLUMN_bytes_in, UPPER, BYTES_LOG, 0, 1, "received", "bytes received"},
    {COLUMN_duration, UPPER, SECONDS_LOG_US, 0, 1, "long", "duration, seconds"},
    {COLUMN_packets_out, UPPER, COUNT_LOG, 0, 1, "packets sent", "packets sent"},
    {COLUMN_packets_in, UPPER, COUNT_LOG, 0, 1, "packets received", "packets received"},
    {COLUMN_balance, UPPER, FACTOR_LOG, 24, 1, "times as much sent as received",
     "bytes sent over bytes received"},
    {COLUMN_rate, UPPER, RATE_LOG, 0, 1, "on average", "bytes per second"},
    {COLUMN_packet_size_out, BOTH, BYTES, 0, 1.0 / 64, "a packet sent", "bytes per packet sent"},
    {COLUMN_packet_size_in, BOTH, BYTES, 0, 1.0 / 64, "a packet received",
     "bytes per packet received"},
};

#define BINS     HISTOGRAM_BINS
#define HOST_BIN (BINS / TAIL_HOST_BINS) /* bins of a histogram in one of a host's */

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

enum side { INSIDE_OUT, OUTSIDE_IN, INSIDE, OUTSIDE, SIDE_COUNT };

#define KINDS (SIDE_COUNT * SERVICE_COUNT)

typedef struct histogram columns[TAIL_COLUMNS];

struct tail_state {
    columns site, kind[KINDS];
    columns role[ROLE_COUNT][KINDS]; /* of hosts whose role is not known: none */
    double owed; /* of what suspicious flows teach: counts are whole, so every 1/teach-th does */
    double p[TAIL_COLUMNS];     /* of the latest row */
    unsigned bin[TAIL_COLUMNS]; /* likewise */
};

static size_t kind_of(const struct row *row)
{
    enum side side = row->src.local ? (row->dst.local || row->dst.group ? INSIDE : INSIDE_OUT)
                                    : (row->dst.local ? OUTSIDE_IN : OUTSIDE);
    return (size_t)side * SERVICE_COUNT + row->service;
}

/* ---- hosts ---- */

/* Masks that slide: TAIL_HOST_BINS of them from further + TAIL_HOST_BINS - 1 - own on are set where
 * i > own; from nearer + the same, where i < own. */
#define NONE4 0, 0, 0, 0
#define ALL4  UINT8_MAX, UINT8_MAX, UINT8_MAX, UINT8_MAX
static const uint8_t further[2 * TAIL_HOST_BINS] = {NONE4, NONE4, NONE4, ALL4, ALL4, ALL4};
static const uint8_t nearer[2 * TAIL_HOST_BINS] = {ALL4, ALL4, UINT8_MAX, UINT8_MAX, UINT8_MAX};

/* The sum of the counts whose masks are set: twelve bytes as two words, without a branch. */
static unsigned sum_of(const uint8_t *count, const uint8_t *mask)
{
    const uint64_t pairs = UINT64_C(0x00ff00ff00ff00ff);
    uint64_t eight, mask_8;
    uint32_t four, mask_4;
    memcpy(&eight, count, 8), memcpy(&mask_8, mask, 8);
    memcpy(&four, count + 8, 4), memcpy(&mask_4, mask + 8, 4);
    eight &= mask_8;
    four &= mask_4;
    uint64_t sums = (eight & pairs) + (eight >> 8 & pairs) + (four & pairs) + (four >> 8 & pairs);
    return (unsigned)(sums * UINT64_C(0x0001000100010001) >> 48);
}

static double host_p(const struct tail_memory *memory, size_t measure, unsigned bin, bool low,
                     double above, double weight)
{
    _Static_assert(TAIL_HOST_BINS == 12, "sum_of adds twelve");
    unsigned own = bin / HOST_BIN;
    const uint8_t *count = memory->count[measure];
    unsigned sum = sum_of(count, (low ? nearer : further) + TAIL_HOST_BINS - 1 - own);
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

#define OF_AGE 20 /* a level with so many times role_weight flows stands on its own */

/* The levels above the host, from the lowest; the site last. */
#define LEVELS 3

static size_t levels_of(const struct tail_state *s, const struct row *row,
                        const struct histogram *out[LEVELS])
{
    size_t kind = kind_of(row), n = 0;
    enum role role = role_of_host(row->host);
    if (role != ROLE_UNKNOWN)
        out[n++] = s->role[role][kind];
    out[n++] = s->kind[kind];
    out[n++] = s->site;
    return n;
}

/* How many of the levels count: up to the first that stands on its own. */
static size_t levels_needed(const struct histogram *const level[LEVELS], size_t levels,
                            double weight)
{
    for (size_t n = 1; n < levels; n++)
        if (level[n - 1]->total > OF_AGE * weight)
            return n;
    return levels;
}

static double side_p(const struct tail_conf *conf, const struct tail_memory *host,
                     const struct histogram *const level[LEVELS], size_t levels, size_t i,
                     unsigned bin, bool low)
{
    double p = histogram_p(&level[levels - 1][i], bin, low, 1.0, 0.0);
    for (size_t n = levels - 1; n-- > 0;)
        p = histogram_p(&level[n][i], bin, low, p, conf->role_weight);
    return host_p(host, i, bin, low, p, conf->host_weight);
}

static void tail_open(void *state, const void *settings)
{
    struct tail_state *s = state;
    const struct tail_conf *conf = settings;
    for (size_t i = 0; i < prior_line_count; i++) {
        const struct prior_line *line = &prior_lines[i];
        struct histogram *level = line->kind < KINDS ? s->kind[line->kind] : s->site;
        prior_fill(&level[line->column], line, conf->prior_weight);
    }
}

static void tail_learn(void *state, const void *settings, struct row *row)
{
    struct tail_state *s = state;
    (void)settings;
    s->owed += row->teach;
    if (s->owed < 1.0)
        return;
    s->owed -= 1.0;
    enum role role = role_of_host(row->host);
    for (size_t i = 0; i < TAIL_COLUMNS; i++) {
        host_add(&row->host->tail, i, s->bin[i]);
        if (row->again) /* one host, however long it goes on, makes nothing usual for others */
            continue;
        histogram_add(&s->site[i], s->bin[i]);
        histogram_add(&s->kind[kind_of(row)][i], s->bin[i]);
        if (role != ROLE_UNKNOWN)
            histogram_add(&s->role[role][kind_of(row)][i], s->bin[i]);
    }
}

static double least_of(double a, double b) /* fmin() is a call */
{
    return a < b ? a : b;
}

static void tail_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    struct tail_state *s = state;
    const struct tail_conf *conf = settings;
    const struct tail_memory *host = &row->host->tail;
    const struct histogram *level[LEVELS];
    size_t levels = levels_needed(level, levels_of(s, row, level), conf->role_weight);
    unsigned *bins = s->bin;
    double inverse = 0.0;
    for (size_t i = 0; i < TAIL_COLUMNS; i++) { /* all on their way before the first is read */
        bins[i] = bin_of(&measures[i], row);
        histogram_prefetch(&level[0][i], bins[i]);
    }
    for (size_t i = 0; i < TAIL_COLUMNS; i++) {
        double p = side_p(conf, host, level, levels, i, bins[i], false);
        if (measures[i].sides == BOTH && p > 0.5) /* then the other may be the unusual one */
            p = least_of(p, side_p(conf, host, level, levels, i, bins[i], true));
        s->p[i] = measures[i].sides == BOTH ? least_of(1.0, 2.0 * p) : p;
        inverse += 1.0 / s->p[i];
    }
    out->tests = fmax(1.0, row->window->flows);
    out->score = out->sample = fmax(0.0, log10(inverse / TAIL_COLUMNS));
}

/* The narrowest level that has seen enough to say what is usual for flows of this kind. */
static const struct histogram *usual_of(const struct tail_state *s, const struct tail_conf *conf,
                                        const struct row *row, size_t i)
{
    const struct histogram *level[LEVELS];
    size_t levels = levels_of(s, row, level), n = 0;
    while (n + 1 < levels && level[n]->total < conf->role_weight)
        n++;
    return &level[n][i];
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

/* What a person reads: "30 MB sent", "lasted 9.2 h". */
static void say_value(struct text *text, const struct measure *m, double value)
{
    if (m->column == COLUMN_duration) {
        text_add(text, "lasted ");
        say(text, m->unit, value);
        return;
    }
    say(text, m->unit, value);
    text_char(text, ' ');
    text_add(text, m->what);
}

static void explain_column(const struct histogram *past, const struct row *row, size_t i,
                           double share, struct explanation *out)
{
    const struct measure *m = &measures[i];
    double value = plain(m->unit, row->column[m->column]), usual = NAN;
    if (past->total > 0)
        usual = plain(m->unit, value_of(m, histogram_middle(past)));
    struct explained *reason =
        explanation_add(out, feature_of(m->column)->name, value, usual, share);
    struct text text = text_over(reason->text, sizeof reason->text);
    say_value(&text, m, value);
    if (!isnan(usual)) {
        text_add(&text, ", usual ");
        say(&text, m->unit, usual);
    }
}

/* The past of the column that counted most, and where this flow is in it. Bins are joined by twos
 * where there are more than points. */
static void explain_plot(const struct histogram *past, const struct row *row, size_t i,
                         struct explanation *out)
{
    const struct measure *m = &measures[i];
    if (past->total == 0)
        return;
    unsigned width = (unsigned)(past->highest - past->lowest) < EVIDENCE_POINTS ? 1 : 2;
    evidence_begin(out, "distribution", m->axis, "share of such flows");
    for (unsigned bin = past->lowest; bin <= past->highest; bin += width) {
        double count = past->count[bin];
        if (width == 2 && bin + 1 < BINS)
            count += past->count[bin + 1];
        double middle = value_of(m, bin + (width - 1) / 2.0);
        evidence_point(out, plain(m->unit, middle), count / past->total);
    }
    out->evidence.mark = plain(m->unit, row->column[m->column]);
}

/* "among our servers' flows of this kind" */
static void say_whose(struct text *text, const struct row *row)
{
    const char *role = row->src.local ? role_names[role_of_host(row->host)] : NULL;
    if (role != NULL)
        text_format(text, " among our %ss' flows of this kind", role);
    else
        text_format(text, " among %s flows of this kind",
                    row->src.local ? "our hosts'" : "outside");
}

static void tail_explain(const void *state, const void *settings, const struct row *row,
                         struct explanation *out)
{
    const struct tail_state *s = state;
    const struct tail_conf *conf = settings;
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
        const struct histogram *past = usual_of(s, conf, row, most);
        explain_column(past, row, most, share, out);
        if (n == 0)
            explain_plot(past, row, most, out);
        /* Protocol Tunneling: open for longer than its kind ever is */
        if (n == 0 && measures[most].column == COLUMN_duration)
            explanation_technique(out, "T1572");
    }
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_add(&text, " had an unusual connection to ");
    words_service(&text, row);
    text_add(&text, ": ");
    text_add(&text, out->reason[0].text);
    say_whose(&text, row);
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
    .open = tail_open,
    .score = tail_score,
    .learn = tail_learn,
    .explain = tail_explain,
};
