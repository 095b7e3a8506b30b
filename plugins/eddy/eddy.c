/* SPDX-License-Identifier: MIT */
/* eddy.c - the command line: finds the command. One cmd_<name>.c each. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "eddy.h"
#include "progress.h"

static int cmd_version(int argc, char **argv)
{
    if (argc > 1)
        return usage_error("version", "takes nothing, not '%s'", argv[1]);
    printf("eddy %s\nbuilt with %s\n", eddy_version(), eddy_built_with());
    return finish_output();
}

static int cmd_help(int argc, char **argv);

static const struct command {
    const char *name, *title; /* the title names it in messages of getopt */
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"score", "eddy score", cmd_score, "FILE...      what is unusual in these logs, and why"},
    {"features", "eddy features", cmd_features, "FILE...   the columns that models are trained on"},
    {"incidents", "eddy incidents", cmd_incidents,
     "[FILE...] what was decided over time; show ID tells all of one"},
    {"report", "eddy report", cmd_report, "FILE... -o REPORT.html  one page with plots"},
    {"suppress", "eddy suppress", cmd_suppress,
     "add|test|list|remove  silences exactly what is meant, and tries it on past logs"},
    {"mark", "eddy mark", cmd_mark, "INCIDENT benign|malicious|none  says what an incident was"},
    {"train", "eddy train", cmd_train, "FILE... -m OUT.eddy    a forest for iforest.model"},
    {"model", "eddy model", cmd_model,
     "info|verify|dump|diff|pull   looks at model files, gets new ones"},
    {"options", "eddy options", cmd_options,
     "[SECTION]  every setting: initial value, range, meaning"},
    {"version", "eddy version", cmd_version, "           which eddy this is"},
    {"help", "eddy help", cmd_help, "[COMMAND]     this, or the help of a command"},
};

#define COMMAND_COUNT (sizeof commands / sizeof *commands)

static const struct command *find_command(const char *name)
{
    if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
        name = "help";
    if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0)
        name = "version";
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    }
    return NULL;
}

static void print_commands(FILE *to)
{
    (void)fputs("eddy scores the network flows in logs of Suricata (EVE) and Zeek (conn.log).\n\n",
                to);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        (void)fprintf(to, "    %s %s\n", commands[i].title, commands[i].help);
    (void)fputs("\n`eddy COMMAND --help` tells more. Logs may be plain, gzip or zstd; - is "
                "standard input.\n"
                "Exit status: 0, 1 if an input or operation failed, 2 for wrong usage.\n",
                to);
}

static int cmd_help(int argc, char **argv)
{
    if (argc > 2)
        return usage_error("help", "takes one command");
    if (argc < 2) {
        print_commands(stdout);
        return finish_output();
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL)
        return usage_error("help", "no such command: %s", argv[1]);
    if (command->run == cmd_help || command->run == cmd_version)
        return cmd_help(1, argv);
    char title[32], help[] = "--help";
    (void)snprintf(title, sizeof title, "%s", command->title);
    char *words[] = {title, help, NULL};
    return command->run(2, words);
}

int usage_error(const char *command, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fprintf(stderr, "eddy %s: ", command);
    say_safely(format, args);
    (void)fprintf(stderr, "\nTry 'eddy %s --help'.\n", command);
    va_end(args);
    return EXIT_USAGE;
}

int usage_option(const char *command, char **argv)
{
    if (optopt > ' ' && optopt < 0x7F)
        return usage_error(command, "-%c: no such option, or its value is missing", optopt);
    return usage_error(command, "%s: no such option, or its value is missing or not wanted",
                       argv[optind - 1]);
}

int finish_output(void)
{
    if (!ferror(stdout)) /* else errno is of the write that failed: callers stop there */
        errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return EXIT_FINE;
    if (errno != EPIPE)
        (void)fprintf(stderr, "eddy: standard output: %s\n",
                      errno != 0 ? strerror(errno) : "write failed");
    return EXIT_FAULT;
}

int main(int argc, char **argv)
{
    /* A reader that goes away (head) is a failed write, not our death: outputs are still closed. */
    (void)signal(SIGPIPE, SIG_IGN);
    if (argc < 2) {
        print_commands(stderr);
        return EXIT_USAGE;
    }
    const struct command *command = find_command(argv[1]);
    if (command == NULL) {
        struct progress none = {0};
        complain(&none, "no such command: %s", argv[1]);
        (void)fputs("Try 'eddy help'.\n", stderr);
        return EXIT_USAGE;
    }
    char title[32];
    (void)snprintf(title, sizeof title, "%s", command->title);
    argv[1] = title;
    opterr = 0; /* getopt prints words as they are: usage_option() speaks for it */
    return command->run(argc - 1, argv + 1);
}
