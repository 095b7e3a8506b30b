/* SPDX-License-Identifier: MIT */
/* watermark.c - the latest event time that can be believed. */
#include "watermark.h"

static bool near(int64_t a_us, int64_t b_us, int64_t step_us)
{
    return a_us - b_us <= step_us && b_us - a_us <= step_us;
}

int64_t watermark_add(struct watermark *w, int64_t end_us, int64_t step_us)
{
    bool first = w->now_us == 0, agrees = near(end_us, w->now_us, step_us);
    if (!first && !agrees && !w->agreed && end_us < w->now_us) {
        w->candidate_us = w->now_us; /* the first flow stands alone, and is the one far ahead */
        w->now_us = end_us;
    } else if (first || agrees) {
        w->agreed = !first;
        w->behind = 0;
        w->candidate_us = 0;
        w->now_us = end_us > w->now_us ? end_us : w->now_us;
    } else if (end_us > w->now_us && w->candidate_us == 0) {
        w->candidate_us = end_us;
    } else if (end_us > w->now_us && near(end_us, w->candidate_us, step_us)) {
        int64_t later_us = end_us > w->candidate_us ? end_us : w->candidate_us;
        *w = (struct watermark){.now_us = later_us, .agreed = true};
    } else if (end_us > w->now_us) { /* far apart, both ahead: the earlier one is borne out */
        int64_t other_us = w->candidate_us;
        bool beyond = end_us > other_us;
        *w = (struct watermark){.now_us = beyond ? other_us : end_us,
                                .candidate_us = beyond ? end_us : other_us,
                                .agreed = true};
    } else if (++w->behind >= WATERMARK_GIVE_UP) {
        *w = (struct watermark){.now_us = end_us, .agreed = true};
    }
    return w->now_us;
}
