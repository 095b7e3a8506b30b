/* SPDX-License-Identifier: MIT */
/* rest_turns.h - how many requests are worked on at a time; others wait for their turn. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eddy.h"

struct turns;

int turns_new(unsigned at_a_time, struct turns **out, eddy_error *err);
void turns_free(struct turns *t);

bool turns_take(struct turns *t, int64_t deadline_ms); /* of clock_ms(); false: it has passed */
void turns_give(struct turns *t);
