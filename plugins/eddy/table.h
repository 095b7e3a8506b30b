/* SPDX-License-Identifier: MIT */
/* table.h - incidents for a person at a terminal. */
#pragma once

#include <stdbool.h>

#include "found.h"

struct table_look {
    size_t width; /* of the terminal, in columns */
    bool colours;
};

/* What standard output is: a terminal's width and colours, else $COLUMNS or 100, without colours.
 * $NO_COLOR is heeded (https://no-color.org). */
struct table_look table_look(void);

/* Prints the incidents in their order, each with its sentence below. */
void table_print(const struct found *found, struct table_look look);
