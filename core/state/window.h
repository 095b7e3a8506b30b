/* SPDX-License-Identifier: MIT */
/* window.h - what a host has done of late: opens, fills and closes struct window of host.h. */
#pragma once

#include "row.h"
#include "state/host.h"

/* Counts the row's flow in its host's window. A window closes when a flow ends `length_us` or more
 * after it opened, or when it opened after `now_us`, the watermark: then row->closed is set and
 * row->was holds what it came to. */
void window_add(struct row *row, int64_t now_us, int64_t length_us);

/* Counts the row's target, once in a window, when it first fails. Sets row->fresh. */
void window_target(struct row *row, uint64_t seed);

/* Has the row's window begun with it? A window that was evicted has not closed before: what a
 * detector keeps of the open one is then of a window that nobody learns from. */
static inline bool window_begins(const struct row *row)
{
    return !row->late && row->window->flows == 1;
}
