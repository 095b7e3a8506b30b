/* SPDX-License-Identifier: MIT */
/* cmd.h - the commands of eddy. Each gets its own words, its name first, and returns the exit
 * status. */
#pragma once

enum exit_status {
    EXIT_FINE = 0,
    EXIT_FAULT = 1, /* an input or an operation failed; what could be done was done */
    EXIT_USAGE = 2  /* the command line makes no sense; nothing was done */
};

int cmd_score(int argc, char **argv);
int cmd_features(int argc, char **argv);
int cmd_incidents(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_model(int argc, char **argv);
int cmd_model_info(int argc, char **argv);
int cmd_model_dump(int argc, char **argv);
int cmd_model_diff(int argc, char **argv);
int cmd_model_pull(int argc, char **argv);
int cmd_mark(int argc, char **argv);
int cmd_options(int argc, char **argv);
int cmd_suppress(int argc, char **argv);

/* Says on standard error what is wrong with the command line. Returns EXIT_USAGE. */
int usage_error(const char *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For a '?' of getopt. Returns EXIT_USAGE. */
int usage_option(const char *command, char **argv);

/* Writes out what was printed. Returns EXIT_FINE, or EXIT_FAULT if standard output can't be
 * written: it says so, unless its reader has simply gone (head). */
int finish_output(void);
