/* SPDX-License-Identifier: MIT */
/* test_uniform.c - on benign traffic a p of 0.01 is seen once in a hundred.
 *
 * Whole logs are replayed as a sensor reads them: from an empty memory, in one pass, with the
 * settings that eddy comes with. Each sample that a detector gives to its calibration is a fresh
 * piece of evidence; its p before it is learned from should be uniform. Seen over expected is added
 * up over all logs: the lab's in examples/data, and those in ../shared/data/dev that are benign or
 * that nobody has found an attack in, if they are there.
 *
 * The band. Odd flows come in groups, as a host does what it does some ten times in a row, so that
 * n expected ones are worth about n / 10 independent ones and the ratio has a standard error of
 * sqrt(10 / n). Of 30,000 samples of tail, 3000, 300 and 30 are expected: 0.06, 0.18 and 0.58; so
 * the bands of two standard errors are 0.88 to 1.12, 0.65 to 1.35, and up to 2.15. The aim is 1.5
 * for all, and that is what is asked; at 0.1, where the buckets of scores (4 % wide) and scores of
 * 0 make p a little too large, 0.8 to 1.25. Detectors with fewer samples are held to what can be
 * told: at 0.1. */
#include <unistd.h>

#include "replay.h"

#define LEVELS 3

static const double levels[LEVELS] = {0.1, 0.01, 0.001};

struct counts {
    double samples;
    double seen[LEVELS];
};

static struct counts counts[DETECTOR_MAX];

static void judged(struct pipeline *p, void *user)
{
    struct counts *its = user;
    for (size_t i = 0; i < p->score->count; i++) {
        double sample = p->row.finding[i].sample;
        if (isnan(sample))
            continue;
        double value = calibration_p(&p->score->calibration[i], p->score_conf.calibrate, sample);
        its[i].samples += 1;
        for (size_t k = 0; k < LEVELS; k++)
            its[i].seen[k] += value <= levels[k];
    }
}

static size_t replay(const char *path, struct counts *its)
{
    static const char *const as_it_comes[] = {"tail.prior_weight", "100", NULL};
    struct pipeline *p = pipeline_new(as_it_comes);
    size_t flows = replay_file(p, path, judged, its);
    pipeline_free(p);
    return flows;
}

static double ratio(const struct counts *its, size_t level)
{
    return its->seen[level] / (levels[level] * its->samples);
}

static void print_table(void)
{
    printf("%-8s %8s %8s %8s %8s\n", "detector", "samples", "0.1", "0.01", "0.001");
    for (size_t i = 0; registry_detectors[i] != NULL; i++)
        if (counts[i].samples >= 100)
            printf("%-8s %8.0f %8.2f %8.2f %8.2f\n", registry_detectors[i]->part.name,
                   counts[i].samples, ratio(&counts[i], 0), ratio(&counts[i], 1),
                   ratio(&counts[i], 2));
}

/* A few minutes: no more than that p is not too small can be asked. Of 1800 flows 18 are expected
 * below 0.01: twice as many are within two standard errors of sqrt(10 / 18). */
static void the_labs_benign_minutes_have_no_p_too_small(void **state)
{
    (void)state;
    static const char *const files[] = {SOURCE_DIR "/examples/data/benign-eve.json.gz",
                                        SOURCE_DIR "/examples/data/benign-conn.log.gz"};
    for (size_t f = 0; f < 2; f++) {
        struct counts its[DETECTOR_MAX] = {{0}};
        if (access(files[f], R_OK) != 0)
            skip();
        assert_true(replay(files[f], its) > 1000);
        size_t tail = detector_named("tail");
        assert_true(its[tail].samples > 1000);
        assert_true(ratio(&its[tail], 0) < 1.25);
        assert_true(ratio(&its[tail], 1) < 2.5);
        for (size_t i = 0; i < DETECTOR_MAX; i++) {
            counts[i].samples += its[i].samples;
            for (size_t k = 0; k < LEVELS; k++)
                counts[i].seen[k] += its[i].seen[k];
        }
    }
}

static void benign_days_have_uniform_p(void **state)
{
    (void)state;
    static const char *const sets[] = {"sme11-ubuntu-0220-benign", "p2p-normal7-benign",
                                       "iot23-honeypots-benign", "m57-unlabelled",
                                       "rita-proxy-unlabelled"};
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        char path[400];
        (void)snprintf(path, sizeof path, "%s/../shared/data/dev/%s/%s.eve.json.gz", SOURCE_DIR,
                       sets[i], sets[i]);
        if (access(path, R_OK) != 0) {
            print_table();
            printf("skipped: there is no %s\n", path);
            skip();
        }
        assert_true(replay(path, counts) > 1000);
    }
    print_table();
    const struct counts *tail = &counts[detector_named("tail")];
    assert_true(tail->samples > 30000);
    assert_true(ratio(tail, 0) > 0.8 && ratio(tail, 0) < 1.25);
    assert_true(ratio(tail, 1) > 1 / 1.5 && ratio(tail, 1) < 1.5);
    assert_true(ratio(tail, 2) > 1 / 1.5 && ratio(tail, 2) < 1.5);
    const struct counts *fanout = &counts[detector_named("fanout")];
    assert_true(fanout->samples > 500 && ratio(fanout, 0) < 1.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_labs_benign_minutes_have_no_p_too_small),
        cmocka_unit_test(benign_days_have_uniform_p),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
