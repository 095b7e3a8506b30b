/* SPDX-License-Identifier: MIT */
/* cmd_model.c - eddy model: what is in model files. One cmd_model_<name>.c each, but for the
 * shortest. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "eddy.h"
#include "progress.h"

static int cmd_model_verify(int argc, char **argv);

static const struct sub {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} subs[] = {
    {"info", cmd_model_info, "FILE.eddy...    where it comes from, what it was trained on"},
    {"verify", cmd_model_verify, "FILE.eddy...  whether it is whole and fits this eddy"},
    {"dump", cmd_model_dump, "FILE.eddy       all of it as JSON, or one tree to be read"},
    {"diff", cmd_model_diff, "A.eddy B.eddy   in what two differ, and in which answers"},
    {"pull", cmd_model_pull, "models:/NAME@ALIAS  gets it from an MLflow server"},
};

#define SUBS (sizeof subs / sizeof *subs)

static void print_subs(void)
{
    (void)fputs(
        "Usage: eddy model COMMAND\n"
        "Looks at model files. Each is checked as the sensor does before it uses one: every\n"
        "byte, and the outputs it promises.\n\n",
        stdout);
    for (size_t i = 0; i < SUBS; i++)
        printf("    eddy model %s %s\n", subs[i].name, subs[i].help);
    (void)fputs("\n`eddy model COMMAND --help` tells more.\n"
                "Exit status: 0, 1 if a file was refused, 2 for wrong usage; diff and pull have "
                "more.\n",
                stdout);
}

static bool is_help(const char *word)
{
    return word != NULL && (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0);
}

int cmd_model(int argc, char **argv)
{
    if (argc < 2)
        return usage_error("model", "info, verify, dump, diff or pull?");
    if (is_help(argv[1])) {
        print_subs();
        return finish_output();
    }
    for (size_t i = 0; i < SUBS; i++)
        if (strcmp(argv[1], subs[i].name) == 0)
            return subs[i].run(argc - 1, argv + 1);
    return usage_error("model", "%s: not info, verify, dump, diff or pull", argv[1]);
}

static int cmd_model_verify(int argc, char **argv)
{
    bool good = true;
    if (is_help(argv[1])) {
        (void)fputs("Usage: eddy model verify FILE.eddy...\n"
                    "Says whether they are whole and fit this eddy.\n"
                    "Exit status: 0, 1 if one was refused, 2 for wrong usage.\n",
                    stdout);
        return finish_output();
    }
    if (argc < 2)
        return usage_error("model verify", "no file given");
    for (int i = 1; i < argc; i++) {
        struct progress silent = {0};
        eddy_error err = {0};
        eddy_model *model = NULL;
        bool whole = eddy_model_open(argv[i], &model, &err) == EDDY_OK;
        if (whole)
            printf("%s: whole, and fits this eddy\n", argv[i]);
        else
            complain(&silent, "%s", err.message);
        eddy_model_free(model);
        good = whole && good;
    }
    int written = finish_output();
    return good ? written : EXIT_FAULT;
}
