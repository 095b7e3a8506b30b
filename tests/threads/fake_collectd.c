/* SPDX-License-Identifier: MIT */
/* fake_collectd.c - the functions of collectd that the plugin calls, for what the real daemon can't
 * do: run under the thread sanitizer, time each read, and hang in a receiver at will.
 *
 *     fake_collectd PLUGIN types               the types it registers, as types.db
 *     fake_collectd PLUGIN run CONFIG SECONDS  init, read as fast as it can, flush, shutdown, flush
 *
 * CONFIG is the inside of <Plugin eddy>, one statement a line. `run` prints the slowest reads and
 * the values of the last read. With MUTE in the environment the first notification never returns;
 * with HANG=TEXT the thread that logs a line with this text never goes on.
 */
#include <dlfcn.h>
#include <math.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../plugins/collectd/collectd_abi.h"

#define TYPES_MAX 256
#define READS_MAX 2000000
#define READERS   2
#define VALUES    4000

static char types[TYPES_MAX][320];
static size_t type_count;
static int (*config_callback)(struct cd_config *);
static int (*init_callback)(void);
static int (*read_callback)(struct cd_user_data *);
static int (*flush_callback)(cd_time, const char *, struct cd_user_data *);
static int (*shutdown_callback)(void);
static char name[] = "fake";
char *hostname_g = name;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct cd_values *queue[VALUES]; /* as collectd's write queue: copies */
static size_t queued, notifications;
static atomic_bool stop, stopping, stopped; /* the last two: before and after shutdown */
static float *reads_us;
static size_t read_count;

/* ---- what the plugin calls ---- */

int plugin_register_data_set(const struct cd_data_set *set)
{
    const struct cd_source *s = set->sources;
    if (type_count == TYPES_MAX || set->count != 1)
        return -1;
    (void)snprintf(types[type_count++], sizeof types[0], "%-32s %s:%s:%s:%s", set->type, s->name,
                   s->type == CD_DERIVE ? "DERIVE" : "GAUGE", isnan(s->min) ? "U" : "0",
                   isnan(s->max) ? "U" : "?");
    return 0;
}

int plugin_register_complex_config(const char *plugin, int (*callback)(struct cd_config *))
{
    (void)plugin;
    config_callback = callback;
    return 0;
}

int plugin_register_init(const char *plugin, int (*callback)(void))
{
    (void)plugin;
    init_callback = callback;
    return 0;
}

int plugin_register_complex_read(const char *group, const char *plugin,
                                 int (*callback)(struct cd_user_data *), cd_time interval,
                                 const struct cd_user_data *user)
{
    (void)group;
    (void)plugin;
    (void)interval;
    (void)user;
    read_callback = callback;
    return 0;
}

int plugin_register_flush(const char *plugin,
                          int (*callback)(cd_time, const char *, struct cd_user_data *),
                          const struct cd_user_data *user)
{
    (void)plugin;
    (void)user;
    flush_callback = callback;
    return 0;
}

int plugin_register_shutdown(const char *plugin, int (*callback)(void))
{
    (void)plugin;
    shutdown_callback = callback;
    return 0;
}

/* Copies as the daemon does, and throws away what is too much. */
int plugin_dispatch_values(const struct cd_values *values)
{
    struct cd_values *copy = malloc(sizeof *copy);
    union cd_value *value = malloc(sizeof *value);
    if (copy == NULL || value == NULL)
        abort();
    *copy = *values;
    *value = *values->values;
    copy->values = value;
    (void)pthread_mutex_lock(&lock);
    if (queued < VALUES) {
        queue[queued++] = copy;
        copy = NULL;
    }
    (void)pthread_mutex_unlock(&lock);
    if (copy != NULL) {
        free(copy->values);
        free(copy);
    }
    return 0;
}

int plugin_dispatch_notification(const struct cd_notification *n)
{
    (void)pthread_mutex_lock(&lock);
    notifications++;
    (void)pthread_mutex_unlock(&lock);
    printf("notification %d %s: %s\n", n->severity, n->type_instance, n->message);
    if (getenv("MUTE") != NULL)
        (void)poll(NULL, 0, -1);
    return 0;
}

struct cd_meta {
    struct cd_meta *next;
    char text[64];
};

static int add_meta(struct cd_notification *n, const char *key)
{
    struct cd_meta *meta = calloc(1, sizeof *meta);
    if (meta == NULL)
        return -1;
    (void)snprintf(meta->text, sizeof meta->text, "%s", key);
    meta->next = n->meta;
    n->meta = meta;
    return 0;
}

int plugin_notification_meta_add_string(struct cd_notification *n, const char *key, const char *v)
{
    return v != NULL ? add_meta(n, key) : -1;
}

int plugin_notification_meta_add_unsigned_int(struct cd_notification *n, const char *key,
                                              uint64_t v)
{
    return v != 0 ? add_meta(n, key) : -1;
}

int plugin_notification_meta_add_double(struct cd_notification *n, const char *key, double v)
{
    (void)v;
    return add_meta(n, key);
}

int plugin_notification_meta_free(struct cd_meta *meta)
{
    while (meta != NULL) {
        struct cd_meta *next = meta->next;
        free(meta);
        meta = next;
    }
    return 0;
}

void plugin_log(int level, const char *format, ...)
{
    char line[1200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)fprintf(stderr, "<%d> %s\n", level, line);
    if (getenv("HANG") != NULL && strstr(line, getenv("HANG")) != NULL)
        (void)poll(NULL, 0, -1);
}

int plugin_thread_create(pthread_t *thread, void *(*routine)(void *), void *argument,
                         const char *title)
{
    return strlen(title) < 16 ? pthread_create(thread, NULL, routine, argument) : -1;
}

cd_time cdtime(void)
{
    return (cd_time)time(NULL) << 30;
}

/* ---- the configuration ---- */

struct cd_config *oconfig_clone(const struct cd_config *from)
{
    struct cd_config *to = calloc(1, sizeof *to);
    if (to == NULL)
        abort();
    to->key = strdup(from->key);
    to->value_count = from->value_count;
    to->values = calloc((size_t)from->value_count + 1, sizeof *to->values);
    for (int i = 0; i < from->value_count; i++) {
        to->values[i] = from->values[i];
        to->values[i].value.string = strdup(from->values[i].value.string);
    }
    to->child_count = from->child_count;
    to->children = calloc((size_t)from->child_count + 1, sizeof *to->children);
    for (int i = 0; i < from->child_count; i++) {
        struct cd_config *child = oconfig_clone(&from->children[i]);
        to->children[i] = *child;
        to->children[i].parent = to;
        free(child);
    }
    return to;
}

static void empty(struct cd_config *c)
{
    for (int i = 0; i < c->child_count; i++)
        empty(&c->children[i]);
    for (int i = 0; i < c->value_count; i++)
        free(c->values[i].value.string);
    free(c->children);
    free(c->values);
    free(c->key);
}

void oconfig_free(struct cd_config *config)
{
    empty(config);
    free(config);
}

/* `Key value` or `<Key value>`: all values are strings here. */
static void parse_line(char *line, struct cd_config *out)
{
    char *rest;
    char *key = strtok_r(line, " \t<>\n", &rest);
    char *value = strtok_r(NULL, "<>\"\n", &rest);
    *out = (struct cd_config){.key = strdup(key != NULL ? key : "")};
    if (value == NULL)
        return;
    out->values = calloc(1, sizeof *out->values);
    if (out->values == NULL)
        abort();
    while (*value == ' ')
        value++;
    *out->values = (struct cd_config_value){.value.string = strdup(value), .type = CD_STRING};
    out->value_count = 1;
}

static void parse(FILE *from, struct cd_config *block)
{
    char line[4096];
    while (fgets(line, sizeof line, from) != NULL) {
        char *start = line + strspn(line, " \t");
        if (*start == '\n' || *start == '#')
            continue;
        if (strncmp(start, "</", 2) == 0)
            return;
        bool opens = *start == '<';
        size_t count = (size_t)block->child_count + 1;
        block->children = realloc(block->children, count * sizeof *block->children);
        if (block->children == NULL)
            abort();
        struct cd_config *child = &block->children[block->child_count++];
        parse_line(start, child);
        if (opens)
            parse(from, child);
    }
}

/* ---- the daemon ---- */

static size_t empty_queue(bool print)
{
    static struct cd_values *taken[VALUES];
    (void)pthread_mutex_lock(&lock);
    size_t count = queued;
    memcpy(taken, queue, count * sizeof *taken);
    queued = 0;
    (void)pthread_mutex_unlock(&lock);
    for (size_t i = 0; i < count; i++) {
        if (print)
            printf("value %s/%s-%s\n", taken[i]->plugin_instance, taken[i]->type,
                   taken[i]->type_instance);
        free(taken[i]->values);
        free(taken[i]);
    }
    return count;
}

/* A read only asks for values. What was asked for before comes first; then all of one round. */
static size_t last_round(void)
{
    struct timespec pause = {.tv_nsec = 300000000};
    (void)nanosleep(&pause, NULL);
    (void)empty_queue(false);
    (void)read_callback(NULL);
    (void)nanosleep(&pause, NULL);
    return empty_queue(true);
}

/* The real daemon never reads one plugin twice at the same time either. */
static void *reader(void *user)
{
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    (void)user;
    while (!stop) {
        struct timespec a;
        struct timespec b;
        (void)pthread_mutex_lock(&turn);
        (void)clock_gettime(CLOCK_MONOTONIC, &a);
        if (read_callback(NULL) != 0)
            abort();
        (void)clock_gettime(CLOCK_MONOTONIC, &b);
        double ns = (double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec);
        if (read_count < READS_MAX)
            reads_us[read_count++] = (float)(ns * 1e-3);
        (void)empty_queue(false);
        (void)pthread_mutex_unlock(&turn);
        struct timespec pause = {.tv_nsec = 500000};
        (void)nanosleep(&pause, NULL);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The real daemon, too, flushes while and after a plugin is shut down: on the word of a client. */
static void *flusher(void *user)
{
    (void)user;
    while (!stopped) {
        struct timespec pause = {.tv_nsec = stopping ? 50000 : 50000000};
        (void)nanosleep(&pause, NULL);
        (void)flush_callback(0, NULL, NULL);
    }
    return NULL;
}

static int run(const char *path, double seconds)
{
    FILE *file = fopen(path, "r");
    struct cd_config block = {.key = strdup("Plugin")};
    pthread_t threads[READERS + 1];
    if (file == NULL)
        return 2;
    parse(file, &block);
    (void)fclose(file);
    reads_us = calloc(READS_MAX, sizeof *reads_us);
    if (reads_us == NULL || config_callback(&block) != 0)
        return 1;
    empty(&block);
    if (init_callback() != 0)
        return 1;
    for (int i = 0; i < READERS; i++)
        (void)pthread_create(&threads[i], NULL, reader, NULL);
    (void)pthread_create(&threads[READERS], NULL, flusher, NULL);
    struct timespec wait = {.tv_sec = (time_t)seconds,
                            .tv_nsec = (long)((seconds - floor(seconds)) * 1e9)};
    (void)nanosleep(&wait, NULL);
    stop = true;
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(threads[i], NULL);
    size_t values = last_round();
    stopping = true;
    if (shutdown_callback() != 0)
        return 1;
    (void)flush_callback(0, NULL, NULL);
    stopped = true;
    (void)pthread_join(threads[READERS], NULL);
    qsort(reads_us, read_count, sizeof *reads_us, by_size);
    for (int i = 0; i < 3 && read_count > 0; i++) {
        static const double quantiles[] = {0.5, 0.99, 0.999};
        printf("read p%g %.1f us\n", quantiles[i] * 100,
               (double)reads_us[(size_t)(quantiles[i] * (double)(read_count - 1))]);
    }
    printf("read count %zu, %zu values each, %zu notifications\n", read_count, values,
           notifications);
    free(reads_us);
    return 0;
}

int main(int argc, char **argv)
{
    void *object = argc > 2 ? dlopen(argv[1], RTLD_NOW) : NULL;
    void *symbol = object != NULL ? dlsym(object, "module_register") : NULL;
    void (*module_register)(void);
    if (symbol == NULL) {
        (void)fprintf(stderr, "usage: fake_collectd PLUGIN types|run ...: %s\n", dlerror());
        return 2;
    }
    memcpy(&module_register, &symbol, sizeof symbol); /* ISO C has no cast for this */
    module_register();
    if (strcmp(argv[2], "types") == 0) {
        for (size_t i = 0; i < type_count; i++)
            puts(types[i]);
        return 0;
    }
    return argc == 5 && strcmp(argv[2], "run") == 0 ? run(argv[3], strtod(argv[4], NULL)) : 2;
}
