/* SPDX-License-Identifier: MIT */
/* feed.c - end to end: a log through eddy_worker_feed; its CPU time, allocations and memory.
 *
 * Prints "name value" lines for run, and ends with status 1 if the self-test of the counting
 * fails: a counter that sees nothing would pass every log. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "alloc.h"
#include "bench.h"

struct tally {
    uint64_t incidents, allocations_warm, allocations;
    uint64_t rss_20_kb, rss_100_kb;
    uint64_t bytes, flows_steady;
    double seconds;
};

static void on_incident(const eddy_incident *incident, void *user)
{
    struct tally *tally = user;
    tally->incidents += incident->state == EDDY_INCIDENT_NEW;
}

static void on_log(int level, const char *message, void *user)
{
    (void)user;
    (void)fprintf(stderr, "eddy says (%d): %s\n", level, message);
}

/* What the engine remembers at the end. */
static int print_held(const eddy_metric *metric, void *user)
{
    (void)user;
    if (strcmp(metric->name, "eddy_hosts_tracked") == 0)
        printf("hosts_held %.0f\n", metric->value);
    if (strcmp(metric->name, "eddy_pairs_tracked") == 0)
        printf("pairs_held %.0f\n", metric->value);
    return 0;
}

static void check_counter(void)
{
    alloc_begin();
    void *volatile memory = malloc(24); /* volatile: or the compiler takes both calls away */
    free(memory);
    alloc_end();
    if (alloc_count() != 1) {
        (void)fprintf(stderr, "bench_feed: malloc is not counted here\n");
        exit(1);
    }
    alloc_reset();
}

/* The first tenth may still allocate: decoders, and what else is made when first needed. */
static void feed(eddy_engine *engine, eddy_worker *worker, int fd, struct tally *tally)
{
    static _Alignas(4096) char piece[PIECE]; /* whole pages: read(2) copies faster */
    eddy_counts counts;
    struct stat file;
    uint64_t warm_flows = 0;
    ssize_t length;
    if (fstat(fd, &file) != 0)
        return;
    double begin = cpu_seconds();
    while ((length = read(fd, piece, sizeof piece)) > 0) {
        alloc_begin();
        (void)eddy_worker_feed(worker, piece, (size_t)length); /* plain text can't fail */
        alloc_end();
        (void)eddy_engine_tick(engine); /* always succeeds */
        tally->bytes += (uint64_t)length;
        if (tally->bytes < (uint64_t)file.st_size / 10) {
            tally->allocations_warm += alloc_count();
            alloc_reset();
            eddy_worker_counts(worker, &counts);
            warm_flows = counts.scored;
        }
        if (tally->rss_20_kb == 0 && tally->bytes >= (uint64_t)file.st_size / 5)
            tally->rss_20_kb = memory_kb("VmRSS");
    }
    (void)eddy_worker_end(worker);
    tally->seconds = cpu_seconds() - begin;
    tally->rss_100_kb = memory_kb("VmRSS");
    tally->allocations = alloc_count();
    eddy_worker_counts(worker, &counts);
    tally->flows_steady = counts.scored - warm_flows;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    struct tally tally = {0};
    arguments_read(&arguments, argc, argv);
    check_counter();
    int fd = open(arguments.path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(arguments.path);
        return 1;
    }
    eddy_hooks hooks = {
        .size = sizeof hooks, .user = &tally, .incident = on_incident, .log = on_log};
    eddy_config *config = config_of(arguments.settings, arguments.setting_count);
    eddy_engine *engine = engine_of(config, &hooks);
    eddy_worker *worker = worker_of(engine);
    eddy_config_free(config);
    feed(engine, worker, fd, &tally);

    eddy_counts counts;
    eddy_worker_counts(worker, &counts);
    printf("bytes %" PRIu64 "\nrecords %" PRIu64 "\nflows %" PRIu64 "\nskipped %" PRIu64
           "\nrejected %" PRIu64 "\nincidents %" PRIu64 "\ncpu_seconds %.6f\n",
           tally.bytes, counts.read, counts.scored, counts.skipped, counts.rejected,
           tally.incidents, tally.seconds);
    printf("allocations_warm %" PRIu64 "\nallocations %" PRIu64 "\nflows_steady %" PRIu64
           "\nrss_20_kb %" PRIu64 "\nrss_100_kb %" PRIu64 "\npeak_kb %" PRIu64 "\n",
           tally.allocations_warm, tally.allocations, tally.flows_steady, tally.rss_20_kb,
           tally.rss_100_kb, memory_kb("VmHWM"));
    (void)eddy_engine_metrics(engine, print_held, NULL);
    if (tally.allocations > 0)
        alloc_explain(stderr);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    (void)close(fd); /* read only */
    return 0;
}
