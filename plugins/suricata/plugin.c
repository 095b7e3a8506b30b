/* SPDX-License-Identifier: MIT */
/* plugin.c - eddy as a file type of Suricata's eve-log, for 7.0 and 8.0. */
#include <stdio.h>
#include <syslog.h>

#include "eddy.h"

#include "host.h"
#include "instance.h"
#include "say.h"

#define AUTHOR  "the authors of eddy"
#define LICENSE "MIT"

static const struct say to_log = {.line = host_line};
static const char *lacking; /* NULL: all is there. Written once, as `host` is */

static int open_output(const struct abi_node *eve_log, bool threaded, void **data)
{
    (void)threaded; /* records may come from several threads anyway */
    eddy_error err = {0};
    struct instance *instance = NULL;
    if (instance_new(eve_log, &instance, &err) < 0) {
        say(&to_log, LOG_ERR, "%s", err.message);
        return -1; /* Suricata runs on without this output, unless told that this is fatal */
    }
    *data = instance;
    return 0;
}

static void close_output(void *data)
{
    instance_free(data);
}

static int write_record(const char *record, int length, const void *data, void *thread_data)
{
    (void)thread_data;
    if (data != NULL && length > 0)
        instance_write(data, record, (size_t)length);
    return 0; /* Suricata would ignore a failure; ours are counted */
}

static int open_thread_7(void *data, int id, void **thread_data)
{
    (void)data, (void)id;
    *thread_data = NULL;
    return 0;
}

static int close_thread_7(void *data, void *thread_data)
{
    (void)data, (void)thread_data;
    return 0;
}

static int open_thread_8(const void *data, uint32_t id, void **thread_data)
{
    (void)data, (void)id;
    *thread_data = NULL;
    return 0;
}

static void close_thread_8(const void *data, void *thread_data)
{
    (void)data, (void)thread_data;
}

/* Not const: Suricata links them into its list. */
static struct abi_file_type_7 type_7 = {.name = "eddy",
                                        .open = open_output,
                                        .write = write_record,
                                        .close = close_output,
                                        .thread_open = open_thread_7,
                                        .thread_close = close_thread_7};
static struct abi_file_type_8 type_8 = {.name = "eddy",
                                        .open = open_output,
                                        .thread_open = open_thread_8,
                                        .write = write_record,
                                        .thread_close = close_thread_8,
                                        .close = close_output};

/* Before Suricata forks, and under another user: nothing but this. */
static void add_file_type(void)
{
    if (lacking != NULL)
        say(&to_log, LOG_ERR, "not loaded: this program lacks %s", lacking);
    else if (!host.add_file_type(host.major == 7 ? (void *)&type_7 : (void *)&type_8))
        say(&to_log, LOG_ERR, "not loaded: there is a file type 'eddy' already");
}

static struct abi_plugin_7 plugin_7 = {
    .name = "eddy", .license = LICENSE, .author = AUTHOR, .init = add_file_type};
static struct abi_plugin_8 plugin_8 = {.abi = ABI_8,
                                       .suricata_version = "8.0",
                                       .name = "eddy",
                                       .license = LICENSE,
                                       .author = AUTHOR,
                                       .init = add_file_type};

__attribute__((visibility("default"))) void *SCPluginRegister(void);

/* Never NULL: Suricata would crash. One that is newer than 8 refuses the layout of 8 itself, by its
 * first field. */
void *SCPluginRegister(void)
{
    lacking = host_find();
    plugin_8.version = eddy_version();
    return host.major > 0 && host.major <= 7 ? (void *)&plugin_7 : (void *)&plugin_8;
}
