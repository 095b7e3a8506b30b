/* SPDX-License-Identifier: MIT */
/* cmd_score.c - eddy score: what is unusual in these logs, and why. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "flows_csv.h"
#include "found.h"
#include "run.h"
#include "table.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_FLOWS };

struct score {
    struct run run;
    enum output output;
    struct found found;
    struct flows_csv *flows; /* NULL unless OUTPUT_FLOWS */
    bool broken;             /* standard output can't be written */
};

static const char help[] =
    "Usage: eddy score [OPTION...] FILE...\n"
    "What is unusual in logs of Suricata (EVE) and Zeek (conn.log), and why: a table on a\n"
    "terminal, else one line of JSON for each incident, the most unusual first. Several files are\n"
    "one stream of time, in the order given; - is standard input.\n\n"
    "  -o, --output table|json|flows  flows: CSV of every flow, id,score,p,detector\n"
    "      --two-pass            learn from all files first, then score them (forensics)\n"
    "      --withheld            list incidents that the daily budget withholds, too (*)\n"
    "      --suppressed          list incidents that suppressions cover, too (-)\n" RUN_HELP
    "  -h, --help                this\n\n"
    "Exit status: 0, 1 if an input or operation failed, 2 for wrong usage.\n";

/* ---- What the engine tells ---- */

static void on_incident(const eddy_incident *incident, void *user)
{
    struct score *score = user;
    found_add(incident, &score->found);
}

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct score *score = user;
    (void)columns;
    (void)flows_csv_add(score->flows, flow, verdict); /* what is lost is counted: see end_flows */
}

/* Says once that standard output is broken, unless its reader has simply gone. */
static bool say_broken(struct score *score, const eddy_error *err)
{
    if (errno != EPIPE && !score->broken)
        complain(&score->run.progress, "%s", err->message);
    score->broken = true;
    return false;
}

static bool on_piece(void *user)
{
    struct score *score = user;
    eddy_error err = {0};
    errno = 0;
    return flows_csv_flush(score->flows, &err) == EDDY_OK || say_broken(score, &err);
}

static int begin_flows(struct score *score)
{
    eddy_error err = {0};
    if (flows_csv_open("-", &score->flows, &err) != EDDY_OK) {
        complain(&score->run.progress, "%s", err.message);
        return EXIT_FAULT;
    }
    score->run.scored = on_scored;
    score->run.go_on = on_piece;
    return EXIT_FINE;
}

static int end_flows(struct score *score)
{
    eddy_error err = {0};
    uint64_t lost = flows_csv_lost(score->flows);
    errno = 0;
    if (flows_csv_close(score->flows, &err) != EDDY_OK)
        (void)say_broken(score, &err);
    return score->broken || lost > 0 ? EXIT_FAULT : EXIT_FINE;
}

/* ---- What is said at the end ---- */

/* "eve.json: 3 rejected" is in the library's log with its place; here is how many there were. */
static void say_rejected(struct run *run)
{
    for (size_t i = 0; i < run->reason_count; i++) {
        const struct run_reason *reason = &run->reasons[i];
        if (reason->rejected)
            complain(&run->progress, "%" PRIu64 " records rejected, %s: %s", reason->count,
                     reason->name, reason->help);
    }
}

static void print_reasons(FILE *to, const struct run *run, bool rejected)
{
    const char *separator = " (";
    for (size_t i = 0; i < run->reason_count; i++) {
        char count[32];
        if (run->reasons[i].rejected != rejected || run->reasons[i].count == 0)
            continue;
        (void)fprintf(to, "%s%s %s", separator, with_commas(run->reasons[i].count, count),
                      run->reasons[i].name);
        separator = ", ";
    }
    if (separator[0] == ',')
        (void)fputc(')', to);
}

static void print_counts(FILE *to, const struct score *score)
{
    char a[32], b[32], c[32];
    const struct run *run = &score->run;
    const struct found *found = &score->found;
    (void)fprintf(to, "%s records read: %s scored, %s skipped", with_commas(run->counts.read, a),
                  with_commas(run->counts.scored, b), with_commas(run->counts.skipped, c));
    print_reasons(to, run, false);
    (void)fprintf(to, ", %s rejected", with_commas(run->counts.rejected, a));
    print_reasons(to, run, true);
    (void)fprintf(to, ".\n%s %s, %s %s", with_commas(run->hosts, a),
                  run->hosts == 1 ? "host" : "hosts", with_commas(found->shown, b),
                  found->shown == 1 ? "incident" : "incidents");
    if (found->withheld > 0)
        (void)fprintf(to, ", %s more that the budget withholds%s", with_commas(found->withheld, c),
                      found->keep_withheld ? " (*)" : " (--withheld lists them)");
    if (found->suppressed > 0)
        (void)fprintf(to, ", %s suppressed%s", with_commas(found->suppressed, c),
                      found->keep_suppressed ? " (-)" : " (--suppressed lists them)");
    (void)fputs(".\n", to);
}

/* In a pipe, each incident is a line with all that is known of it. */
static void print_hint(const struct score *score)
{
    if (score->found.count > 0 && isatty(STDOUT_FILENO) == 1)
        (void)puts("Why: eddy score FILE... > found.json; eddy incidents show ID found.json");
}

static int print_incidents(struct score *score)
{
    struct found *found = &score->found;
    found_sort(found);
    if (score->output == OUTPUT_TABLE)
        table_print(found, table_look());
    for (size_t i = 0; score->output == OUTPUT_JSON && i < found->count && !ferror(stdout); i++)
        (void)puts(found->lines[i].json);
    if (score->output == OUTPUT_TABLE && !score->run.quiet)
        print_counts(stdout, score);
    if (score->output == OUTPUT_TABLE && !score->run.quiet)
        print_hint(score);
    return finish_output();
}

/* ---- The command ---- */

static int score_files(struct score *score)
{
    int status = EXIT_FINE, written = EXIT_FINE;
    score->run.incident = on_incident;
    score->run.user = score;
    if (score->output == OUTPUT_FLOWS)
        status = begin_flows(score);
    if (status != EXIT_FINE)
        return status;
    status = run_files(&score->run);
    if (score->output == OUTPUT_FLOWS)
        written = end_flows(score);
    if (status == EXIT_USAGE)
        return status;
    if (score->output != OUTPUT_FLOWS)
        written = print_incidents(score);
    say_rejected(&score->run);
    if (score->output != OUTPUT_TABLE && !score->run.quiet && isatty(STDERR_FILENO) == 1)
        print_counts(stderr, score);
    if (score->found.out_of_memory) {
        complain(&score->run.progress, "out of memory: some incidents are missing");
        return EXIT_FAULT;
    }
    return status != EXIT_FINE ? status : written;
}

static bool parse_output(const char *name, enum output *out)
{
    static const char *const names[] = {"table", "json", "flows"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum output)i;
            return true;
        }
    }
    return false;
}

enum long_option { LONG_TWO_PASS = 256, LONG_WITHHELD, LONG_SUPPRESSED };

/* Returns an exit status to end with, or -1 to go on. */
static int parse_options(struct score *score, int argc, char **argv)
{
    static const struct option options[] = {RUN_LONG,
                                            {"output", required_argument, NULL, 'o'},
                                            {"two-pass", no_argument, NULL, LONG_TWO_PASS},
                                            {"withheld", no_argument, NULL, LONG_WITHHELD},
                                            {"suppressed", no_argument, NULL, LONG_SUPPRESSED},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, RUN_SHORT "o:", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == 'o') {
            if (!parse_output(optarg, &score->output))
                return usage_error("score", "-o %s: not table, json or flows", optarg);
        } else if (option == LONG_TWO_PASS) {
            score->run.two_pass = true;
        } else if (option == LONG_WITHHELD) {
            score->found.keep_withheld = true;
        } else if (option == LONG_SUPPRESSED) {
            score->found.keep_suppressed = true;
        } else if (!run_option(&score->run, option, optarg)) {
            return usage_option("score", argv);
        }
    }
    score->run.files = argv + optind;
    score->run.file_count = (size_t)(argc - optind);
    return -1;
}

int cmd_score(int argc, char **argv)
{
    struct score score = {.output = isatty(STDOUT_FILENO) == 1 ? OUTPUT_TABLE : OUTPUT_JSON};
    if (!run_init(&score.run, "score", argc)) {
        complain(&score.run.progress, "out of memory");
        return EXIT_FAULT;
    }
    int status = parse_options(&score, argc, argv);
    if (status < 0)
        status = score_files(&score);
    found_done(&score.found);
    run_done(&score.run);
    return status;
}
