/* SPDX-License-Identifier: MIT */
/* scorer.c - the thread that reads and scores: everything that works, from init to shutdown. */
#include "scorer.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "journal.h"
#include "metrics.h"
#include "notices.h"
#include "setting_name.h"

#define IDLE_MS  100   /* how often logs are looked at, as in eddyd */
#define DRAIN_MS 1000  /* what sockets hold when we stop */
#define STOP_MS  10000 /* for the thread to end; receivers of notifications have six of it */
#define CALM_MS  300   /* collectd flushes just before it stops: nothing is renewed then */

struct scorer {
    struct scorer_options options;
    eddy_engine *engine;
    struct journal *journal;
    struct inputs *inputs;
    struct notices *notices;
    pthread_t thread;
    int wake;                      /* an eventfd: ends the waiting of a turn */
    atomic_bool stop, flush, show; /* set by collectd's threads, cleared by ours */
    atomic_bool ended;             /* set by ours as its last deed */
    _Atomic int64_t renew_ms;      /* when a flush asked for it, 0: none; as the first three, but
                                      cleared by the one that keeps house */
    atomic_ulong slow_reads;       /* written by collectd's */
    _Atomic int64_t checkpoint_ms; /* written by the one that keeps house; stands for itself */
    bool keeps_house; /* the library has no thread of its own: ours does the housekeeping */
};

/* ---- housekeeping: on the library's thread, which may wait for an output ---- */

static void take_over(struct scorer *s, const eddy_config *config)
{
    const char *limit = eddy_config_value(config, "collectd.notifications_per_minute");
    s->checkpoint_ms = setting_milliseconds(config, "collectd.checkpoint_interval");
    told_limit(notices_told(s->notices), strtod(limit, NULL));
}

/* What was read anew and can't be taken over. */
static void warn_of_restart(const struct scorer *s, const eddy_config *config)
{
    const char *now = eddy_config_value(s->options.settings->config, "collectd.checkpoint");
    const char *new = eddy_config_value(config, "collectd.checkpoint");
    if (strcmp(now, new) != 0)
        say(s->options.say, LOG_WARNING,
            "collectd.checkpoint = '%s' needs a restart, '%s' stays in force", new, now);
}

static void reload(struct scorer *s, eddy_engine *engine)
{
    struct settings new;
    eddy_error err;
    int status = settings_read(s->options.blocks, s->options.block_count, &new, &err);
    if (status == EDDY_OK) {
        status = eddy_engine_reload(engine, new.config, &err);
        if (status == EDDY_OK) {
            warn_of_restart(s, new.config);
            take_over(s, new.config);
        }
        settings_done(&new);
    }
    if (status == EDDY_OK)
        say(s->options.say, LOG_NOTICE, "settings read again");
    else
        say(s->options.say, LOG_ERR, "settings not taken over, the old ones stay in force: %s",
            err.message);
}

/* What `collectdctl flush` asks for, but the checkpoint. */
static void keep_house(eddy_engine *engine, void *user)
{
    struct scorer *s = user;
    int64_t asked = atomic_load(&s->renew_ms);
    if (asked == 0 || clock_ms() - asked < CALM_MS || atomic_load(&s->stop))
        return;
    atomic_store(&s->renew_ms, 0); /* who asks from here on asks for another one */
    if (s->options.settings->file != NULL)
        reload(s, engine);
    (void)eddy_engine_tick(engine); /* logs its failures itself */
}

/* ---- the thread ---- */

static void show(struct scorer *s)
{
    struct journal_stats journal;
    struct told_counts notices;
    journal_stats(s->journal, &journal);
    told_counts(notices_told(s->notices), &notices);
    (void)eddy_engine_metrics(s->engine, metrics_add, NULL); /* never stopped, nor the next */
    (void)inputs_metrics(s->inputs, metrics_add, NULL);
    metrics_own(OWN_CONFIG_OK, "", 1);
    metrics_own(OWN_SLOW_READS, "", (double)atomic_load(&s->slow_reads));
    metrics_own(OWN_CHECKPOINT_TIMESTAMP, "", (double)journal.checkpoint_s);
    metrics_own(OWN_CHECKPOINT_FAILURES, "", (double)journal.failures);
    metrics_own(OWN_NOTIFICATIONS, "result=\"sent\"", (double)notices.sent);
    metrics_own(OWN_NOTIFICATIONS, "result=\"limited\"", (double)notices.limited);
    metrics_own(OWN_NOTIFICATIONS, "result=\"dropped\"", (double)notices.dropped);
}

static void drain_sockets(struct scorer *s)
{
    int64_t end = clock_ms() + DRAIN_MS;
    while (inputs_turn(s->inputs, true, -1, 0) > 0 && clock_ms() < end)
        ;
}

/* All but the thread, what wakes it, and its memory. */
static void close_all(struct scorer *s)
{
    if (s->notices != NULL)
        told_stop(notices_told(s->notices)); /* what is closed from here on is not over */
    inputs_free(s->inputs);
    if (s->engine != NULL)
        (void)eddy_engine_end(s->engine); /* what is open is told to the outputs */
    eddy_engine_free(s->engine);
    journal_close(s->journal);
    notices_free(s->notices);
}

static void *run(void *user)
{
    struct scorer *s = user;
    int64_t second = 0;
    int64_t saved = clock_ms();
    uint64_t wakes;
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL); /* collectd's main thread waits for them */
    while (!atomic_load(&s->stop)) {
        (void)inputs_turn(s->inputs, false, s->wake, IDLE_MS);
        int64_t now = clock_ms();
        if (read(s->wake, &wakes, sizeof wakes) < 0)
            wakes = 0; /* nobody woke us */
        if (atomic_exchange(&s->flush, false))
            journal_save(s->journal, s->inputs);
        if (atomic_exchange(&s->show, false))
            show(s);
        if (s->keeps_house)
            keep_house(s->engine, s);
        if (now - second >= 1000) {
            second = now;
            notices_say(s->notices, now);
            if (s->keeps_house)
                (void)eddy_engine_tick(s->engine); /* logs its failures itself */
        }
        if (now - saved >= s->checkpoint_ms) {
            saved = now;
            journal_save(s->journal, s->inputs);
        }
    }
    drain_sockets(s);
    journal_save(s->journal, s->inputs);
    close_all(s); /* here, where what hangs does not hold up collectd for ever */
    atomic_store(&s->ended, true);
    return NULL;
}

/* ---- for collectd's threads ---- */

static void wake(struct scorer *s)
{
    uint64_t one = 1;
    if (write(s->wake, &one, sizeof one) < 0)
        return; /* full: it is awake already */
}

void scorer_flush(struct scorer *s)
{
    int64_t none = 0;
    atomic_store(&s->flush, true);
    (void)atomic_compare_exchange_strong(&s->renew_ms, &none, clock_ms()); /* asked already: fine */
    wake(s);
}

void scorer_show(struct scorer *s, unsigned long slow_reads)
{
    atomic_store(&s->slow_reads, slow_reads);
    atomic_store(&s->show, true);
    wake(s);
}

/* ---- start and end ---- */

static void on_incident(const eddy_incident *incident, void *user)
{
    struct scorer *s = user;
    notices_incident(s->notices, incident, clock_ms());
}

static void on_log(int level, const char *message, void *user)
{
    const struct scorer *s = user;
    say(s->options.say, level, "%s", message);
}

static int open_all(struct scorer *s, eddy_error *err)
{
    const struct settings *set = s->options.settings;
    struct journal_options journal = {
        .checkpoint = eddy_config_value(set->config, "collectd.checkpoint"), .flows = ""};
    eddy_hooks hooks = {.size = sizeof hooks,
                        .user = s,
                        .incident = on_incident,
                        .log = on_log,
                        .housekeeping = keep_house};
    int status = journal_check("Checkpoint", journal.checkpoint, err);
    s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (status == EDDY_OK && s->wake < 0)
        status = fault(err, EDDY_EIO, "eventfd: %s", strerror(errno));
    if (status == EDDY_OK)
        status = notices_new(s->options.say, &s->notices, err);
    if (status == EDDY_OK)
        status = journal_open(&journal, s->options.say, &s->journal, err);
    if (status == EDDY_OK)
        status = eddy_engine_new(set->config, &hooks, &s->engine, err);
    if (status == EDDY_OK)
        status = inputs_new(s->engine, s->options.say, &s->inputs, err);
    if (status == EDDY_OK)
        status = inputs_apply(s->inputs, &set->inputs, journal_positions(s->journal), err);
    if (status < 0)
        return status;
    take_over(s, set->config);
    s->keeps_house = strcmp(eddy_config_value(set->config, "engine.thread"), "off") == 0;
    journal_save(s->journal, s->inputs); /* a kill from here on finds where it all began */
    return EDDY_OK;
}

/* Not by the thread: who stops it may still be about to wake it. */
static void release(struct scorer *s)
{
    if (s->wake >= 0)
        (void)close(s->wake); /* nothing buffered */
    free(s);
}

int scorer_new(const struct scorer_options *options, struct scorer **out, eddy_error *err)
{
    struct scorer *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    s->options = *options;
    int status = open_all(s, err);
    if (status == EDDY_OK && plugin_thread_create(&s->thread, run, s, "eddy score") != 0)
        status = fault(err, EDDY_EIO, "no thread to score in");
    if (status < 0) {
        close_all(s);
        release(s);
    } else {
        *out = s;
    }
    return status;
}

bool scorer_free(struct scorer *s)
{
    if (s == NULL)
        return true;
    atomic_store(&s->stop, true);
    int64_t end = clock_ms() + STOP_MS;
    wake(s);
    while (!atomic_load(&s->ended) && clock_ms() < end) {
        struct timespec pause = {.tv_nsec = 2000000};
        (void)nanosleep(&pause, NULL); /* cut short: asked sooner */
    }
    if (!atomic_load(&s->ended)) {
        say(s->options.say, LOG_ERR,
            "what eddy reads or writes hangs: left as it is %d s after the stop, the last "
            "checkpoint and incidents may be missing",
            STOP_MS / 1000);
        (void)pthread_detach(s->thread); /* fails for no thread only */
        return false;
    }
    (void)pthread_join(s->thread, NULL); /* as above */
    release(s);
    return true;
}
