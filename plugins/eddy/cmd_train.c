/* SPDX-License-Identifier: MIT */
/* cmd_train.c - eddy train: an isolation forest from logs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cmd.h"
#include "json_write.h"
#include "out_file.h"
#include "run.h"

struct train {
    struct run run;
    const char *out, *name, *version;
    eddy_model_data *data; /* one for each file that was read */
    size_t data_count;
    int64_t first_us, last_us; /* of the flows of this file; INT64_MAX: none yet */
    char setting[3][64];       /* of the options, as section.name=value */
    size_t settings;
};

static const char help[] =
    "Usage: eddy train -m OUT.eddy [OPTION...] FILE...\n"
    "Trains an isolation forest on these logs and writes it to a file that the setting\n"
    "iforest.model can name. What other detectors find suspicious is not trained on. Several\n"
    "files are one stream of time, in the order given; - is standard input.\n\n"
    "  -m, --model OUT.eddy      where the model goes; what is there is replaced, as is\n"
    "                            OUT_metadata.json beside it: what is in it, in JSON\n"
    "      --trees N             as iforest.trees\n"
    "      --samples N           as iforest.samples\n"
    "      --seed N              as iforest.seed\n"
    "      --name NAME           of the model (iforest)\n"
    "      --version VERSION     of the model (1)\n" RUN_HELP "  -h, --help                this\n\n"
    "Exit status: 0, 1 if an input or operation failed, 2 for wrong usage.\n";

enum { OPTION_TREES = 256, OPTION_SAMPLES, OPTION_SEED, OPTION_NAME, OPTION_VERSION };

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct train *train = user;
    (void)columns;
    (void)verdict;
    if (flow->start_us < train->first_us)
        train->first_us = flow->start_us;
    if (flow->start_us > train->last_us)
        train->last_us = flow->start_us;
}

static void on_file(const char *path, uint64_t flows, void *user)
{
    struct train *train = user;
    if (flows > 0)
        train->data[train->data_count++] =
            (eddy_model_data){path, flows, train->first_us, train->last_us};
    train->first_us = INT64_MAX;
    train->last_us = INT64_MIN;
}

/* ---- metadata beside the model ---- */

/* "office.eddy" -> "office_metadata.json". Given. */
static char *beside(const char *model)
{
    static const char end[] = "_metadata.json", suffix[] = ".eddy";
    size_t length = strlen(model), cut = sizeof suffix - 1;
    if (length > cut && strcmp(model + length - cut, suffix) == 0)
        length -= cut;
    char *path = malloc(length + sizeof end);
    if (path != NULL) {
        memcpy(path, model, length);
        memcpy(path + length, end, sizeof end);
    }
    return path;
}

/* What is in the file, and which file it is. */
static int put_metadata(FILE *to, const char *model, const char *name, eddy_error *err)
{
    struct stat file;
    eddy_model *opened = NULL;
    int status = eddy_model_open(model, &opened, err);
    if (status != EDDY_OK)
        return status;
    eddy_model_info info = {.size = sizeof info};
    eddy_model_describe(opened, &info);
    struct json_writer w = {.max = (size_t)16 << 20};
    json_put_open(&w, '{');
    json_put_key(&w, "artifact");
    json_put_open(&w, '{');
    json_put_pair(&w, "file", name);
    json_put_key(&w, "bytes");
    json_put_count(&w, stat(model, &file) == 0 ? (uint64_t)file.st_size : 0);
    json_put_pair(&w, "sha256", info.sha256);
    json_put_close(&w, '}');
    bool good = !w.failed && fprintf(to, "%s,%s\n", w.text, info.metadata + 1) > 0;
    free(w.text);
    eddy_model_free(opened);
    if (good)
        return EDDY_OK;
    err->code = EDDY_EIO;
    (void)snprintf(err->message, sizeof err->message, "the metadata beside it can't be written");
    return EDDY_EIO;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

static int write_beside(const char *model, eddy_error *err)
{
    struct out_file out;
    eddy_error late = {0};
    struct stat info;
    if (stat(model, &info) != 0 || !S_ISREG(info.st_mode))
        return EDDY_OK; /* a pipe or a device has nothing beside it */
    char *path = beside(model);
    int status = path == NULL ? EDDY_ENOMEM : out_file_begin(&out, path, err);
    if (status == EDDY_OK) {
        FILE *to = fopen(out.part, "w");
        status = to == NULL ? EDDY_EIO : put_metadata(to, model, base_name(model), err);
        if (to != NULL && fclose(to) != 0)
            status = EDDY_EIO;
        if (out_file_end(&out, status == EDDY_OK, &late) != EDDY_OK) {
            status = late.code;
            *err = late;
        }
    }
    if (status != EDDY_OK && err->code == 0)
        (void)snprintf(err->message, sizeof err->message, "%s: can't be written",
                       path != NULL ? path : model);
    free(path);
    return status;
}

/* ---- train ---- */

static void on_end(eddy_engine *engine, void *user)
{
    struct train *train = user;
    eddy_error err = {0};
    eddy_model_origin origin = {.size = sizeof origin,
                                .name = train->name,
                                .version = train->version,
                                .created_s = (int64_t)time(NULL),
                                .data = train->data,
                                .data_count = train->data_count};
    struct out_file out;
    int status = out_file_begin(&out, train->out, &err);
    if (status == EDDY_OK) {
        eddy_error late = {0};
        status = eddy_engine_save_model(engine, &origin, out.part, &err);
        if (out_file_end(&out, status == EDDY_OK, &late) != EDDY_OK) {
            status = late.code;
            err = late;
        }
    }
    if (status == EDDY_OK)
        status = write_beside(train->out, &err);
    if (status != EDDY_OK) {
        complain(&train->run.progress, "%s", err.message);
        train->run.failed = true;
    }
}

static bool take_setting(struct train *train, const char *name)
{
    char *setting = train->setting[train->settings % 3];
    int n = snprintf(setting, sizeof train->setting[0], "iforest.%s=%s", name, optarg);
    if (train->settings++ >= 3 || n < 0 || (size_t)n >= sizeof train->setting[0])
        return false;
    train->run.settings[train->run.setting_count++] = setting;
    return true;
}

static bool take_option(struct train *train, int option)
{
    switch (option) {
    case 'm':
        train->out = optarg;
        return true;
    case OPTION_TREES:
        return take_setting(train, "trees");
    case OPTION_SAMPLES:
        return take_setting(train, "samples");
    case OPTION_SEED:
        return take_setting(train, "seed");
    case OPTION_NAME:
        train->name = optarg;
        return optarg[0] != '\0';
    case OPTION_VERSION:
        train->version = optarg;
        return true;
    default:
        return run_option(&train->run, option, optarg);
    }
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse_options(struct train *train, int argc, char **argv)
{
    static const struct option options[] = {RUN_LONG,
                                            {"model", required_argument, NULL, 'm'},
                                            {"trees", required_argument, NULL, OPTION_TREES},
                                            {"samples", required_argument, NULL, OPTION_SAMPLES},
                                            {"seed", required_argument, NULL, OPTION_SEED},
                                            {"name", required_argument, NULL, OPTION_NAME},
                                            {"version", required_argument, NULL, OPTION_VERSION},
                                            {0}};
    struct run *run = &train->run;
    int option;
    /* The days of a log count alike; who wants the last one to count more says so with -s. */
    run->settings[run->setting_count++] = "iforest.retrain=365d";
    while ((option = getopt_long(argc, argv, RUN_SHORT "m:", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == '?')
            return usage_option("train", argv);
        if (!take_option(train, option))
            return usage_error("train", "%s: too long, empty, or given too often", optarg);
    }
    run->files = argv + optind;
    run->file_count = (size_t)(argc - optind);
    if (train->out == NULL)
        return usage_error("train", "no -m: where does the model go?");
    if (run->file_count == 0)
        return usage_error("train", "no file given (- is standard input)");
    return -1;
}

int cmd_train(int argc, char **argv)
{
    struct train train = {
        .name = "iforest", .version = "1", .first_us = INT64_MAX, .last_us = INT64_MIN};
    train.data = calloc((size_t)argc, sizeof *train.data);
    if (!run_init(&train.run, "train", argc) || train.data == NULL) {
        complain(&train.run.progress, "out of memory");
        free(train.data);
        return EXIT_FAULT;
    }
    int status = parse_options(&train, argc, argv);
    if (status < 0) {
        train.run.user = &train;
        train.run.scored = on_scored;
        train.run.file_done = on_file;
        train.run.done = on_end;
        status = run_files(&train.run);
    }
    run_done(&train.run);
    free(train.data);
    return status;
}
