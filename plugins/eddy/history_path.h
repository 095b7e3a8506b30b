/* SPDX-License-Identifier: MIT */
/* history_path.h - where the history is, by eddy.conf. */
#pragma once

#include <stddef.h>

#include "eddy.h"

#define EDDY_CONF "/etc/eddy/eddy.conf"

/* A setting of a configuration file; NULL: of EDDY_CONF. */
int config_text(const char *config_path, const char *key, char *out, size_t size, eddy_error *err);

/* The history.path of a configuration file; NULL: of /etc/eddy/eddy.conf. Fails if there is none.
 */
int history_path(const char *config_path, char *out, size_t size, eddy_error *err);
