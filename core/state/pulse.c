/* SPDX-License-Identifier: MIT */
/* pulse.c - how often each key was counted in the current tick, and in ticks of its past. */
#include "pulse.h"

#include <math.h>

void pulse_merge(struct pulse_cell *cell, double weight, double count, double most)
{
    uint32_t added = (uint32_t)(weight * 64.0), ticks = cell->ticks + added;
    uint32_t limit = (uint32_t)(most * 64.0);
    cell->sum += (float)(added * count) / 64.0f;
    if (ticks > limit) {
        cell->sum *= (float)limit / (float)ticks;
        ticks = limit;
    }
    cell->ticks = (uint16_t)ticks;
}

double pulse_kinds(const struct pulse_cell *cell)
{
    int set = __builtin_popcountll(cell->who);
    if (set == 64)
        return 64.0 * log(64.0);
    return -64.0 * log1p(-set / 64.0);
}
