/* SPDX-License-Identifier: MIT */
/* bench.c - what the benchmarks share: a log in memory, an engine, clocks. */
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, values);
    (void)fputc('\n', stderr);
    va_end(values);
    exit(1);
}

void log_read(const char *path, struct log_bytes *out)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        die("%s: can't be read", path);
    long size = ftell(file);
    if (size <= 0 || fseek(file, 0, SEEK_SET) != 0)
        die("%s: empty, or no file", path);
    out->size = (size_t)size;
    out->bytes = malloc(out->size);
    if (out->bytes == NULL || fread(out->bytes, 1, out->size, file) != out->size)
        die("%s: can't be read into memory", path);
    (void)fclose(file); /* read only */
}

eddy_config *config_of(const char *const settings[], size_t count)
{
    eddy_error err = {0};
    eddy_config *config = eddy_config_new();
    if (config == NULL)
        die("out of memory");
    /* One thread, so that what is measured is all there is. */
    if (eddy_config_set(config, "engine.thread", "off", &err) != EDDY_OK)
        die("%s", err.message);
    for (size_t i = 0; i < count; i++) {
        char key[128];
        const char *equals = strchr(settings[i], '=');
        if (equals == NULL || (size_t)(equals - settings[i]) >= sizeof key)
            die("-s %s: not section.name=value", settings[i]);
        (void)snprintf(key, sizeof key, "%.*s", (int)(equals - settings[i]), settings[i]);
        if (eddy_config_set(config, key, equals + 1, &err) != EDDY_OK)
            die("%s", err.message);
    }
    return config;
}

eddy_engine *engine_of(const eddy_config *config, const eddy_hooks *hooks)
{
    eddy_error err = {0};
    eddy_engine *engine;
    if (eddy_engine_new(config, hooks, &engine, &err) != EDDY_OK)
        die("%s", err.message);
    return engine;
}

eddy_worker *worker_of(eddy_engine *engine)
{
    eddy_error err = {0};
    eddy_worker *worker;
    if (eddy_worker_new(engine, "bench", NULL, &worker, &err) != EDDY_OK)
        die("%s", err.message);
    return worker;
}

void arguments_read(struct arguments *a, int argc, char **argv)
{
    int option;
    *a = (struct arguments){.rounds = 1};
    while ((option = getopt(argc, argv, "s:n:")) != -1) {
        if (option == 's' && a->setting_count < sizeof a->settings / sizeof *a->settings)
            a->settings[a->setting_count++] = optarg;
        else if (option == 'n' && strtol(optarg, NULL, 10) > 0)
            a->rounds = (int)strtol(optarg, NULL, 10);
        else
            die("usage: %s [-n ROUNDS] [-s section.name=value]... FILE", argv[0]);
    }
    if (optind + 1 != argc)
        die("usage: %s [-n ROUNDS] [-s section.name=value]... FILE", argv[0]);
    a->path = argv[optind];
}

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + 1e-6 * (double)time.tv_usec;
}

double cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage); /* can't fail with this argument */
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

uint64_t memory_kb(const char *field)
{
    char line[256];
    uint64_t kb = 0;
    size_t length = strlen(field);
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && kb == 0 && fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, field, length) == 0 && line[length] == ':')
            kb = strtoull(line + length + 1, NULL, 10);
    if (file != NULL)
        (void)fclose(file); /* read only */
    return kb;
}
