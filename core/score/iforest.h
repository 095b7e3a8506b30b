/* SPDX-License-Identifier: MIT */
/* iforest.h - what others than the scoring need of iforest: its model, for metrics and files. */
#pragma once

#include "model/nursery.h"
#include "score/challenge.h"
#include "score/drift.h"
#include "score/score.h"

/* Valid under the engine's lock. */
struct iforest_view {
    const struct model *grown; /* in place; NULL: none yet */
    const struct drift *drift; /* of recent flows */
    const struct nursery *nursery;
    const struct challenge *challenge;
};

struct iforest_view iforest_view(const struct score_state *state);

/* How models are grown, by these settings. */
struct nursery_conf iforest_growing(const struct score_conf *conf);
