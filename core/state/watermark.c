/* SPDX-License-Identifier: MIT */
/* watermark.c - the latest event time that can be believed. */
#include "watermark.h"

int64_t watermark_add(struct watermark *w, int64_t end_us)
{
    if (end_us <= w->now_us)
        return w->now_us;
    if (w->now_us == 0 || end_us - w->now_us <= WATERMARK_STEP_US) {
        w->now_us = end_us;
        return w->now_us;
    }
    int64_t apart = end_us - w->candidate_us;
    if (w->candidate_us != 0 && apart <= WATERMARK_STEP_US && apart >= -WATERMARK_STEP_US) {
        w->now_us = end_us;
        w->candidate_us = 0;
    } else {
        w->candidate_us = end_us;
    }
    return w->now_us;
}
