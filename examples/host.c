/* SPDX-License-Identifier: MIT */
/* host.c - what a host does that lives long: settings passed on by name, its own log, metrics,
 * reload. Copy it to plugins/<host>/ and put the host's calls in the place of main().
 *
 *     ./host eddy.conf section.name=value... < eve.json
 *
 * SIGHUP reads the settings again, SIGUSR1 prints the metrics. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "eddy.h"

/* ---- What the host has ---- */

struct host {
    const char *path; /* of eddy.conf */
    char **settings;  /* the rest of the words, NULL at the end */
    eddy_engine *engine;
    eddy_worker *worker; /* one for each thread and input stream */
};

/* Settings of the host's own, in the same file as the library's. */
static const eddy_option own[] = {
    {.key = "host.greeting",
     .initial = "",
     .range = "text",
     .help = "What is said at the start.",
     .section = "The example of a host."},
};

static volatile sig_atomic_t hangup, asked; /* the only thing a signal handler may touch */

static void on_signal(int number)
{
    if (number == SIGHUP)
        hangup = 1;
    else
        asked = 1;
}

/* ---- What libeddy calls back ---- */

/* May come from any thread. A real host hands the line to its own log. */
static void on_log(int level, const char *message, void *user)
{
    (void)user;
    (void)fprintf(stderr, "<%d>%s\n", level, message);
}

/* Comes on the worker's thread, within feed: take what is needed and return. */
static void on_incident(const eddy_incident *incident, void *user)
{
    char address[46];
    (void)user;
    if (incident->state != EDDY_INCIDENT_NEW || incident->withheld)
        return;
    printf("%s %s: %s\n", eddy_address_text(incident->host, address), incident->detector,
           incident->summary);
    (void)fflush(stdout);
}

static int print_metric(const eddy_metric *metric, void *user)
{
    (void)user;
    printf("%s{%s} %g\n", metric->name, metric->labels, metric->value);
    return 0; /* go on */
}

/* ---- The host ---- */

static int set_one(eddy_config *config, const char *setting, eddy_error *err)
{
    char key[128];
    size_t length = strcspn(setting, "=");
    if (setting[length] != '=' || length >= sizeof key)
        return EDDY_ECONFIG;
    memcpy(key, setting, length);
    key[length] = '\0';
    return eddy_config_set(config, key, setting + length + 1, err);
}

/* All settings, from the file and from the host's own configuration. A host never knows what a
 * setting means: it passes on name and value. NULL on failure, and `err` tells. */
static eddy_config *read_config(const struct host *host, eddy_error *err)
{
    eddy_config *config = eddy_config_new();
    if (config == NULL)
        return NULL;
    int status = eddy_config_declare(config, own, sizeof own / sizeof *own, err);
    if (status == EDDY_OK)
        status = eddy_config_load(config, host->path, err);
    for (char **setting = host->settings; status == EDDY_OK && *setting != NULL; setting++)
        status = set_one(config, *setting, err);
    if (status == EDDY_OK)
        return config;
    eddy_config_free(config);
    return NULL;
}

static int start(struct host *host, eddy_error *err)
{
    eddy_hooks hooks = {.size = sizeof hooks, .user = host, .incident = on_incident, .log = on_log};
    eddy_config *config = read_config(host, err);
    if (config == NULL)
        return EDDY_ECONFIG;
    (void)fputs(eddy_config_value(config, "host.greeting"), stderr);
    int status = eddy_engine_new(config, &hooks, &host->engine, err);
    eddy_config_free(config);
    if (status == EDDY_OK)
        status = eddy_worker_new(host->engine, "stdin", NULL, &host->worker, err);
    return status;
}

/* On failure the old settings stay in force: a typing error must not stop a sensor. */
static void reload(struct host *host)
{
    eddy_error err = {0};
    eddy_config *config = read_config(host, &err);
    if (config == NULL || eddy_engine_reload(host->engine, config, &err) != EDDY_OK)
        on_log(3, err.message, host);
    eddy_config_free(config);
}

static void look_at_signals(struct host *host)
{
    if (hangup) {
        hangup = 0;
        reload(host);
    }
    if (asked) {
        asked = 0;
        (void)eddy_engine_metrics(host->engine, print_metric, NULL);
        (void)fflush(stdout);
    }
}

static void read_input(struct host *host)
{
    char bytes[65536];
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    for (;;) {
        /* A signal that comes just before poll() does not end it: so it waits but a moment. */
        int ready = poll(&input, 1, 200);
        look_at_signals(host);
        if (ready <= 0)
            continue;
        ssize_t n = read(STDIN_FILENO, bytes, sizeof bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        if (eddy_worker_feed(host->worker, bytes, (size_t)n) < 0)
            break; /* the stream as a whole can't be read; libeddy has logged why */
    }
    (void)eddy_worker_end(host->worker);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr, "usage: host eddy.conf [section.name=value...]\n");
        return 2;
    }
    struct host host = {.path = argv[1], .settings = argv + 2};
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigaction(SIGHUP, &action, NULL);
    (void)sigaction(SIGUSR1, &action, NULL);
    eddy_error err = {0};
    int status = start(&host, &err);
    if (status == EDDY_OK)
        read_input(&host);
    else
        on_log(3, err.message, &host);
    eddy_worker_free(host.worker); /* any order: a worker keeps its engine alive */
    eddy_engine_free(host.engine);
    return status == EDDY_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
