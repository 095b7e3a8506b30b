/* SPDX-License-Identifier: MIT */
/* reason.c - names and meanings of the reasons, from reasons.def. */
#include "reason.h"

const struct reason_info reason_table[REASON_COUNT] = {
    [REASON_NONE] = {"none", "scored", REASON_SKIPPED},
#define REASON(name, result, help) [REASON_##name] = {#name, help, REASON_##result},
#include "reasons.def"
#undef REASON
};
