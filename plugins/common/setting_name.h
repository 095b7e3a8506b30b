/* SPDX-License-Identifier: MIT */
/* setting_name.h - settings as other configuration languages write them: "MinGaps", "min-gaps".
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "eddy.h"

/* Sets section.name, whatever the case of its letters and with or without '-' and '_': collectd's
 * <Beacon> MinGaps and Suricata's beacon: min-gaps are both beacon.min_gaps. Fails like
 * eddy_config_set(); a name that does not exist is named as it was written. */
int setting_set(eddy_config *config, const char *section, const char *name, const char *value,
                eddy_error *err);

/* Whether `written` is that name, compared as setting_set() does. */
bool setting_is(const char *written, const char *name);

/* Whether `written` is the name of a section. */
bool setting_is_section(const eddy_config *config, const char *written);

/* A setting that is a size, which the library has checked when it was set. */
uint64_t setting_bytes(const eddy_config *config, const char *key);

/* A setting that is a duration, which the library has checked when it was set. For programs whose
 * numbers have a decimal point: those that set no locale, and collectd, which sets "C". */
int64_t setting_milliseconds(const eddy_config *config, const char *key);
