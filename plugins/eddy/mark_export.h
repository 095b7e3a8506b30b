/* SPDX-License-Identifier: MIT */
/* mark_export.h - marked incidents as labels of flows, to train with. */
#pragma once

#include "run.h"

/* Scores the run's files and prints id,label,family of every flow that belongs to an incident
 * marked in `text`, the text of a file of marks called `name`. Returns an exit status. The run's
 * settings have room for EXPORT_SETTINGS more. */
int mark_export(struct run *run, const char *name, const char *text);

#define EXPORT_SETTINGS 10
