/* SPDX-License-Identifier: MIT */
/* table.h - incidents for a person at a terminal. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "found.h"

struct table_look {
    size_t width; /* of the terminal, in columns */
    bool colours;
};

/* What standard output is: a terminal's width and colours, else $COLUMNS or 100, without colours.
 * $NO_COLOR is heeded (https://no-color.org). */
struct table_look table_look(void);

#define CELL_SIZE 96

const char *severity_name(int severity);

/* "203.0.113.9:443/tcp", "[2001:db8::1]:53/udp", as much of it as there is; "-" for nothing. */
void put_peer(const char *peer, unsigned peer_port, unsigned ip_proto, char cell[CELL_SIZE]);

/* Words come from logs: nothing in them may move the cursor. */
void print_safely(const char *text, size_t length);

/* The same in lines of at most `width`, each indented. */
void print_wrapped(const char *text, size_t width);

/* Prints the incidents in their order, each with its sentence below. */
void table_print(const struct found *found, struct table_look look);
