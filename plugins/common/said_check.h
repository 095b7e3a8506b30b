/* SPDX-License-Identifier: MIT */
/* said_check.h - are the files that people write, suppress.path and feedback.path, without fault?
 */
#pragma once

#include "eddy.h"

/* For the trials that hosts offer (`eddyd -t`, `suricata -T`): an engine starts with a faulty file
 * and without what it says. The first fault of any goes to `err`, with path and line; a file that
 * does not exist yet has none. */
int said_check(const eddy_config *config, eddy_error *err);
