/* SPDX-License-Identifier: MIT */
/* host_options.h - the settings of the hosts: sections of eddy.conf beside those of the library. */
#pragma once

#include "eddy.h"

/* Makes them known to a config. Every host declares those of all: they read one eddy.conf. */
int host_options_declare(eddy_config *config, eddy_error *err);
