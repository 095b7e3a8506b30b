/* SPDX-License-Identifier: MIT */
/* eve_context.h - the records of Suricata's EVE that name what flows are about. */
#pragma once

#include "context.h"
#include "eddy.h"
#include "reason.h"
#include "util/arena.h"

/* What an event_type tells of: CONTEXT_NONE for all but dns, tls, quic and http. */
enum context_kind eve_context_kind(const char *type, size_t length);

/* Reads one line of this kind. The reason of that kind: `flow` has its time, ends and id, and
 * `context` what it says. REASON_other_event if there is nothing to join to a flow in it. */
enum reason eve_context(struct arena *scratch, const char *line, size_t length, eddy_flow *flow,
                        struct context *context);
