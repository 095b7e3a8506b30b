/* SPDX-License-Identifier: MIT */
/* steps.c - where the time goes: nanoseconds in each step of the pipeline and in each detector.
 *
 * Steps depend on each other: what `state` has just touched is in the cache when `features` reads
 * it, and a window is closed by one row and judged with that same row. So rows are not taken
 * through one step in bulk: the log goes through eddy_worker_feed, and for one row in STRIDE the
 * clock is read between the steps (probes.h). The cost of reading it is measured and taken off.
 * Reading the log cannot be cut up that way: it is timed over the whole log with nothing behind
 * it, and over its flows, its names and its other lines, apart.
 *
 * Two checks that what is timed is all there is: the probes must have seen as many rows as eddy
 * says it scored (else status 1), and what the steps do not add up to is shown: counting, the
 * queue, and that ingest is faster alone than with the tables of the other steps in the cache. */
#define _GNU_SOURCE /* memmem */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "probes.h"
#include "worker.h"

#define STRIDE     13      /* a prime: does not fall into step with the log */
#define TOO_LONG   1000000 /* ns for one row: something else ran in between; dropped and counted */
#define ROUNDS_MAX 32
#define AIM_NS     3000 /* all detectors together, a flow */

static const char *const names[STEP_COUNT] = {
    [CLEAN] = "clean",         [ENRICH] = "enrich", [LOCK] = "lock",       [STATE] = "state",
    [FEATURES] = "features",   [ROLES] = "roles",   [COMBINE] = "combine", [VET] = "vet",
    [CALIBRATE] = "calibrate", [DECIDE] = "decide"};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* ---- Whole runs ---- */

static void nothing(void *user, const struct stream_record *record)
{
    uint64_t *lines = user;
    *lines += record->length > 0;
}

/* CPU seconds of all of it, through the public interface; `scored` is how many flows there were. */
static double time_feed(const eddy_config *config, const struct log_bytes *log, uint64_t *scored)
{
    eddy_engine *engine = engine_of(config, NULL);
    eddy_worker *worker = worker_of(engine);
    eddy_counts counts;
    double begin = cpu_seconds();
    for (size_t at = 0; at < log->size; at += PIECE) {
        size_t length = log->size - at < PIECE ? log->size - at : PIECE;
        (void)eddy_worker_feed(worker, log->bytes + at, length); /* plain text can't fail */
        (void)eddy_engine_tick(engine);
    }
    double took = cpu_seconds() - begin;
    eddy_worker_counts(worker, &counts);
    *scored = counts.scored;
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    return took;
}

/* CPU seconds of reading alone; counts the lines. */
static double time_reading(const eddy_config *config, const struct log_bytes *log, uint64_t *lines)
{
    eddy_engine *engine = engine_of(config, NULL);
    eddy_worker *worker = worker_of(engine);
    double begin = cpu_seconds();
    *lines = 0;
    for (size_t at = 0; at < log->size; at += PIECE) {
        size_t length = log->size - at < PIECE ? log->size - at : PIECE;
        (void)stream_feed(worker->stream, log->bytes + at, length, nothing, lines);
    }
    double took = cpu_seconds() - begin;
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    return took;
}

/* What no reader of lines can be faster than: finds their ends and the flows among them. Slower
 * on a busy machine, too: the rest can be compared with it. */
static double time_floor(const struct log_bytes *log)
{
    static const char flow[] = "\"event_type\":\"flow\"";
    double begin = cpu_seconds();
    const char *at = log->bytes, *end = log->bytes + log->size, *newline;
    uint64_t found = 0;
    while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        found += memmem(at, (size_t)(newline - at), flow, sizeof flow - 1) != NULL;
        at = newline + 1;
    }
    double took = cpu_seconds() - begin;
    return found > log->size ? 0.0 : took; /* uses `found`: or the loop is empty */
}

/* ---- Flows, names and other lines, apart ---- */

enum line { FLOW_LINE, NAME_LINE, OTHER_LINE, LINE_KINDS };

static const char *const line_names[LINE_KINDS] = {"is a flow", "names what flows are about",
                                                   "is neither"};

struct parts {
    size_t room; /* bytes of each */
    struct log_bytes of[LINE_KINDS];
};

/* Into room for the log itself: a compressed one says more than it is long. */
static void append(struct log_bytes *to, size_t room, const char *line, size_t length)
{
    if (to->size + length + 1 > room) {
        (void)fprintf(stderr, "bench_steps: the log must be plain, not compressed\n");
        exit(1);
    }
    memcpy(to->bytes + to->size, line, length);
    to->bytes[to->size + length] = '\n';
    to->size += length + 1;
}

static void part(void *user, const struct stream_record *record)
{
    struct parts *parts = user;
    bool header = record->length > 0 && record->line[0] == '#';
    enum line kind = header || record->reason == REASON_NONE ? FLOW_LINE
                     : record->context != NULL               ? NAME_LINE
                                                             : OTHER_LINE;
    append(&parts->of[kind], parts->room, record->line, record->length);
}

static void split(const eddy_config *config, const struct log_bytes *log, struct parts *parts)
{
    eddy_engine *engine = engine_of(config, NULL);
    eddy_worker *worker = worker_of(engine);
    parts->room = log->size + 1; /* a last line without its newline gets one */
    for (size_t i = 0; i < LINE_KINDS; i++) {
        parts->of[i] = (struct log_bytes){malloc(parts->room), 0};
        if (parts->of[i].bytes == NULL) {
            (void)fprintf(stderr, "bench_steps: out of memory\n");
            exit(1);
        }
    }
    (void)stream_feed(worker->stream, log->bytes, log->size, part, parts);
    (void)stream_end(worker->stream, part, parts);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

/* ---- Results ---- */

/* ns per flow but for `line`, which is ns per line, and steps, which are per row of their kind;
 * one value a round. */
struct results {
    double all[ROUNDS_MAX], reading[ROUNDS_MAX], floor[ROUNDS_MAX];
    double line[LINE_KINDS][ROUNDS_MAX];
    double step[PROBE_KINDS][STEP_COUNT][ROUNDS_MAX];
    uint64_t rows[PROBE_KINDS], lines[LINE_KINDS], timed, too_long;
};

static void probed_round(const eddy_config *config, const struct log_bytes *log, int round,
                         struct results *r)
{
    uint64_t scored;
    probes_begin(STRIDE, TOO_LONG);
    (void)time_feed(config, log, &scored);
    probes_end();
    if (scored == 0 || probes.kind[ROW_FLOW].rows != scored) {
        (void)fprintf(stderr, "bench_steps: the probes saw %" PRIu64 " flows, eddy %" PRIu64 "\n",
                      probes.kind[ROW_FLOW].rows, scored);
        exit(1);
    }
    for (size_t kind = 0; kind < PROBE_KINDS; kind++) {
        r->rows[kind] = probes.kind[kind].rows;
        r->timed += probes.kind[kind].timed;
        r->too_long += probes.kind[kind].too_long;
        for (size_t i = 0; i < STEP_COUNT; i++)
            r->step[kind][i][round] = probes_ns((enum row_kind)kind, i);
    }
}

static void one_round(const eddy_config *config, const struct log_bytes *log,
                      const struct parts *parts, int round, struct results *r)
{
    uint64_t scored, lines;
    probed_round(config, log, round, r);
    probes.stride = 0;
    double seconds = time_feed(config, log, &scored);
    probes_end();
    r->all[round] = seconds * 1e9 / (double)scored;
    r->reading[round] = time_reading(config, log, &lines) * 1e9 / (double)scored;
    r->floor[round] = time_floor(log) * 1e9 / (double)scored;
    for (size_t i = 0; i < LINE_KINDS; i++) {
        if (parts->of[i].size == 0)
            continue;
        seconds = time_reading(config, &parts->of[i], &r->lines[i]);
        r->line[i][round] = seconds * 1e9 / (double)r->lines[i];
    }
}

struct totals {
    struct results *results;
    size_t rounds;
    double all, each;      /* ns of a flow with all that comes with it; names for each flow */
    double sum, detectors; /* of what was printed */
    double flow_detectors; /* without those of names */
};

/* One line: ns of a flow, ns of a name, and both for each flow. */
static void row_of(struct totals *t, const char *name, double flow, double context)
{
    double ns = flow + context * t->each;
    t->sum += ns;
    printf("  %-24s %8.0f %8.0f %8.0f %6.1f %%\n", name, flow, context, ns, 100.0 * ns / t->all);
}

static double of_step(const struct totals *t, enum row_kind kind, size_t step)
{
    return median(t->results->step[kind][step], t->rounds);
}

static void print_step(struct totals *t, const char *name, size_t step, bool detects)
{
    double flow = of_step(t, ROW_FLOW, step), context = of_step(t, ROW_NAME, step);
    if (detects)
        t->flow_detectors += flow;
    if (detects)
        t->detectors += flow + context * t->each;
    row_of(t, name, flow, context);
}

static void print_steps(struct totals *t)
{
    static const enum step before[] = {CLEAN, ENRICH, LOCK, STATE, FEATURES};
    static const enum step detecting[] = {CALIBRATE, ROLES, COMBINE};
    printf("  %-24s %8s %8s %8s %8s\n", "step, ns", "a flow", "a name", "per flow", "share");
    double reading = median(t->results->reading, t->rounds);
    t->sum = reading;
    printf("  %-24s %8s %8s %8.0f %6.1f %%\n", "ingest", "", "", reading, 100.0 * reading / t->all);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        print_step(t, names[before[i]], before[i], false);
    for (size_t i = 0; registry_detectors[i] != NULL; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s, score", registry_detectors[i]->part.name);
        print_step(t, name, SCORE + i, true);
        (void)snprintf(name, sizeof name, "%s, learn", registry_detectors[i]->part.name);
        if (registry_detectors[i]->learn != NULL)
            print_step(t, name, LEARN + i, true);
    }
    for (size_t i = 0; i < sizeof detecting / sizeof *detecting; i++)
        print_step(t, names[detecting[i]], detecting[i], true);
    print_step(t, names[VET], VET, false);
    print_step(t, names[DECIDE], DECIDE, false);
    double sum = t->sum;
    printf("  %-24s %8s %8s %8.0f %6.1f %%\n", "not in any step", "", "", t->all - sum,
           100.0 * (t->all - sum) / t->all);
    printf("  %-24s %8s %8s %8.0f\n", "eddy_worker_feed", "", "", t->all);
    printf(
        "  detectors together (with calibrate, roles, combine): %.0f ns a flow, %.0f ns with the "
        "names for each; aim: %d\n",
        t->flow_detectors, t->detectors, AIM_NS);
}

static void print(struct results *r, size_t rounds, const struct log_bytes *log)
{
    double flows = (double)r->rows[ROW_FLOW], floor = median(r->floor, rounds);
    struct totals t = {.results = r, .rounds = rounds, .all = median(r->all, rounds)};
    t.each = (double)r->rows[ROW_NAME] / flows;
    printf("%" PRIu64 " flows, %" PRIu64 " names, %.1f MB; medians of %zu rounds, CPU time\n",
           r->rows[ROW_FLOW], r->rows[ROW_NAME], (double)log->size / 1e6, rounds);
    print_steps(&t);
    for (size_t i = 0; i < LINE_KINDS; i++)
        if (r->lines[i] > 0)
            printf("  ingest: %.0f ns for a line that %s (%.2f for each flow)\n",
                   median(r->line[i], rounds), line_names[i], (double)r->lines[i] / flows);
    printf(
        "  memchr and memmem over the same lines: %.0f ns/flow; all of eddy is %.0f times that\n",
        floor, t.all / floor);
    printf("  %.0f flows/s, %.0f MB/s; %" PRIu64 " rows timed, %" PRIu64
           " of more than %d us dropped\n",
           1e9 / t.all, (double)log->size * 1e3 / (t.all * flows), r->timed, r->too_long,
           TOO_LONG / 1000);
}

int main(int argc, char **argv)
{
    static struct results results;
    struct arguments arguments;
    struct log_bytes log;
    struct parts parts;
    arguments_read(&arguments, argc, argv);
    log_read(arguments.path, &log);
    eddy_config *config = config_of(arguments.settings, arguments.setting_count);
    split(config, &log, &parts);
    int rounds = arguments.rounds < ROUNDS_MAX ? arguments.rounds : ROUNDS_MAX;
    for (int i = 0; i < rounds; i++)
        one_round(config, &log, &parts, i, &results);
    print(&results, (size_t)rounds, &log);
    eddy_config_free(config);
    for (size_t i = 0; i < LINE_KINDS; i++)
        free(parts.of[i].bytes);
    free(log.bytes);
    return 0;
}
