/* SPDX-License-Identifier: MIT */
/* run.h - logs through an engine: what `eddy score` and `eddy features` have in common. */
#pragma once

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"
#include "progress.h"

/* Why records were not scored, over all files. */
struct run_reason {
    char name[32], help[160];
    uint64_t count;
    bool rejected;
};

#define RUN_REASONS 64

struct run {
    const char *command; /* "score", for messages */

    /* From the command line. */
    const char *config_path; /* or NULL */
    const char **settings;   /* "section.name=value"; owned */
    size_t setting_count;
    const char *format; /* or NULL */
    bool quiet, two_pass;
    int loudest; /* nothing of the library's log above this level is said; 0: all is */
    char **files;
    size_t file_count;

    /* What the command does. All get `user`. */
    void (*scored)(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                   void *user);
    void (*incident)(const eddy_incident *incident, void *user);
    void (*configured)(const eddy_config *config, void *user); /* once the settings are known */
    void (*ended)(eddy_engine *engine, void *user);            /* all is read; or NULL */
    bool (*go_on)(void *user); /* asked after each piece of a file; false: the output is broken */
    void (*file_done)(const char *path, uint64_t flows, void *user); /* or NULL */
    void (*done)(eddy_engine *engine, void *user); /* after the last file; or NULL */
    void *user;

    /* What came of it. */
    eddy_counts counts;
    struct run_reason reasons[RUN_REASONS];
    size_t reason_count;
    uint64_t hosts; /* in the table at the end */
    bool failed;    /* an input or an operation failed, and it was said */
    bool misused;   /* the command line was wrong after all */
    bool stopped;   /* go_on() said no, or misused */

    struct progress progress;
    bool learning; /* the first of two passes: the hooks above rest */
};

/* The options that all such commands take, to be put in front of their own. */
#define RUN_SHORT "c:s:f:qh"
#define RUN_LONG                                                                                   \
    {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},               \
        {"input-format", required_argument, NULL, 'f'}, {"quiet", no_argument, NULL, 'q'},         \
    {                                                                                              \
        "help", no_argument, NULL, 'h'                                                             \
    }
#define RUN_HELP                                                                                   \
    "  -c, --config FILE         settings, as in eddy.conf\n"                                      \
    "  -s, --set SECTION.NAME=VALUE   one setting; may be repeated, and overrides the file\n"      \
    "  -f, --input-format FORMAT eve, zeek-json or zeek-tsv; found out if not given\n"             \
    "  -q, --quiet               no progress and no notes, only errors\n"

/* Takes one of these options (but for -h). False if it is none of them. Needs `settings` to have
 * room for all words of the command line: run_new gives it. */
bool run_option(struct run *run, int option, char *value);

/* False when out of memory. */
bool run_init(struct run *run, const char *command, int argc);
void run_done(struct run *run);

enum run_use { RUN_SETTINGS, RUN_LOGS }; /* to look at them, or for an engine on old logs */

/* The settings: the file's, then those of -s. Returns an exit status; what is wrong was said. */
int run_config(struct run *run, enum run_use use, eddy_config **out);

/* Feeds the files. Returns an exit status. */
int run_files(struct run *run);
