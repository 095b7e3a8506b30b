/* SPDX-License-Identifier: MIT */
/* metadata.h - where a model that was grown here comes from, as JSON: models/metadata.schema.json.
 */
#pragma once

#include "eddy.h"
#include "model/nursery.h"

/* What was learned, and how. */
struct learned {
    const struct nursery *nursery;
    int64_t now_us; /* event time of the last flow */
    uint64_t seed;
};

/* One line, given. Reads the files that `origin` names, for their SHA-256. */
int metadata_make(const struct learned *learned, const eddy_model_origin *origin, char **out,
                  eddy_error *err);
