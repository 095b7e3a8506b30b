/* SPDX-License-Identifier: MIT */
/* swap.c - what a swap of models costs those who score: bench_swap prints how long
 * eddy_worker_score() takes, in nanoseconds, while another thread swaps two models, and while it
 * does not, in turns.
 *
 *     bench_swap A.eddy B.eddy [MILLISECONDS BETWEEN SWAPS, 10 if not given]
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define TURNS   6 /* of each kind */
#define TURN_NS 1.5e9
#define CALLS   (1u << 24) /* room for as many */

struct sample {
    uint32_t *ns;
    size_t count;
};

struct stage {
    eddy_engine *engine;
    const char *key, *path[2];
    long pause_ms;
    atomic_bool swapping, done;
    atomic_uint swaps, failures;
};

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void *swap(void *user)
{
    struct stage *s = user;
    for (unsigned i = 0; !atomic_load(&s->done); i++) {
        struct timespec pause = {.tv_nsec = s->pause_ms * 1000000};
        (void)nanosleep(&pause, NULL);
        if (!atomic_load(&s->swapping))
            continue;
        if (eddy_engine_set(s->engine, s->key, s->path[i % 2], NULL) == EDDY_OK)
            atomic_fetch_add(&s->swaps, 1);
        else
            atomic_fetch_add(&s->failures, 1);
    }
    return NULL;
}

static eddy_flow flow_of(uint32_t i)
{
    uint32_t x = i * 2654435761u; /* Knuth's multiplier: hosts and sizes in no order */
    return (eddy_flow){
        .size = sizeof(eddy_flow),
        .src_port = 40000,
        .dst_port = x % 3 == 0 ? 443 : 53,
        .src = {[10] = 0xff, [11] = 0xff, 10, 0, (uint8_t)(x >> 30), (uint8_t)(x >> 20)},
        .dst = {[10] = 0xff, [11] = 0xff, 203, 0, 113, (uint8_t)(x >> 12)},
        .start_us = INT64_C(1700000000000000) + INT64_C(500) * i,
        .duration_us = x >> 8,
        .bytes_out = 60 + (x >> 16),
        .bytes_in = 100 + (x >> 14),
        .packets_out = 1 + (x >> 26),
        .packets_in = 1 + (x >> 25),
        .proto = 6,
        .state = EDDY_CONN_CLOSED};
}

static uint32_t score_a_turn(eddy_worker *worker, uint32_t i, struct sample *out)
{
    double begun = now_ns(), before = begun, now = begun;
    while (now - begun < TURN_NS && out->count < CALLS) {
        const eddy_flow flow = flow_of(i++);
        before = now_ns();
        (void)eddy_worker_score(worker, &flow, NULL);
        now = now_ns();
        out->ns[out->count++] = (uint32_t)(now - before);
    }
    return i;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void print(const char *what, struct sample *s)
{
    qsort(s->ns, s->count, sizeof *s->ns, compare);
    printf("%-14s %9zu calls  p50 %6u  p99 %6u  p99.9 %7u  p99.99 %8u  longest %9u\n", what,
           s->count, s->ns[s->count / 2], s->ns[(size_t)((double)s->count * 0.99)],
           s->ns[(size_t)((double)s->count * 0.999)], s->ns[(size_t)((double)s->count * 0.9999)],
           s->ns[s->count - 1]);
}

/* Which setting takes the model. */
static const char *key_of(const char *path)
{
    eddy_error err = {0};
    eddy_model *model;
    eddy_model_info info = {.size = sizeof info};
    if (eddy_model_open(path, &model, &err) != EDDY_OK) {
        (void)fprintf(stderr, "bench_swap: %s\n", err.message);
        exit(1);
    }
    eddy_model_describe(model, &info);
    const char *key = strcmp(info.kind, "isolation") == 0 ? "iforest.model" : "forest.model";
    eddy_model_free(model);
    return key;
}

/* Each swap says a line. */
static void ignore(int level, const char *message, void *user)
{
    (void)level;
    (void)message;
    (void)user;
}

int main(int argc, char **argv)
{
    struct sample samples[2] = {{calloc(CALLS, sizeof(uint32_t)), 0},
                                {calloc(CALLS, sizeof(uint32_t)), 0}};
    if (argc < 3 || samples[0].ns == NULL || samples[1].ns == NULL) {
        (void)fputs("usage: bench_swap A.eddy B.eddy [MILLISECONDS]\n", stderr);
        return 2;
    }
    struct stage s = {.key = key_of(argv[1]),
                      .path = {argv[1], argv[2]},
                      .pause_ms = argc > 3 ? strtol(argv[3], NULL, 10) : 10};
    eddy_config *config = config_of(NULL, 0);
    const eddy_hooks hooks = {.size = sizeof hooks, .log = ignore};
    pthread_t thread;
    uint32_t i = 0;
    s.engine = engine_of(config, &hooks);
    eddy_worker *worker = worker_of(s.engine);
    if (eddy_engine_set(s.engine, s.key, argv[1], NULL) != EDDY_OK ||
        pthread_create(&thread, NULL, swap, &s) != 0)
        return 1;
    i = score_a_turn(worker, i, &samples[0]); /* what is there only at first is not counted */
    samples[0].count = 0;
    for (unsigned turn = 0; turn < 2 * TURNS; turn++) {
        atomic_store(&s.swapping, turn % 2 == 1);
        i = score_a_turn(worker, i, &samples[turn % 2]);
    }
    atomic_store(&s.done, true);
    (void)pthread_join(thread, NULL);
    print("no swap", &samples[0]);
    print("with swaps", &samples[1]);
    printf("%u swaps of %s, %u failed\n", atomic_load(&s.swaps), s.key, atomic_load(&s.failures));
    eddy_worker_free(worker);
    eddy_engine_free(s.engine);
    eddy_config_free(config);
    return atomic_load(&s.failures) > 0;
}
