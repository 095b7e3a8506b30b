/* SPDX-License-Identifier: MIT */
/* found.h - the incidents of a run, in their final state, most unusual first. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"

struct incident_line {
    double p;
    int severity;              /* an eddy_severity */
    bool withheld, suppressed; /* by the budget; by a suppression */
    uint16_t peer_port;
    uint8_t proto;
    int64_t start_us, end_us;
    uint64_t flows;
    char detector[24];
    char host[46], peer[46]; /* "" if there is none */
    char state[32];          /* "growing 3h 20m"; "": not to be shown */
    char mark[12];           /* "benign", "malicious"; "": not marked */
    char *id, *summary, *json;
};

/* Zeroed is empty. */
struct found {
    struct incident_line *lines;
    size_t count, room;
    uint64_t shown, withheld, suppressed; /* how many there were of each */
    bool keep_withheld, keep_suppressed;
    bool out_of_memory; /* some are missing */
    size_t id_length;   /* that is shown of ids; 0: enough to tell these apart */
};

/* Is it covered by a suppression? */
bool found_suppressed(const eddy_incident *incident);

/* Takes an incident once it is closed: each is, at the end. An `incident` hook. */
void found_add(const eddy_incident *incident, void *user);
/* Takes an incident in whatever state it is. */
void found_put(struct found *found, const eddy_incident *incident, const char *state);

/* How much of each id is shown so that all of these differ. They are sorted. */
size_t found_id_length(const char **ids, size_t count);

void found_sort(struct found *found);
void found_done(struct found *found);
