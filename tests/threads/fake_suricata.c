/* SPDX-License-Identifier: MIT */
/* fake_suricata.c - a program that looks like a Suricata of a given version to the plugin, and
 * calls it from several threads at once.
 *
 * usage: fake_suricata PLUGIN VERSION DIR [CYCLES]
 * Prints "refused" and what the plugin said, or "ok". Built with LACKS it lacks a function. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../plugins/suricata/abi.h"

#define EXPORT __attribute__((visibility("default")))

enum { WRITERS = 4, FLOWS = 3000, OTHERS = 1000, BROKEN = 7, FOREVER_MAX = 1000 };

static const char *version, *folder;
static void *file_type;
static int *rotation[4];
static atomic_uint error_lines, reloads;

/* ---- what a Suricata exports ---- */

EXPORT const char *GetProgramVersion(void);
EXPORT struct abi_node *ConfNodeLookupChild(const struct abi_node *node, const char *name);
EXPORT struct abi_node *SCConfNodeLookupChild(const struct abi_node *node, const char *name);
EXPORT const char *ConfigGetLogDirectory(void);
EXPORT const char *SCConfigGetLogDirectory(void);
EXPORT int ConfGet(const char *name, const char **value);
EXPORT int SCConfGet(const char *name, const char **value);
EXPORT bool SCRegisterEveFileType(void *type);
EXPORT void OutputRegisterFileRotationFlag(int *flag);
EXPORT void OutputUnregisterFileRotationFlag(int *flag);
EXPORT void SCLog(int level, const char *file, const char *function, int line, const char *module,
                  const char *format, ...) __attribute__((format(printf, 6, 7)));
EXPORT void SCLogErr(int level, const char *file, const char *function, int line,
                     const char *module, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

const char *GetProgramVersion(void)
{
    return version;
}

struct abi_node *ConfNodeLookupChild(const struct abi_node *node, const char *name)
{
    struct abi_node *at = node->first;
    while (at != NULL && strcmp(at->name, name) != 0)
        at = at->next;
    return at;
}

struct abi_node *SCConfNodeLookupChild(const struct abi_node *node, const char *name)
{
    return ConfNodeLookupChild(node, name);
}

const char *ConfigGetLogDirectory(void)
{
    return folder;
}

const char *SCConfigGetLogDirectory(void)
{
    return folder;
}

int ConfGet(const char *name, const char **value)
{
    (void)name, (void)value;
    return 0;
}

int SCConfGet(const char *name, const char **value)
{
    return ConfGet(name, value);
}

bool SCRegisterEveFileType(void *type)
{
    file_type = type;
    return true;
}

void OutputRegisterFileRotationFlag(int *flag)
{
    size_t i = 0;
    while (rotation[i] != NULL)
        i++;
    rotation[i] = flag;
}

#ifndef LACKS
void OutputUnregisterFileRotationFlag(int *flag)
{
    for (size_t i = 0; i < sizeof rotation / sizeof *rotation; i++)
        if (rotation[i] == flag)
            rotation[i] = NULL;
}
#endif

void SCLog(int level, const char *file, const char *function, int line, const char *module,
           const char *format, ...)
{
    va_list arguments;
    (void)level, (void)file, (void)function, (void)line;
    char said[1024];
    va_start(arguments, format);
    (void)vsnprintf(said, sizeof said, format, arguments);
    (void)printf("%s: %s\n", module, said);
    if (strstr(said, "read again") != NULL)
        atomic_fetch_add(&reloads, 1);
    va_end(arguments);
}

void SCLogErr(int level, const char *file, const char *function, int line, const char *module,
              const char *format, ...)
{
    va_list arguments;
    (void)level, (void)file, (void)function, (void)line;
    atomic_fetch_add(&error_lines, 1);
    va_start(arguments, format);
    (void)printf("Error: %s: ", module);
    (void)vprintf(format, arguments);
    (void)printf("\n");
    va_end(arguments);
}

/* ---- what it does ---- */

static void expect(bool good, const char *what)
{
    if (good)
        return;
    (void)printf("FAIL: %s\n", what);
    (void)fflush(stdout);
    _Exit(1);
}

/* The file type, whichever layout it has. */
struct calls {
    abi_open *open;
    abi_write *write;
    abi_close *close;
};

static struct calls calls_of(int major)
{
    const struct abi_file_type_7 *t7 = file_type;
    const struct abi_file_type_8 *t8 = file_type;
    return major == 7 ? (struct calls){t7->open, t7->write, t7->close}
                      : (struct calls){t8->open, t8->write, t8->close};
}

static void add(struct abi_node *parent, struct abi_node *child)
{
    child->next = parent->first;
    parent->first = child;
}

static char text[][16] = {"eve-log", "eddy",   "ring",       "4M",     "nets",
                          "local",   "0",      "10.0.0.0/8", "1",      "192.168.0.0/16",
                          "state",   "memory", "8M",         "con-fig"};
static char config[512]; /* a file */

/* eve-log: {eddy: {con-fig: FILE, ring: 4M, nets: {local: [..., ...]}, state: {memory: 8M}}} */
static const struct abi_node *tree(void)
{
    static struct abi_node eve = {.name = text[0]}, eddy = {.name = text[1]},
                           ring = {.name = text[2], .value = text[3]}, nets = {.name = text[4]},
                           local = {.name = text[5], .is_sequence = 1},
                           one = {.name = text[6], .value = text[7]},
                           two = {.name = text[8], .value = text[9]}, state = {.name = text[10]},
                           memory = {.name = text[11], .value = text[12]},
                           file = {.name = text[13], .value = config};
    if (eve.first == NULL) {
        add(&local, &two);
        add(&local, &one);
        add(&nets, &local);
        add(&state, &memory);
        add(&eddy, &state);
        add(&eddy, &nets);
        add(&eddy, &ring);
        add(&eddy, &file);
        add(&eve, &eddy);
    }
    return &eve;
}

struct writer {
    struct calls calls;
    void *data;
    unsigned number;
};

static void *write_all(void *user)
{
    const struct writer *w = user;
    char line[1024];
    for (unsigned i = 0; i < FLOWS + OTHERS + BROKEN; i++) {
        int length;
        if (i < OTHERS)
            length =
                snprintf(line, sizeof line, "{\"timestamp\": \"x\", \"event_type\": \"stats\"}");
        else if (i < OTHERS + BROKEN)
            length = snprintf(line, sizeof line, "no record");
        else
            length = snprintf(
                line, sizeof line,
                "@cee: {\"flow_id\":%u,\"event_type\":\"flow\",\"src_ip\":\"10.0.%u.%u\","
                "\"dest_ip\":\"203.0.113.5\",\"proto\":\"UDP\",\"flow\":{\"pkts_toserver\":1,"
                "\"pkts_toclient\":1,\"bytes_toserver\":99,\"bytes_toclient\":99,"
                "\"start\":\"2026-01-02T03:04:05.000000+0000\","
                "\"end\":\"2026-01-02T03:04:06.000000+0000\",\"state\":\"established\"}}",
                i, w->number, i % 250);
        (void)w->calls.write(line, length, w->data, NULL);
        memset(line, '#', (size_t)length); /* the buffer is Suricata's again */
        if (i % 1000 == 0 && w->number == 0 && rotation[0] != NULL)
            __atomic_store_n(rotation[0], 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static unsigned long counted(const char *file, const char *result)
{
    char path[512], line[512], wanted[128];
    unsigned long value = 0;
    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    (void)snprintf(wanted, sizeof wanted, "input=\"suricata\",result=\"%s\"} ",
                   result); /* perhaps behind a sensor */
    FILE *f = fopen(path, "r");
    expect(f != NULL, "there is a file with metrics");
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, "eddy_input_records_total{", 25) == 0 && strstr(line, wanted) != NULL)
            value = strtoul(strstr(line, wanted) + strlen(wanted), NULL, 10);
    (void)fclose(f);
    return value;
}

static void pause_ms(long ms)
{
    struct timespec time = {.tv_nsec = ms * 1000000};
    (void)nanosleep(&time, NULL);
}

static void hang_up(void)
{
    for (size_t i = 0; i < 2; i++)
        __atomic_store_n(rotation[i], 1, __ATOMIC_RELAXED);
}

/* Both read their file again; then once more, perhaps while they are being closed. */
static void reload(long number)
{
    unsigned before = atomic_load(&reloads);
    hang_up();
    for (int i = 0; i < 500 && atomic_load(&reloads) < before + 2; i++)
        pause_ms(20);
    expect(atomic_load(&reloads) >= before + 2, "a HUP has the file read again");
    hang_up();
    pause_ms(number * 67 % 240); /* the look for it is every 200 ms */
}

static void cycle(struct calls calls, long number)
{
    void *data[2] = {NULL, NULL};
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    static const char *const files[] = {"eddy.prom", "eddy-2.prom"};
    (void)calls.write("{}", 2, NULL, NULL);
    for (size_t i = 0; i < 2; i++)
        expect(calls.open(tree(), i == 1, &data[i]) == 0 && data[i] != NULL, "open() succeeds");
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){calls, data[i % 2], i};
        expect(pthread_create(&threads[i], NULL, write_all, &writers[i]) == 0, "a thread starts");
    }
    for (size_t i = 0; i < WRITERS; i++)
        (void)pthread_join(threads[i], NULL);
    reload(number);
    for (size_t i = 0; i < 2; i++)
        calls.close(data[i]);
    for (size_t i = 0; i < 2; i++) {
        unsigned long each = WRITERS / 2;
        unsigned long scored = counted(files[i], "scored"), dropped = counted(files[i], "dropped");
        unsigned long rejected = counted(files[i], "rejected");
        expect(counted(files[i], "skipped") == each * OTHERS, "other events are skipped");
        expect(scored + rejected + dropped == each * (FLOWS + BROKEN), "the records add up");
        expect(dropped > 0 || rejected == each * BROKEN, "what is no record is rejected");
        expect(scored > 0, "flows are scored");
    }
    expect(rotation[0] == NULL && rotation[1] == NULL, "rotation flags are taken back");
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    version = argv[2];
    folder = argv[3];
    int major = (int)strtol(version, NULL, 10);
    long cycles = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
    expect(setvbuf(stdout, NULL, _IOLBF, 0) == 0 && cycles <= FOREVER_MAX, "usage");
    (void)snprintf(config, sizeof config, "%s/eddy.conf", folder);
    FILE *file = fopen(config, "w");
    expect(file != NULL && fputs("[beacon]\nmin_gaps = 12\n", file) > 0 && fclose(file) == 0,
           "a file with settings");
    void *plugin = dlopen(argv[1], RTLD_NOW);
    if (plugin == NULL)
        (void)printf("%s\n", dlerror());
    expect(plugin != NULL, "the plugin can be loaded");
    void *(*enter)(void);
    *(void **)&enter = dlsym(plugin, "SCPluginRegister");
    expect(enter != NULL, "it has SCPluginRegister()");
    const void *found = enter();
    expect(found != NULL, "SCPluginRegister() gives something");
    const struct abi_plugin_7 *p7 = found;
    const struct abi_plugin_8 *p8 = found;
    if (major > 7)
        expect(p8->abi == 0x0800, "it is for 8");
    expect(strcmp(major > 7 ? p8->name : p7->name, "eddy") == 0, "it is named eddy");
    if (major > 8) {
        (void)printf("refused\n"); /* by Suricata itself: it compares `abi` with its own */
        return 0;
    }
    (major > 7 ? p8->init : p7->init)();
    if (file_type == NULL) {
        (void)printf("refused\n");
        return 0;
    }
    for (long i = 0; i < cycles; i++)
        cycle(calls_of(major), i);
    expect(atomic_load(&error_lines) <= 4 * (unsigned)cycles, "few lines of errors");
    (void)printf("ok\n");
    return 0;
}
