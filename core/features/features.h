/* SPDX-License-Identifier: MIT */
/* features.h - evaluates features.def for a row. */
#pragma once

#include "row.h"

/* Fills row->column from the flow, its host, window and pair. */
void features(struct row *row);

/* Name and meaning of a column. */
const eddy_feature *feature_of(enum column column);
