/* SPDX-License-Identifier: MIT */
/* abi.h - what Suricata expects of a plugin, in our own words: nothing is copied from its headers.
 *
 * Two layouts: that of 7.0.x and that of 8.0.x. Suricata 7 checks nothing, Suricata 8 refuses a
 * plugin that does not say ABI_8. The version that runs is known only when the plugin is loaded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define ABI_8 0x0800 /* of every 8.0.x */

enum abi_log { ABI_ERROR = 1, ABI_WARNING = 2, ABI_NOTICE = 3, ABI_INFO = 4 };

/* A node of suricata.yaml; the same in 7 and 8. Children are a list; those of a sequence are named
 * "0", "1", ... Its fields are trusted only after settings.c has compared them with what
 * Suricata's own functions say. */
struct abi_node {
    char *name;
    char *value; /* NULL: has children, or nothing */
    int is_sequence;
    int is_final;
    struct abi_node *parent;
    struct abi_node *first, **last;
    struct abi_node *next, **previous;
};

struct abi_plugin_7 {
    const char *name, *license, *author;
    void (*init)(void);
};

struct abi_plugin_8 {
    uint64_t abi;
    const char *suricata_version; /* built for; only logged */
    const char *name, *version, *license, *author;
    void (*init)(void);
};

/* `open` gets the whole eve-log node and returns what the others get as `data`. `write` is called
 * by several threads at once, whatever the documentation says; `thread_data` may be NULL. */
typedef int abi_open(const struct abi_node *eve_log, bool threaded, void **data);
typedef int abi_write(const char *record, int length, const void *data, void *thread_data);
typedef void abi_close(void *data);

struct abi_file_type_7 {
    const char *name;
    abi_open *open;
    abi_write *write;
    abi_close *close;
    int (*thread_open)(void *data, int id, void **thread_data);
    int (*thread_close)(void *data, void *thread_data);
    void *links[2]; /* Suricata's */
};

struct abi_file_type_8 {
    const char *name;
    abi_open *open;
    int (*thread_open)(const void *data, uint32_t id, void **thread_data);
    abi_write *write;
    void (*thread_close)(const void *data, void *thread_data);
    abi_close *close;
    void *links[2]; /* Suricata's */
};
