/* SPDX-License-Identifier: MIT */
/* rest_watch.c - cuts connections whose time is over: slow clients, one byte at a time.
 *
 * libmicrohttpd's own timeout begins anew with every byte. */
#include "rest_watch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "clock.h"
#include "say.h"

#define LOOK_MS 250

struct watched {
    struct watched *next, **link;
    int64_t deadline_ms;
    int fd;
    bool cut;
};

struct watch {
    pthread_t thread;
    pthread_mutex_t lock; /* guards all below and every struct watched; normal, so it can't fail */
    pthread_cond_t wake;
    struct watched *first;
    uint64_t cut;
    bool end;
};

static void cut_late(struct watch *w)
{
    int64_t now = clock_ms();
    for (struct watched *c = w->first; c != NULL; c = c->next)
        if (!c->cut && c->deadline_ms <= now) {
            (void)shutdown(c->fd, SHUT_RDWR); /* it may be gone already */
            c->cut = true;
            w->cut++;
        }
}

static void *look(void *user)
{
    struct watch *w = user;
    (void)pthread_mutex_lock(&w->lock);
    while (!w->end) {
        struct timespec until;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += LOOK_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        (void)pthread_cond_timedwait(&w->wake, &w->lock, &until); /* woken or not, it looks */
        cut_late(w);
    }
    (void)pthread_mutex_unlock(&w->lock);
    return NULL;
}

int watch_new(struct watch **out, eddy_error *err)
{
    struct watch *w = calloc(1, sizeof *w);
    pthread_condattr_t monotonic;
    if (w == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    bool ready = pthread_mutex_init(&w->lock, NULL) == 0 &&
                 pthread_condattr_init(&monotonic) == 0 &&
                 pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC) == 0 &&
                 pthread_cond_init(&w->wake, &monotonic) == 0 &&
                 pthread_create(&w->thread, NULL, look, w) == 0;
    if (!ready) { /* glibc allocates nothing in the inits */
        free(w);
        return fault(err, EDDY_EIO, "can't start a thread");
    }
    (void)pthread_condattr_destroy(&monotonic);
    *out = w;
    return EDDY_OK;
}

void watch_free(struct watch *w)
{
    if (w == NULL)
        return;
    (void)pthread_mutex_lock(&w->lock);
    w->end = true;
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->lock);
    (void)pthread_join(w->thread, NULL);
    (void)pthread_cond_destroy(&w->wake);
    (void)pthread_mutex_destroy(&w->lock);
    free(w);
}

struct watched *watch_add(struct watch *w, int fd, int64_t deadline_ms)
{
    struct watched *c = calloc(1, sizeof *c);
    if (c == NULL)
        return NULL;
    c->fd = fd;
    c->deadline_ms = deadline_ms;
    (void)pthread_mutex_lock(&w->lock);
    c->next = w->first;
    c->link = &w->first;
    if (c->next != NULL)
        c->next->link = &c->next;
    w->first = c;
    (void)pthread_mutex_unlock(&w->lock);
    return c;
}

void watch_until(struct watch *w, struct watched *c, int64_t deadline_ms)
{
    if (c == NULL)
        return;
    (void)pthread_mutex_lock(&w->lock);
    c->deadline_ms = deadline_ms;
    (void)pthread_mutex_unlock(&w->lock);
}

void watch_remove(struct watch *w, struct watched *c)
{
    if (c == NULL)
        return;
    (void)pthread_mutex_lock(&w->lock);
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    (void)pthread_mutex_unlock(&w->lock);
    free(c);
}

uint64_t watch_cut(struct watch *w)
{
    (void)pthread_mutex_lock(&w->lock);
    uint64_t cut = w->cut;
    (void)pthread_mutex_unlock(&w->lock);
    return cut;
}
