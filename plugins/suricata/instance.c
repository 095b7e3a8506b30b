/* SPDX-License-Identifier: MIT */
/* instance.c - one eve-log with our file type: its settings, its files, a pump. */
#include "instance.h"

#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "host.h"
#include "pump.h"
#include "say.h"
#include "settings.h"

struct instance {
    struct say log;
    struct settings *settings;
    char jsonl[PATH_MAX], textfile[PATH_MAX]; /* where incidents and metrics go unless told */
    char written[PATH_MAX];                   /* the textfile as it is; nobody else may write it */
    eddy_engine *engine;                      /* NULL: isolated. The pump frees it */
    struct pump *pump;
    struct instance *next;
    int rotated;      /* set by Suricata at a HUP, cleared by our thread; read as an atomic_int */
    atomic_bool mute; /* set when a thread is left behind: Suricata's log may be gone */
};

/* All there are. Opened and closed by one thread at a time, but Suricata promises that nowhere. */
static pthread_mutex_t live_lock = PTHREAD_MUTEX_INITIALIZER;
static struct instance *live;

/* ---- Suricata's threads ---- */

/* Whether the record says that it is of another type than "flow". In doubt the library decides. */
static bool is_no_flow(const char *text, const char *end)
{
    static const char key[] = "\"event_type\"";
    const ptrdiff_t before = 6, after = 6; /* of its '_', which is rarer than any other byte */
    for (const char *at = text; (at = memchr(at, '_', (size_t)(end - at))) != NULL; at++) {
        if (at - text < before || end - at < after || memcmp(at - before, key, sizeof key - 1) != 0)
            continue;
        at += after;
        while (at < end && (*at == ' ' || *at == ':'))
            at++;
        return end - at >= 6 && *at == '"' && memcmp(at, "\"flow\"", 6) != 0;
    }
    return false;
}

void instance_write(const struct instance *i, const char *record, size_t length)
{
    const char *end = record + length;
    const char *text = memchr(record, '{', length); /* behind a user's prefix */
    if (text == NULL)
        text = record;
    if (is_no_flow(text, end))
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

/* Called by the pump all the time: was there a HUP? */
static void look_for_rotation(void *user)
{
    struct instance *i = user;
    if (atomic_exchange_explicit((atomic_int *)&i->rotated, 0, memory_order_relaxed) == 0)
        return;
    if (i->engine == NULL || *settings_file(i->settings) == '\0')
        return; /* files that are written are found renamed without any signal */
    eddy_error err = {0};
    eddy_config *config = NULL;
    int status = settings_config(i->settings, i->jsonl, i->textfile, &config, &err);
    if (status == EDDY_OK)
        status = eddy_engine_reload(i->engine, config, &err);
    if (status == EDDY_OK)
        say(&i->log, LOG_NOTICE, "%s read again", settings_file(i->settings));
    else
        say(&i->log, LOG_ERR, "settings not taken over, the old ones stay in force: %s",
            err.message);
    eddy_config_free(config);
}

/* ---- life ---- */

static size_t bytes(const char *text) /* that the library has checked */
{
    char *unit;
    unsigned long long value = strtoull(text, &unit, 10);
    const char *at = *unit != '\0' ? strchr("KMGT", *unit) : NULL;
    return (size_t)(at != NULL ? value << 10 * (at - "KMGT" + 1) : value);
}

/* A name whose files nobody else of us writes: eddy, eddy-2, ... unless the settings have one. */
static int find_place(struct instance *i, const char *name, eddy_error *err)
{
    const char *folder = host.log_directory();
    if (strchr(name, '/') != NULL || *name == '.')
        return fault(err, EDDY_ECONFIG, "suricata.name = '%s': not the beginning of a file name",
                     name);
    for (int number = 1;; number++) {
        char suffix[16] = "";
        const struct instance *other = live;
        if (number > 1)
            (void)snprintf(suffix, sizeof suffix, "-%d", number);
        int length = snprintf(i->jsonl, sizeof i->jsonl, "%s/%s%s.json", folder,
                              *name != '\0' ? name : "eddy", suffix);
        if (length < 0 || (size_t)length >= sizeof i->jsonl)
            return fault(err, EDDY_ECONFIG, "the name of %.100s... is too long", i->jsonl);
        memcpy(i->textfile, i->jsonl, (size_t)length - 4);
        memcpy(i->textfile + length - 4, "prom", 5);
        while (other != NULL && strcmp(other->textfile, i->textfile) != 0)
            other = other->next;
        if (other == NULL)
            return EDDY_OK;
    }
}

/* The settings with the paths that belong to them. */
static int read_settings(struct instance *i, eddy_config **out, eddy_error *err)
{
    eddy_config *first = NULL; /* to know the name */
    int status = settings_config(i->settings, NULL, NULL, &first, err);
    if (status == EDDY_OK)
        status = find_place(i, eddy_config_value(first, "suricata.name"), err);
    eddy_config_free(first);
    if (status == EDDY_OK)
        status = settings_config(i->settings, i->jsonl, i->textfile, out, err);
    return status;
}

static bool flag(const eddy_config *config, const char *key)
{
    return strcmp(eddy_config_value(config, key), "on") == 0;
}

static int blank_paths(const eddy_option *option, void *user)
{
    size_t length = strlen(option->key);
    if (length < 5 || strcmp(option->key + length - 5, ".path") != 0)
        return 0;
    return eddy_config_set(user, option->key, "", NULL); /* outputs take that for: not wanted */
}

/* Under -T: databases and all else that is read can be opened. Nothing is written: the files would
 * belong to whoever runs the test, and the daemon could not write them. */
static int only_test(eddy_config *config, eddy_error *err)
{
    eddy_engine *engine = NULL;
    eddy_hooks hooks = {.size = sizeof hooks, .log = host_line};
    int status = eddy_config_options(config, blank_paths, config);
    if (status == EDDY_OK)
        status = eddy_config_set(config, "engine.thread", "off", err);
    if (status == EDDY_OK)
        status = eddy_engine_new(config, &hooks, &engine, err);
    eddy_engine_free(engine);
    return status;
}

static int open_engine(struct instance *i, const eddy_config *config, eddy_error *err)
{
    eddy_hooks hooks = {.size = sizeof hooks, .user = i, .log = on_log};
    const char *textfile = eddy_config_value(config, "textfile.path");
    if (!flag(config, "engine.thread"))
        return fault(err, EDDY_ECONFIG, "engine.thread = off: not in Suricata");
    for (const struct instance *other = live; *textfile != '\0' && other != NULL;
         other = other->next)
        if (strcmp(other->written, textfile) == 0)
            return fault(err, EDDY_ECONFIG,
                         "textfile.path = '%.150s': another eve-log with "
                         "filetype eddy writes it",
                         textfile);
    (void)snprintf(i->written, sizeof i->written, "%s", textfile); /* longer ones can't be opened */
    return eddy_engine_new(config, &hooks, &i->engine, err);
}

static void warn_of_unused(struct instance *i)
{
    char name[128] = "";
    size_t count = settings_of_library(i->settings, name, sizeof name);
    if (count > 0)
        say(&i->log, LOG_WARNING,
            "isolate: %s and %zu other settings are not used here, they belong into eddyd's "
            "eddy.conf",
            name, count - 1);
}

static int start(struct instance *i, eddy_config *config, eddy_error *err)
{
    bool isolated = flag(config, "suricata.isolate");
    const char *socket = eddy_config_value(config, "suricata.socket");
    int status = isolated ? EDDY_OK : open_engine(i, config, err);
    if (status < 0)
        return status;
    if (isolated)
        warn_of_unused(i);
    struct pump_options with = {.engine = i->engine,
                                .name = "suricata",
                                .format = "eve",
                                .socket = socket,
                                .ring = bytes(eddy_config_value(config, "suricata.ring")),
                                .say = &i->log,
                                .turn = look_for_rotation,
                                .user = i};
    status = pump_new(&with, &i->pump, err);
    if (status < 0) {
        eddy_engine_free(i->engine);
        return status;
    }
    if (isolated)
        say(&i->log, LOG_NOTICE, "eddy %s: records go to %s", eddy_version(), socket);
    else
        say(&i->log, LOG_NOTICE, "eddy %s: incidents go to %s, metrics to %s", eddy_version(),
            eddy_config_value(config, "jsonl.path"), i->written);
    i->next = live;
    live = i;
    host.watch_rotation(&i->rotated);
    return EDDY_OK;
}

static void discard(struct instance *i)
{
    if (i != NULL)
        settings_free(i->settings);
    free(i);
}

int instance_new(const struct abi_node *eve_log, struct instance **out, eddy_error *err)
{
    eddy_config *config = NULL;
    struct instance *i = calloc(1, sizeof *i);
    if (i == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    i->log = (struct say){.line = on_log, .user = i};
    pthread_mutex_lock(&live_lock);
    int status = settings_read(eve_log, &i->settings, err);
    if (status == EDDY_OK)
        status = read_settings(i, &config, err);
    bool test = status == EDDY_OK && host_only_tests();
    if (test)
        status = only_test(config, err);
    else if (status == EDDY_OK)
        status = start(i, config, err);
    pthread_mutex_unlock(&live_lock);
    eddy_config_free(config);
    if (status == EDDY_OK && !test)
        *out = i;
    else
        discard(i);
    return status;
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
        "%llu records: %llu flows %s, %llu others skipped, %llu rejected, %llu dropped",
        (unsigned long long)counts.read, (unsigned long long)counts.scored,
        i->engine != NULL ? "scored" : "handed over", (unsigned long long)counts.skipped,
        (unsigned long long)counts.rejected, (unsigned long long)counts.dropped);
    pthread_mutex_lock(&live_lock);
    for (struct instance **at = &live; *at != NULL; at = &(*at)->next)
        if (*at == i) {
            *at = i->next;
            break;
        }
    pthread_mutex_unlock(&live_lock);
    discard(i);
}
