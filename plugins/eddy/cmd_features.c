/* SPDX-License-Identifier: MIT */
/* cmd_features.c - eddy features: the columns that models are trained on, as CSV. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "csv.h"
#include "run.h"

struct features {
    struct run run;
    int columns;
};

static const char help[] =
    "Usage: eddy features [OPTION...] FILE...\n"
    "The feature columns of every flow as CSV: what models are trained on, computed by the code "
    "that\n"
    "runs on the sensor. First the sensor's id of the flow; a missing value is empty. Several "
    "files\n"
    "are one stream of time, in the order given; - is standard input.\n\n"
    "      --format csv          the only one yet, and the initial one\n" RUN_HELP
    "  -h, --help                this\n\n"
    "Exit status: 0, 1 if an input or operation failed, 2 for wrong usage.\n";

/* The digits that read back as the same double; whole numbers, which most are, the short way. */
static void put_number(double number)
{
    (void)putchar(',');
    if (isnan(number))
        return;
    if (number == 0) /* also -0, which no column means */
        (void)putchar('0');
    else if (fabs(number) < 9007199254740992.0 /* 2^53 */ && number == floor(number))
        printf("%" PRId64, (int64_t)number);
    else
        printf("%.17g", number);
}

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    const struct features *features = user;
    (void)verdict;
    csv_id(flow);
    for (int i = 0; i < features->columns; i++)
        put_number(columns[i]);
    (void)putchar('\n');
}

static bool on_piece(void *user)
{
    (void)user;
    return !ferror(stdout);
}

static int put_name(const eddy_feature *feature, void *user)
{
    (void)user;
    printf(",%s", feature->name);
    return 0;
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse_options(struct run *run, int argc, char **argv)
{
    static const struct option options[] = {
        RUN_LONG, {"format", required_argument, NULL, 256}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, RUN_SHORT, options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == 256) {
            if (strcmp(optarg, "csv") != 0)
                return usage_error("features", "--format %s: not csv", optarg);
        } else if (!run_option(run, option, optarg)) {
            return usage_option("features", argv);
        }
    }
    run->files = argv + optind;
    run->file_count = (size_t)(argc - optind);
    if (run->file_count == 0)
        return usage_error("features", "no file given (- is standard input)");
    return -1;
}

static int write_features(struct features *features)
{
    struct run *run = &features->run;
    run->scored = on_scored;
    run->go_on = on_piece;
    run->user = features;
    (void)fputs("id", stdout);
    features->columns = eddy_features(put_name, NULL);
    (void)putchar('\n');
    int status = run_files(run);
    if (status == EXIT_USAGE)
        return status;
    for (size_t i = 0; i < run->reason_count; i++) {
        const struct run_reason *reason = &run->reasons[i];
        if (reason->rejected)
            complain(&run->progress, "%" PRIu64 " records rejected, %s: %s", reason->count,
                     reason->name, reason->help);
    }
    int written = finish_output();
    return status != EXIT_FINE ? status : written;
}

int cmd_features(int argc, char **argv)
{
    struct features features = {0};
    if (!run_init(&features.run, "features", argc)) {
        complain(&features.run.progress, "out of memory");
        return EXIT_FAULT;
    }
    int status = parse_options(&features.run, argc, argv);
    if (status < 0)
        status = write_features(&features);
    run_done(&features.run);
    return status;
}
