/* SPDX-License-Identifier: MIT */
/* suspects.h - who has been suspicious in the last day, so that one host, however long it goes on,
 * makes nothing usual for others.
 *
 * 256 of them, in 64 sets of 4; the one seen longest ago makes room. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define SUSPECT_SETS 64
#define SUSPECT_WAYS 4
#define SUSPECT_ROWS 64 /* `what` of a whole row; smaller numbers are detectors */

struct suspects {
    struct {
        uint64_t key;
        int64_t when_us;
    } slot[SUSPECT_SETS][SUSPECT_WAYS];
};

/* Has `who` not been suspicious in this way for a day of event time? Notes that it is now. */
bool suspects_first(struct suspects *suspects, uint64_t who, uint64_t what, int64_t now_us);
