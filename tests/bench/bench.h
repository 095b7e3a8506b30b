/* SPDX-License-Identifier: MIT */
/* bench.h - what the benchmarks share: a log in memory, an engine, clocks. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

/* The whole of a file, read before anything is timed. */
struct log_bytes {
    char *bytes;
    size_t size;
};

/* These say what is wrong on standard error and end the program: it is no library. */
void log_read(const char *path, struct log_bytes *out);
eddy_config *config_of(const char *const settings[], size_t count); /* "section.name=value" */
eddy_engine *engine_of(const eddy_config *config, const eddy_hooks *hooks);
eddy_worker *worker_of(eddy_engine *engine);

/* The options both programs have: -s section.name=value, as often as wanted, and one FILE. */
struct arguments {
    const char *settings[32];
    size_t setting_count;
    const char *path;
    int rounds; /* -n, 1 if not given */
};
void arguments_read(struct arguments *arguments, int argc, char **argv);

/* User and system time of this process: other programs on the machine do not count. */
double cpu_seconds(void);

/* A field of /proc/self/status that is in kB, "VmRSS" or "VmHWM"; 0 where there is none. */
uint64_t memory_kb(const char *field);

/* As a sensor reads: the same pieces in all benchmarks. */
#define PIECE ((size_t)256 * 1024)
