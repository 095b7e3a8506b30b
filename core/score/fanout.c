/* SPDX-License-Identifier: MIT */
/* fanout.c - scans and sweeps: a host that tries many destinations or ports.
 *
 * Two quantities of a host's window (state/host.h):
 *
 *   width   how many hosts failed on one port, or ports of one host, or the like for a grid of
 *           both, whichever is most, times the share of peers that failed. A sweep and a port
 *           scan are wide. A file-sharing program fails at many peers too, but each on a port of
 *           its own. That failed first contacts tell scanners from others is the finding of Jung,
 *           Paxson, Berger, Balakrishnan, IEEE S&P 2004.
 *   peers   all destinations (HyperLogLog), for those that sweep without failing.
 *
 * Each is compared with the host's own past windows, shrunk to what is usual for any host while
 * it has few. Beyond usual, p falls as a power of the factor: (factor)^-power. With 5, a host not
 * yet known that fails at some 20 hosts on one port within a window is an incident (NEMEA's
 * detectors use a fixed count of 50); from then on the calibration says what the factor means
 * here. */
#include <math.h>

#include "row.h"
#include "score/explanation.h"
#include "score/words.h"
#include "state/host.h"
#include "state/window.h"

struct fanout_conf {
    double usual_width, usual_peers, usual_spread;
    double prior_windows;
    double power;
    double leak, suspicious;
};

#define CONF(field) offsetof(struct fanout_conf, field)

static const struct option options[] = {
    {"usual_width", OPTION_NUMBER, CONF(usual_width), "1.5", 1, 1e6,
     "Failed hosts on one port (or ports of one host) in a window that are usual for a host not "
     "yet known."},
    {"usual_peers", OPTION_NUMBER, CONF(usual_peers), "20", 1, 1e6,
     "Destinations in a window that are usual for a host not yet known."},
    {"usual_spread", OPTION_NUMBER, CONF(usual_spread), "4", 1, 1000,
     "Factor by which a host's destinations usually vary from window to window."},
    {"prior_windows", OPTION_NUMBER, CONF(prior_windows), "6", 0.1, 1e6,
     "How many windows of its own outweigh what is usual for any host."},
    {"power", OPTION_NUMBER, CONF(power), "5", 0.5, 20,
     "How fast p falls with the factor over the usual, before calibration."},
    {"suspicious", OPTION_NUMBER, CONF(suspicious), "1e-3", 0, 1,
     "A window with a lower p teaches the host's baseline only by fanout.leak."},
    {"leak", OPTION_NUMBER, CONF(leak), "0.05", 0, 1, "How much a suspicious window teaches."},
    {0},
};

/* exp of the mean log of past windows and the prior. */
static double usual(double prior_mean, const struct fanout_conf *conf, double mean, double weight)
{
    return exp((prior_mean * conf->prior_windows + mean * weight) / (conf->prior_windows + weight));
}

static double usual_width(const struct fanout_conf *conf, const struct fanout_memory *m)
{
    return usual(log(conf->usual_width), conf, m->width_mean, m->weight);
}

static double usual_peers(const struct fanout_conf *conf, const struct fanout_memory *m)
{
    return usual(log(conf->usual_peers), conf, m->peers_mean, m->weight);
}

/* The factor by which the host's peers vary: exp of the standard deviation of their log. */
static double spread(const struct fanout_conf *conf, const struct fanout_memory *m)
{
    double prior = log(conf->usual_spread);
    double variance = (prior * prior * conf->prior_windows + (double)m->peers_var * m->weight) /
                      (conf->prior_windows + m->weight);
    return exp(sqrt(variance));
}

/* -log10 of (value / usual)^-power; 0 where it is not above the usual. */
static double exceed(double value, double usual_value, double power)
{
    return value > usual_value ? power * log10(value / usual_value) : 0.0;
}

static double width_score(const struct fanout_conf *conf, const struct row *row)
{
    if (row->window->failed_targets < WINDOW_TARGETS)
        return 0.0;
    return exceed(window_width(row->window), usual_width(conf, &row->host->fanout), conf->power);
}

static double peers_score(const struct fanout_conf *conf, const struct row *row)
{
    double limit = usual_peers(conf, &row->host->fanout) * spread(conf, &row->host->fanout);
    return exceed(row->window->peer_count, limit, conf->power);
}

/* Teaches the host's baseline what the closed window came to. */
static void fanout_learn(void *state, const void *settings, struct row *row)
{
    const struct fanout_conf *conf = settings;
    struct fanout_memory *m = &row->host->fanout;
    (void)state;
    if (!row->closed || row->was.pinned)
        return;
    bool suspicious = row->was.score > -log10(conf->suspicious);
    double weight = suspicious ? conf->leak : 1.0;
    double peers = log(fmax(1.0, row->was.peers)), width = log(fmax(1.0, row->was.width));
    double total = m->weight + weight;
    if (total <= 0.0)
        return;
    /* Welford's update with weights (West, CACM 1979) */
    double delta = peers - m->peers_mean, mean = m->peers_mean + delta * weight / total;
    double var = (m->peers_var * m->weight + weight * delta * (peers - mean)) / total;
    m->peers_mean = (float)mean;
    m->peers_var = (float)var;
    m->width_mean += (float)((width - m->width_mean) * weight / total);
    m->weight = (float)fmin(total, 1000.0); /* a week of windows: older ones fade */
}

/* Does this flow take part: did it fail, or is its target new to the host? */
static bool takes_part(const struct row *row)
{
    return !row->late && !row->dst.group && (row->failed || row->fresh);
}

static void fanout_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    (void)state;
    const struct fanout_conf *conf = settings;
    struct host *host = row->host;
    if (row->closed) {
        out->sample = row->was.score;
        out->sample_of = OF_WINDOW;
    }
    if (window_begins(row)) /* also after one that was evicted */
        host->fanout.score = 0.0f;
    if (!takes_part(row))
        return;
    double wide = width_score(conf, row), many = peers_score(conf, row);
    double score = fmax(wide, many) - 0.30103; /* log10(2): the better of two looks */
    host->fanout.score = (float)fmax(0.0, fmax(score, host->fanout.score));
    if (!row->failed && wide >= many) /* an answered flow is no part of a scan that fails */
        return;
    out->score = fmax(0.0, score);
}

/* ---- why ---- */

enum shape { SWEEP, PORT_SCAN, GRID };

static enum shape shape_of(const struct window *w)
{
    if (window_grid(w) > 1.5 * fmax(w->on_port, w->at_peer) && w->failed_peer_count >= 2)
        return GRID;
    return w->at_peer > w->on_port ? PORT_SCAN : SWEEP;
}

static void say_port(struct text *text, uint32_t port)
{
    const char *proto = (port & 255) == 6 ? "tcp" : (port & 255) == 17 ? "udp" : NULL;
    if (proto == NULL)
        text_format(text, "protocol %u", port & 255);
    else
        text_format(text, "port %u/%s", port >> 8, proto);
}

/* The counts are of one peer; this row may be of another. */
static bool is_of_peer(const struct row *row)
{
    return row->window->peer == (uint32_t)row->hash.destination;
}

/* Small numbers with a digit more: what is usual may be 1.5. */
static void say_usual(struct text *text, double usual)
{
    if (usual < 10.0)
        text_digits(text, usual, 2);
    else
        words_count(text, round(usual));
}

/* "10.1.2.3 sweeps port 23/tcp: 150 hosts did not answer, 186 targets in all" */
static void explain_shape(const struct row *row, struct text *text)
{
    const struct window *w = row->window;
    switch (shape_of(w)) {
    case GRID:
        text_format(text,
                    " scans about %.0f ports of about %.0f hosts: ", (double)w->failed_port_count,
                    (double)w->failed_peer_count);
        words_count(text, w->failed_targets);
        text_add(text, " targets did not answer");
        return;
    case PORT_SCAN:
        text_add(text, " scans ports of ");
        if (is_of_peer(row))
            words_place(text, row->flow.dst, &row->dst);
        else
            text_add(text, "one host");
        text_format(text, ": %u of them did not answer", w->at_peer);
        break;
    case SWEEP:
        text_add(text, " sweeps ");
        say_port(text, w->port);
        text_format(text, ": %u hosts did not answer", w->on_port);
    }
    if (w->failed_targets > 1.2 * fmax(w->on_port, w->at_peer)) {
        text_add(text, ", ");
        words_count(text, w->failed_targets);
        text_add(text, " targets in all");
    }
}

static void explain_width(const struct fanout_conf *conf, const struct row *row, double share,
                          struct explanation *out)
{
    const struct window *w = row->window;
    double usual_value = usual_width(conf, &row->host->fanout);
    struct explained *reason =
        explanation_add(out, "window_width", window_width(w), usual_value, share);
    struct text text = text_over(reason->text, sizeof reason->text);
    words_count(&text, round(window_width(w)));
    static const char *const words[] = {[SWEEP] = " hosts on one port did not answer",
                                        [PORT_SCAN] = " ports of one host did not answer",
                                        [GRID] = " targets wide is the scan"};
    text_add(&text, words[shape_of(w)]);
    text_add(&text, ", usual ");
    say_usual(&text, usual_value);
}

static void explain_peers(const struct fanout_conf *conf, const struct row *row, double share,
                          struct explanation *out)
{
    double usual_value = usual_peers(conf, &row->host->fanout);
    struct explained *reason =
        explanation_add(out, "window_peers", row->window->peer_count, usual_value, share);
    struct text text = text_over(reason->text, sizeof reason->text);
    words_count(&text, round(row->window->peer_count));
    text_add(&text, " destinations in the window, usual ");
    say_usual(&text, usual_value);
}

/* What succeeded speaks against a scan. */
static void explain_answers(const struct window *w, struct explanation *out)
{
    double share = window_failed_share(w);
    struct explained *reason =
        explanation_add(out, "window_failed", share, NAN, share < 0.5 ? share - 1.0 : 0.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    text_format(&text, "%.0f %% of its destinations did not answer", 100.0 * share);
}

static void fanout_explain(const void *state, const void *settings, const struct row *row,
                           struct explanation *out)
{
    (void)state;
    const struct fanout_conf *conf = settings;
    const struct host *host = row->host;
    const struct window *w = row->window;
    double wide = width_score(conf, row), many = peers_score(conf, row);
    double both = fmax(wide + many, 1e-9);
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    if (wide >= many) {
        explain_width(conf, row, wide / both, out);
        explain_shape(row, &text);
    } else {
        text_add(&text, " talks to unusually many hosts: ");
        words_count(&text, round(w->peer_count));
    }
    if (many > 0)
        explain_peers(conf, row, many / both, out);
    explain_answers(w, out);
    evidence_grow(out, wide >= many ? "failed targets that make it wide" : "destinations",
                  wide >= many ? window_width(w) : (double)w->peer_count);
    out->since_us = wide >= many ? w->failed_us : w->start_us;
    text_add(&text, ", in ");
    words_seconds(&text, fmax(1.0, (double)(host->last_us - out->since_us) * 1e-6));
    text_add(&text,
             host->fanout.weight < 1 ? "; usual for a new host: " : "; usual for this host: ");
    say_usual(&text,
              wide >= many ? usual_width(conf, &host->fanout) : usual_peers(conf, &host->fanout));
    text_char(&text, '.');
    out->names_peer = wide >= many && shape_of(w) == PORT_SCAN && is_of_peer(row);
    out->names_port = wide >= many && shape_of(w) == SWEEP && w->port >> 8 == row->flow.dst_port;
}

const struct detector score_fanout = {
    .part = {.name = "fanout",
             .help = "Scans and sweeps: a host that tries many destinations or ports.",
             .conf_size = sizeof(struct fanout_conf),
             .options = options},
    .technique = "T1046", /* Network Service Discovery */
    .score = fanout_score,
    .learn = fanout_learn,
    .explain = fanout_explain,
};
