/* SPDX-License-Identifier: MIT */
/* pulse.c - how often each key was counted in the current tick, and in ticks of its past. */
#include "pulse.h"

#include <math.h>

void pulse_merge(struct pulse_cell *cell, double weight, double count, double most)
{
    double ticks = pulse_ticks(cell) + weight, sum = (double)cell->sum + weight * count;
    if (ticks > most) {
        sum *= most / ticks;
        ticks = most;
    }
    double whole = floor(ticks * 64.0);
    cell->sum = ticks > 0.0 ? (float)(sum * whole / (ticks * 64.0)) : 0.0f;
    cell->ticks = (uint16_t)whole;
}

double pulse_kinds(const struct pulse_cell *cell)
{
    int set = __builtin_popcountll(cell->who);
    if (set == 64)
        return 64.0 * log(64.0);
    return -64.0 * log1p(-set / 64.0);
}
