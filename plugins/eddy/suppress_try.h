/* SPDX-License-Identifier: MIT */
/* suppress_try.h - what suppressions would have done: logs are scored without them and with them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "found.h"
#include "run.h"

struct tried_rule {
    char id[24];
    char *text;      /* the line */
    uint64_t flows;  /* that match it, unusual or not */
    uint64_t hits;   /* findings it covers */
    uint64_t hidden; /* incidents, sent and withheld */
    bool tried;      /* else it was in force before */
    bool bounded;    /* to one detector and one host: it may match any share of the flows */
};

struct trial {
    struct run *run;    /* with the files; its settings have room for TRIAL_SETTINGS more */
    const char *before; /* suppressions in force, as in their file */
    const char *after;  /* the same, and those that are tried */

    uint64_t scored, matched; /* flows; of them, those that match any of the rules in `after` */
    struct tried_rule *rules;
    size_t rule_count;
    struct found without, with; /* incidents of the two runs */
    bool *hidden;               /* for each of `without`: is it hidden by what was tried? */
    bool out_of_memory;
};

#define TRIAL_SETTINGS 12

/* Scores the files twice; no output that is configured gets anything. Returns an exit status. */
int suppress_try(struct trial *trial);

/* Prints it for a person. */
void trial_print(const struct trial *trial);
void trial_print_json(const struct trial *trial);

/* The widest rule that was tried, if it matches more than this share of the flows; NULL: none.
 * Rules that are bounded to one detector and one host are not asked. */
const struct tried_rule *trial_too_wide(const struct trial *trial, double max_share);

void trial_done(struct trial *trial);
