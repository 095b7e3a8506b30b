/* SPDX-License-Identifier: MIT */
/* reason.h - why a record was not scored; made from reasons.def. */
#pragma once

#include <stdbool.h>

enum reason {
    REASON_NONE = 0, /* nothing wrong */
#define REASON(name, result, help) REASON_##name,
#include "reasons.def"
#undef REASON
    REASON_COUNT
};

/* A record that is no flow, but names what flows are about. */
static inline bool reason_is_context(enum reason reason)
{
    return reason == REASON_dns_context || reason == REASON_tls_context ||
           reason == REASON_http_context;
}

enum reason_result { REASON_SKIPPED, REASON_REJECTED };

struct reason_info {
    const char *name, *help;
    enum reason_result result;
};

extern const struct reason_info reason_table[REASON_COUNT];
