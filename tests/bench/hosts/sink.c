/* SPDX-License-Identifier: MIT */
/* sink.c - a file type of Suricata 7 that throws records away: what eddy's own share is measured
 * from. */
#include <dlfcn.h>
#include <stddef.h>

#include "abi.h"

static int open_output(const struct abi_node *eve_log, bool threaded, void **data)
{
    (void)eve_log, (void)threaded, (void)data;
    return 0;
}

static int write_record(const char *record, int length, const void *data, void *thread_data)
{
    (void)record, (void)length, (void)data, (void)thread_data;
    return 0;
}

static void close_output(void *data)
{
    (void)data;
}

static int open_thread(void *data, int id, void **thread_data)
{
    (void)data, (void)id, (void)thread_data;
    return 0;
}

static int close_thread(void *data, void *thread_data)
{
    (void)data, (void)thread_data;
    return 0;
}

static struct abi_file_type_7 type = {.name = "sink",
                                      .open = open_output,
                                      .write = write_record,
                                      .close = close_output,
                                      .thread_open = open_thread,
                                      .thread_close = close_thread};

static void add_file_type(void)
{
    bool (*add)(void *);
    *(void **)&add = dlsym(dlopen(NULL, RTLD_LAZY), "SCRegisterEveFileType");
    (void)add(&type);
}

static struct abi_plugin_7 plugin = {
    .name = "sink", .license = "MIT", .author = "the authors of eddy", .init = add_file_type};

void *SCPluginRegister(void);

void *SCPluginRegister(void)
{
    return &plugin;
}
