/* SPDX-License-Identifier: MIT */
/* probes.c - looks at the clock between the steps of the pipeline itself: nothing of it is copied.
 */
#include "probes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clean/clean.h"
#include "decide/decide.h"
#include "enrich/enrich.h"
#include "features/features.h"
#include "score/role.h"
#include "score/score.h"
#include "state/state.h"
#include "vet/vet.h"

#define CHAINS 1000

struct probes probes;

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

/* ---- The row under way ---- */

static struct {
    bool timed, past_clean;
    enum row_kind kind;
    size_t step; /* under way */
    uint64_t last, count, ticks[STEP_COUNT], looks[STEP_COUNT];
} now;

static inline void look(size_t next)
{
    uint64_t tick = ticks();
    now.ticks[now.step] += tick - now.last;
    now.looks[now.step]++;
    now.last = tick;
    now.step = next;
}

static inline size_t enter(size_t step)
{
    size_t before = now.step;
    if (now.timed)
        look(step);
    return before;
}

static inline void leave(size_t before)
{
    if (now.timed)
        look(before);
}

static void keep(void)
{
    struct probed *kind = &probes.kind[now.kind];
    uint64_t total = 0;
    if (!now.past_clean)
        return;
    kind->rows++;
    for (size_t i = 0; i < STEP_COUNT; i++)
        total += now.ticks[i];
    if (now.timed && (double)total * probes.ns_per_tick > probes.longest) {
        kind->too_long++;
    } else if (now.timed) {
        kind->timed++;
        for (size_t i = 0; i < STEP_COUNT; i++) {
            kind->ticks[i] += now.ticks[i];
            kind->looks[i] += now.looks[i];
        }
    }
}

/* A row ends where the next begins; what is between its last step and that is nobody's. */
static void begin_row(enum row_kind kind)
{
    keep();
    now.past_clean = false;
    now.kind = kind;
    now.timed = probes.stride > 0 && now.count++ % probes.stride == 0;
    if (!now.timed)
        return;
    memset(now.ticks, 0, sizeof now.ticks);
    memset(now.looks, 0, sizeof now.looks);
    now.step = LOCK;
    now.last = ticks();
}

/* Ticks of some hundred steps of a chain that can't be cut short, with or without a look. */
static double chain(bool looked)
{
    volatile uint64_t sink;
    uint64_t value = 1, begin = ticks();
    now.timed = looked;
    for (unsigned i = 0; i < CHAINS; i++) {
        size_t before = enter(CLEAN);
        for (unsigned step = 0; step < 100; step++)
            value = value * 6364136223846793005 + 1442695040888963407;
        leave(before);
    }
    now.timed = false;
    sink = value;
    (void)sink;
    return (double)(ticks() - begin);
}

/* What a look costs beside work, not beside another look: back to back they are dearer. The least
 * of several, for what else ran only adds. */
static double look_cost(void)
{
    double with = INFINITY, without = INFINITY;
    for (unsigned i = 0; i < 50; i++) {
        with = fmin(with, chain(true));
        without = fmin(without, chain(false));
    }
    return fmax(0.0, (with - without) / (2.0 * CHAINS));
}

void probes_begin(uint64_t stride, double longest_ns)
{
    memset(&now, 0, sizeof now);
    memset(&probes, 0, sizeof probes);
    double begin_ns = wall_ns();
    uint64_t begin = ticks();
    while (wall_ns() - begin_ns < 5e7) {
    }
    probes.ns_per_tick = (wall_ns() - begin_ns) / (double)(ticks() - begin);
    probes.ticks_per_look = look_cost();
    probes.stride = stride;
    probes.longest = longest_ns;
}

void probes_end(void)
{
    keep();
    memset(&now, 0, sizeof now);
}

double probes_ns(enum row_kind kind, size_t step)
{
    const struct probed *seen = &probes.kind[kind];
    double own = (double)seen->ticks[step] - (double)seen->looks[step] * probes.ticks_per_look;
    return seen->timed == 0 ? 0.0 : own * probes.ns_per_tick / (double)seen->timed;
}

/* ---- In the place of the steps: PROBE(step, result, function, its parameters, their names) ----
 */

#define PROBE_VOID(step, name, parameters, arguments)                                              \
    void __real_##name parameters;                                                                 \
    void __wrap_##name parameters;                                                                 \
    void __wrap_##name parameters                                                                  \
    {                                                                                              \
        size_t before = enter(step);                                                               \
        __real_##name arguments;                                                                   \
        leave(before);                                                                             \
    }

PROBE_VOID(STATE, state_prepare, (const struct state *s, struct row *row), (s, row))
PROBE_VOID(ENRICH, enrich,
           (const struct geoip *geoip, const struct nets *nets, struct enrich_cache *cache,
            struct row *row),
           (geoip, nets, cache, row))
PROBE_VOID(STATE, state_update, (struct state * s, const struct state_conf *conf, struct row *row),
           (s, conf, row))
PROBE_VOID(FEATURES, features, (struct row * row), (row))
PROBE_VOID(COMBINE, score, (struct score_state * s, const struct score_conf *conf, struct row *row),
           (s, conf, row))
PROBE_VOID(VET, vet,
           (struct vet_state * s, const struct vet_conf *conf, const struct score_state *score,
            const struct score_conf *score_conf, struct row *row, int64_t now_us),
           (s, conf, score, score_conf, row, now_us))
PROBE_VOID(COMBINE, score_learn,
           (struct score_state * s, const struct score_conf *conf, struct row *row), (s, conf, row))
PROBE_VOID(ROLES, role_learn, (const struct row *row), (row))
PROBE_VOID(DECIDE, decide,
           (struct decide_state * s, const struct decide_conf *conf,
            const struct score_state *score, const struct score_conf *score_conf, struct row *row,
            int64_t now_us),
           (s, conf, score, score_conf, row, now_us))
PROBE_VOID(CALIBRATE, calibration_add,
           (struct calibration * c, const struct calibrate_conf *conf, double value, double p,
            bool again),
           (c, conf, value, p, again))

double __real_calibration_p(const struct calibration *c, const struct calibrate_conf *conf,
                            double value);
double __wrap_calibration_p(const struct calibration *c, const struct calibrate_conf *conf,
                            double value);
double __wrap_calibration_p(const struct calibration *c, const struct calibrate_conf *conf,
                            double value)
{
    size_t before = enter(CALIBRATE);
    double p = __real_calibration_p(c, conf, value);
    leave(before);
    return p;
}

/* The first step: begins a row. */
enum reason __real_clean(const struct clean_conf *conf, struct row *row,
                         uint64_t corrected[CORRECTION_COUNT]);
enum reason __wrap_clean(const struct clean_conf *conf, struct row *row,
                         uint64_t corrected[CORRECTION_COUNT]);
enum reason __wrap_clean(const struct clean_conf *conf, struct row *row,
                         uint64_t corrected[CORRECTION_COUNT])
{
    begin_row(row->kind);
    size_t before = enter(CLEAN);
    enum reason reason = __real_clean(conf, row, corrected);
    leave(before);
    now.past_clean = reason == REASON_NONE;
    return reason;
}

/* ---- In the place of the detectors: the same, with functions that look at the clock ---- */

#define PART(step, name) INDEX_##step(name)
#define INDEX_ingest(name)
#define INDEX_score(name) OF_##name,
#define INDEX_emit(name)
enum detector_index {
#include "parts.def"
    DETECTOR_COUNT
};
#undef PART

#define PART(step, name) PROBE_##step(name)
#define PROBE_ingest(name)
#define PROBE_emit(name)
#define PROBE_score(name)                                                                          \
    extern const struct detector score_##name;                                                     \
    static void score_by_##name(void *state, const void *conf, struct row *row,                    \
                                struct finding *out)                                               \
    {                                                                                              \
        size_t before = enter(SCORE + OF_##name);                                                  \
        score_##name.score(state, conf, row, out);                                                 \
        leave(before);                                                                             \
    }                                                                                              \
    static void learn_by_##name(void *state, const void *conf, struct row *row)                    \
    {                                                                                              \
        size_t before = enter(LEARN + OF_##name);                                                  \
        score_##name.learn(state, conf, row);                                                      \
        leave(before);                                                                             \
    }
#include "parts.def"
#undef PART

static struct detector probed[DETECTOR_COUNT];

#define PART(step, name) ENTRY_##step(name)
#define ENTRY_ingest(name)
#define ENTRY_emit(name)
#define ENTRY_score(name) &probed[OF_##name],
const struct detector *const __wrap_registry_detectors[];
const struct detector *const __wrap_registry_detectors[] = {
#include "parts.def"
    NULL};
#undef PART

/* Before main: part of what a config is made from. */
__attribute__((constructor)) static void copy_detectors(void)
{
#define PART(step, name) COPY_##step(name)
#define COPY_ingest(name)
#define COPY_emit(name)
#define COPY_score(name)                                                                           \
    probed[OF_##name] = score_##name;                                                              \
    probed[OF_##name].score = score_by_##name;                                                     \
    if (score_##name.learn != NULL)                                                                \
        probed[OF_##name].learn = learn_by_##name;
#include "parts.def"
#undef PART
}
