/* SPDX-License-Identifier: MIT */
/* clean.h - drops or corrects what cannot be. */
#pragma once

#include <stdint.h>

#include "part.h"
#include "row.h"

extern const struct part clean_part;

struct clean_conf {
    int64_t max_duration_us;
    uint64_t max_bytes;
};

/* What was corrected or is odd, in the order of the rules; the names are metric labels. */
enum correction {
    CORRECTION_RELATIVE_TIME,
    CORRECTION_SWAPPED_COUNTS,
    CORRECTION_BYTES_WITHOUT_PACKETS,
    CORRECTION_FEW_BYTES,
    CORRECTION_MANY_BYTES,
    CORRECTION_COUNT
};

extern const char *const correction_names[CORRECTION_COUNT];

/* Fills row->flow's derived fields. REASON_NONE, or why the row is rejected. Adds to
 * `corrected` what was corrected. */
enum reason clean(const struct clean_conf *conf, struct row *row,
                  uint64_t corrected[CORRECTION_COUNT]);
