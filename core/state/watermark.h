/* SPDX-License-Identifier: MIT */
/* watermark.h - the latest event time that can be believed.
 *
 * A single flow with a clock far ahead must not age everything else: a step of more than
 * WATERMARK_STEP_US is taken only when another flow agrees with it, and the first flow of all is
 * given up for an earlier one until a flow agrees with it. Whatever was believed is given up
 * when WATERMARK_GIVE_UP flows in a row are that far behind it: a clock was set right, or an older
 * log follows a newer one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WATERMARK_STEP_US (INT64_C(86400) * 1000000)

#define WATERMARK_GIVE_UP 1000

struct watermark {
    int64_t now_us;       /* 0: nothing seen */
    int64_t candidate_us; /* a far step seen once; 0: none */
    uint32_t behind;      /* flows in a row that were far behind */
    bool agreed;          /* now_us is not the word of one flow alone */
};

/* Takes in the end time of a flow; returns the watermark. */
int64_t watermark_add(struct watermark *watermark, int64_t end_us);
