/* SPDX-License-Identifier: MIT */
/* trial.h - `suricata -T`: would these settings do? */
#pragma once

#include "eddy.h"

/* Opens what is only read and looks at the directories of what is written. Nothing is written: the
 * files would belong to whoever runs the test, and the daemon could not write them. Changes
 * `config`. */
int trial(eddy_config *config, eddy_error *err);
