/* SPDX-License-Identifier: MIT */
/* pulse.h - how often each key was counted in the current tick, and in ticks of its past.
 *
 * The two count-min sketches of MIDAS (Bhatia, Hooi, Yoon, Shin, Faloutsos, AAAI 2020), current
 * and total, in one: a cell has both, so that a count costs one cache line for each row. A cell
 * is a process of its own, the sum of all keys that fall on it; who asks for a key takes the row
 * that speaks against it most. Ticks without a count are no past: what is kept is how much a tick
 * holds when it holds anything.
 *
 *     cell:  tick 4 | count 4, pinned | taught 2 | ticks 2 | sum 4 | who 8      24 bytes
 *
 * A cell's past is changed by pulse_merge alone, which lets the caller decide what a tick is
 * worth (the conditional merge of MIDAS-F: same authors and Liu, TKDD 2022). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/hash.h"

#define PULSE_ROWS  2
#define PULSE_TICKS 1000 /* the most a past can weigh */
#define PULSE_COUNT INT32_MAX

struct pulse_cell {
    uint32_t tick;       /* event time, in ticks */
    uint32_t count : 31; /* in this tick; stops at PULSE_COUNT */
    uint32_t pinned : 1; /* one of them may not be learned from: see row->teach */
    uint16_t taught;     /* of them, those that may be learned from; stops at 65535 */
    uint16_t ticks;      /* past ticks with a count, in 1/64 */
    float sum;           /* of their counts */
    uint64_t who;        /* which of 64 kinds were counted in this tick: linear counting */
};

/* Where a key is counted: one cell in each row. */
struct pulse {
    struct pulse_cell *cell[PULSE_ROWS];
};

#define PULSE_AHEAD 1440 /* ticks: where a cell lies further ahead, a clock was wrong */

/* Which of `width` cells from `first` on are the key's, in a table of PULSE_ROWS rows of
 * `row_length` cells. */
static inline struct pulse pulse_find(struct pulse_cell *table, uint32_t row_length, uint32_t first,
                                      uint32_t width, uint64_t hash)
{
    struct pulse pulse;
    uint64_t mixed = hash_mix(hash); /* a half for each row */
    for (uint32_t row = 0; row < PULSE_ROWS; row++, mixed <<= 32) {
        uint32_t column = first + (uint32_t)(((mixed >> 32) * width) >> 32);
        pulse.cell[row] = &table[row * row_length + column];
    }
    return pulse;
}

/* Is the cell's tick over at `tick`? */
static inline bool pulse_over(const struct pulse_cell *cell, uint32_t tick)
{
    return tick > cell->tick || cell->tick - tick > PULSE_AHEAD;
}

/* Begins a tick; the past stays. */
static inline void pulse_begin(struct pulse_cell *cell, uint32_t tick)
{
    cell->tick = tick;
    cell->count = 0;
    cell->pinned = 0;
    cell->taught = 0;
    cell->who = 0;
}

/* Counts one of kind `who` (any hash) in each row. False, and nothing is counted, if a cell is more
 * than a tick ahead: what is a tick late counts with the latest. After pulse_begin where needed. */
static inline bool pulse_add(const struct pulse *pulse, uint32_t tick, uint64_t who)
{
    for (unsigned row = 0; row < PULSE_ROWS; row++)
        if (pulse->cell[row]->tick > tick + 1)
            return false;
    for (unsigned row = 0; row < PULSE_ROWS; row++) {
        struct pulse_cell *cell = pulse->cell[row];
        if (cell->count < PULSE_COUNT)
            cell->count++;
        cell->who |= UINT64_C(1) << (who >> 58);
    }
    return true;
}

/* Adds `weight` ticks of `count` each to the past, of which at most `most` ticks remain. */
void pulse_merge(struct pulse_cell *cell, double weight, double count, double most);

static inline double pulse_ticks(const struct pulse_cell *cell)
{
    return cell->ticks / 64.0;
}

/* Mean count of past ticks; 0 if there are none. */
static inline double pulse_mean(const struct pulse_cell *cell)
{
    return cell->ticks == 0 ? 0.0 : (double)cell->sum * 64.0 / cell->ticks;
}

/* About how many kinds were counted in the tick, up to 266. */
double pulse_kinds(const struct pulse_cell *cell);
