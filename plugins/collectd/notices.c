/* SPDX-License-Identifier: MIT */
/* notices.c - incidents as collectd's notifications, from a thread of their own. */
#include "notices.h"

#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "collectd_abi.h"
#include "metrics.h"

#define RING      64
#define TOLD_MAX  256 /* incidents told and open; further ones are told, but not waited for */
#define DETECTORS 16
#define REASONS   3
#define FINISH_S  4 /* for what waits when we stop: at least three */
#define LEAVE_S   2 /* for a receiver to be left */

/* What is told of an incident; texts are cut. */
struct notice {
    char detector[32], id[24], technique[16], summary[512], reasons[REASONS][160];
    char host[46], peer[46], host_country[4], peer_country[4];
    uint32_t host_asn, peer_asn;
    uint16_t peer_port;
    int severity;
    uint64_t flows;
    double p, score, start, end;
};

struct detector {
    char name[32];
    unsigned open; /* incidents told and not closed */
    bool told;     /* since the last OKAY */
};

/* An incident that was told and is not closed. */
struct told {
    char id[24];
    int severity;
    struct detector *of;
};

struct notices {
    const struct say *say;
    pthread_t thread;
    pthread_mutex_t lock; /* for all below; never held while a receiver is called */
    pthread_cond_t changed;
    struct notice ring[RING];
    size_t first, waiting;
    struct detector detectors[DETECTORS];
    struct told told[TOLD_MAX];
    size_t told_count;
    double per_minute, allowance;
    time_t filled_s, said_s;
    uint64_t unsaid; /* left out since the log said so */
    struct notices_counts counts;
    bool stopping, finish;
    atomic_bool ended; /* written by the thread as its last deed, without the lock */
};

static time_t clock_s(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return now.tv_sec;
}

/* ---- the scoring thread ---- */

static void copy(const eddy_incident *i, struct notice *out)
{
    *out = (struct notice){.host_asn = i->host_asn,
                           .peer_asn = i->peer_asn,
                           .peer_port = i->peer_port,
                           .severity = i->severity,
                           .flows = i->flows,
                           .p = i->p,
                           .score = i->score,
                           .start = (double)i->start_us * 1e-6,
                           .end = (double)i->end_us * 1e-6};
    static const uint8_t none[16];
    (void)snprintf(out->detector, sizeof out->detector, "%s", i->detector);
    (void)snprintf(out->id, sizeof out->id, "%s", i->id);
    (void)snprintf(out->technique, sizeof out->technique, "%s", i->technique);
    (void)snprintf(out->summary, sizeof out->summary, "%s", i->summary);
    (void)snprintf(out->host_country, sizeof out->host_country, "%s", i->host_country);
    (void)snprintf(out->peer_country, sizeof out->peer_country, "%s", i->peer_country);
    (void)eddy_address_text(i->host, out->host);
    if (memcmp(i->peer, none, sizeof none) != 0)
        (void)eddy_address_text(i->peer, out->peer);
    for (size_t r = 0; r < i->reason_count && r < REASONS; r++)
        (void)snprintf(out->reasons[r], sizeof out->reasons[r], "%s", i->reasons[r].text);
}

static struct detector *detector_of(struct notices *n, const char *name)
{
    for (size_t i = 0; i < DETECTORS - 1; i++) {
        struct detector *d = &n->detectors[i];
        if (*d->name == '\0')
            (void)snprintf(d->name, sizeof d->name, "%s", name);
        if (strcmp(d->name, name) == 0)
            return d;
    }
    return &n->detectors[DETECTORS - 1]; /* never told as quiet: its name stays empty */
}

/* A bucket that fills with `per_minute` a minute and holds as much. */
static bool allowed(struct notices *n)
{
    time_t now = clock_s();
    n->allowance += (double)(now - n->filled_s) * n->per_minute / 60;
    n->filled_s = now;
    if (n->allowance > n->per_minute)
        n->allowance = n->per_minute;
    if (n->allowance < 1)
        return false;
    n->allowance -= 1;
    return true;
}

static struct told *find_told(struct notices *n, const char *id)
{
    for (size_t i = 0; i < n->told_count; i++)
        if (strcmp(n->told[i].id, id) == 0)
            return &n->told[i];
    return NULL;
}

/* Puts it into the ring, if it may; what is left out is counted when it opens. */
static void tell(struct notices *n, const eddy_incident *incident, struct told *told)
{
    bool full = n->waiting == RING;
    if (full || !allowed(n)) {
        if (incident->state == EDDY_INCIDENT_NEW) {
            *(full ? &n->counts.dropped : &n->counts.limited) += 1;
            n->unsaid++;
        }
        return;
    }
    copy(incident, &n->ring[(n->first + n->waiting++) % RING]);
    struct detector *d = detector_of(n, incident->detector);
    d->told = true;
    if (told == NULL && n->told_count < TOLD_MAX) {
        told = &n->told[n->told_count++];
        (void)snprintf(told->id, sizeof told->id, "%s", incident->id);
        told->of = d;
        d->open++;
    }
    if (told != NULL)
        told->severity = incident->severity;
}

void notices_incident(const eddy_incident *incident, void *user)
{
    struct notices *n = user;
    if (incident->withheld)
        return;
    (void)pthread_mutex_lock(&n->lock);
    struct told *told = find_told(n, incident->id);
    if (n->stopping) {
        ;
    } else if (incident->state != EDDY_INCIDENT_CLOSED) {
        if (told == NULL || told->severity < incident->severity)
            tell(n, incident, told);
    } else if (told != NULL) {
        told->of->open--;
        *told = n->told[--n->told_count];
    }
    (void)pthread_cond_signal(&n->changed);
    (void)pthread_mutex_unlock(&n->lock);
}

/* ---- the thread of the notifications ---- */

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
    for (size_t r = 0; r < REASONS; r++, name[sizeof name - 2]++)
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

/* A detector that was told of and has nothing open any more; marked as not told. */
static bool take_quiet(struct notices *n, char *name, size_t size)
{
    for (size_t i = 0; i < DETECTORS; i++) {
        struct detector *d = &n->detectors[i];
        if (!d->told || d->open > 0 || *d->name == '\0' || n->stopping)
            continue;
        d->told = false;
        (void)snprintf(name, size, "%s", d->name);
        return true;
    }
    return false;
}

/* Says that some were left out, once a minute. Called and left with the lock held. */
static void say_left_out(struct notices *n)
{
    time_t now = clock_s();
    uint64_t unsaid = n->unsaid;
    double per_minute = n->per_minute;
    if (unsaid == 0 || (n->said_s != 0 && now - n->said_s < 60 && !n->finish))
        return;
    n->said_s = now;
    n->unsaid = 0;
    (void)pthread_mutex_unlock(&n->lock);
    say(n->say, LOG_WARNING,
        "%" PRIu64 " incidents were not sent as notifications: at most %.0f a minute, %d waiting",
        unsaid, per_minute, RING);
    (void)pthread_mutex_lock(&n->lock);
}

/* One thing to do; false if there is none. Called and left with the lock held. */
static bool send_one(struct notices *n)
{
    struct notice next;
    char quiet[sizeof n->detectors->name];
    bool is_notice = n->waiting > 0;
    if (!is_notice && !take_quiet(n, quiet, sizeof quiet))
        return false;
    if (is_notice) {
        next = n->ring[n->first];
        n->first = (n->first + 1) % RING;
        n->waiting--;
        n->counts.sent++;
    }
    (void)pthread_mutex_unlock(&n->lock);
    if (is_notice)
        send_notice(&next);
    else
        send_quiet(quiet);
    (void)pthread_mutex_lock(&n->lock);
    return true;
}

static void end(void *user)
{
    struct notices *n = user;
    atomic_store(&n->ended, true);
}

static void *deliver(void *user)
{
    struct notices *n = user;
    sigset_t all;
    int before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL); /* collectd's main thread waits for them */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    pthread_cleanup_push(end, n);
    (void)pthread_mutex_lock(&n->lock);
    for (;;) {
        while (send_one(n))
            ;
        say_left_out(n);
        if (n->waiting > 0)
            continue; /* came while it was said */
        if (n->finish)
            break;
        (void)pthread_cond_wait(&n->changed, &n->lock);
    }
    (void)pthread_mutex_unlock(&n->lock);
    pthread_cleanup_pop(1);
    return NULL;
}

/* ---- start and end ---- */

int notices_new(const struct say *say, struct notices **out, eddy_error *err)
{
    struct notices *n = calloc(1, sizeof *n);
    if (n == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    n->say = say;
    n->filled_s = clock_s();
    (void)pthread_mutex_init(&n->lock, NULL); /* without attributes these can't fail */
    (void)pthread_cond_init(&n->changed, NULL);
    if (plugin_thread_create(&n->thread, deliver, n, "eddy notify") != 0) {
        free(n);
        return fault(err, EDDY_EIO, "no thread for the notifications");
    }
    *out = n;
    return EDDY_OK;
}

void notices_counts(struct notices *n, struct notices_counts *out)
{
    (void)pthread_mutex_lock(&n->lock);
    *out = n->counts;
    (void)pthread_mutex_unlock(&n->lock);
}

void notices_limit(struct notices *n, double per_minute)
{
    (void)pthread_mutex_lock(&n->lock);
    if (n->per_minute != per_minute)
        n->allowance = n->per_minute = per_minute;
    (void)pthread_mutex_unlock(&n->lock);
}

void notices_stop(struct notices *n)
{
    (void)pthread_mutex_lock(&n->lock);
    n->stopping = true;
    (void)pthread_mutex_unlock(&n->lock);
}

/* Waits until the thread has ended, or some seconds. Asks again and again: a thread that is
 * cancelled had better not touch locks. */
static bool wait_for_end(const struct notices *n, time_t seconds)
{
    time_t until = clock_s() + seconds;
    while (!atomic_load(&n->ended) && clock_s() < until) {
        struct timespec pause = {.tv_nsec = 5000000};
        (void)nanosleep(&pause, NULL); /* cut short: asked sooner */
    }
    return atomic_load(&n->ended);
}

void notices_free(struct notices *n)
{
    if (n == NULL)
        return;
    (void)pthread_mutex_lock(&n->lock);
    n->stopping = n->finish = true;
    (void)pthread_cond_signal(&n->changed);
    (void)pthread_mutex_unlock(&n->lock);
    bool ended = wait_for_end(n, FINISH_S);
    if (!ended) {
        (void)pthread_cancel(n->thread);
        ended = wait_for_end(n, LEAVE_S);
        (void)pthread_mutex_lock(&n->lock);
        size_t waiting = n->waiting;
        (void)pthread_mutex_unlock(&n->lock);
        say(n->say, LOG_WARNING,
            "a receiver of notifications did not answer: %s, %zu further ones were not sent",
            ended ? "left it" : "it can't be left and goes on", waiting);
    }
    if (!ended) { /* its memory stays: the process is about to end */
        (void)pthread_detach(n->thread);
        return;
    }
    (void)pthread_join(n->thread, NULL);
    (void)pthread_cond_destroy(&n->changed);
    (void)pthread_mutex_destroy(&n->lock);
    free(n);
}
