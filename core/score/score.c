/* SPDX-License-Identifier: MIT */
/* score.c - asks every detector, calibrates what it says, combines, and learns. */
#include "score/score.h"

#include <math.h>
#include <stdlib.h>

#include "state/host.h"
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

double smallest_of(double p, double tests)
{
    return p >= 1.0 ? 1.0 : -expm1(tests * log1p(-p));
}

static void ask(struct score_state *s, const struct score_conf *conf, size_t index, struct row *row)
{
    struct finding *finding = &row->finding[index];
    *finding = (struct finding){.score = NAN, .sample = NAN, .tests = 1.0, .p = 1.0};
    registry_detectors[index]->score(s->detector[index], conf->detector[index], row, finding);
    if (!isnan(finding->score))
        finding->p = calibration_p(&s->calibration[index], conf->calibrate, finding->score);
}

/* By the past or by the detector's own null model, which an attack can't make lenient. */
static bool is_suspicious(const struct finding *finding, const struct calibrate_conf *conf)
{
    return !isnan(finding->score) && calibration_suspicious(conf, finding->score, finding->p);
}

void score(struct score_state *s, const struct score_conf *conf, struct row *row)
{
    double least = 1.0, spoke = 0.0;
    row->best = -1;
    row->teach = 1.0;
    for (size_t i = 0; i < s->count; i++) {
        ask(s, conf, i, row);
        if (isnan(row->finding[i].score))
            continue;
        spoke += 1.0;
        if (is_suspicious(&row->finding[i], conf->calibrate))
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
    if (row->best < 0 || s->calibration[row->best].total < conf->calibrate->prior)
        row->verdict.flags |= EDDY_LEARNING;
}

void score_learn(struct score_state *s, const struct score_conf *conf, struct row *row)
{
    if (row->teach <= 0.0 && !row->late)
        row->host->window.pinned = true;
    for (size_t i = 0; i < s->count; i++) {
        const struct detector *detector = registry_detectors[i];
        const struct finding *finding = &row->finding[i];
        if (detector->learn != NULL && (row->teach > 0.0 || row->host->closed))
            detector->learn(s->detector[i], conf->detector[i], row);
        if (!isnan(finding->sample) && row->teach > 0.0)
            calibration_add(&s->calibration[i], conf->calibrate, finding->sample, row->first_pass);
    }
}

void score_explain(const struct score_state *s, const struct score_conf *conf, size_t index,
                   const struct row *row, struct explanation *out)
{
    *out = (struct explanation){0};
    registry_detectors[index]->explain(s->detector[index], conf->detector[index], row, out);
}
