/* SPDX-License-Identifier: MIT */
/* model_check.h - can the model files that settings name be used? */
#pragma once

#include "eddy.h"

/* For the trials that hosts offer (`eddyd -t`): a sensor starts without a model that is refused.
 * The first fault of any goes to `err`, with setting and path. Loads the models, as a start does.
 */
int model_check(const eddy_config *config, eddy_error *err);
