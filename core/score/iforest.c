/* SPDX-License-Identifier: MIT */
/* iforest.c - an odd combination of columns, none of which need be far out.
 *
 * Isolation forest (Liu, Ting, Zhou, ICDM 2008; TKDD 2012): random cuts single out the odd flow
 * after few of them. Grown in place from vetted flows (model/nursery.h), or read from a file.
 *
 * What the forest gives has no p of its own: p is the share of held-out flows at least as odd, and
 * never less than a tenth of what they can tell (model/heldout.h), some 2e-5. So one flow makes no
 * incident unless the calibration has seen far more flows than were held out, and it should
 * not: a site has odd flows every day. What it is for is to confirm what others find, and to order.
 *
 * Not among its columns: what says where or when the log was taken rather than how the flow
 * behaves. pair_flows, pair_gap, prevalence and service_flows begin at nothing with the sensor: a
 * forest of the first hours would call all later flows odd. window_flows and window_peers begin at
 * one with each window: fanout judges what they came to, against the host's own past.
 * Whether a flow was seen to end (established, closed) depends on when the sensor gives up on it.
 * icmp is neither tcp nor udp.
 *
 * A flow with p below 0.001 by the forest in use is taken into the reservoir only if a thousand
 * usual ones have come for it: that often it is to be expected. So what fills three tenths of the
 * stream is a thousandth of the next forest's flows, and usual after two retrainings, not one. */
#include "score/iforest.h"

#include <assert.h>
#include <math.h>

#include "features/features.h"
#include "model/nursery.h"
#include "score/explanation.h"
#include "score/model_words.h"
#include "score/words.h"
#include "state/host.h"

struct iforest_conf {
    uint64_t trees, samples, seed;
    int64_t retrain_us;
    const char *model, *challenger; /* read by settings.c, which opens them */
};

#define CONF(field) offsetof(struct iforest_conf, field)

static const struct option options[] = {
    {"trees", OPTION_COUNT, CONF(trees), "32", 8, NURSERY_TREES,
     "Trees of a forest grown in place; the time to score a flow grows with them."},
    {"samples", OPTION_COUNT, CONF(samples), "256", 16, ISOLATION_SAMPLES,
     "Flows that each tree is grown from."},
    {"retrain", OPTION_DURATION, CONF(retrain_us), "1d", 60, 31536000,
     "A new forest is grown this often, by the flows' own time."},
    {"model", OPTION_TEXT, CONF(model), "", 0, 0,
     "Path of a model file to use instead of a forest grown in place; looked at anew when it "
     "changes."},
    {"challenger", OPTION_TEXT, CONF(challenger), "", 0, 0,
     "Path of a model file that scores beside the one in use and is only compared with it."},
    {"seed", OPTION_COUNT, CONF(seed), "1", 0, 9007199254740992.0,
     "Of the random numbers: the same seed and flows give the same forest."},
    {0},
};

static const enum column columns[] = {
    COLUMN_duration,
    COLUMN_bytes_out,
    COLUMN_bytes_in,
    COLUMN_packets_out,
    COLUMN_packets_in,
    COLUMN_balance,
    COLUMN_packet_size_out,
    COLUMN_packet_size_in,
    COLUMN_rate,
    COLUMN_tcp,
    COLUMN_udp,
    COLUMN_attempt,
    COLUMN_reset_out,
    COLUMN_reset_in,
    COLUMN_dns,
    COLUMN_web,
    COLUMN_remote,
    COLUMN_files,
    COLUMN_other_high,
    COLUMN_src_local,
    COLUMN_dst_local,

    COLUMN_window_failed,
    COLUMN_window_width,
};

#define WIDTH (sizeof columns / sizeof *columns)

static_assert(WIDTH < NURSERY_COLUMNS, "a row has room for one more than the columns");

struct iforest_state {
    struct nursery nursery;
    struct drift drift;
    struct challenge challenge;
    double earned;                 /* odd flows that may teach */
    double surprise;               /* -log10 p of the latest row; NAN: no forest */
    bool first_pass;               /* of the latest row */
    double score;                  /* of the latest row, 0..1 */
    float row[FOREST_COLUMNS + 1]; /* as the forest in use reads it */
};

static void iforest_open(void *state, const void *settings)
{
    struct iforest_state *s = state;
    const struct iforest_conf *conf = settings;
    s->nursery.reservoir.random.state = conf->seed;
    s->nursery.random.state = hash_mix(conf->seed + 1);
    nursery_begin(&s->nursery, columns, WIDTH);
}

static const struct model *model_of(const struct iforest_state *s, const struct row *row)
{
    const struct model *file = models_in(row->models, IFOREST_MODEL);
    return file != NULL ? file : nursery_model(&s->nursery);
}

#define ODD      3.0  /* -log10 p */
#define EXPECTED 1e-3 /* how often it is */

static struct opinion opinion_of(const struct model *model, const struct row *row, float *own)
{
    if (model == NULL)
        return (struct opinion){0};
    model_row(model, row->column, own);
    double score = forest_score(&model->forest, own);
    return (struct opinion){model, score, heldout_surprise(&model->heldout, score) >= ODD};
}

static void iforest_score(void *state, const void *settings, struct row *row, struct finding *out)
{
    struct iforest_state *s = state;
    const struct model *model = model_of(s, row);
    float other_row[FOREST_COLUMNS + 1];
    (void)settings;
    struct opinion own = opinion_of(model, row, s->row);
    struct opinion other = opinion_of(models_in(row->models, IFOREST_CHALLENGER), row, other_row);
    challenge_note(&s->challenge, &own, &other);
    s->surprise = NAN;
    if (model == NULL)
        return;
    s->score = own.score;
    out->tests = fmax(1.0, row->window->flows);
    out->score = out->sample = s->surprise = heldout_surprise(&model->heldout, s->score);
}

/* ---- learning ---- */

static struct nursery_conf growing(const struct iforest_conf *conf)
{
    return (struct nursery_conf){conf->trees, conf->samples, conf->retrain_us};
}

/* May the row teach wholly? */
static bool vetted(struct iforest_state *s, const struct row *row)
{
    if (row->teach < 1.0)
        return false;
    if (!(s->surprise > ODD)) {
        s->earned = fmin(s->earned + EXPECTED, 1.0);
        return true;
    }
    if (s->earned < 1.0)
        return false;
    s->earned -= 1.0;
    return true;
}

static void iforest_learn(void *state, const void *settings, struct row *row)
{
    struct iforest_state *s = state;
    const struct iforest_conf *conf = settings;
    struct nursery_conf nursery = growing(conf);
    if (vetted(s, row)) {
        float kept[WIDTH + 1] = {0.0f};
        for (size_t i = 0; i < WIDTH; i++)
            kept[i] = forest_number(row->column[columns[i]]);
        nursery_add(&s->nursery, kept);
    }
    if (row->teach >= 1.0) {
        drift_note(&s->drift, row->column);
        challenge_learn(&s->challenge);
    }
    /* The second of two passes begins: now the whole log is known, and nobody waits for a flow. */
    if (s->first_pass && !row->first_pass)
        (void)nursery_finish(&s->nursery, &nursery, row->end_us);
    s->first_pass = row->first_pass;
    if (models_in(row->models, IFOREST_MODEL) == NULL && !row->late)
        nursery_step(&s->nursery, &nursery, row->end_us);
}

/* ---- words ---- */

static void iforest_explain(const void *state, const void *settings, const struct row *row,
                            struct explanation *out)
{
    const struct iforest_state *s = state;
    const struct model *model = model_of(s, row);
    double credit[FOREST_COLUMNS];
    (void)settings;
    if (model == NULL)
        return;
    forest_credit(&model->forest, s->row, credit);
    model_words_columns(model, row->column, credit, 1.0, out);
    model_words_scores(model, "oddness, 0 to 1", s->score, out);
    double steps = -log2(s->score) * model->forest.normaliser;
    struct text text = text_over(out->sentence, sizeof out->sentence);
    words_place(&text, row->flow.src, &row->src);
    text_add(&text, " had a connection of an odd make to ");
    words_service(&text, row);
    text_add(&text, ": ");
    for (size_t i = 0; i < out->count; i++) {
        text_add(&text, i == 0 ? "" : "; ");
        text_add(&text, out->reason[i].text);
    }
    text_add(&text, ". Random cuts single it out after ");
    text_digits(&text, steps, 2);
    text_add(&text, " steps, a usual flow after ");
    text_digits(&text, -log2(heldout_middle(&model->heldout)) * model->forest.normaliser, 2);
    text_char(&text, '.');
    out->names_peer = out->names_port = true;
}

/* ---- for metrics and files ---- */

struct iforest_view iforest_view(const struct score_state *state)
{
    const struct iforest_state *s = state->detector[score_place("iforest")];
    return (struct iforest_view){nursery_model(&s->nursery), &s->drift, &s->nursery, &s->challenge};
}

struct nursery_conf iforest_growing(const struct score_conf *conf)
{
    return growing(conf->detector[score_place("iforest")]);
}

const struct detector score_iforest = {
    .part = {.name = "iforest",
             .help = "An odd combination of columns.",
             .conf_size = sizeof(struct iforest_conf),
             .options = options},
    /* No technique is "an odd flow". The nearest is Non-Standard Port: behaviour that does not fit
     * the service it uses, which is what a combination of columns can show. */
    .technique = "T1571",
    .state_size = sizeof(struct iforest_state),
    .open = iforest_open,
    .score = iforest_score,
    .learn = iforest_learn,
    .explain = iforest_explain,
};
