/* SPDX-License-Identifier: MIT */
/* exfil.c - data leaves: a host sends far more to the outside than it usually does.
 *
 * What counts are IP bytes that a host of ours sent to addresses that are not, in conversations it
 * began and that were answered, as a sum that fades with exfil.span (an hour): one large upload and
 * many middling ones weigh alike. A server of ours that answers clients outside did not begin: what
 * it sends is no exfiltration by this measure, and somebody who fetches from it is not found here.
 *
 * Two pieces of evidence, multiplied:
 *
 *   volume    Sums are taken to be log-normal, as transfer sizes are in their body and most of
 *             their tail (Paxson, IEEE/ACM ToN 2, 1994; Downey, INFOCOM 2001), around the host's
 *             own past windows, shrunk to what is usual for any host while it has few:
 *             p = P(Z >= (ln sum - mean) / spread). The tail is heavy, and the spread is never
 *             thought to be below exfil.least_spread, however even a host's past is. With the
 *             prior alone, Slips' 500 MB an hour are at p = 1e-7.
 *   receiver  Most of it went one way to a stranger: an address that the host has known for less
 *             than exfil.span and that no other host of ours uses. Of hosts above the floor,
 *             one in exfil.strange does that, and what is seen here corrects it.
 *
 * The main receiver is found in 8 bytes by Boyer and Moore's majority vote (1981), with bytes for
 * votes: whoever has more than half of all wins it. */
#include <math.h>

#include "row.h"
#include "score/explanation.h"
#include "score/words.h"
#include "state/host.h"
#include "state/window.h"

struct exfil_conf {
    uint64_t floor;
    int64_t span_us;
    double usual, usual_spread, least_spread, prior_windows;
    double strange, one_sided;
    double suspicious, leak;
    uint64_t common_hosts;
    double common, balanced;
};

#define CONF(field) offsetof(struct exfil_conf, field)

static const struct option options[] = {
    {"floor", OPTION_BYTES, CONF(floor), "10M", 1000, 1e15,
     "Less than this sent out in exfil.span is no exfiltration, whatever the past."},
    {"span", OPTION_DURATION, CONF(span_us), "1h", 60, 604800,
     "How long what was sent is remembered: the sum fades to a third in this time."},
    {"usual", OPTION_NUMBER, CONF(usual), "100e3", 100, 1e15,
     "Bytes sent out in exfil.span that are usual for a host not yet known: an hour of browsing."},
    {"usual_spread", OPTION_NUMBER, CONF(usual_spread), "5", 1.1, 1000,
     "Factor by which such hosts and their hours differ."},
    {"least_spread", OPTION_NUMBER, CONF(least_spread), "3", 1.1, 1000,
     "Factor by which the hours of a host are thought to differ at the least."},
    {"prior_windows", OPTION_NUMBER, CONF(prior_windows), "12", 0.1, 1e6,
     "How many windows of its own outweigh what is usual for any host."},
    {"strange", OPTION_NUMBER, CONF(strange), "200", 1, 1e9,
     "Of hosts that send more than exfil.floor, one in so many is thought to send most of it to an "
     "address new to it that no other host uses; what is seen here corrects that."},
    {"one_sided", OPTION_NUMBER, CONF(one_sided), "3", 1, 1e6,
     "Sending so many times as much as is received is an upload; less is a call or a tunnel."},
    {"suspicious", OPTION_NUMBER, CONF(suspicious), "1e-3", 0, 1,
     "A window with a lower p teaches the host's baseline only by exfil.leak."},
    {"leak", OPTION_NUMBER, CONF(leak), "0.05", 0, 1, "How much a suspicious window teaches."},
    {"common_hosts", OPTION_COUNT, CONF(common_hosts), "3", 2, 1e9,
     "From so many of our hosts on, the main receiver counts as commonly used."},
    {"common", OPTION_NUMBER, CONF(common), "0.5", 0, 1,
     "What is left of the score when the main receiver is commonly used."},
    {"balanced", OPTION_NUMBER, CONF(balanced), "0.5", 0, 1,
     "What is left of the score when as much comes back: a call, or file sharing."},
    {0},
};

#define LEAST_BYTES  1000.0 /* sums below this are as good as nothing */
#define MOST_WINDOWS 1000.0 /* a week: older ones fade */

struct exfil_state {
    double heavy, strangers; /* hosts that passed the floor; of them, to a stranger */

    /* of the latest row */
    double closed_sum;    /* what of the host's sum may be learned, when its window closed */
    double closed_weight; /* how far */
    bool passed;          /* the floor was passed with it */
    bool to_stranger;
    struct doubts {
        double common, balanced; /* what is left of the score */
    } doubts;
};

/* ---- the sum, and who gets it ---- */

static bool goes_out(const struct row *row)
{
    return row->src.local && !row->dst.local && !row->dst.group && !row->late && !row->failed;
}

static void fade(struct exfil_memory *m, const struct row *row, int64_t span_us)
{
    uint32_t now_s = (uint32_t)(row->end_us / 1000000);
    if (m->sent > 0.0f && now_s > m->seen_s) {
        float left = expf(-(float)(now_s - m->seen_s) * 1e6f / (float)span_us);
        m->sent *= left;
        m->vetted *= left;
        m->open *= left;
        m->received *= left;
        m->lead *= left;
    }
    if (now_s > m->seen_s)
        m->seen_s = now_s;
}

static void add(struct exfil_memory *m, const struct row *row)
{
    float bytes = (float)row->bytes_out;
    uint32_t peer = (uint32_t)(row->hash.destination >> 32);
    m->sent += bytes;
    m->open += bytes;
    if (m->receiver == peer) {
        m->lead += bytes;
        m->received += (float)row->bytes_in;
    } else if (m->lead >= bytes) {
        m->lead -= bytes;
    } else {
        m->receiver = peer;
        m->lead = bytes - m->lead;
        m->received = (float)row->bytes_in;
    }
}

/* Has the row's destination got most of it? A lead of a third needs two thirds, or nearly. */
static bool is_main(const struct exfil_memory *m, const struct row *row)
{
    return m->receiver == (uint32_t)(row->hash.destination >> 32) && m->lead * 3.0f >= m->sent;
}

/* ---- the null model ---- */

static double mean_of(const struct exfil_conf *conf, const struct exfil_memory *m)
{
    double weight = (double)m->weight / EXFIL_WEIGHT;
    return (log(conf->usual) * conf->prior_windows + (double)m->mean * weight) /
           (conf->prior_windows + weight);
}

static double spread_of(const struct exfil_conf *conf, const struct exfil_memory *m)
{
    double weight = (double)m->weight / EXFIL_WEIGHT, prior = log(conf->usual_spread);
    double variance = (prior * prior * conf->prior_windows + (double)m->variance * weight) /
                      (conf->prior_windows + weight);
    return fmax(sqrt(variance), log(conf->least_spread));
}

/* P(sum >= bytes) of a log-normal variable. */
static double volume_p(const struct exfil_conf *conf, const struct exfil_memory *m, double bytes)
{
    double z = (log(bytes) - mean_of(conf, m)) / spread_of(conf, m);
    return 0.5 * erfc(z * 0.70710678118654752); /* 1 / sqrt(2) */
}

/* How seldom most of it goes to a stranger. */
static double stranger_p(const struct exfil_state *s, const struct exfil_conf *conf)
{
    return (1.0 + s->strangers) / (conf->strange + s->heavy);
}

/* Has the main receiver sent back little? */
static bool is_one_sided(const struct exfil_conf *conf, const struct exfil_memory *m)
{
    return (double)m->lead >= conf->one_sided * (double)m->received;
}

/* New to the host, used by nobody else, and hardly answering. */
static bool is_stranger(const struct exfil_conf *conf, const struct row *row)
{
    return row->users <= 1 && row->flow.start_us - pair_begun_us(row->pair) < conf->span_us &&
           is_one_sided(conf, &row->host->exfil);
}

/* ---- the detector ---- */

/* The window that was open is over. What is sent in an unusual window, or in one that nobody may
 * learn from, stays in the sum for as long as the sum fades; so it is left out of what the windows
 * after it teach. Of a window that was evicted it is not known what it was. */
static void close_window(struct exfil_state *s, const struct exfil_conf *conf,
                         struct exfil_memory *m, const struct row *row)
{
    bool suspicious = (double)m->score / EXFIL_SCORE > -log10(conf->suspicious);
    s->closed_sum = (double)m->vetted + (double)m->open;
    s->closed_weight = row->was.pinned ? 0.0 : suspicious ? conf->leak : 1.0;
    if (row->closed && !row->was.pinned && !suspicious)
        m->vetted += m->open;
    m->open = 0.0f;
    m->score = 0;
}

static void exfil_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    struct exfil_state *s = state;
    const struct exfil_conf *conf = settings;
    struct exfil_memory *m = &row->host->exfil;
    s->passed = false;
    out->sample_of = OF_WINDOW;
    if (row->closed)
        out->sample = (double)m->score / EXFIL_SCORE;
    if (window_begins(row))
        close_window(s, conf, m, row);
    if (!row->late)
        fade(m, row, conf->span_us);
    if (!goes_out(row))
        return;
    double before = (double)m->sent;
    add(m, row);
    double sent = (double)m->sent, floor = (double)conf->floor;
    if (sent < floor || !is_main(m, row))
        return;
    s->passed = before < floor;
    s->to_stranger = is_stranger(conf, row);
    double p = volume_p(conf, m, sent);
    if (s->to_stranger)
        p *= stranger_p(s, conf);
    s->doubts = (struct doubts){.common = row->users >= conf->common_hosts ? conf->common : 1.0,
                                .balanced = is_one_sided(conf, m) ? 1.0 : conf->balanced};
    double score = -log10(fmin(1.0, fmax(p, 1e-300) * 2.0)); /* with the receiver, or without */
    out->score = (score + 0.0) * s->doubts.common * s->doubts.balanced;
    m->score = (uint16_t)fmin(fmax(m->score, out->score * EXFIL_SCORE), UINT16_MAX);
}

static void learn_window(const struct exfil_state *s, struct exfil_memory *m)
{
    double had = (double)m->weight / EXFIL_WEIGHT, weight = s->closed_weight, total = had + weight;
    if (total <= 0.0)
        return;
    /* Welford's update with weights (West, CACM 1979) */
    double value = log(fmax(LEAST_BYTES, s->closed_sum));
    double delta = value - (double)m->mean, mean = (double)m->mean + delta * weight / total;
    m->variance = (float)(((double)m->variance * had + weight * delta * (value - mean)) / total);
    m->mean = (float)mean;
    m->weight = (uint16_t)lround(fmin(total, MOST_WINDOWS) * EXFIL_WEIGHT);
}

static void exfil_learn(void *state, const void *settings, struct row *row)
{
    struct exfil_state *s = state;
    (void)settings;
    if (row->closed && s->closed_weight > 0.0 && row->src.local)
        learn_window(s, &row->host->exfil);
    if (s->passed) {
        s->heavy += row->teach;
        s->strangers += s->to_stranger ? row->teach : 0.0;
    }
}

/* ---- why ---- */

static void say_span(struct text *text, const struct exfil_conf *conf)
{
    if (conf->span_us == 3600000000)
        text_add(text, "an hour");
    else
        words_seconds(text, (double)conf->span_us * 1e-6);
}

static void explain_reasons(const struct exfil_state *s, const struct exfil_conf *conf,
                            const struct row *row, struct explanation *out)
{
    const struct exfil_memory *m = &row->host->exfil;
    double volume = -log10(fmax(volume_p(conf, m, (double)m->sent), 1e-300));
    double stranger = s->to_stranger ? -log10(stranger_p(s, conf)) : 0.0, both = volume + stranger;
    double usual = exp(mean_of(conf, m));
    struct explained *reason = explanation_add(out, "exfil_bytes", (double)m->sent, usual,
                                               both > 0.0 ? volume / both : 1.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    words_bytes(&text, (double)m->sent);
    text_add(&text, " sent out in about ");
    say_span(&text, conf);
    text_add(&text, ", usual ");
    words_bytes(&text, usual);
    if (s->to_stranger) {
        reason = explanation_add(out, "receiver", 1.0, NAN, stranger / both);
        text = text_over(reason->text, sizeof reason->text);
        text_add(&text, "most of it one way to an address new to this host, used by no other");
    }
    if (s->doubts.common < 1.0) {
        reason = explanation_add(out, "prevalence", row->users, NAN, s->doubts.common - 1.0);
        text = text_over(reason->text, sizeof reason->text);
        text_format(&text, "%u of our hosts use the main receiver", row->users);
    }
    if (s->doubts.balanced < 1.0) {
        reason = explanation_add(out, "balance", (double)(m->lead / m->received), conf->one_sided,
                                 s->doubts.balanced - 1.0);
        text = text_over(reason->text, sizeof reason->text);
        words_bytes(&text, (double)m->received);
        text_add(&text, " came back from it: a call or a speed test rather than an upload");
    }
}

/* Which share of hours sends so much or more, by the null model; the mark is this one. */
static void plot(const struct exfil_conf *conf, const struct exfil_memory *m,
                 struct explanation *out)
{
    evidence_begin(out, "distribution", "bytes sent out in a span",
                   "share of spans with so much or more");
    double low = fmin(mean_of(conf, m), log((double)m->sent)), high = log(2.0 * (double)m->sent);
    for (unsigned i = 0; i < 32; i++) {
        double bytes = exp(low + (high - low) * i / 31.0);
        evidence_point(out, bytes, volume_p(conf, m, bytes));
    }
    out->evidence.mark = (double)m->sent;
}

static void exfil_explain(const void *state, const void *settings, const struct row *row,
                          struct explanation *out)
{
    const struct exfil_state *s = state;
    const struct exfil_conf *conf = settings;
    const struct exfil_memory *m = &row->host->exfil;
    explain_reasons(s, conf, row, out);
    plot(conf, m, out);
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_add(&text, " sent ");
    words_bytes(&text, (double)m->sent);
    text_add(&text, " out within about ");
    say_span(&text, conf);
    text_add(&text, m->weight < EXFIL_WEIGHT ? " (usual for a new host: " : " (usual for it: ");
    words_bytes(&text, exp(mean_of(conf, m)));
    text_add(&text, "), most of it to ");
    words_service(&text, row);
    if (s->to_stranger)
        text_add(&text, ", which is new to it and used by no other host of ours");
    else if (row->users > 1)
        text_format(&text, ", which %u of our hosts use", row->users);
    text_char(&text, '.');
    if (row->service == SERVICE_WEB)
        explanation_technique(out, "T1567"); /* Exfiltration Over Web Service */
    out->names_peer = out->names_port = true;
}

const struct detector score_exfil = {
    .part = {.name = "exfil",
             .help = "Data leaves: a host sends far more to the outside than it usually does.",
             .conf_size = sizeof(struct exfil_conf),
             .options = options},
    .technique = "T1048", /* Exfiltration Over Alternative Protocol */
    .state_size = sizeof(struct exfil_state),
    .score = exfil_score,
    .learn = exfil_learn,
    .explain = exfil_explain,
};
