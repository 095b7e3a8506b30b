/* SPDX-License-Identifier: MIT */
/* suspects.c - who has been suspicious in the last day. */
#include "score/suspects.h"

#include "util/hash.h"

#define DAY_US INT64_C(86400000000)

bool suspects_first(struct suspects *suspects, uint64_t who, uint64_t what, int64_t now_us)
{
    uint64_t key = hash_mix(who + hash_mix(what + 1));
    unsigned oldest = 0;
    int64_t most_us = -1;
    for (unsigned i = 0; i < SUSPECT_WAYS; i++) {
        int64_t when_us = suspects->slot[key % SUSPECT_SETS][i].when_us;
        int64_t ago_us = now_us > when_us ? now_us - when_us : when_us - now_us;
        if (suspects->slot[key % SUSPECT_SETS][i].key == key) {
            suspects->slot[key % SUSPECT_SETS][i].when_us = now_us;
            return ago_us >= DAY_US;
        }
        if (ago_us > most_us) {
            most_us = ago_us;
            oldest = i;
        }
    }
    suspects->slot[key % SUSPECT_SETS][oldest].key = key;
    suspects->slot[key % SUSPECT_SETS][oldest].when_us = now_us;
    return true;
}
