/* SPDX-License-Identifier: MIT */
/* notices.c - incidents as collectd's notifications, from a thread of their own. */
#include "notices.h"

#include <inttypes.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <syslog.h>
#include <time.h>

#include "collectd_abi.h"
#include "metrics.h"

#define FINISH_MS 4000  /* for what waits when we stop */
#define LEAVE_MS  2000  /* for a receiver to be left */
#define SAY_MS    60000 /* that some were left out: not more often */

struct notices {
    const struct say *say;
    struct told *told;
    pthread_t thread;
    sem_t wake;
    atomic_bool finish;      /* set by the scoring thread */
    atomic_bool ended;       /* set by ours as its last deed */
    int64_t said_ms;         /* the scoring thread's, as the next; 0: never */
    struct told_counts said; /* left out, as told last */
};

static void add_text(struct cd_notification *to, const char *name, const char *text)
{
    if (*text != '\0')
        (void)plugin_notification_meta_add_string(to, name, text); /* less is told: no harm */
}

static void add_number(struct cd_notification *to, const char *name, uint64_t value)
{
    if (value != 0)
        (void)plugin_notification_meta_add_unsigned_int(to, name, value); /* as above */
}

static void add_meta(struct cd_notification *to, const struct notice *from)
{
    char name[] = "reason_1";
    add_text(to, "incident_id", from->id);
    add_text(to, "incident_host", from->host);
    add_text(to, "peer", from->peer);
    add_number(to, "peer_port", from->peer_port);
    (void)plugin_notification_meta_add_double(to, "p", from->p);
    (void)plugin_notification_meta_add_double(to, "score", from->score);
    add_number(to, "flows", from->flows);
    add_text(to, "technique", from->technique);
    add_number(to, "host_asn", from->host_asn);
    add_number(to, "peer_asn", from->peer_asn);
    add_text(to, "host_country", from->host_country);
    add_text(to, "peer_country", from->peer_country);
    (void)plugin_notification_meta_add_double(to, "start", from->start);
    (void)plugin_notification_meta_add_double(to, "end", from->end);
    add_text(to, "explanation", from->summary);
    for (size_t r = 0; r < TOLD_REASONS; r++, name[sizeof name - 2]++)
        add_text(to, name, from->reasons[r]);
}

static struct cd_notification begin(int severity, const char *detector)
{
    struct cd_notification to = {.severity = severity,
                                 .time = cdtime(),
                                 .plugin = "eddy",
                                 .type = "incident",
                                 .plugin_instance = METRICS_ALL};
    (void)snprintf(to.host, sizeof to.host, "%s", hostname_g);
    (void)snprintf(to.type_instance, sizeof to.type_instance, "%s", detector);
    return to;
}

static void free_meta(void *user)
{
    struct cd_notification *n = user;
    if (n->meta != NULL)
        (void)plugin_notification_meta_free(n->meta); /* fails for NULL only */
}

/* Only here the thread can be cancelled: while it is in somebody else's code. */
static void send_on(struct cd_notification *to)
{
    int before;
    pthread_cleanup_push(free_meta, to);
    (void)pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &before);
    (void)plugin_dispatch_notification(to); /* a receiver's failure was logged */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_cleanup_pop(1);
}

static void send_notice(const struct notice *from)
{
    static const char *const severities[] = {"", "low", "medium", "high"};
    struct cd_notification to =
        begin(from->severity == EDDY_HIGH ? CD_FAILURE : CD_WARNING, from->detector);
    int severity = from->severity >= EDDY_LOW && from->severity <= EDDY_HIGH ? from->severity : 0;
    char end[96];
    int room = (int)sizeof to.message - 1 -
               snprintf(end, sizeof end, " [%s %s, p=%.1e, %s, %s]", severities[severity],
                        from->detector, from->p, from->technique, from->id);
    (void)snprintf(to.message, sizeof to.message, "%.*s%s", room, from->summary, end);
    add_meta(&to, from);
    send_on(&to);
}

static void send_quiet(const char *detector)
{
    struct cd_notification to = begin(CD_OKAY, detector);
    (void)snprintf(to.message, sizeof to.message,
                   "%s is quiet again: all its incidents that were told are closed", detector);
    send_on(&to);
}

static void end(void *user)
{
    struct notices *n = user;
    atomic_store(&n->ended, true);
}

static void *deliver(void *user)
{
    struct notices *n = user;
    struct notice next;
    enum told_what what;
    sigset_t all;
    int before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL); /* collectd's main thread waits for them */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_cleanup_push(end, n);
    for (bool last = false; !last;) {
        last = atomic_load(&n->finish);
        while ((what = told_next(n->told, &next)) != TOLD_NOTHING) {
            if (what == TOLD_INCIDENT)
                send_notice(&next);
            else
                send_quiet(next.detector);
        }
        if (!last)
            (void)sem_wait(&n->wake); /* cut short: asked once more than needed */
    }
    pthread_cleanup_pop(1);
    return NULL;
}

/* ---- for the other threads ---- */

int notices_new(const struct say *say, struct notices **out, eddy_error *err)
{
    struct notices *n = calloc(1, sizeof *n);
    if (n == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    n->say = say;
    n->told = told_new();
    (void)sem_init(&n->wake, 0, 0); /* 0 is a good value: can't fail */
    int status = EDDY_OK;
    if (n->told == NULL)
        status = fault(err, EDDY_ENOMEM, "out of memory");
    else if (plugin_thread_create(&n->thread, deliver, n, "eddy notify") != 0)
        status = fault(err, EDDY_EIO, "no thread for the notifications");
    if (status < 0) {
        told_free(n->told);
        free(n);
        return status;
    }
    *out = n;
    return EDDY_OK;
}

void notices_incident(struct notices *n, const eddy_incident *incident, int64_t now_ms)
{
    told_incident(n->told, incident, now_ms);
    (void)sem_post(&n->wake); /* beyond what it can count it is awake anyway */
}

static void say_left_out(struct notices *n)
{
    struct told_counts now;
    told_counts(n->told, &now);
    uint64_t limited = now.limited - n->said.limited;
    uint64_t dropped = now.dropped - n->said.dropped;
    n->said = now;
    if (limited + dropped > 0)
        say(n->say, LOG_WARNING,
            "notifications left out: %" PRIu64 " over NotificationsPerMinute, %" PRIu64
            " as receivers are too slow",
            limited, dropped);
}

void notices_say(struct notices *n, int64_t now_ms)
{
    struct told_counts now;
    told_counts(n->told, &now);
    if (now.limited + now.dropped == n->said.limited + n->said.dropped ||
        (n->said_ms != 0 && now_ms - n->said_ms < SAY_MS))
        return;
    n->said_ms = now_ms;
    say_left_out(n);
}

struct told *notices_told(struct notices *n)
{
    return n->told;
}

/* Waits until the thread has ended, or for a time. Asks again and again: a thread that is cancelled
 * had better not touch locks. */
static bool wait_for_end(const struct notices *n, int ms)
{
    for (int i = 0; i < ms / 5 && !atomic_load(&n->ended); i++) {
        struct timespec pause = {.tv_nsec = 5000000};
        (void)nanosleep(&pause, NULL); /* cut short: asked sooner */
    }
    return atomic_load(&n->ended);
}

void notices_free(struct notices *n)
{
    if (n == NULL)
        return;
    told_stop(n->told);
    say_left_out(n);
    atomic_store(&n->finish, true);
    (void)sem_post(&n->wake); /* as above */
    if (!wait_for_end(n, FINISH_MS)) {
        (void)pthread_cancel(n->thread);
        bool left = wait_for_end(n, LEAVE_MS);
        say(n->say, LOG_WARNING,
            "a receiver of notifications did not answer: %s, %zu further ones were not sent",
            left ? "left it" : "it can't be left and goes on", told_waiting(n->told));
    }
    if (!atomic_load(&n->ended)) { /* its memory stays: the process is about to end */
        (void)pthread_detach(n->thread);
        return;
    }
    (void)pthread_join(n->thread, NULL);
    (void)sem_destroy(&n->wake);
    told_free(n->told);
    free(n);
}
