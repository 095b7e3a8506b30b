/* SPDX-License-Identifier: MIT */
/* said.h - what `eddy suppress` and `eddy mark` have in common: where things are, and lines. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"
#include "run.h"
#include "store.h"

#define SAID_LINE 1024 /* a little more than the library takes: it says what is too long */

/* A line of words under way. */
struct said_line {
    char text[SAID_LINE];
    size_t length; /* counts on when it is full */
};

/* Adds key=value, quoted if it must be. */
void said_add(struct said_line *line, const char *key, const char *value);
void said_add_number(struct said_line *line, const char *key, uint64_t number);
/* As 2026-01-02T03:04:05Z. */
void said_add_time(struct said_line *line, const char *key, int64_t us);
/* May a line have it? Control characters, a newline above all, would make it another line. */
bool said_clean(const char *value);
bool said_fits(const struct said_line *line);

/* `text` and the line, with a newline where there is none. The caller frees it; NULL: no memory. */
char *said_append(const char *text, const struct said_line *line);

/* Where the command looks. */
struct said {
    struct run *run;  /* -c and -s */
    const char *file; /* --file: of suppressions or marks; NULL: as the settings say */
    const char **in;  /* --in: files with incidents; none: the history */
    size_t in_count;
};

/* Uses /etc/eddy/eddy.conf if there is one and no other was named. */
void said_default_config(struct run *run);

/* The path of the file, from --file or from the setting `key`. Returns an exit status; what is
 * wrong was said. */
int said_path(const struct said *said, const char *key, char *out, size_t size);

/* A setting as text, "" if it can't be had. */
int said_setting(const struct said *said, const char *key, char *out, size_t size);

/* Reads the incidents the command may name. Returns an exit status. */
int said_incidents(const struct said *said, struct store *store);

/* Prints the text of an entry, which has no control characters but tabs, as a JSON string. */
void said_json(const char *text);

/* Where and what an incident is about: "beacon, 10.0.0.5 -> 203.0.113.7 port 443/tcp". */
const char *said_about(const struct stored *stored, char buf[160]);

/* "tcp", "udp", "icmp", "ipv6-icmp" or the number. */
const char *said_proto(uint8_t proto, char buf[16]);

/* "30d" from now on, but not before `least_us`; "never"; else a time as it is written. False if it
 * is none of these. `out` is what goes into the file; "" for never. */
bool said_expiry(const char *text, int64_t least_us, char out[32]);
