/* SPDX-License-Identifier: MIT */
/* collectd_abi.h - what this plugin uses of collectd 5.12, in our own words: the layout of its
 * structs and the names of its functions. Many distributions ship no headers for plugins.
 *
 * Checked against the daemon itself and, where they are installed, against collectd's own headers
 * (tests/hosts). The layout has been the same in all releases of 5.12 since 2020. */
#pragma once

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CD_NAME = 128, CD_MESSAGE = 256 };
enum { CD_GAUGE = 1, CD_DERIVE = 2 };
enum { CD_FAILURE = 1, CD_WARNING = 2, CD_OKAY = 4 };
enum { CD_STRING = 0, CD_NUMBER = 1, CD_BOOLEAN = 2 };

typedef uint64_t cd_time; /* in units of 2^-30 s since 1970 */

union cd_value {
    uint64_t counter;
    double gauge;
    int64_t derive;
};

struct cd_values {
    union cd_value *values;
    size_t count;
    cd_time time, interval; /* 0: now; that of the plugin */
    char host[CD_NAME];     /* empty: this one */
    char plugin[CD_NAME], plugin_instance[CD_NAME];
    char type[CD_NAME], type_instance[CD_NAME];
    void *meta;
};

struct cd_source {
    char name[CD_NAME];
    int type;
    double min, max; /* NAN: none */
};

struct cd_data_set {
    char type[CD_NAME];
    size_t count;
    struct cd_source *sources;
};

struct cd_notification {
    int severity;
    cd_time time;
    char message[CD_MESSAGE];
    char host[CD_NAME];
    char plugin[CD_NAME], plugin_instance[CD_NAME];
    char type[CD_NAME], type_instance[CD_NAME];
    struct cd_meta *meta; /* a list, made and freed by the daemon */
};

/* A piece of the configuration. */
struct cd_config_value {
    union {
        char *string;
        double number;
        int boolean;
    } value;
    int type;
};

struct cd_config {
    char *key;
    struct cd_config_value *values;
    int value_count;
    struct cd_config *parent, *children;
    int child_count;
};

struct cd_user_data {
    void *data;
    void (*free_data)(void *);
};

#if UINTPTR_MAX == UINT64_MAX
static_assert(sizeof(struct cd_values) == 680, "value_list_t");
static_assert(sizeof(struct cd_notification) == 920, "notification_t");
static_assert(sizeof(struct cd_source) == 152, "data_source_t");
static_assert(sizeof(struct cd_data_set) == 144, "data_set_t");
static_assert(sizeof(struct cd_config) == 48, "oconfig_item_t");
#endif

#ifndef EDDY_COLLECTD_LAYOUT_ONLY
extern char *hostname_g;
cd_time cdtime(void);
struct cd_config *oconfig_clone(const struct cd_config *from);
void oconfig_free(struct cd_config *config);

int plugin_register_complex_config(const char *plugin, int (*callback)(struct cd_config *));
int plugin_register_init(const char *plugin, int (*callback)(void));
int plugin_register_complex_read(const char *group, const char *name,
                                 int (*callback)(struct cd_user_data *), cd_time interval,
                                 const struct cd_user_data *user);
int plugin_register_flush(const char *plugin,
                          int (*callback)(cd_time, const char *, struct cd_user_data *),
                          const struct cd_user_data *user);
int plugin_register_shutdown(const char *plugin, int (*callback)(void));
int plugin_register_data_set(const struct cd_data_set *set);

int plugin_dispatch_values(const struct cd_values *values);
int plugin_dispatch_notification(const struct cd_notification *notification);
int plugin_notification_meta_add_string(struct cd_notification *n, const char *name,
                                        const char *value);
int plugin_notification_meta_add_unsigned_int(struct cd_notification *n, const char *name,
                                              uint64_t value);
int plugin_notification_meta_add_double(struct cd_notification *n, const char *name, double value);
int plugin_notification_meta_free(struct cd_meta *meta);

void plugin_log(int level, const char *format, ...) __attribute__((format(printf, 2, 3)));
int plugin_thread_create(pthread_t *thread, void *(*routine)(void *), void *argument,
                         const char *name);
#endif
