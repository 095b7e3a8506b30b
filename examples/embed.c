/* SPDX-License-Identifier: MIT */
/* embed.c - the smallest program around libeddy: a log in, incidents as JSON lines out.
 *
 *     cc embed.c $(pkg-config --cflags --libs libeddy) -o embed && ./embed < eve.json
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "eddy.h"

static void print_incident(const eddy_incident *incident, void *user)
{
    char line[16384];
    (void)user;
    if (incident->state == EDDY_INCIDENT_CLOSED && !incident->withheld &&
        eddy_incident_json(incident, line, sizeof line) < (int)sizeof line)
        (void)puts(line);
}

static int fail(const eddy_error *err)
{
    (void)fprintf(stderr, "embed: %s\n", err->message);
    return EXIT_FAILURE;
}

int main(void)
{
    eddy_hooks hooks = {.size = sizeof hooks, .incident = print_incident};
    eddy_error err = {0};
    eddy_engine *engine;
    eddy_worker *worker;
    eddy_config *config = eddy_config_new();
    if (config == NULL)
        return EXIT_FAILURE;
    if (eddy_engine_new(config, &hooks, &engine, &err) != EDDY_OK)
        return fail(&err);
    eddy_config_free(config); /* the engine has its copy */
    if (eddy_worker_new(engine, "stdin", NULL, &worker, &err) != EDDY_OK)
        return fail(&err);

    char bytes[65536];
    ssize_t n;
    while ((n = read(STDIN_FILENO, bytes, sizeof bytes)) > 0)
        (void)eddy_worker_feed(worker, bytes, (size_t)n); /* what is bad is counted and logged */
    (void)eddy_worker_end(worker);
    (void)eddy_engine_end(engine); /* closes what is open: the input has ended for good */

    eddy_counts counts;
    eddy_worker_counts(worker, &counts);
    (void)fprintf(stderr, "embed: %llu records, %llu flows scored\n",
                  (unsigned long long)counts.read, (unsigned long long)counts.scored);
    eddy_worker_free(worker);
    eddy_engine_free(engine);
    return n == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
