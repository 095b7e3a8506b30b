/* SPDX-License-Identifier: MIT */
/* ring.h - keeps the latest flows of a pair in order of their start, whatever order they come in.
 */
#pragma once

#include "state/host.h"

/* Puts a flow where it belongs; the oldest goes when the ring is full. A flow with the same
 * millisecond and size as one in the ring is that one again: nothing changes. */
void ring_add(struct ring *ring, int64_t start_us, uint32_t size);
