/* SPDX-License-Identifier: MIT */
/* forest.c - attacks as a model knows them: a classifier read from a file.
 *
 * The model says of a flow how probably it is none of the benign class. From the model's own
 * threshold on, the flow is an alert. One alert is nothing: of 10,000 benign flows the best models
 * still get some wrong. So the host's window is judged, by two p-values, the smaller one doubled:
 *
 *   count    k alerts among n flows. k is taken to be beta-binomial: the share of alerts among a
 *            window's flows varies around what held-out benign flows had, and the host's own past
 *            windows, which outweigh it as they come in. How much it varies is the model's weight:
 *            a + b of the beta distribution. A host's past moves the mean alone: however long it
 *            is known, its windows go on to differ.
 *   surprise the flow's own score: how many held-out benign flows had one as high. Counted, not
 *            fitted: unlike those of an isolation forest, a classifier's scores of benign flows lie
 *            at both ends, and no tail can be drawn from one to the other.
 *
 * A window is looked at many times, and nobody knows beforehand how many flows it will have. Of
 * surprises, the flows number 2^(j-1) to 2^j - 1, which are 2^(j-1), may together use up
 * 1 / (j (j + 1)) of the level, each the same, so a flow's p is multiplied by 2^(j-1) j (j + 1).
 * All blocks' shares add up to 1. (Times the flows so far would be too little: flow i would be held
 * to 1/i of the level, and these add up without end.)
 *
 * The count is looked at when it reaches 1, 2, 3, 4, 6, 8, 12, 16 ... Of each of these, P(X >= k)
 * is the p-value of the k-th alert having come so early. The i-th look may use up 1 / (i (i + 1))
 * of the level, which adds up to 1 (alpha spending: Bonferroni with unequal weights; Rosenthal,
 * Rubin, Psychological Bulletin 94, 1983), so that looking often is paid for. It is rather much to
 * pay: in simulated windows p up to 0.01 came 0.12 times as often as it should, and 2.6 times
 * without (test_forest_detector.c); looks are alike, and this holds however they are.
 *
 * Flows are counted, not their destinations: guessing passwords and calling home are many flows to
 * one place. The price is that a benign program that the model always gets wrong is an incident,
 * once: an unusual window teaches by forest.leak, so that after some hours, or a day, it is usual.
 */
#include "score/forest.h"

#include <math.h>
#include <string.h>

#include "score/beta_binomial.h"
#include "state/host.h"
#include "state/watermark.h"
#include "state/window.h"

#define CONF(field) offsetof(struct forest_conf, field)

static const struct option options[] = {
    {"model", OPTION_TEXT, CONF(model), "", 0, 0,
     "Path of a model file, a classifier; without one, forest says nothing. Looked at anew when it "
     "changes."},
    {"challenger", OPTION_TEXT, CONF(challenger), "", 0, 0,
     "Path of a model file that scores beside the one in use, or alone, and is only compared."},
    {"alert", OPTION_NUMBER, CONF(alert), "0", 0, 1,
     "A flow that is an attack with this probability is an alert; 0: as the model says."},
    {"memory", OPTION_NUMBER, CONF(memory), "10000", 1, 1e9,
     "How many flows of a host's past count at most; what is older fades."},
    {"suspicious", OPTION_NUMBER, CONF(suspicious), "1e-3", 0, 1,
     "A window with a lower p teaches the host's past only by forest.leak."},
    {"leak", OPTION_NUMBER, CONF(leak), "0.05", 0, 1, "How much a suspicious window teaches."},
    {0},
};

/* A safety bound, chosen and not measured: that the beta-binomial holds so far out is an assumption
 * that a few dozen held-out host-hours can neither prove nor refute. So p ends at 1e-12, lest a
 * long window outranks whatever else there is. */
#define SCORE_MOST 12.0

#define SHARE_MOST 0.999 /* of alerts: the other shape of the beta distribution is above 0 */

/* ---- the models ---- */

static double limit_of(const struct forest_conf *conf, const struct model *model)
{
    return conf->alert > 0.0 ? conf->alert : model->classes->alert;
}

/* The share of held-out benign flows with this score or a higher one. */
static double held_out_p(const struct model *model, double score)
{
    const struct heldout *heldout = &model->heldout;
    return (1.0 + heldout_above(heldout, score)) / (1.0 + heldout->total);
}

/* What has to be known of a champion, once. Another one makes the past of hosts void, and what is
 * open of their windows. Is it another? */
static bool take(struct forest_state *s, const struct forest_conf *conf, const struct model *model,
                 const struct row *row)
{
    double alert = limit_of(conf, model);
    int64_t now_us = row->clock->now_us;
    bool renewed = s->era == 0 || s->id != model->id || s->alert != alert;
    if (renewed) {
        s->id = model->id;
        s->alert = alert;
        s->era = s->era == UINT16_MAX ? 1 : (uint16_t)(s->era + 1);
        s->benign_alerts = heldout_above(&model->heldout, alert);
        s->share = held_out_p(model, alert);
        s->since_us = now_us;
    }
    if (now_us < s->since_us) /* time was set back */
        s->since_us = now_us;
    return renewed;
}

/* Of a host whose records are of another champion, nothing is kept: not of its past, and not of the
 * window that is open, in which this champion has seen but the row. A host's record that was
 * evicted while its window stayed begins likewise. */
static void own_records(struct forest_state *s, const struct row *row)
{
    struct window *w = row->window;
    if (row->late || row->host->forest.era == s->era)
        return;
    row->host->forest = (struct forest_memory){.era = s->era};
    s->closed_score = NAN;
    w->alerts = (struct window_alerts){0};
    w->unseen = w->flows - 1 < UINT16_MAX ? (uint16_t)(w->flows - 1) : UINT16_MAX;
}

static struct opinion opinion_of(const struct forest_conf *conf, const struct model *model,
                                 const struct row *row, float *own, double *answer)
{
    if (model == NULL)
        return (struct opinion){0};
    model_row(model, row->column, own);
    model_answer(model, own, answer);
    double score = 1.0 - answer[model->classes->benign];
    return (struct opinion){model, score, score >= limit_of(conf, model)};
}

uint32_t forest_class(const struct model *champion, const double *answer)
{
    uint32_t benign = champion->classes->benign, most = benign == 0 ? 1 : 0;
    for (uint32_t i = most + 1; i < champion->classes->count; i++)
        if (i != benign && answer[i] > answer[most])
            most = i;
    return most;
}

/* ---- the null model ---- */

double forest_share(const struct forest_state *s, const struct model *champion,
                    const struct host *host)
{
    const struct forest_memory *m = &host->forest;
    bool own = m->era == s->era; /* a late row's host may be of another */
    double flows = own ? (double)m->flows : 0.0, alerts = own ? (double)m->alerts : 0.0;
    double weight = champion->classes->weight;
    return fmin((s->share * weight + alerts) / (weight + flows), SHARE_MOST);
}

/* 1, 2, 3, 4, 6, 8, 12, 16 ... are looks number 1, 2, 3, 4, 5, 6, 7, 8 ...; others are none: 0. */
static unsigned look_number(unsigned k)
{
    if (k < 4)
        return k;
    unsigned top = 31u - (unsigned)__builtin_clz(k), below = top - 1;
    if ((k & ((1u << below) - 1)) != 0)
        return 0;
    return 2 * top + (k >> below & 1);
}

static double count_p(const struct forest_state *s, const struct model *champion,
                      const struct row *row)
{
    unsigned k = row->window->alerts.count, look = look_number(k);
    if (look == 0)
        return 1.0;
    double share = forest_share(s, champion, row->host), weight = champion->classes->weight;
    double p =
        beta_binomial_tail(forest_seen(row->window), k, share * weight, (1.0 - share) * weight);
    return p * look * (look + 1.0);
}

/* Of flow number n of the window; its block is 2^(j-1) <= n < 2^j. */
static double single_p(const struct forest_state *s, const struct row *row)
{
    unsigned j = 32u - (unsigned)__builtin_clz(forest_seen(row->window));
    return ldexp(s->p, (int)j - 1) * j * (j + 1.0);
}

/* What the row's alert, the latest of the window, says of both. */
static double window_p(const struct forest_state *s, const struct model *champion,
                       const struct row *row)
{
    return fmin(1.0, 2.0 * fmin(count_p(s, champion, row), single_p(s, row)));
}

/* ---- the detector ---- */

/* Boyer and Moore's majority vote (1981), one vote a flow. */
static void vote(uint32_t *of, uint16_t *lead, uint32_t own)
{
    if (*lead == 0)
        *of = own;
    if (*of != own)
        --*lead;
    else if (*lead < UINT16_MAX)
        ++*lead;
}

static void count_alert(const struct row *row, uint32_t class)
{
    struct window_alerts *alerts = &row->window->alerts;
    if (alerts->class_lead == 0)
        alerts->class = (uint8_t) class;
    if (alerts->class != class)
        alerts->class_lead--;
    else if (alerts->class_lead < UINT8_MAX)
        alerts->class_lead++;
    if (alerts->count < UINT16_MAX)
        alerts->count++;
    vote(&alerts->peer, &alerts->peer_lead, (uint32_t)row->hash.destination);
    vote(&alerts->port, &alerts->port_lead, (uint32_t)row->flow.dst_port << 8 | row->flow.proto);
}

/* What is kept of the open window is of the one that the row has closed, or of one that was
 * evicted, when the row begins another. */
static void begin_window(struct forest_state *s, const struct row *row)
{
    struct forest_memory *m = &row->host->forest;
    s->closed_score = row->closed ? (double)m->score / FOREST_SCORE : (double)NAN;
    if (window_begins(row))
        m->score = 0;
}

static void judge(void *state, const void *settings, struct row *row, struct finding *out)
{
    struct forest_state *s = state;
    const struct forest_conf *conf = settings;
    const struct model *champion = models_in(row->models, FOREST_MODEL);
    float other_row[FOREST_COLUMNS + 1];
    double other_answer[FOREST_OUTPUTS];
    begin_window(s, row);
    struct opinion own = opinion_of(conf, champion, row, s->row, s->answer);
    struct opinion other =
        opinion_of(conf, models_in(row->models, FOREST_CHALLENGER), row, other_row, other_answer);
    challenge_note(&s->challenge, &own, &other);
    if (champion == NULL)
        return;
    out->renewed = take(s, conf, champion, row);
    own_records(s, row);
    if (row->closed && row->was.start_us >= s->since_us) {
        out->sample = s->closed_score;
        out->sample_of = OF_WINDOW;
    }
    if (row->late || !own.alert)
        return;
    s->score = own.score;
    s->p = held_out_p(champion, own.score);
    count_alert(row, forest_class(champion, s->answer));
    struct forest_memory *m = &row->host->forest;
    double told = fmin(-log10(window_p(s, champion, row)) + 0.0, SCORE_MOST); /* no -0 */
    double score = fmax(told, (double)m->score / FOREST_SCORE);
    m->score = (uint16_t)lround(score * FOREST_SCORE);
    out->score = score;
}

/* A window of many flows tells of a host's share no more than `weight` of them would, as they are
 * alike: n (w + 1) / (n + w) is what a beta-binomial sample is worth. */
static void learn_window(const struct forest_conf *conf, const struct model *champion,
                         const struct row *row, double teach)
{
    struct forest_memory *m = &row->host->forest;
    double n = row->was.flows - row->was.unseen, w = champion->classes->weight;
    double worth = teach * n * (w + 1.0) / (n + w);
    double flows = (double)m->flows + worth,
           alerts = (double)m->alerts + worth * row->was.alerts / n;
    double left = fmin(1.0, conf->memory / flows);
    m->flows = (float)(flows * left);
    m->alerts = (float)(alerts * left);
}

static void learn(void *state, const void *settings, struct row *row)
{
    struct forest_state *s = state;
    const struct forest_conf *conf = settings;
    const struct model *champion = models_in(row->models, FOREST_MODEL);
    if (row->teach >= 1.0)
        challenge_learn(&s->challenge);
    if (champion == NULL || !row->closed || row->was.pinned || row->was.start_us < s->since_us ||
        isnan(s->closed_score))
        return;
    bool suspicious = s->closed_score > -log10(conf->suspicious);
    /* In the first of two passes nobody has vetted anything: see calibrate.h. */
    double teach = !suspicious ? 1.0 : row->first_pass ? 0.0 : conf->leak;
    if (teach > 0.0)
        learn_window(conf, champion, row, teach);
}

static bool is_idle(const struct row *row)
{
    return models_in(row->models, FOREST_MODEL) == NULL;
}

/* ---- for metrics ---- */

const struct challenge *forest_challenge(const struct score_state *state)
{
    const struct forest_state *s = state->detector[score_place("forest")];
    return &s->challenge;
}

const struct detector score_forest = {
    .part = {.name = "forest",
             .help = "Attacks as a model knows them: a classifier read from a file.",
             .conf_size = sizeof(struct forest_conf),
             .options = options},
    .technique = "T1071", /* Application Layer Protocol, where the class names none */
    .idle = is_idle,
    .state_size = sizeof(struct forest_state),
    .score = judge,
    .learn = learn,
    .explain = forest_explain,
};
