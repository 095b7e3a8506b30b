/* SPDX-License-Identifier: MIT */
/* steps.c - where the time goes: nanoseconds per flow in each step of the pipeline.
 *
 * Steps depend on each other: what `state` has just touched is in the cache when `features` reads
 * it, and a window is closed by one row and judged with that same row. So rows are not taken
 * through one step in bulk: each goes through the pipeline as in core/worker.c, and one row in
 * STRIDE has the clock read between its steps. The cost of reading it is measured and taken off.
 * Reading the log cannot be cut up that way: it is timed over the whole log with nothing behind
 * it, and over the lines that are flows and those that are not, apart.
 *
 * Two checks that what is timed is the real thing: the verdicts must add up to the same as through
 * eddy_worker_feed (else status 1), and what the steps do not add up to is shown: the lock, the
 * counting, and that ingest is faster alone than with the tables of the other steps in the cache.
 */
#define _GNU_SOURCE /* memmem */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench.h"
#include "clean/clean.h"
#include "decide/decide.h"
#include "enrich/enrich.h"
#include "features/features.h"
#include "score/role.h"
#include "score/score.h"
#include "state/state.h"
#include "worker.h"

#define STRIDE     13    /* a prime: does not fall into step with the log */
#define TOO_LONG   50000 /* ns for one row: something else ran in between; dropped and counted */
#define ROUNDS_MAX 32

enum step {
    CLEAN,
    ENRICH,
    STATE,
    FEATURES,
    DETECTOR,
    CALIBRATE = DETECTOR + DETECTOR_MAX,
    COMBINE,
    DECIDE,
    STEP_COUNT
};

static const char *const names[STEP_COUNT] = {
    [CLEAN] = "clean",         [ENRICH] = "enrich",   [STATE] = "state",  [FEATURES] = "features",
    [CALIBRATE] = "calibrate", [COMBINE] = "combine", [DECIDE] = "decide"};

struct bench {
    eddy_worker *worker;
    double sum; /* of the verdicts' scores and flags */
    uint64_t flows, sampled, dropped;
    uint64_t ticks[STEP_COUNT];
    double ns_per_tick, empty; /* empty: ticks between two looks at once */
};

/* ---- The clock ---- */

#if defined(__x86_64__)
/* lfence: what is before has ended, so its time is not given to the next step. */
static inline uint64_t ticks(void)
{
    __builtin_ia32_lfence();
    return __builtin_ia32_rdtsc();
}
#else
static inline uint64_t ticks(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}
#endif

static double wall_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

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

static void calibrate_clock(struct bench *b)
{
    double gaps[1001];
    double begin_ns = wall_ns();
    uint64_t begin = ticks();
    while (wall_ns() - begin_ns < 5e7) {
    }
    b->ns_per_tick = (wall_ns() - begin_ns) / (double)(ticks() - begin);
    for (size_t i = 0; i < 1001; i++) {
        uint64_t first = ticks();
        gaps[i] = (double)(ticks() - first);
    }
    b->empty = median(gaps, 1001);
}

/* ---- The pipeline, as in core/worker.c and core/score/score.c ---- */

/* The clock, read only for the row in STRIDE. */
struct mark {
    bool on;
    uint64_t last, ticks[STEP_COUNT];
};

static inline void done(struct mark *mark, size_t step)
{
    if (mark->on) {
        uint64_t now = ticks();
        mark->ticks[step] += now - mark->last;
        mark->last = now;
    }
}

static void score_marked(struct score_state *s, const struct score_conf *conf, struct row *row,
                         struct mark *mark)
{
    double least = 1.0, spoke = 0.0;
    row->best = -1;
    for (size_t i = 0; i < s->count; i++) {
        struct finding *finding = &row->finding[i];
        *finding = (struct finding){.score = NAN, .sample = NAN, .tests = 1.0, .p = 1.0};
        registry_detectors[i]->score(s->detector[i], conf->detector[i], row, finding);
        done(mark, DETECTOR + i);
        if (!isnan(finding->score))
            finding->p = calibration_p(&s->calibration[i], conf->calibrate, finding->score);
        done(mark, CALIBRATE);
    }
    row->teach = 1.0;
    for (size_t i = 0; i < s->count; i++) {
        if (isnan(row->finding[i].score))
            continue;
        spoke += 1.0;
        if (calibration_suspicious(&s->calibration[i], conf->calibrate, row->finding[i].score,
                                   row->finding[i].p))
            row->teach = conf->calibrate->leak;
        if (row->best < 0 || row->finding[i].p < least) {
            least = row->finding[i].p;
            row->best = (int)i;
        }
    }
    row->verdict.p = smallest_of(least, fmax(spoke, 1.0));
    row->verdict.score = -log10(row->verdict.p) + 0.0; /* no -0 */
    row->verdict.detector = row->best < 0 ? "" : registry_detectors[row->best]->part.name;
    row->verdict.flags = row->cleaned ? EDDY_CLEANED : 0;
    if (row->best < 0 || score_learning(s, conf, (size_t)row->best))
        row->verdict.flags |= EDDY_LEARNING;
    done(mark, COMBINE);
}

static void learn_marked(struct score_state *s, const struct score_conf *conf, struct row *row,
                         struct mark *mark)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct detector *detector = registry_detectors[i];
        if (detector->learn != NULL)
            detector->learn(s->detector[i], conf->detector[i], row);
        done(mark, DETECTOR + i);
        score_learn_sample(s, conf, i, row);
        done(mark, CALIBRATE);
    }
    role_learn(row);
    done(mark, STATE);
}

static bool run_marked(eddy_worker *w, struct row *row, struct mark *mark)
{
    const struct settings *set = w->settings;
    eddy_engine *e = w->engine;
    uint64_t corrected[CORRECTION_COUNT] = {0};

    if (clean(set->clean, row, corrected) != REASON_NONE)
        return false;
    done(mark, CLEAN);
    state_prepare(e->state, row);
    enrich(set->geoip, set->nets, w->cache, row);
    done(mark, ENRICH);
    state_update(e->state, set->state, row);
    done(mark, STATE);
    features(row);
    done(mark, FEATURES);
    score_marked(e->score, &set->score, row, mark);
    learn_marked(e->score, &set->score, row, mark);
    decide(e->decide, set->decide, e->score, &set->score, row, e->state->watermark.now_us);
    done(mark, DECIDE);
    return true;
}

static void keep(struct bench *b, const struct mark *mark)
{
    uint64_t total = 0;
    for (size_t i = 0; i < STEP_COUNT; i++)
        total += mark->ticks[i];
    if ((double)total * b->ns_per_tick > TOO_LONG) {
        b->dropped++;
        return;
    }
    b->sampled++;
    for (size_t i = 0; i < STEP_COUNT; i++)
        b->ticks[i] += mark->ticks[i];
}

static void take(void *user, const struct stream_record *record)
{
    struct bench *b = user;
    struct row *row = &b->worker->row;
    if (record->reason != REASON_NONE)
        return;
    row->flow = *record->flow;
    struct mark mark = {.on = b->flows++ % STRIDE == 0};
    if (mark.on)
        mark.last = ticks();
    if (!run_marked(b->worker, row, &mark))
        return;
    b->sum += row->verdict.score + row->verdict.flags;
    if (mark.on)
        keep(b, &mark);
}

/* ---- Whole runs ---- */

static void nothing(void *user, const struct stream_record *record)
{
    uint64_t *lines = user;
    *lines += record->length > 0;
}

static void add_score(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    (void)flow;
    (void)columns;
    *(double *)user += verdict->score + verdict->flags;
}

static void feed(eddy_engine *engine, eddy_worker *worker, const struct log_bytes *log)
{
    for (size_t at = 0; at < log->size; at += PIECE) {
        size_t length = log->size - at < PIECE ? log->size - at : PIECE;
        (void)eddy_worker_feed(worker, log->bytes + at, length); /* plain text can't fail */
        (void)eddy_engine_tick(engine);
    }
}

/* CPU seconds of all of it, through the public interface. */
static double time_feed(const eddy_config *config, const struct log_bytes *log, double *sum)
{
    eddy_hooks hooks = {
        .size = sizeof hooks, .user = sum, .scored = sum == NULL ? NULL : add_score};
    eddy_engine *engine = engine_of(config, &hooks);
    eddy_worker *worker = worker_of(engine);
    double begin = cpu_seconds();
    feed(engine, worker, log);
    double took = cpu_seconds() - begin;
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    return took;
}

static void time_steps(const eddy_config *config, const struct log_bytes *log, struct bench *b)
{
    eddy_engine *engine = engine_of(config, NULL);
    b->worker = worker_of(engine);
    for (size_t at = 0; at < log->size; at += PIECE) {
        size_t length = log->size - at < PIECE ? log->size - at : PIECE;
        (void)stream_feed(b->worker->stream, log->bytes + at, length, take, b);
        (void)eddy_engine_tick(engine);
    }
    eddy_worker_free(b->worker);
    eddy_engine_free(engine);
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

/* ---- Flows and other lines, apart ---- */

struct parts {
    struct log_bytes flows, others;
};

static void append(struct log_bytes *to, const char *line, size_t length)
{
    memcpy(to->bytes + to->size, line, length);
    to->bytes[to->size + length] = '\n';
    to->size += length + 1;
}

static void part(void *user, const struct stream_record *record)
{
    struct parts *parts = user;
    bool header = record->length > 0 && record->line[0] == '#';
    if (header || record->reason == REASON_NONE)
        append(&parts->flows, record->line, record->length);
    else
        append(&parts->others, record->line, record->length);
}

static void split(const eddy_config *config, const struct log_bytes *log, struct parts *parts)
{
    eddy_engine *engine = engine_of(config, NULL);
    eddy_worker *worker = worker_of(engine);
    /* + 1: a last line without its newline gets one */
    *parts = (struct parts){{malloc(log->size + 1), 0}, {malloc(log->size + 1), 0}};
    if (parts->flows.bytes == NULL || parts->others.bytes == NULL) {
        (void)fprintf(stderr, "bench_steps: out of memory\n");
        exit(1);
    }
    (void)stream_feed(worker->stream, log->bytes, log->size, part, parts);
    (void)stream_end(worker->stream, part, parts);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
}

/* ---- Results ---- */

/* ns per flow but for `line`s, which are ns per line; one value a round. */
struct results {
    double all[ROUNDS_MAX], reading[ROUNDS_MAX], floor[ROUNDS_MAX];
    double flow_line[ROUNDS_MAX], other_line[ROUNDS_MAX];
    double step[STEP_COUNT][ROUNDS_MAX];
    uint64_t flows, lines, others, dropped, sampled;
};

static void one_round(const eddy_config *config, const struct log_bytes *log,
                      const struct parts *parts, int round, struct results *r)
{
    struct bench b = {0};
    uint64_t flow_lines, other_lines = 0;
    calibrate_clock(&b);
    time_steps(config, log, &b);
    double flows = (double)b.flows;
    size_t detectors = 0;
    while (registry_detectors[detectors] != NULL)
        detectors++;
    r->flows = b.flows;
    r->sampled += b.sampled;
    r->dropped += b.dropped;
    for (size_t i = 0; i < STEP_COUNT; i++) {
        double looks = i == CALIBRATE ? (double)detectors : 1.0; /* at the clock */
        double mean = (double)b.ticks[i] / (double)b.sampled - looks * b.empty;
        r->step[i][round] = b.ticks[i] == 0 ? 0.0 : mean * b.ns_per_tick;
    }
    r->all[round] = time_feed(config, log, NULL) * 1e9 / flows;
    r->reading[round] = time_reading(config, log, &r->lines) * 1e9 / flows;
    r->floor[round] = time_floor(log) * 1e9 / flows;
    double took = time_reading(config, &parts->flows, &flow_lines);
    r->flow_line[round] = took * 1e9 / (double)flow_lines;
    if (parts->others.size > 0)
        took = time_reading(config, &parts->others, &other_lines);
    r->other_line[round] = other_lines == 0 ? 0.0 : took * 1e9 / (double)other_lines;
    r->others = other_lines;
}

static void row_of(const char *name, double ns, double all)
{
    printf("  %-24s %8.0f %6.1f %%\n", name, ns, 100.0 * ns / all);
}

static void print(struct results *r, size_t rounds, const struct log_bytes *log)
{
    double all = median(r->all, rounds), sum = median(r->reading, rounds);
    printf("%" PRIu64 " flows, %" PRIu64 " lines, %.1f MB; medians of %zu rounds, CPU time\n",
           r->flows, r->lines, (double)log->size / 1e6, rounds);
    printf("  %-24s %8s\n", "step", "ns/flow");
    row_of("ingest", sum, all);
    for (size_t i = 0; i < STEP_COUNT; i++) {
        double ns = median(r->step[i], rounds);
        bool detector = i >= DETECTOR && i < CALIBRATE;
        if (detector && registry_detectors[i - DETECTOR] == NULL) {
            i = CALIBRATE - 1; /* the rest of the room for detectors is empty */
            continue;
        }
        row_of(detector ? registry_detectors[i - DETECTOR]->part.name : names[i], ns, all);
        sum += ns;
    }
    row_of("not in any step", all - sum, all);
    row_of("eddy_worker_feed", all, all);
    printf("  ingest: %.0f ns for a line that is a flow", median(r->flow_line, rounds));
    if (r->others > 0)
        printf(", %.0f ns for one that is not (%.2f of them for each flow)",
               median(r->other_line, rounds), (double)r->others / (double)r->flows);
    printf(
        "\n  memchr and memmem over the same lines: %.0f ns/flow; all of eddy is %.0f times that\n",
        median(r->floor, rounds), all / median(r->floor, rounds));
    printf("  %.0f flows/s, %.0f MB/s; %" PRIu64 " rows timed, %" PRIu64
           " of more than %d us dropped\n",
           1e9 / all, (double)log->size * 1e3 / (all * (double)r->flows), r->sampled, r->dropped,
           TOO_LONG / 1000);
}

int main(int argc, char **argv)
{
    static struct results results;
    struct arguments arguments;
    struct log_bytes log;
    struct parts parts;
    double expected = 0.0;
    arguments_read(&arguments, argc, argv);
    log_read(arguments.path, &log);
    eddy_config *config = config_of(arguments.settings, arguments.setting_count);
    split(config, &log, &parts);

    struct bench check = {.ns_per_tick = 1.0};
    (void)time_feed(config, &log, &expected);
    time_steps(config, &log, &check);
    if (check.flows == 0 || check.sum != expected) {
        (void)fprintf(stderr, "bench_steps: the copied pipeline gives %.17g, eddy %.17g\n",
                      check.sum, expected);
        return 1;
    }
    int rounds = arguments.rounds < ROUNDS_MAX ? arguments.rounds : ROUNDS_MAX;
    for (int i = 0; i < rounds; i++)
        one_round(config, &log, &parts, i, &results);
    print(&results, (size_t)rounds, &log);
    eddy_config_free(config);
    free(parts.flows.bytes);
    free(parts.others.bytes);
    free(log.bytes);
    return 0;
}
