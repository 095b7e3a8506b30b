/* SPDX-License-Identifier: MIT */
/* host_options.h - the settings of the hosts: sections of eddy.conf beside those of the library. */
#pragma once

#include "eddy.h"

/* Makes them known to a config. Every host declares those of all: they read one eddy.conf. */
int host_options_declare(eddy_config *config, eddy_error *err);

/* The same for hosts on a sensor, before they read their settings: what is wrong with a model file
 * must not keep them from starting. */
int host_options_sensor(eddy_config *config, eddy_error *err);
