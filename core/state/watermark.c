/* SPDX-License-Identifier: MIT */
/* watermark.c - the latest event time that can be believed. */
#include "watermark.h"

static bool near(int64_t a_us, int64_t b_us)
{
    return a_us - b_us <= WATERMARK_STEP_US && b_us - a_us <= WATERMARK_STEP_US;
}

int64_t watermark_add(struct watermark *w, int64_t end_us)
{
    bool first = w->now_us == 0, agrees = near(end_us, w->now_us);
    if (!first && !agrees && !w->agreed && end_us < w->now_us) {
        w->candidate_us = w->now_us; /* the first flow stands alone, and is the one far ahead */
        w->now_us = end_us;
    } else if (first || agrees) {
        w->agreed = !first;
        w->behind = 0;
        w->now_us = end_us > w->now_us ? end_us : w->now_us;
    } else if (end_us > w->now_us && w->candidate_us != 0 && near(end_us, w->candidate_us)) {
        *w = (struct watermark){.now_us = end_us, .agreed = true};
    } else if (end_us > w->now_us) {
        w->candidate_us = end_us;
    } else if (++w->behind >= WATERMARK_GIVE_UP) {
        *w = (struct watermark){.now_us = end_us, .agreed = true};
    }
    return w->now_us;
}
