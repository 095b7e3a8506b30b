/* SPDX-License-Identifier: MIT */
/* csv.h - fields of CSV on standard output. */
#pragma once

#include "eddy.h"

/* The sensor's id of the flow, quoted if it has what would end a field. */
void csv_id(const eddy_flow *flow);
