/* SPDX-License-Identifier: MIT */
/* eddyd.c - the daemon: reads followed logs and sockets, scores them in one thread, tells of it. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#include "eddy.h"

#include "clock.h"
#include "conf.h"
#include "inputs.h"
#include "journal.h"
#include "model_check.h"
#include "notify.h"
#include "output.h"
#include "rest.h"
#include "said_check.h"
#include "telemetry.h"

#define EDDYD_CONF "/etc/eddy/eddy.conf"
#define IDLE_MS    100 /* how often logs are looked at: no inotify, so NFS is no special case */
#define SECOND_MS  1000
#define DRAIN_MS   5000 /* how long a stop may read on */
#define SETS_MAX   256

enum { EXIT_USAGE = 2 };

/* A reload under way. The library's part of it may have to wait for an output, so it is done on
 * the library's own thread while the loop goes on. */
struct reload {
    /* IDLE, DONE: all of this is the loop's; ASKED: it is the library's thread's. */
    atomic_int stage;
    bool again; /* another SIGHUP came */
    eddy_config *config;
    struct conf conf;
    int status;
    eddy_error err;
};
enum { IDLE, ASKED, DONE };

struct daemon {
    struct conf_source source;
    struct say say;
    eddy_config *config;
    struct conf conf;
    eddy_engine *engine;
    struct journal *journal;
    struct inputs *inputs;
    struct telemetry *telemetry;
    struct rest *rest;
    struct reload reload;
    int signals;
    bool tick; /* the library has no thread of its own: the loop does its housekeeping */
};

static const char usage[] =
    "usage: eddyd [-c FILE] [-s SECTION.KEY=VALUE]... [-t]\n"
    "  -c FILE   settings (" EDDYD_CONF ")\n"
    "  -s K=V    one setting, set after the file; may be repeated\n"
    "  -t        check the settings, say what would be done, exit 0 or 1\n"
    "  -V        version\n"
    "Runs in the foreground. SIGHUP: read the settings again. SIGTERM, SIGINT: stop.\n";

/* ---- start and end ---- */

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct daemon *d = user;
    (void)columns;
    journal_scored(d->journal, flow, verdict);
}

static void on_log(int level, const char *message, void *user)
{
    const struct daemon *d = user;
    output_line(level, message, d->say.user);
}

/* Often, on the library's thread if it has one. */
static void on_housekeeping(eddy_engine *engine, void *user)
{
    struct daemon *d = user;
    if (atomic_load(&d->reload.stage) != ASKED)
        return;
    d->reload.status = eddy_engine_reload(engine, d->reload.config, &d->reload.err);
    atomic_store(&d->reload.stage, DONE);
}

/* All signals come through a descriptor; threads made later inherit that they are blocked. */
static int open_signals(eddy_error *err)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGHUP);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    int failed = pthread_sigmask(SIG_BLOCK, &set, NULL);
    int fd = failed == 0 ? signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC) : -1;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    return fd >= 0 ? fd : fault(err, EDDY_EIO, "signalfd: %s", strerror(errno));
}

static int start(struct daemon *d, eddy_error *err)
{
    eddy_hooks hooks = {.size = sizeof hooks,
                        .user = d,
                        .scored = on_scored,
                        .log = on_log,
                        .housekeeping = on_housekeeping};
    if (*d->conf.flows == '\0')
        hooks.scored = NULL;
    int status = open_signals(err);
    if (status < 0)
        return status;
    d->signals = status;
    d->telemetry = telemetry_new();
    if (d->telemetry == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    struct journal_options journal = {
        .checkpoint = d->conf.checkpoint, .flows = d->conf.flows, .logs = conf_follows(&d->conf)};
    status = journal_open(&journal, &d->say, &d->journal, err);
    if (status == EDDY_OK)
        status = eddy_engine_new(d->config, &hooks, &d->engine, err);
    if (status == EDDY_OK)
        status = inputs_new(d->engine, &d->say, &d->inputs, err);
    if (status == EDDY_OK)
        status = inputs_apply(d->inputs, &d->conf.inputs, journal_positions(d->journal), err);
    if (status == EDDY_OK && !rest_conf_is_off(&d->conf.rest))
        status = rest_open(&d->conf.rest, d->engine, d->telemetry, &d->say, &d->rest, err);
    if (status < 0)
        return status;
    d->tick = strcmp(eddy_config_value(d->config, "engine.thread"), "off") == 0;
    /* Before anything is read: a kill from here on finds where it all began. */
    journal_save(d->journal, d->inputs);
    return EDDY_OK;
}

static void stop(struct daemon *d)
{
    rest_close(d->rest);
    inputs_free(d->inputs);
    if (d->engine != NULL)
        (void)eddy_engine_end(d->engine); /* what is open is told; a failure was logged */
    eddy_engine_free(d->engine);
    journal_close(d->journal);
    telemetry_free(d->telemetry);
    conf_done(&d->reload.conf);
    eddy_config_free(d->reload.config);
    conf_done(&d->conf);
    eddy_config_free(d->config);
    if (d->signals >= 0)
        (void)close(d->signals); /* nothing to write */
}

/* ---- while running ---- */

static void warn_of_restart(const struct daemon *d, const struct conf *new)
{
    const char *keys[] = {"eddyd.checkpoint", "eddyd.flows"};
    const char *olds[] = {d->conf.checkpoint, d->conf.flows};
    const char *news[] = {new->checkpoint, new->flows};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(olds[i], news[i]) != 0)
            say(&d->say, LOG_WARNING, "%s = '%s' needs a restart, '%s' stays in force", keys[i],
                news[i], olds[i]);
    rest_conf_warn(&d->conf.rest, &new->rest, &d->say);
}

/* What is in force for good, taken over into the new settings. */
static void keep_fixed(struct daemon *d, struct conf *new)
{
    char **olds[] = {&d->conf.checkpoint, &d->conf.flows};
    char **news[] = {&new->checkpoint, &new->flows};
    for (size_t i = 0; i < sizeof olds / sizeof *olds; i++) {
        char *swap = *news[i];
        *news[i] = *olds[i];
        *olds[i] = swap;
    }
    rest_conf_keep(&d->conf.rest, &new->rest);
}

/* Everything but the library's part. */
static int prepare_reload(struct daemon *d)
{
    struct reload *r = &d->reload;
    int status = conf_load(&d->source, &r->config, &r->conf, &r->err);
    if (status == EDDY_OK)
        status = conf_check(&r->conf, &r->err);
    if (status == EDDY_OK) /* the inputs of before, should the engine refuse */
        status = inputs_apply(d->inputs, &r->conf.inputs, journal_positions(d->journal), &r->err);
    return status;
}

static void take_over(struct daemon *d)
{
    struct reload *r = &d->reload;
    warn_of_restart(d, &r->conf);
    keep_fixed(d, &r->conf);
    conf_done(&d->conf);
    eddy_config_free(d->config);
    d->conf = r->conf;
    d->config = r->config;
    rest_reload(d->rest, &d->conf.rest);
}

static void put_back(struct daemon *d)
{
    eddy_error err;
    journal_save(d->journal, d->inputs); /* positions of inputs that are closed now */
    if (inputs_apply(d->inputs, &d->conf.inputs, journal_positions(d->journal), &err) < 0)
        say(&d->say, LOG_ERR, "the inputs of before can't be opened again: %s", err.message);
}

/* It has worked or not: says so, and is ready for the next. */
static void end_reload(struct daemon *d, int status)
{
    struct reload *r = &d->reload;
    telemetry_reload(d->telemetry, status == EDDY_OK);
    if (status == EDDY_OK) {
        take_over(d);
        say(&d->say, LOG_NOTICE, "settings read again, %zu inputs", inputs_count(d->inputs));
    } else {
        say(&d->say, LOG_ERR, "settings not taken over, the old ones stay in force: %s",
            r->err.message);
        conf_done(&r->conf);
        eddy_config_free(r->config);
    }
    r->conf = (struct conf){0};
    r->config = NULL;
    atomic_store(&r->stage, IDLE);
    notify("READY=1");
}

static void begin_reload(struct daemon *d)
{
    char lines[128];
    d->reload.again = false;
    (void)snprintf(lines, sizeof lines, "RELOADING=1\nMONOTONIC_USEC=%lld000",
                   (long long)clock_ms());
    notify(lines);
    journal_save(d->journal, d->inputs); /* positions of inputs that may be closed now */
    int status = prepare_reload(d);
    if (status < 0)
        end_reload(d, status);
    else
        atomic_store(&d->reload.stage, ASKED);
}

/* Every turn. */
static void reload(struct daemon *d)
{
    if (d->tick)
        on_housekeeping(d->engine, d);
    if (atomic_load(&d->reload.stage) == DONE) {
        if (d->reload.status < 0)
            put_back(d);
        end_reload(d, d->reload.status);
    }
    if (d->reload.again && atomic_load(&d->reload.stage) == IDLE)
        begin_reload(d);
}

/* The signal that waits, 0 if none. SIGTERM wins over all SIGHUPs. */
static int next_signal(int fd)
{
    struct signalfd_siginfo info;
    int got = 0;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (got == 0 || info.ssi_signo != SIGHUP)
            got = (int)info.ssi_signo;
    return got;
}

static void each_second(struct daemon *d)
{
    telemetry_update(d->telemetry, d->inputs, d->journal);
    if (d->tick)
        (void)eddy_engine_tick(d->engine); /* logs its failures itself */
}

/* Runs until a signal says stop. */
static void run(struct daemon *d)
{
    int64_t watchdog_ms = notify_watchdog_ms();
    int64_t second = 0;
    int64_t saved = clock_ms();
    int64_t barked = 0;
    for (;;) {
        size_t taken = inputs_turn(d->inputs, journal_stuck(d->journal), d->signals, IDLE_MS);
        if (taken == 0)
            journal_flush(d->journal);
        telemetry_turn(d->telemetry);
        int64_t now = clock_ms();
        if (now - second >= SECOND_MS) {
            second = now;
            each_second(d);
        }
        if (now - saved >= d->conf.checkpoint_ms) {
            saved = now;
            journal_save(d->journal, d->inputs);
        }
        if (watchdog_ms > 0 && now - barked >= watchdog_ms) {
            barked = now;
            notify("WATCHDOG=1");
        }
        int got = next_signal(d->signals);
        if (got != 0 && got != SIGHUP)
            return;
        if (got == SIGHUP) {
            journal_reopen(d->journal);
            d->reload.again = true;
        }
        reload(d);
    }
}

/* Reads what is there already, until there is nothing more, five seconds are over, or a
 * second signal comes. */
static void drain(struct daemon *d)
{
    int64_t end = clock_ms() + DRAIN_MS;
    size_t taken = 1;
    while (taken > 0 && clock_ms() < end) {
        taken = inputs_turn(d->inputs, journal_stuck(d->journal), d->signals, 0);
        telemetry_turn(d->telemetry);
        int got = next_signal(d->signals);
        if (got != 0 && got != SIGHUP)
            break;
    }
    inputs_hang_up(d->inputs);
    journal_save(d->journal, d->inputs);
}

/* ---- command line ---- */

/* A file that people write. */
static void test_said(const eddy_config *config, const char *key, const char *what)
{
    const char *path = eddy_config_value(config, key);
    if (*path != '\0')
        printf("would read %s from %s%s\n", what, path,
               access(path, F_OK) == 0 ? "" : ", which does not exist yet");
}

static int test_only(const struct daemon *d)
{
    const struct conf *c = &d->conf;
    eddy_error err;
    /* A start goes on without what a faulty file says, and without a model that is refused. */
    if (said_check(d->config, &err) < 0 || model_check(d->config, &err) < 0) {
        say(&d->say, LOG_ERR, "%s", err.message);
        return EXIT_FAILURE;
    }
    for (size_t i = 0; i < c->inputs.count; i++) {
        const struct input_conf *input = &c->inputs.items[i];
        printf("would %s %s%s%s%s%s\n", input->is_log ? "follow" : "listen on", input->where,
               input->name != input->where ? " as " : "",
               input->name != input->where ? input->name : "",
               input->format != NULL ? ", format " : "",
               input->format != NULL ? input->format : "");
    }
    if (c->inputs.count == 0) {
        say(&d->say, LOG_ERR, "nothing to read: set eddyd.follow or eddyd.listen");
        return EXIT_FAILURE;
    }
    printf("would serve %s on %s%s\n", *c->rest.tls_cert != '\0' ? "HTTPS" : "HTTP", c->rest.http,
           *c->rest.token_file != '\0' ? ", to those who have the token" : "");
    printf("would keep positions in %s\n", *c->checkpoint != '\0' ? c->checkpoint : "nothing");
    if (*c->flows != '\0')
        printf("would write flows to %s\n", c->flows);
    test_said(d->config, "suppress.path", "suppressions");
    test_said(d->config, "feedback.path", "marks");
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int serve(struct daemon *d)
{
    eddy_error err = {0};
    if (start(d, &err) < 0) {
        say(&d->say, LOG_ERR, "%s", err.message);
        stop(d);
        return EXIT_FAILURE;
    }
    if (inputs_count(d->inputs) == 0)
        say(&d->say, LOG_WARNING, "nothing to read: set eddyd.follow or eddyd.listen");
    telemetry_update(d->telemetry, d->inputs, d->journal);
    telemetry_ready(d->telemetry, true);
    say(&d->say, LOG_NOTICE, "eddy %s, %zu inputs, %s", eddy_version(), inputs_count(d->inputs),
        d->rest != NULL ? d->conf.rest.http : "no HTTP");
    notify("READY=1\nSTATUS=reading");
    run(d);
    telemetry_ready(d->telemetry, false);
    rest_refuse(d->rest);
    notify("STOPPING=1\nSTATUS=reading what is left");
    drain(d);
    stop(d);
    return EXIT_SUCCESS;
}

static const struct option long_options[] = {
    {"config", required_argument, NULL, 'c'}, {"set", required_argument, NULL, 's'},
    {"test", no_argument, NULL, 't'},         {"version", no_argument, NULL, 'V'},
    {"help", no_argument, NULL, 'h'},         {0}};

int main(int argc, char **argv)
{
    static const char *sets[SETS_MAX];
    struct daemon d = {.signals = -1, .source = {.sets = sets}};
    bool test = false;
    int option;
    while ((option = getopt_long(argc, argv, "c:s:tVh", long_options, NULL)) != -1) {
        if (option == 'c')
            d.source.file = optarg;
        else if (option == 's' && d.source.set_count < SETS_MAX)
            sets[d.source.set_count++] = optarg;
        else if (option == 't')
            test = true;
        else if (option == 'V')
            return printf("eddyd %s (%s)\n", eddy_version(), eddy_built_with()) < 0;
        else if (option == 'h')
            return fputs(usage, stdout) < 0;
        else {
            (void)fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "eddyd: unexpected '%s'\n%s", argv[optind], usage);
        return EXIT_USAGE;
    }
    d.say = (struct say){.line = output_line, .user = output_style()};
    if (d.source.file == NULL && access(EDDYD_CONF, F_OK) == 0)
        d.source.file = EDDYD_CONF;
    else if (d.source.file == NULL && !test)
        say(&d.say, LOG_NOTICE, EDDYD_CONF " is not there: initial settings");
    eddy_error err = {0};
    if (conf_load(&d.source, &d.config, &d.conf, &err) < 0 || conf_check(&d.conf, &err) < 0) {
        say(&d.say, LOG_ERR, "%s", err.message);
        conf_done(&d.conf);
        eddy_config_free(d.config);
        return EXIT_FAILURE;
    }
    if (!test)
        return serve(&d);
    int status = test_only(&d);
    conf_done(&d.conf);
    eddy_config_free(d.config);
    return status;
}
