/* SPDX-License-Identifier: MIT */
/* instance.c - one eve-log with our file type: its settings, its files, a pump. */
#define _XOPEN_SOURCE 700 /* realpath() */

#include "instance.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "host.h"
#include "metrics_file.h"
#include "pump.h"
#include "say.h"
#include "setting_name.h"
#include "settings.h"
#include "trial.h"

#define NAME_SIZE (NAME_MAX + 1)

struct instance {
    struct say log;
    struct settings *settings;
    eddy_config *config;        /* as at the start */
    char folder[PATH_MAX];      /* where its files go unless told */
    char name[NAME_SIZE];       /* what they are called; no other of the folder has it */
    char textfile[2][PATH_MAX]; /* by its real path, and by that which a reload wants */
    eddy_engine *engine;        /* NULL: isolated. The pump frees it */
    struct pump *pump;          /* NULL: under -T */
    bool context;               /* DNS, TLS and HTTP records are wanted, too */
    struct instance *next;
    int rotated;      /* set by Suricata at a HUP, cleared by our thread; read as an atomic_int */
    atomic_bool mute; /* set when a thread is left behind: Suricata's log may be gone */
};

/* All there are. Guards `live`, and `textfile` of all; never held while a disk is waited for, but
 * at the start. */
static pthread_mutex_t live_lock = PTHREAD_MUTEX_INITIALIZER;
static struct instance *live;

/* ---- Suricata's threads ---- */

/* A value with its quotes, of which there are `room` bytes: is it a wanted event type? */
static bool is_wanted(const char *value, ptrdiff_t room, bool context)
{
    static const char *const names[] = {"\"dns\"", "\"tls\"", "\"http\"", "\"quic\""};
    if (room >= 6 && memcmp(value, "\"flow\"", 6) == 0)
        return true;
    for (size_t i = 0; context && i < sizeof names / sizeof *names; i++) {
        size_t length = strlen(names[i]);
        if (room >= (ptrdiff_t)length && memcmp(value, names[i], length) == 0)
            return true;
    }
    return false;
}

/* Whether the record says that it is of a type that nobody wants. In doubt the library decides. */
static bool is_unwanted(const char *text, const char *end, bool context)
{
    static const char key[] = "\"event_type\"";
    const ptrdiff_t before = 6, after = 6; /* of its '_', which is rarer than any other byte */
    for (const char *at = text; (at = memchr(at, '_', (size_t)(end - at))) != NULL; at++) {
        if (at - text < before || end - at < after || memcmp(at - before, key, sizeof key - 1) != 0)
            continue;
        at += after;
        while (at < end && (*at == ' ' || *at == ':'))
            at++;
        return end - at >= 6 && *at == '"' && !is_wanted(at, end - at, context);
    }
    return false;
}

void instance_write(const struct instance *i, const char *record, size_t length)
{
    const char *end = record + length;
    const char *text = record; /* begins with {" behind a user's prefix */
    while (text != NULL && (end - text < 2 || text[1] != '"' || text[0] != '{'))
        text = end - text < 2 ? NULL : memchr(text + 1, '{', (size_t)(end - text) - 1);
    if (text == NULL)
        text = record;
    if (is_unwanted(text, end, i->context))
        pump_skip(i->pump);
    else
        pump_put(i->pump, text, (size_t)(end - text));
}

/* ---- our threads ---- */

static void on_log(int level, const char *message, void *user)
{
    const struct instance *i = user;
    if (!atomic_load(&i->mute))
        host_line(level, message, NULL);
}

static bool flag(const eddy_config *config, const char *key)
{
    return strcmp(eddy_config_value(config, key), "on") == 0;
}

/* The file as it is replaced: what its directory is called does not matter. */
static void real_path(const char *path, char out[PATH_MAX])
{
    char folder[PATH_MAX] = ".", real[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash != NULL)
        (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - path) + 1, path);
    bool good = *path != '\0' && realpath(folder, real) != NULL;
    int length = snprintf(out, PATH_MAX, "%s%s%s", good ? real : "", good ? "/" : "",
                          good && slash != NULL ? slash + 1 : path);
    if (length < 0 || length >= PATH_MAX)
        out[0] = '\0'; /* too long to be opened */
}

/* What the library does not check, at the start, under -T and in a reload. Takes the textfile. */
static int check(struct instance *i, const eddy_config *config, eddy_error *err)
{
    const char *path = eddy_config_value(config, "textfile.path");
    char real[PATH_MAX];
    real_path(path, real);
    if (!flag(config, "engine.thread") && !flag(config, "suricata.isolate"))
        return fault(err, EDDY_ECONFIG, "engine.thread = off: not in Suricata");
    int status = *path != '\0' ? metrics_file_check(path, err) : EDDY_OK; /* before any is made */
    if (status < 0)
        return status;
    pthread_mutex_lock(&live_lock);
    const struct instance *other = live;
    while (other != NULL &&
           (other == i || *real == '\0' ||
            (strcmp(other->textfile[0], real) != 0 && strcmp(other->textfile[1], real) != 0)))
        other = other->next;
    if (other == NULL)
        memcpy(i->textfile[1], real, sizeof real);
    pthread_mutex_unlock(&live_lock);
    return other == NULL ? EDDY_OK
                         : fault(err, EDDY_ECONFIG,
                                 "textfile.path = '%.150s': another eve-log with filetype eddy "
                                 "writes it",
                                 path);
}

/* The outcome of what check() has allowed. */
static void settle(struct instance *i, bool good)
{
    pthread_mutex_lock(&live_lock);
    memcpy(i->textfile[good ? 0 : 1], i->textfile[good ? 1 : 0], PATH_MAX);
    pthread_mutex_unlock(&live_lock);
}

static void warn_of_restart(struct instance *i, const eddy_config *now)
{
    static const char *const keys[] = {"suricata.name", "suricata.ring", "suricata.isolate",
                                       "suricata.socket", "ingest.context"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        if (strcmp(eddy_config_value(i->config, keys[k]), eddy_config_value(now, keys[k])) != 0)
            say(&i->log, LOG_WARNING, "%s changes with a restart of Suricata", keys[k]);
}

static int reload(struct instance *i, eddy_engine *engine, eddy_error *err)
{
    eddy_config *config = NULL;
    int status = settings_config(i->settings, &config, err);
    if (status == EDDY_OK)
        status = settings_place(config, i->folder, i->name, err);
    if (status == EDDY_OK)
        status = check(i, config, err);
    if (status == EDDY_OK) {
        status = eddy_engine_reload(engine, config, err);
        settle(i, status == EDDY_OK);
    }
    if (status == EDDY_OK)
        warn_of_restart(i, config);
    eddy_config_free(config);
    return status;
}

/* Between rounds of the library's own thread, which may wait for disks: was there a HUP? */
static void look_for_rotation(eddy_engine *engine, void *user)
{
    struct instance *i = user;
    eddy_error err = {0};
    if (atomic_exchange_explicit((atomic_int *)&i->rotated, 0, memory_order_relaxed) == 0 ||
        *settings_file(i->settings) == '\0')
        return; /* files that are written are found renamed without any signal */
    if (reload(i, engine, &err) == EDDY_OK)
        say(&i->log, LOG_NOTICE, "%s read again", settings_file(i->settings));
    else
        say(&i->log, LOG_ERR, "settings not taken over, the old ones stay in force: %s",
            err.message);
}

/* ---- life ---- */

/* A name whose files nobody else of us writes: eddy, eddy-2, ... unless the settings have one. */
static int find_place(struct instance *i, const eddy_config *config, eddy_error *err)
{
    const char *name = eddy_config_value(config, "suricata.name");
    const char *folder = host.log_directory();
    if (strchr(name, '/') != NULL || *name == '.')
        return fault(err, EDDY_ECONFIG, "suricata.name = '%s': not the beginning of a file name",
                     name);
    if (strlen(name) > NAME_MAX / 2 || strlen(folder) + NAME_MAX >= sizeof i->folder)
        return fault(err, EDDY_ECONFIG, "suricata.name = '%.100s...': too long", name);
    if (*name == '\0') /* what scores is not to be the second because of one that does not */
        name = flag(config, "suricata.isolate") ? "eddy-isolated" : "eddy";
    (void)snprintf(i->folder, sizeof i->folder, "%s", folder);
    (void)snprintf(i->name, sizeof i->name, "%s", name);
    for (int number = 2;; number++) {
        const struct instance *other = live;
        while (other != NULL && (other == i || strcmp(other->folder, folder) != 0 ||
                                 strcmp(other->name, i->name) != 0))
            other = other->next;
        if (other == NULL)
            return EDDY_OK;
        (void)snprintf(i->name, sizeof i->name, "%s-%d", name, number);
    }
}

/* The settings with the paths that belong to them. */
static int read_settings(struct instance *i, eddy_error *err)
{
    int status = settings_config(i->settings, &i->config, err);
    if (status < 0)
        return status;
    pthread_mutex_lock(&live_lock);
    status = find_place(i, i->config, err);
    pthread_mutex_unlock(&live_lock);
    if (status == EDDY_OK)
        status = settings_place(i->config, i->folder, i->name, err);
    return status == EDDY_OK ? check(i, i->config, err) : status;
}

static void warn_of_unused(struct instance *i)
{
    char name[128] = "";
    size_t count = settings_unused(i->settings, name, sizeof name);
    if (count > 0)
        say(&i->log, LOG_WARNING,
            "isolate: %s and %zu other settings are not used here, they belong into eddyd's "
            "eddy.conf",
            name, count - 1);
}

static int start(struct instance *i, eddy_error *err)
{
    bool isolated = flag(i->config, "suricata.isolate");
    i->context = flag(i->config, "ingest.context");
    const char *socket = eddy_config_value(i->config, "suricata.socket");
    const char *textfile = eddy_config_value(i->config, "textfile.path");
    eddy_hooks hooks = {
        .size = sizeof hooks, .user = i, .log = on_log, .housekeeping = look_for_rotation};
    if (isolated)
        warn_of_unused(i);
    int status = isolated ? EDDY_OK : eddy_engine_new(i->config, &hooks, &i->engine, err);
    if (status < 0)
        return status;
    struct pump_options with = {.engine = i->engine,
                                .name = "suricata",
                                .format = "eve",
                                .socket = socket,
                                .textfile = textfile,
                                .sensor = eddy_config_value(i->config, "textfile.sensor"),
                                .interval_ms = setting_milliseconds(i->config, "emit.interval"),
                                .ring = (size_t)setting_bytes(i->config, "suricata.ring"),
                                .say = &i->log};
    status = pump_new(&with, &i->pump, err);
    if (status < 0) {
        eddy_engine_free(i->engine);
        return status;
    }
    const char *to = isolated ? socket : eddy_config_value(i->config, "jsonl.path");
    say(&i->log, LOG_NOTICE, "eddy %s: %s go to %s, metrics to %s", eddy_version(),
        isolated ? "records" : "incidents", *to != '\0' ? to : "no file",
        *textfile != '\0' ? textfile : "no file");
    settle(i, true);
    host.watch_rotation(&i->rotated); /* last: from now on there may be reloads */
    return EDDY_OK;
}

static void enter(struct instance *i)
{
    pthread_mutex_lock(&live_lock);
    i->next = live;
    live = i;
    pthread_mutex_unlock(&live_lock);
}

static void leave(struct instance *i)
{
    pthread_mutex_lock(&live_lock);
    for (struct instance **at = &live; *at != NULL; at = &(*at)->next)
        if (*at == i) {
            *at = i->next;
            break;
        }
    pthread_mutex_unlock(&live_lock);
    settings_free(i->settings);
    eddy_config_free(i->config);
    free(i);
}

int instance_new(const struct abi_node *eve_log, struct instance **out, eddy_error *err)
{
    struct instance *i = calloc(1, sizeof *i);
    if (i == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    i->log = (struct say){.line = on_log, .user = i};
    enter(i);
    int status = settings_read(eve_log, &i->settings, err);
    if (status == EDDY_OK)
        status = read_settings(i, err);
    bool test = host_only_tests();
    if (status == EDDY_OK)
        status = test ? trial(i->config, err) : start(i, err);
    if (status < 0) {
        leave(i);
        return status;
    }
    if (!test) /* else it only stays for the next to meet */
        *out = i;
    return EDDY_OK;
}

void instance_free(struct instance *i)
{
    eddy_counts counts;
    if (i == NULL)
        return;
    host.unwatch_rotation(&i->rotated);
    if (pump_stop(i->pump, &counts) < 0) {
        atomic_store(&i->mute, true);
        host_line(LOG_ERR,
                  "did not end within 7 s and is left behind (does a disk hang?): the "
                  "last records and incidents may be missing",
                  NULL);
        return; /* stays among the live: it may still write its files */
    }
    say(&i->log, LOG_NOTICE,
        "%llu records: %llu %s, %llu others skipped, %llu rejected, %llu dropped",
        (unsigned long long)counts.read, (unsigned long long)counts.scored,
        i->engine != NULL ? "flows scored" : "handed over", (unsigned long long)counts.skipped,
        (unsigned long long)counts.rejected, (unsigned long long)counts.dropped);
    leave(i);
}
