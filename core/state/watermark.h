/* SPDX-License-Identifier: MIT */
/* watermark.h - the latest event time that can be believed.
 *
 * A single flow with a clock ahead must not age everything else: a step of more than `step_us` is
 * taken only when the next flow that is ahead bears it out, by being as late or later; a flow at
 * the old time refutes it. The first flow of all is given up for an earlier one until a flow
 * agrees with it. Whatever was believed is given up when WATERMARK_GIVE_UP flows in a row are
 * further behind it than that: a clock was set right, or an older log follows a newer one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WATERMARK_GIVE_UP 1000

struct watermark {
    int64_t now_us;       /* 0: nothing seen */
    int64_t candidate_us; /* a far step seen once and not refuted; 0: none */
    uint32_t behind;      /* flows in a row that were far behind */
    bool agreed;          /* now_us is not the word of one flow alone */
};

/* Takes in the end time of a flow; returns the watermark. */
int64_t watermark_add(struct watermark *watermark, int64_t end_us, int64_t step_us);
