/* SPDX-License-Identifier: MIT */
/* vet.c - what suppressions cost a flow: bench_vet prints nanoseconds, best of several rounds.
 *
 *     bench_vet
 *
 * The row is one of the pipeline's, so that only the step itself is measured. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "part.h"
#include "util/addr.h"
#include "vet/marks.h"
#include "vet/rules.h"
#include "vet/vet.h"

#define CALLS  2000
#define ROUNDS 101

static double now_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static struct rules *rules_of(unsigned single, unsigned wide)
{
    size_t size = (single + wide) * 64 + 1, at = 0;
    char *text = calloc(1, size);
    struct rules *rules = NULL;
    eddy_error err = {0};
    for (unsigned i = 0; text != NULL && i < single; i++)
        at += (size_t)snprintf(text + at, size - at, "src=10.%u.%u.%u dst=203.0.113.7 port=443\n",
                               i / 62500, i / 250 % 250, i % 250 + 1);
    for (unsigned i = 0; text != NULL && i < wide; i++)
        at += (size_t)snprintf(text + at, size - at, "dst=10.%u.%u.0/24 port=%u\n", i / 250,
                               i % 250, i + 1);
    struct entries entries = {.name = "bench", .text = text, .length = at};
    if (text == NULL || rules_new(&entries, &rules, &err) != EDDY_OK) {
        (void)fprintf(stderr, "bench_vet: %s\n", err.message);
        exit(1);
    }
    free(text);
    return rules;
}

static struct marks *pins_of(unsigned count)
{
    size_t size = count * 128 + 1, at = 0;
    char *text = calloc(1, size);
    struct marks *marks = NULL;
    eddy_error err = {0};
    for (unsigned i = 0; text != NULL && i < count; i++)
        at += (size_t)snprintf(text + at, size - at,
                               "incident=i%u verdict=malicious detector=beacon host=10.9.%u.%u "
                               "peer=203.0.113.9 marked=2026-01-01\n",
                               i, i / 250, i % 250 + 1);
    struct entries entries = {.name = "bench", .text = text, .length = at};
    if (text == NULL || marks_new(&entries, &marks, &err) != EDDY_OK) {
        (void)fprintf(stderr, "bench_vet: %s\n", err.message);
        exit(1);
    }
    free(text);
    return marks;
}

static void measure(const char *what, struct vet_state *state, unsigned unusual)
{
    static const struct suppress_conf suppress = {.path = ""};
    static const struct feedback_conf feedback = {.path = "", .half_life_us = 1000000};
    const struct vet_conf conf = {.suppress = &suppress, .feedback = &feedback, .join = 1e-3};
    struct score_state score = {.count = 0};
    struct row row = {.flow = {.dst_port = 443, .proto = 6}};
    double best = 1e30;
    while (registry_detectors[score.count] != NULL)
        score.count++;
    (void)addr_parse("203.0.113.7", 11, row.flow.dst);
    for (unsigned round = 0; round < ROUNDS; round++) {
        double begin = now_ns();
        for (unsigned i = 0; i < CALLS; i++) {
            char text[32];
            unsigned host = i % 500;
            if (i < 1) /* one source; the address is changed below */
                (void)addr_parse(text, (size_t)snprintf(text, sizeof text, "10.0.0.1"),
                                 row.flow.src);
            row.flow.src[14] = (uint8_t)(host / 250);
            row.flow.src[15] = (uint8_t)(host % 250 + 1);
            for (size_t n = 0; n < score.count; n++)
                row.finding[n] = (struct finding){.score = 1.0, .p = n < unusual ? 1e-6 : 0.5};
            vet(state, &conf, &score, NULL, &row, 1000000);
        }
        double took = (now_ns() - begin) / CALLS;
        best = took < best ? took : best;
    }
    printf("%-58s %7.1f ns\n", what, best);
}

int main(void)
{
    struct vet_state none = {.rules = NULL}, state = {.rules = NULL};
    measure("no rules (what the loop itself costs)", &none, 0);
    static const struct {
        const char *what;
        unsigned single, wide, unusual;
    } cases[] = {
        {"500 rules, nothing unusual", 500, 0, 0},
        {"10000 rules, nothing unusual", 10000, 0, 0},
        {"500 rules, one finding, covered", 500, 0, 1},
        {"10000 rules, one finding, covered", 10000, 0, 1},
        {"500 rules of networks, one finding, not covered", 0, 500, 1},
        {"1000 rules of networks, one finding, not covered", 0, 1000, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        state.rules = rules_of(cases[i].single, cases[i].wide);
        measure(cases[i].what, &state, cases[i].unusual);
        rules_free(state.rules);
    }
    state.rules = NULL;
    state.marks = pins_of(500);
    measure("500 malicious marks with peers, nothing unusual", &state, 0);
    vet_done(&state);
    return 0;
}
