/* SPDX-License-Identifier: MIT */
/* keeper.c - the housekeeping: outputs, metrics, databases that have changed. */
#include "keeper.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "config.h"
#include "counter.h"
#include "engine.h"
#include "util/error.h"
#include "vet/files.h"

#define QUEUE       1024       /* events: more than a day's incidents with all their growth */
#define ROUND_NS    200000000L /* between rounds of the thread */
#define LOOK_US     (INT64_C(5) * 1000000) /* between looks at databases and models */
#define FLUSH_US    (INT64_C(1) * 1000000) /* between attempts to write what waits in an output */
#define SLOT_OUTPUT 0                      /* of log_limited, one for each output */
#define SLOT_QUEUE  OUTPUTS_MAX

struct outputs {
    void *state[OUTPUTS_MAX]; /* NULL: not wanted */
};

struct keeper {
    eddy_engine *engine;

    /* The queue, guarded by queue_lock: filled by workers, emptied by a round. */
    pthread_mutex_t queue_lock;
    struct incident_event *queue;
    size_t first, count;
    uint64_t dropped, dropped_said;

    /* One round at a time; guards what follows. */
    pthread_mutex_t round_lock;
    struct outputs outputs;
    struct vet_files said;                /* what people write */
    int64_t metrics_due_us, flush_due_us; /* monotonic */
    char *text;
    size_t text_size;
    struct counter errors[OUTPUTS_MAX];

    /* Monotonic. Of whoever does a round; if two at once look at the same time, that does no harm.
     */
    _Atomic int64_t look_due_us;

    pthread_t thread;
    bool started;
    pthread_mutex_t stop_lock;
    pthread_cond_t stop_changed;
    bool stop;
};

static int64_t monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail with this clock */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* ---- outputs ---- */

static void outputs_close(struct outputs *outputs)
{
    for (size_t i = 0; i < OUTPUTS_MAX && registry_outputs[i] != NULL; i++) {
        if (outputs->state[i] == NULL)
            continue;
        registry_outputs[i]->close(outputs->state[i]);
        free(outputs->state[i]);
        outputs->state[i] = NULL;
    }
}

static int outputs_open(const struct settings *settings, struct outputs *out, eddy_error *err)
{
    *out = (struct outputs){0};
    for (size_t i = 0; i < OUTPUTS_MAX && registry_outputs[i] != NULL; i++) {
        const struct output *output = registry_outputs[i];
        const void *conf = config_part(settings->config, &output->part);
        if (!output->wanted(conf))
            continue;
        void *state = calloc(1, output->state_size);
        int status = state == NULL ? error_nomem(err) : output->open(state, conf, err);
        if (status != EDDY_OK) {
            free(state);
            outputs_close(out);
            return status;
        }
        out->state[i] = state;
    }
    return EDDY_OK;
}

static void failed(struct keeper *k, size_t output, const eddy_error *err)
{
    counter_add(&k->errors[output], 1);
    log_limited(&k->engine->log, SLOT_OUTPUT + (unsigned)output, LOG_LEVEL_ERROR, "%s: %s",
                registry_outputs[output]->part.name, err->message);
}

/* ---- the rounds ---- */

static bool queue_take(struct keeper *k, struct incident_event *out)
{
    pthread_mutex_lock(&k->queue_lock);
    bool lost = k->dropped > k->dropped_said;
    k->dropped_said = k->dropped;
    bool any = k->count > 0;
    if (any) {
        *out = k->queue[k->first];
        k->first = (k->first + 1) % QUEUE;
        k->count--;
    }
    pthread_mutex_unlock(&k->queue_lock);
    if (lost)
        log_limited(&k->engine->log, SLOT_QUEUE, LOG_LEVEL_ERROR,
                    "the queue to the outputs was full: incidents were dropped");
    return any;
}

/* Also without new incidents: an output may have kept some for which the disk had no room. */
static void flush_outputs(struct keeper *k)
{
    eddy_error err;
    k->flush_due_us = monotonic_us() + FLUSH_US;
    for (size_t i = 0; i < OUTPUTS_MAX && registry_outputs[i] != NULL; i++)
        if (k->outputs.state[i] != NULL && registry_outputs[i]->flush != NULL &&
            registry_outputs[i]->flush(k->outputs.state[i], &err) != EDDY_OK)
            failed(k, i, &err);
}

static void send_incidents(struct keeper *k)
{
    struct incident_event event;
    struct incident_room room;
    eddy_incident incident;
    eddy_error err;
    bool any = false;
    while (queue_take(k, &event)) {
        any = true;
        incident_view(&event, &room, &incident);
        for (size_t i = 0; i < OUTPUTS_MAX && registry_outputs[i] != NULL; i++) {
            const struct output *output = registry_outputs[i];
            if (k->outputs.state[i] != NULL && output->incident != NULL &&
                output->incident(k->outputs.state[i], &incident, &err) != EDDY_OK)
                failed(k, i, &err);
        }
    }
    if (any || monotonic_us() >= k->flush_due_us)
        flush_outputs(k);
}

static bool metrics_wanted(const struct keeper *k)
{
    for (size_t i = 0; i < OUTPUTS_MAX && registry_outputs[i] != NULL; i++)
        if (k->outputs.state[i] != NULL && registry_outputs[i]->metrics != NULL)
            return true;
    return false;
}

/* All metrics as text in k->text, which grows as needed. */
static int render(struct keeper *k)
{
    for (;;) {
        int length = eddy_engine_metrics_text(k->engine, k->text, k->text_size);
        if (length < 0 || (size_t)length < k->text_size)
            return length;
        size_t size = (size_t)length + 4096;
        char *larger = realloc(k->text, size);
        if (larger == NULL)
            return EDDY_ENOMEM;
        k->text = larger;
        k->text_size = size;
    }
}

static void send_metrics(struct keeper *k)
{
    if (!metrics_wanted(k))
        return;
    int length = render(k);
    eddy_error err;
    for (size_t i = 0; length > 0 && i < OUTPUTS_MAX && registry_outputs[i] != NULL; i++) {
        const struct output *output = registry_outputs[i];
        if (k->outputs.state[i] != NULL && output->metrics != NULL &&
            output->metrics(k->outputs.state[i], k->text, (size_t)length, &err) != EDDY_OK)
            failed(k, i, &err);
    }
}

/* Suppressions and marks act within a round. */
static void look_at_said(struct keeper *k)
{
    struct settings *held = engine_hold(k->engine);
    struct vet_means means = {.asn = geoip_asn_built(held->geoip) != 0,
                              .country = geoip_country_built(held->geoip) != 0};
    struct vet_news news;
    if (vet_files_look(&k->said, &held->vet, &means, &k->engine->vet, &k->engine->log, &news)) {
        pthread_mutex_lock(&k->engine->lock);
        vet_publish(&k->engine->vet, &news);
        pthread_mutex_unlock(&k->engine->lock);
    }
    engine_release(k->engine, held);
}

/* After a round, and not within one: what is to be sent goes first, and while a large model loads,
 * which may take seconds, another thread can do a round. This one's next round waits for it. */
static void look_if_due(struct keeper *k)
{
    int64_t now_us = monotonic_us();
    if (now_us >= atomic_load_explicit(&k->look_due_us, memory_order_relaxed)) {
        atomic_store_explicit(&k->look_due_us, now_us + LOOK_US, memory_order_relaxed);
        engine_look(k->engine);
    }
}

static void round_of(struct keeper *k, bool last)
{
    pthread_mutex_lock(&k->round_lock);
    send_incidents(k);
    if (!last)
        look_at_said(k);
    int64_t now_us = monotonic_us();
    if (now_us >= k->metrics_due_us || last) {
        struct settings *held = engine_hold(k->engine);
        k->metrics_due_us = now_us + held->emit->interval_us;
        engine_release(k->engine, held);
        send_metrics(k);
    }
    pthread_mutex_unlock(&k->round_lock);
}

void keeper_tick(struct keeper *k)
{
    round_of(k, false);
    look_if_due(k);
    engine_sweep(k->engine);
}

static bool wait_a_round(struct keeper *k)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* can't fail with this clock */
    until.tv_nsec += ROUND_NS;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_mutex_lock(&k->stop_lock);
    while (!k->stop && pthread_cond_timedwait(&k->stop_changed, &k->stop_lock, &until) != ETIMEDOUT)
        ;
    bool go_on = !k->stop;
    pthread_mutex_unlock(&k->stop_lock);
    return go_on;
}

static void *keep(void *user)
{
    struct keeper *k = user;
    (void)prctl(PR_SET_NAME, "eddy-keeper"); /* for those who look who takes their CPU */
    const eddy_hooks *hooks = &k->engine->hooks;
    while (wait_a_round(k)) {
        keeper_tick(k);
        if (hooks->housekeeping != NULL)
            hooks->housekeeping(k->engine, hooks->user);
    }
    return NULL;
}

/* ---- life ---- */

int keeper_new(eddy_engine *engine, struct keeper **out, eddy_error *err)
{
    struct keeper *k = calloc(1, sizeof *k);
    if (k == NULL)
        return error_nomem(err);
    k->engine = engine;
    k->queue = calloc(QUEUE, sizeof *k->queue);
    k->text_size = 16384;
    k->text = malloc(k->text_size);
    int status = k->queue == NULL || k->text == NULL
                     ? error_nomem(err)
                     : outputs_open(atomic_load(&engine->settings), &k->outputs, err);
    if (status != EDDY_OK) {
        free(k->queue);
        free(k->text);
        free(k);
        return status;
    }
    pthread_mutex_init(&k->queue_lock, NULL);
    pthread_mutex_init(&k->round_lock, NULL);
    pthread_mutex_init(&k->stop_lock, NULL);
    pthread_condattr_t monotonic; /* a wall clock that is set back would stop the rounds */
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&k->stop_changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    look_at_said(k);
    *out = k;
    return EDDY_OK;
}

int keeper_start(struct keeper *k, eddy_error *err)
{
    sigset_t all, before; /* signals are the host's: none may land on our thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&k->thread, NULL, keep, k);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (reason != 0)
        return error_set(err, EDDY_EIO, "can't start a thread: %s", strerror(reason));
    k->started = true;
    return EDDY_OK;
}

void keeper_tell(struct keeper *k, const struct incident_event *event)
{
    /* However many are withheld, there is room for those that are sent. */
    size_t room = event->incident.withheld ? QUEUE / 2 : QUEUE;
    pthread_mutex_lock(&k->queue_lock);
    if (k->count >= room) {
        k->dropped++; /* a round says so: a packet thread does not wait for the log */
    } else {
        k->queue[(k->first + k->count) % QUEUE] = *event;
        k->count++;
    }
    pthread_mutex_unlock(&k->queue_lock);
}

bool keeper_is_output(const char *key)
{
    for (size_t i = 0; i < OUTPUTS_MAX && registry_outputs[i] != NULL; i++) {
        const char *name = registry_outputs[i]->part.name;
        size_t length = strlen(name);
        if (strncmp(key, name, length) == 0 && key[length] == '.')
            return true;
    }
    return false;
}

int keeper_reopen(struct keeper *k, struct settings *settings, eddy_error *err)
{
    pthread_mutex_lock(&k->round_lock);
    struct outputs fresh;
    int status = outputs_open(settings, &fresh, err);
    if (status == EDDY_OK) {
        send_incidents(k); /* what was decided before goes where it was meant to */
        outputs_close(&k->outputs);
        k->outputs = fresh;
        engine_publish(k->engine, settings);
        look_at_said(k);
    }
    pthread_mutex_unlock(&k->round_lock);
    return status;
}

void keeper_free(struct keeper *k)
{
    if (k == NULL)
        return;
    pthread_mutex_lock(&k->stop_lock);
    k->stop = true;
    pthread_cond_signal(&k->stop_changed);
    pthread_mutex_unlock(&k->stop_lock);
    if (k->started)
        (void)pthread_join(k->thread, NULL); /* can't fail: it is ours and running */
    round_of(k, true);
    outputs_close(&k->outputs);
    vet_files_done(&k->said);
    pthread_mutex_destroy(&k->queue_lock);
    pthread_mutex_destroy(&k->round_lock);
    pthread_mutex_destroy(&k->stop_lock);
    pthread_cond_destroy(&k->stop_changed);
    free(k->queue);
    free(k->text);
    free(k);
}

void keeper_counts(struct keeper *k, struct keeper_counts *out)
{
    pthread_mutex_lock(&k->queue_lock);
    out->dropped = k->dropped;
    pthread_mutex_unlock(&k->queue_lock);
    for (size_t i = 0; i < OUTPUTS_MAX; i++)
        out->errors[i] = counter_read(&k->errors[i]);
}
