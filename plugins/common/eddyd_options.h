/* SPDX-License-Identifier: MIT */
/* eddyd_options.h - the settings of eddyd: section [eddyd] of eddy.conf. */
#pragma once

#include "eddy.h"

/* Makes them known to a config. */
int eddyd_options_declare(eddy_config *config, eddy_error *err);
