/* SPDX-License-Identifier: MIT */
/* host.h - the Suricata we are in: its functions, found by name when the plugin is loaded. */
#pragma once

#include <stdbool.h>

#include "abi.h"

typedef void host_log_fn(int level, const char *file, const char *function, int line,
                         const char *module, const char *format, ...);

struct host {
    int major; /* 7 or 8; else the first number of its version, 0 if it says none */
    struct abi_node *(*child)(const struct abi_node *, const char *);
    const char *(*log_directory)(void);
    int (*setting)(const char *, const char **);
    bool (*add_file_type)(void *);
    void (*watch_rotation)(int *);
    void (*unwatch_rotation)(int *);
    host_log_fn *log, *log_error;
};

/* Written once, by host_find(), before anything else runs: Suricata hands its plugins no pointer of
 * theirs through SCPluginRegister(). */
extern struct host host;

/* Returns NULL, or what this program lacks to be a Suricata we know. */
const char *host_find(void);

/* A line in Suricata's log. `level` is of syslog(3): the shape of eddy_hooks.log. Any thread. */
void host_line(int level, const char *message, void *user);

/* Whether this is `suricata -T`: outputs are opened and never closed, perhaps by another user than
 * the daemon's, perhaps beside the running daemon. */
bool host_only_tests(void);
