/* SPDX-License-Identifier: MIT */
/* pulse.c - how often each key was counted in the current tick, and in ticks of its past. */
#include "pulse.h"

#include <math.h>

#include "util/hash.h"

#define AHEAD 1440 /* ticks */

struct pulse pulse_find(struct pulse_cell *table, uint32_t row_length, uint32_t first,
                        uint32_t width, uint64_t hash)
{
    struct pulse pulse;
    for (uint32_t row = 0; row < PULSE_ROWS; row++) {
        uint64_t mixed = hash_mix(hash + row);
        uint32_t column = first + (uint32_t)(((mixed >> 32) * width) >> 32);
        pulse.cell[row] = &table[row * row_length + column];
    }
    return pulse;
}

bool pulse_over(const struct pulse_cell *cell, uint32_t tick)
{
    return tick > cell->tick || cell->tick - tick > AHEAD;
}

void pulse_begin(struct pulse_cell *cell, uint32_t tick)
{
    cell->tick = tick;
    cell->count = 0;
    cell->taught = 0;
    cell->who = 0;
}

bool pulse_add(const struct pulse *pulse, uint32_t tick, uint64_t who)
{
    for (unsigned row = 0; row < PULSE_ROWS; row++)
        if (pulse->cell[row]->tick > tick + 1)
            return false;
    for (unsigned row = 0; row < PULSE_ROWS; row++) {
        struct pulse_cell *cell = pulse->cell[row];
        cell->count += cell->count < UINT32_MAX;
        cell->who |= UINT64_C(1) << (who >> 58);
    }
    return true;
}

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
