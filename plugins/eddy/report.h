/* SPDX-License-Identifier: MIT */
/* report.h - incidents as one page of HTML that needs nothing else. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "notes.h"
#include "run.h"
#include "store.h"

/* The first so many incidents have a section each, with plots; then so many a line in a table. */
#define REPORT_SECTIONS 200
#define REPORT_ROWS     1000

struct report_setting {
    char *key, *value, *initial;
};

struct report {
    const struct stored **sent, **withheld, **suppressed; /* the most unusual first */
    size_t sent_count, withheld_count, suppressed_count;
    const struct store *store;
    const struct run *run;             /* NULL: no log was scored */
    const struct notes *marks, *rules; /* of the configuration */
    const struct report_setting *settings;
    size_t setting_count;
    char *const *files;
    size_t file_count;
    int64_t made_us; /* 0: not to be said */
};

/* Writes the page; whether that worked is in ferror(). False when out of memory. */
bool report_write(FILE *to, const struct report *report);

/* Parts of it, each in a file of its own. */
void report_incident(FILE *to, const struct report *report, const struct stored *stored,
                     size_t number);
/* A table of some incidents, a line each; those that are held back with how to release them. */
enum report_kind { REPORT_SENT, REPORT_WITHHELD, REPORT_SUPPRESSED };
void report_table(FILE *to, const struct report *report, const struct stored *const *lines,
                  size_t count, enum report_kind kind);
void report_mark(FILE *to, const struct report *report, const struct stored *stored);
void report_severity(FILE *to, int severity);
void report_peer(FILE *to, const struct stored *stored);
void report_records(FILE *to, const struct report *report);
