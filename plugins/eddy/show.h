/* SPDX-License-Identifier: MIT */
/* show.h - one incident with all its evidence, for a person at a terminal. */
#pragma once

#include <stdint.h>

#include "store.h"
#include "table.h"

/* "growing 3h 20m": since when nothing has been heard of one that is not closed. */
void state_text(const eddy_incident *incident, int64_t now_us, char buf[32]);

void show_print(const struct stored *stored, int64_t now_us, struct table_look look);
