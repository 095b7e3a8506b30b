/* SPDX-License-Identifier: MIT */
/* called.h - what an incident's other end is called, as names the sensor has seen. */
#pragma once

#include "decide/incidents.h"
#include "state/names.h"

/* Adds what is known of the incident's other end to its explanation; nothing if it has none. Names
 * may be seen after the flows they belong to, so this is asked each time it is told. */
void called_add(const struct names *names, struct incident *incident);
