/* SPDX-License-Identifier: MIT */
/* challenge.h - the model that judges (champion), and one that would like to (challenger): what
 * each says of flows is counted, how often they agree, and how far scores have drifted.
 *
 * Drift is the population stability index (drift.h) of recent vetted scores against those of the
 * held-out flows in the model's file. The 1024 bins of these are joined to at most CHALLENGE_BINS
 * of about the same share; where all scores are alike, there are fewer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "model/model.h"

enum challenge_role { CHAMPION, CHALLENGER, CHALLENGE_ROLES };

extern const char *const challenge_names[CHALLENGE_ROLES];

#define CHALLENGE_BINS COLUMN_BINS

struct contender {
    uint64_t scored, alerts;   /* ever, whichever model it was */
    uint64_t id;               /* of the model that the rest is about; 0: none yet */
    uint8_t bin[HELDOUT_BINS]; /* of scores */
    uint32_t expected[CHALLENGE_BINS];
    float recent[CHALLENGE_BINS];
    float total;
    double score; /* of the latest row; NAN: not asked */
};

/* Zeroed, it is empty. */
struct challenge {
    struct contender of[CHALLENGE_ROLES];
    uint64_t agreement[2][2]; /* rows, by whether champion and challenger called them an alert */
};

/* What a model says of a row. */
struct opinion {
    const struct model *model; /* NULL: there is none */
    double score;              /* 0..1 */
    bool alert;
};

/* Counts what both say of a row. */
void challenge_note(struct challenge *challenge, const struct opinion *champion,
                    const struct opinion *challenger);

/* The row noted last is vetted: its scores count as recent ones. */
void challenge_learn(struct challenge *challenge);

/* Of recent scores of the model in this role; NAN while too little was seen. */
double challenge_psi(const struct challenge *challenge, enum challenge_role role);
