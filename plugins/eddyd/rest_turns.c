/* SPDX-License-Identifier: MIT */
/* rest_turns.c - how many requests are worked on at a time; others wait for their turn. */
#include "rest_turns.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "say.h"

struct turns {
    pthread_mutex_t lock; /* normal, so it can't fail */
    pthread_cond_t given;
    unsigned free; /* under the lock */
};

int turns_new(unsigned at_a_time, struct turns **out, eddy_error *err)
{
    struct turns *t = calloc(1, sizeof *t);
    pthread_condattr_t monotonic;
    if (t == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    t->free = at_a_time;
    /* None of these allocates or fails in glibc and musl. */
    (void)pthread_mutex_init(&t->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&t->given, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    *out = t;
    return EDDY_OK;
}

void turns_free(struct turns *t)
{
    if (t == NULL)
        return;
    (void)pthread_cond_destroy(&t->given);
    (void)pthread_mutex_destroy(&t->lock);
    free(t);
}

bool turns_take(struct turns *t, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    (void)pthread_mutex_lock(&t->lock);
    int status = 0;
    while (t->free == 0 && status != ETIMEDOUT)
        status = pthread_cond_timedwait(&t->given, &t->lock, &until);
    bool taken = t->free > 0;
    t->free -= taken;
    (void)pthread_mutex_unlock(&t->lock);
    return taken;
}

void turns_give(struct turns *t)
{
    (void)pthread_mutex_lock(&t->lock);
    t->free++;
    (void)pthread_cond_signal(&t->given);
    (void)pthread_mutex_unlock(&t->lock);
}
