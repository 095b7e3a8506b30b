/* SPDX-License-Identifier: MIT */
/* emit.h - what outputs have in common. */
#pragma once

#include <stdint.h>

#include "part.h"

struct emit_conf {
    int64_t interval_us; /* between two writings of metrics */
};

/* The section [emit] of eddy.conf; its conf struct is struct emit_conf. */
extern const struct part emit_part;

/* "new", "growing", "quiet", "closed" for an eddy_incident_state; "low", "medium", "high" for an
 * eddy_severity. */
const char *emit_state(int state);
const char *emit_severity(int severity);
