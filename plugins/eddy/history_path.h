/* SPDX-License-Identifier: MIT */
/* history_path.h - where the history is, by eddy.conf. */
#pragma once

#include <stddef.h>

#include "eddy.h"

/* The history.path of a configuration file; NULL: of /etc/eddy/eddy.conf. Fails if there is none.
 */
int history_path(const char *config_path, char *out, size_t size, eddy_error *err);
