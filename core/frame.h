/* SPDX-License-Identifier: MIT */
/* frame.h - scored flows as columns. */
#pragma once

#include <stddef.h>

#include "eddy.h"

/* As eddy_frame_new(), with room for other than 2 GiB in each column of text; for tests. */
int frame_new(size_t text_max, eddy_frame **out, eddy_error *err);
