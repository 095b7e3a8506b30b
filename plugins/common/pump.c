/* SPDX-License-Identifier: MIT */
/* pump.c - scores what a host's threads hand over, in a thread of its own; or sends it to eddyd.
 *
 *     the host's threads: pump_put() -> ring -> our thread: run() -> engine, or a socket */
#include "pump.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <syslog.h>
#include <unistd.h>

#include "clock.h"
#include "metrics_file.h"
#include "ring.h"
#include "sender.h"

#define IDLE_MS  100   /* how late a record may be scored */
#define TURN     512   /* records between looks at the clock and at `stop` */
#define DRAIN_MS 4000  /* for what is in the ring at the end */
#define END_MS   7000  /* for all of the end */
#define TOLD_MS  60000 /* dropped records are told at most so often */

struct pump {
    struct pump_options with;
    eddy_worker *worker;
    struct sender *sender;     /* NULL: there is an engine */
    struct metrics_file *file; /* of what is sent; NULL: not wanted, or the engine has its own */
    struct ring *ring;
    pthread_t thread;
    int ended;        /* eventfd: the thread is done */
    atomic_bool stop; /* set by pump_stop() with release: the thread sees all that was put before */

    /* The thread's own. */
    uint64_t skipped_seen, dropped_seen, dropped_told;
    int64_t told_ms;
    eddy_counts counts; /* at the end */

    /* Counted by our thread, read by that of `file`; relaxed, for nothing depends on them. */
    atomic_ullong sent, lost;

    /* Counted by the host's threads, likewise. A cache line apart from what they only read. */
    _Alignas(64) atomic_ullong skipped;
    atomic_ullong dropped;
};

/* ---- the host's threads ---- */

void pump_put(struct pump *p, const char *record, size_t length)
{
    if (!ring_put(p->ring, record, length))
        atomic_fetch_add_explicit(&p->dropped, 1, memory_order_relaxed);
}

void pump_skip(struct pump *p)
{
    atomic_fetch_add_explicit(&p->skipped, 1, memory_order_relaxed);
}

/* ---- our thread ---- */

/* Hands over what was counted, and says once a minute that records were dropped. */
static void tell(struct pump *p, bool last)
{
    uint64_t skipped = atomic_load_explicit(&p->skipped, memory_order_relaxed);
    uint64_t dropped = atomic_load_explicit(&p->dropped, memory_order_relaxed);
    if (p->worker != NULL && (skipped != p->skipped_seen || dropped != p->dropped_seen))
        eddy_worker_missed(p->worker, skipped - p->skipped_seen, dropped - p->dropped_seen);
    p->skipped_seen = skipped;
    p->dropped_seen = dropped;
    if (dropped == p->dropped_told)
        return;
    int64_t now = clock_ms();
    if (p->told_ms != 0 && now - p->told_ms < TOLD_MS && !last)
        return;
    say(p->with.say, LOG_WARNING, "%llu records dropped: the ring of %zu bytes had no room",
        (unsigned long long)(dropped - p->dropped_told), p->with.ring);
    p->dropped_told = dropped;
    p->told_ms = now;
}

/* What became of the records that are sent; those that wait are in none of the counts. */
static void read_counts(eddy_counts *out, void *user)
{
    struct pump *p = user;
    *out = (eddy_counts){
        .scored = atomic_load_explicit(&p->sent, memory_order_relaxed),
        .skipped = atomic_load_explicit(&p->skipped, memory_order_relaxed),
        .dropped = atomic_load_explicit(&p->dropped, memory_order_relaxed) +
                   atomic_load_explicit(&p->lost, memory_order_relaxed),
    };
    out->read = out->scored + out->skipped + out->dropped;
}

static size_t hand_over(struct pump *p)
{
    struct sender_counts sent;
    size_t taken = sender_turn(p->sender, p->ring, IDLE_MS);
    sender_counts(p->sender, &sent);
    atomic_store_explicit(&p->sent, sent.sent, memory_order_relaxed);
    atomic_store_explicit(&p->lost, sent.too_long, memory_order_relaxed);
    return taken;
}

static size_t score(struct pump *p)
{
    const char *record;
    size_t length, taken = 0;
    for (; taken < TURN && (record = ring_peek(p->ring, &length)) != NULL; taken++) {
        (void)eddy_worker_feed(p->worker, record, length); /* what is rejected is counted there */
        ring_next(p->ring);
    }
    return taken;
}

/* What may wait for a disk is done here, where nobody waits for it for long. */
static void end(struct pump *p)
{
    struct ring_counts ring;
    ring_counts(p->ring, &ring);
    size_t left = (size_t)(ring.put - ring.taken);
    if (p->sender != NULL)
        left += sender_waiting(p->sender);
    if (left > 0)
        say(p->with.say, LOG_WARNING, "%zu records dropped at the end: %s", left,
            p->sender != NULL ? "nobody took them" : "not scored in time");
    tell(p, true);
    if (p->sender != NULL) {
        atomic_fetch_add_explicit(&p->lost, left, memory_order_relaxed);
        read_counts(&p->counts, p);
        metrics_file_free(p->file); /* writes them a last time */
        sender_free(p->sender);
        return;
    }
    eddy_worker_missed(p->worker, 0, left);
    (void)eddy_worker_end(p->worker);
    eddy_worker_counts(p->worker, &p->counts);
    eddy_worker_free(p->worker);
    eddy_engine_free(p->with.engine); /* closes the last incidents, writes them and the metrics */
}

static void *run(void *user)
{
    struct pump *p = user;
    int64_t until = 0; /* when draining ends */
    (void)prctl(PR_SET_NAME, "eddy");
    for (;;) {
        bool stop = atomic_load_explicit(&p->stop, memory_order_acquire);
        if (stop && until == 0)
            until = clock_ms() + DRAIN_MS;
        size_t taken = p->sender != NULL ? hand_over(p) : score(p);
        bool busy = taken > 0 || (p->sender != NULL && sender_waiting(p->sender) > 0);
        tell(p, false);
        if (stop && (!busy || clock_ms() >= until))
            break;
        if (!busy)
            ring_wait(p->ring, IDLE_MS);
    }
    end(p);
    uint64_t one = 1;
    (void)!write(p->ended, &one, sizeof one); /* can't be full */
    return NULL;
}

/* ---- life ---- */

static void free_all(struct pump *p)
{
    ring_free(p->ring);
    if (p->ended >= 0)
        (void)close(p->ended); /* nothing to write */
    free(p);
}

static int start(struct pump *p, eddy_error *err)
{
    sigset_t all, before; /* signals are the host's: none may land on our thread */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&p->thread, NULL, run, p);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason == 0 ? EDDY_OK
                       : fault(err, EDDY_EIO, "can't start a thread: %s", strerror(reason));
}

static int send_to(struct pump *p, const struct pump_options *options, eddy_error *err)
{
    int status = sender_new(options->socket, options->say, &p->sender, err);
    if (status < 0 || *options->textfile == '\0')
        return status;
    struct metrics_file_options with = {.path = options->textfile,
                                        .sensor = options->sensor,
                                        .input = options->name,
                                        .interval_ms = options->interval_ms,
                                        .say = options->say,
                                        .read = read_counts,
                                        .user = p};
    return metrics_file_new(&with, &p->file, err);
}

int pump_new(const struct pump_options *options, struct pump **out, eddy_error *err)
{
    struct pump *p = NULL;
    if (posix_memalign((void **)&p, _Alignof(struct pump), sizeof *p) != 0)
        return fault(err, EDDY_ENOMEM, "out of memory");
    memset(p, 0, sizeof *p);
    p->with = *options;
    p->with.textfile = p->with.sensor = p->with.socket = NULL; /* not kept */
    p->ended = eventfd(0, EFD_CLOEXEC);
    int status = p->ended >= 0 ? ring_new(options->ring, &p->ring, err)
                               : fault(err, EDDY_EIO, "eventfd: %s", strerror(errno));
    if (status == EDDY_OK && options->engine == NULL)
        status = send_to(p, options, err);
    else if (status == EDDY_OK)
        status = eddy_worker_new(options->engine, options->name, options->format, &p->worker, err);
    if (status == EDDY_OK)
        status = start(p, err);
    if (status == EDDY_OK) {
        *out = p;
        return EDDY_OK;
    }
    metrics_file_free(p->file);
    sender_free(p->sender);
    eddy_worker_free(p->worker);
    free_all(p);
    return status;
}

int pump_stop(struct pump *p, eddy_counts *out)
{
    struct pollfd ended = {.fd = p->ended, .events = POLLIN};
    int64_t until = clock_ms() + END_MS;
    atomic_store_explicit(&p->stop, true, memory_order_release);
    ring_wake(p->ring);
    for (int64_t left = END_MS; left > 0; left = until - clock_ms())
        if (poll(&ended, 1, (int)left) > 0) /* EINTR: waits for what is left */
            break;
    if ((ended.revents & POLLIN) == 0) {
        (void)pthread_detach(p->thread); /* can't fail: it was never joined */
        return EDDY_EIO;
    }
    (void)pthread_join(p->thread, NULL); /* can't fail: it is about to return */
    if (out != NULL)
        *out = p->counts;
    free_all(p);
    return EDDY_OK;
}
