/* SPDX-License-Identifier: MIT */
/* detector.c - a detector to copy: a flow that sends far more than flows of this site do.
 *
 * The site's flows are taken as log-normal in bytes sent; the score is -log10 of the upper tail.
 * That is a crude model on purpose: calibration turns what it says into how often it says it.
 *
 * To make it a part of eddy: copy it to core/score/volume.c and add PART(score, volume) to
 * core/parts.def. Its settings then are [volume] in eddy.conf. */
#include <math.h>

#include "part.h"
#include "row.h"
#include "score/explanation.h"
#include "score/words.h"

/* ---- Settings ---- */

struct volume_conf {
    uint64_t min_flows;
};

static const struct option options[] = {{"min_flows", OPTION_COUNT,
                                         offsetof(struct volume_conf, min_flows), "100", 2, 1000000,
                                         "Flows to learn from before the first is judged."},
                                        {0}};

/* ---- State: of the whole site. What must be known of a host or pair lives in core/state. ---- */

struct volume {
    uint64_t flows;
    double mean, squares; /* of ln(1 + bytes sent): Welford 1962 */
};

/* ---- Functions ---- */

static double logarithm(const struct row *row)
{
    return log1p((double)row->bytes_out);
}

static double deviation(const struct volume *v)
{
    double variance = v->squares / (double)(v->flows - 1);
    return sqrt(fmax(variance, 0.01)); /* a site where all flows are alike would make all odd */
}

static void learn(struct volume *v, double x)
{
    double delta = x - v->mean;
    v->flows++;
    v->mean += delta / (double)v->flows;
    v->squares += delta * (x - v->mean);
}

/* Judges first, then learns: a flow is no evidence for itself. Called for every flow, on the packet
 * path: no allocation, no lock, no I/O. `out` is "nothing to say" when this is called. */
static void volume_score(void *state, const void *conf, struct row *row, struct finding *out)
{
    const struct volume_conf *c = conf;
    struct volume *v = state;
    double x = logarithm(row);
    if (v->flows >= c->min_flows) {
        double z = (x - v->mean) / deviation(v);
        double p = fmax(0.5 * erfc(z / sqrt(2.0)), 1e-300); /* of a normal distribution */
        out->score = -log10(p);
        out->sample = out->score; /* each flow is a fresh sample for the calibration */
    }
    learn(v, x);
}

/* Says why, for the row it was just called with. */
static void volume_explain(const void *state, const void *conf, const struct row *row,
                           struct explanation *out)
{
    const struct volume *v = state;
    double usual = expm1(v->mean);
    (void)conf;
    struct explained *reason =
        explanation_add(out, "bytes_out", (double)row->bytes_out, usual, 1.0);
    struct text text = text_over(reason->text, sizeof reason->text);
    words_bytes(&text, (double)row->bytes_out);
    text_add(&text, " sent, usual ");
    words_bytes(&text, usual);
    text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_add(&text, " sent ");
    words_bytes(&text, (double)row->bytes_out);
    text_add(&text, " to ");
    words_service(&text, row);
    text_add(&text, "; usual here is ");
    words_bytes(&text, usual);
    text_char(&text, '.');
    out->names_peer = true;
}

/* ---- The part: the only symbol outside of this file ---- */

const struct detector score_volume = {
    .part = {.name = "volume",
             .help = "A flow that sends far more than flows of this site do.",
             .conf_size = sizeof(struct volume_conf),
             .options = options},
    .technique = "T1048", /* Exfiltration Over Alternative Protocol */
    .state_size = sizeof(struct volume),
    .score = volume_score,
    .explain = volume_explain,
};
