/* SPDX-License-Identifier: MIT */
/* challenge.c - champion and challenger: what each says of flows is counted. */
#include "score/challenge.h"

#include <math.h>
#include <string.h>

#include "score/drift.h"

const char *const challenge_names[CHALLENGE_ROLES] = {"champion", "challenger"};

/* Bins of about the same share: those with less than so many sixteenths of all below them. */
static void begin(struct contender *c, const struct model *model)
{
    const struct heldout *heldout = &model->heldout;
    uint64_t below = 0;
    memset(c->expected, 0, sizeof c->expected);
    memset(c->recent, 0, sizeof c->recent);
    c->total = 0.0f;
    c->id = model->id;
    for (size_t i = 0; i < HELDOUT_BINS; i++) {
        uint64_t at = below * CHALLENGE_BINS / (heldout->total > 0 ? heldout->total : 1);
        c->bin[i] = (uint8_t)(at < CHALLENGE_BINS ? at : CHALLENGE_BINS - 1);
        c->expected[c->bin[i]] += heldout->count[i];
        below += heldout->count[i];
    }
}

static void note(struct contender *c, const struct opinion *opinion)
{
    c->score = NAN;
    if (opinion->model == NULL)
        return;
    if (c->id != opinion->model->id)
        begin(c, opinion->model);
    c->scored++;
    c->alerts += opinion->alert;
    c->score = opinion->score;
}

void challenge_note(struct challenge *challenge, const struct opinion *champion,
                    const struct opinion *challenger)
{
    note(&challenge->of[CHAMPION], champion);
    note(&challenge->of[CHALLENGER], challenger);
    if (champion->model != NULL && challenger->model != NULL)
        challenge->agreement[champion->alert][challenger->alert]++;
}

static void learn(struct contender *c)
{
    if (c->id == 0 || isnan(c->score))
        return;
    size_t bin = heldout_bin(c->score);
    c->recent[c->bin[bin]] += 1.0f;
    c->total += 1.0f;
    if (c->total < DRIFT_RECENT * DRIFT_STRIDE)
        return;
    for (size_t i = 0; i < CHALLENGE_BINS; i++)
        c->recent[i] *= 0.5f;
    c->total *= 0.5f;
}

void challenge_learn(struct challenge *challenge)
{
    learn(&challenge->of[CHAMPION]);
    learn(&challenge->of[CHALLENGER]);
}

double challenge_psi(const struct challenge *challenge, enum challenge_role role)
{
    const struct contender *c = &challenge->of[role];
    return c->total < DRIFT_LEAST ? (double)NAN : drift_index(c->recent, c->expected);
}
