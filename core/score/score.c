/* SPDX-License-Identifier: MIT */
/* score.c - asks every detector, calibrates what it says, combines, and learns. */
#include "score/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "score/role.h"
#include "state/host.h"
#include "state/watermark.h"
#include "util/error.h"

int score_new(const struct score_conf *conf, struct score_state **out, eddy_error *err)
{
    struct score_state *s = calloc(1, sizeof *s);
    if (s == NULL)
        return error_nomem(err);
    for (size_t i = 0; registry_detectors[i] != NULL; i++) {
        const struct detector *detector = registry_detectors[i];
        calibration_begin(&s->calibration[i], conf->calibrate);
        s->count = i + 1;
        s->looking += detector->idle == NULL;
        s->detector[i] = calloc(1, detector->state_size + 1); /* + 1: a size of 0 is fine */
        if (s->detector[i] == NULL) {
            score_free(s);
            return error_nomem(err);
        }
        if (detector->open != NULL)
            detector->open(s->detector[i], conf->detector[i]);
    }
    *out = s;
    return EDDY_OK;
}

void score_free(struct score_state *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->count; i++)
        free(s->detector[i]);
    free(s);
}

size_t score_place(const char *name)
{
    size_t i = 0;
    while (registry_detectors[i] != NULL && strcmp(registry_detectors[i]->part.name, name) != 0)
        i++;
    return i;
}

double smallest_of(double p, double tests)
{
    return p >= 1.0 ? 1.0 : -expm1(tests * log1p(-p));
}

static void ask(struct score_state *s, const struct score_conf *conf, size_t index, struct row *row)
{
    struct finding *finding = &row->finding[index];
    *finding =
        (struct finding){.score = NAN, .sample = NAN, .tests = 1.0, .p = 1.0, .p_unmarked = 1.0};
    if (registry_detectors[index]->judges != row->kind)
        return;
    registry_detectors[index]->score(s->detector[index], conf->detector[index], row, finding);
    if (finding->renewed)
        calibration_begin(&s->calibration[index], conf->calibrate);
    if (!isnan(finding->score))
        finding->p = finding->p_unmarked =
            calibration_p(&s->calibration[index], conf->calibrate, finding->score);
}

/* Notes how much event time has been seen, since flows agree on what time it is: one wrong clock
 * would end the learning phase at once, or never. Where what they agreed on was wrong, it begins
 * anew. */
static void watch_time(struct score_state *s, const struct row *row)
{
    if (row->kind != ROW_FLOW)
        return;
    int64_t step_us = row->clock->now_us - s->last_us;
    bool rewound = s->first_pass && !row->first_pass;
    if (s->agreed && !rewound)
        s->span_us = step_us < 0 ? 0 : s->span_us + step_us;
    s->agreed = row->clock->agreed;
    s->last_us = row->clock->now_us;
    s->first_pass = row->first_pass;
}

bool score_learning(const struct score_state *s, const struct score_conf *conf, size_t index)
{
    return s->span_us < conf->calibrate->learning_us ||
           calibration_learning(&s->calibration[index], conf->calibrate);
}

void score(struct score_state *s, const struct score_conf *conf, struct row *row)
{
    double least = 1.0, spoke = 0.0;
    watch_time(s, row);
    row->best = -1;
    row->teach = 1.0;
    s->looking = 0;
    for (size_t i = 0; i < s->count; i++) {
        bool idle = registry_detectors[i]->idle != NULL && registry_detectors[i]->idle(row);
        s->looking += !idle;
        ask(s, conf, i, row);
        if (isnan(row->finding[i].score))
            continue;
        spoke += 1.0;
        if (calibration_suspicious(&s->calibration[i], conf->calibrate, row->finding[i].score,
                                   row->finding[i].p))
            row->teach = conf->calibrate->leak;
        if (row->best < 0 || row->finding[i].p < least) {
            least = row->finding[i].p;
            row->best = (int)i;
        }
    }
    row->verdict.p = smallest_of(least, fmax(spoke, 1.0));
    row->verdict.score = -log10(row->verdict.p) + 0.0; /* no -0 */
    row->verdict.detector = row->best < 0 ? "" : registry_detectors[row->best]->part.name;
    row->verdict.flags = row->cleaned ? EDDY_CLEANED : 0;
    if (row->best < 0 || score_learning(s, conf, (size_t)row->best))
        row->verdict.flags |= EDDY_LEARNING;
}

/* May the finding's sample teach at all? How much it teaches is up to the calibration alone: left
 * out wherever another detector is suspicious, the tail of a detector would look lighter than it
 * is. */
static bool may_teach(const struct row *row, const struct finding *finding)
{
    switch (finding->sample_of) {
    case OF_WINDOW:
        return !row->was.pinned;
    case OF_PAST:
        return true;
    default:
        return row->teach > 0.0;
    }
}

/* Has what is suspicious of this row been so of its actor within a day? */
static bool is_again(struct score_state *s, const struct score_conf *conf, const struct row *row,
                     size_t what)
{
    return conf->calibrate->leak < 1.0 &&
           !suspects_first(&s->suspects, role_actor(row), what, row->clock->now_us);
}

void score_learn_sample(struct score_state *s, const struct score_conf *conf, size_t index,
                        const struct row *row)
{
    struct calibration *c = &s->calibration[index];
    const struct finding *finding = &row->finding[index];
    if (isnan(finding->sample) || !may_teach(row, finding) ||
        (row->first_pass && !calibration_vetted(finding->sample)))
        return;
    bool of_row = finding->sample_of == OF_ROW || finding->sample_of == OF_PAIR;
    double p = of_row ? finding->p_unmarked : calibration_p(c, conf->calibrate, finding->sample);
    bool again = finding->sample_of != OF_PAIR &&
                 calibration_suspicious(c, conf->calibrate, finding->sample, p) &&
                 is_again(s, conf, row, index);
    calibration_add(c, conf->calibrate, finding->sample, p, again);
}

/* Counts are whole: of suspicious rows every 1/teach-th counts. */
static void learn_role(struct score_state *s, const struct row *row)
{
    s->role_owed += row->teach;
    if (s->role_owed < 1.0)
        return;
    s->role_owed -= 1.0;
    role_learn(row);
}

void score_learn(struct score_state *s, const struct score_conf *conf, struct row *row)
{
    bool flow = row->kind == ROW_FLOW;
    if (flow && row->teach <= 0.0 && !row->late)
        row->window->pinned = true;
    row->again = row->teach > 0.0 && row->teach < 1.0 && is_again(s, conf, row, SUSPECT_ROWS);
    for (size_t i = 0; i < s->count; i++) {
        const struct detector *detector = registry_detectors[i];
        if (detector->judges != row->kind)
            continue;
        if (detector->learn != NULL)
            detector->learn(s->detector[i], conf->detector[i], row);
        score_learn_sample(s, conf, i, row);
    }
    if (flow)
        learn_role(s, row);
}

void score_explain(const struct score_state *s, const struct score_conf *conf, size_t index,
                   const struct row *row, struct explanation *out)
{
    *out = (struct explanation){0};
    registry_detectors[index]->explain(s->detector[index], conf->detector[index], row, out);
}
