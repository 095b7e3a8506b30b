/* SPDX-License-Identifier: MIT */
/* told.c - which incidents are worth a message now. */
#include "told.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DETECTORS 16
#define NEVER     (-1)

struct detector {
    char name[32];
    unsigned open; /* incidents told, not closed, and known to be */
    bool told;     /* since it was quiet */
};

/* An incident that is not closed. */
struct open {
    char id[24];
    int told;            /* the severity it was told with; NEVER: not yet */
    int due;             /* the highest it should have been told with, sent or left out */
    struct detector *of; /* if told */
};

struct told {
    pthread_mutex_t lock; /* for all below; held for some copying only */
    struct notice ring[TOLD_RING];
    size_t first, waiting;
    struct detector detectors[DETECTORS];
    struct open open[TOLD_OPEN];
    size_t open_count;
    double per_minute, allowance; /* a bucket that fills with so many a minute, and holds as many */
    int64_t filled_ms;
    struct told_counts counts;
    bool stopped;
};

struct told *told_new(void)
{
    struct told *t = calloc(1, sizeof *t);
    if (t != NULL)
        (void)pthread_mutex_init(&t->lock, NULL); /* can't fail without attributes */
    return t;
}

void told_free(struct told *t)
{
    if (t == NULL)
        return;
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

void told_limit(struct told *t, double per_minute)
{
    (void)pthread_mutex_lock(&t->lock); /* a normal mutex, locked by its own rules: cannot fail */
    if (t->per_minute != per_minute)
        t->allowance = t->per_minute = per_minute;
    (void)pthread_mutex_unlock(&t->lock);
}

static bool allowed(struct told *t, int64_t now_ms)
{
    if (t->filled_ms != 0 && now_ms > t->filled_ms)
        t->allowance += (double)(now_ms - t->filled_ms) * t->per_minute / 60e3;
    t->filled_ms = now_ms;
    if (t->allowance > t->per_minute)
        t->allowance = t->per_minute;
    if (t->allowance < 1)
        return false;
    t->allowance -= 1;
    return true;
}

static struct detector *detector_of(struct told *t, const char *name)
{
    for (size_t i = 0; i < DETECTORS - 1; i++) {
        struct detector *d = &t->detectors[i];
        if (*d->name == '\0')
            (void)snprintf(d->name, sizeof d->name, "%s", name);
        if (strcmp(d->name, name) == 0)
            return d;
    }
    return &t->detectors[DETECTORS - 1]; /* has no name, so it is never told to be quiet */
}

static struct open *find_open(struct told *t, const char *id)
{
    for (size_t i = 0; i < t->open_count; i++)
        if (strcmp(t->open[i].id, id) == 0)
            return &t->open[i];
    return NULL;
}

/* Begins a record; NULL: there is no room for one more. */
static struct open *add_open(struct told *t, const char *id)
{
    if (t->open_count == TOLD_OPEN)
        return NULL;
    struct open *open = &t->open[t->open_count++];
    *open = (struct open){.told = NEVER, .due = NEVER};
    (void)snprintf(open->id, sizeof open->id, "%s", id);
    return open;
}

static void copy(const eddy_incident *i, struct notice *out)
{
    static const uint8_t none[16];
    *out = (struct notice){.host_asn = i->host_asn,
                           .peer_asn = i->peer_asn,
                           .peer_port = i->peer_port,
                           .severity = i->severity,
                           .flows = i->flows,
                           .p = i->p,
                           .score = i->score,
                           .start = (double)i->start_us * 1e-6,
                           .end = (double)i->end_us * 1e-6};
    (void)snprintf(out->detector, sizeof out->detector, "%s", i->detector);
    (void)snprintf(out->id, sizeof out->id, "%s", i->id);
    (void)snprintf(out->technique, sizeof out->technique, "%s", i->technique);
    (void)snprintf(out->summary, sizeof out->summary, "%s", i->summary);
    (void)snprintf(out->host_country, sizeof out->host_country, "%s", i->host_country);
    (void)snprintf(out->peer_country, sizeof out->peer_country, "%s", i->peer_country);
    (void)eddy_address_text(i->host, out->host);
    if (memcmp(i->peer, none, sizeof none) != 0)
        (void)eddy_address_text(i->peer, out->peer);
    for (size_t r = 0; r < i->reason_count && r < TOLD_REASONS; r++)
        (void)snprintf(out->reasons[r], sizeof out->reasons[r], "%s", i->reasons[r].text);
}

/* Puts it into the ring. */
static void put(struct told *t, const eddy_incident *incident, struct open *open)
{
    struct detector *d = detector_of(t, incident->detector);
    copy(incident, &t->ring[(t->first + t->waiting++) % TOLD_RING]);
    d->told = true;
    if (open == NULL)
        return;
    if (open->told == NEVER)
        d->open++;
    open->told = incident->severity;
    open->of = d;
}

/* It is open. Without a record it is told when it is new and then never again: whether it was is
 * not known. */
static void take(struct told *t, const eddy_incident *incident, struct open *open, int64_t now_ms)
{
    bool new = open == NULL && incident->state == EDDY_INCIDENT_NEW;
    if (new)
        open = add_open(t, incident->id);
    if (!new && (open == NULL || open->told >= incident->severity))
        return;
    bool full = t->waiting == TOLD_RING;
    bool due = open == NULL || open->due < incident->severity;
    if (!full && allowed(t, now_ms))
        put(t, incident, open);
    else if (due)
        *(full ? &t->counts.dropped : &t->counts.limited) += 1;
    if (open != NULL && due)
        open->due = incident->severity;
}

void told_incident(struct told *t, const eddy_incident *incident, int64_t now_ms)
{
    if (incident->withheld)
        return;
    (void)pthread_mutex_lock(&t->lock);
    struct open *open = find_open(t, incident->id);
    if (t->stopped) {
        ;
    } else if (incident->state != EDDY_INCIDENT_CLOSED) {
        take(t, incident, open, now_ms);
    } else if (open != NULL) {
        if (open->told != NEVER)
            open->of->open--;
        *open = t->open[--t->open_count];
    }
    (void)pthread_mutex_unlock(&t->lock);
}

void told_stop(struct told *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->stopped = true;
    (void)pthread_mutex_unlock(&t->lock);
}

/* A detector that was told of and has nothing open any more. */
static struct detector *find_quiet(struct told *t)
{
    for (size_t i = 0; i < DETECTORS && !t->stopped; i++) {
        struct detector *d = &t->detectors[i];
        if (d->told && d->open == 0 && *d->name != '\0')
            return d;
    }
    return NULL;
}

enum told_what told_next(struct told *t, struct notice *out)
{
    enum told_what what = TOLD_NOTHING;
    (void)pthread_mutex_lock(&t->lock);
    struct detector *quiet = t->waiting == 0 ? find_quiet(t) : NULL;
    if (t->waiting > 0) {
        *out = t->ring[t->first];
        t->first = (t->first + 1) % TOLD_RING;
        t->waiting--;
        t->counts.sent++;
        what = TOLD_INCIDENT;
    } else if (quiet != NULL) {
        *out = (struct notice){0};
        memcpy(out->detector, quiet->name, sizeof out->detector);
        quiet->told = false;
        what = TOLD_QUIET;
    }
    (void)pthread_mutex_unlock(&t->lock);
    return what;
}

void told_counts(struct told *t, struct told_counts *out)
{
    (void)pthread_mutex_lock(&t->lock);
    *out = t->counts;
    (void)pthread_mutex_unlock(&t->lock);
}

size_t told_waiting(struct told *t)
{
    (void)pthread_mutex_lock(&t->lock);
    size_t waiting = t->waiting;
    (void)pthread_mutex_unlock(&t->lock);
    return waiting;
}
