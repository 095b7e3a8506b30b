/* SPDX-License-Identifier: MIT */
/* incidents.h - evidence about one host from one detector, as long as it keeps coming. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "row.h"
#include "score/explanation.h"

#define INCIDENT_FLOW_IDS 8
#define INCIDENTS_OPEN    1024 /* at once; the least unusual that was not sent makes way */

#define ACTIVITY_STEPS 32

/* Flows of an incident over its time: when the steps are full, each two become one. */
struct activity {
    int64_t start_us, step_us; /* step 0: nothing yet */
    uint32_t flows[ACTIVITY_STEPS];
};

struct incident {
    bool open;
    bool withheld;          /* by the budget or a suppression */
    bool quiet;             /* and it has been said */
    char suppressed_by[24]; /* id of a rule, "" if none: evidence that a rule covers is apart */
    uint16_t next;          /* of those whose key falls into the same bucket; 0 = none */
    uint8_t detector;       /* index in parts.def's order */
    uint64_t number;        /* its name: */
    char id[17];            /* the same, in words */
    double asked_p;         /* when the budget was last asked */
    int64_t asked_us;
    uint8_t host[16], peer[16];
    uint16_t peer_port;
    uint8_t proto;
    struct place host_place, peer_place;
    int64_t start_us, end_us;
    int64_t seen_us; /* the watermark when evidence last came: a sensor may be hours behind */
    uint64_t flows;
    uint64_t told_flows; /* at the last event, as the next two */
    double told_p;
    int told_severity;
    double p;               /* smallest, corrected for the number of looks */
    double explained_score; /* the detector's score at the last explanation */
    uint64_t explained_flows;
    int severity;
    struct explanation why;
    struct activity activity;
    char flow_ids[INCIDENT_FLOW_IDS][sizeof((eddy_flow *)0)->id];
    uint8_t flow_id_count;
};

/* A copy that can be handed to another thread. */
struct incident_event {
    int state; /* an eddy_incident_state */
    struct incident incident;
};

/* The same as the public struct, for the time of a call: pointers go into `event` and `room`. */
struct incident_room {
    eddy_reason reasons[EXPLANATION_REASONS];
    eddy_name names[EXPLANATION_NAMES];
    eddy_evidence evidence;
    const char *flow_ids[INCIDENT_FLOW_IDS];
};

void incident_view(const struct incident_event *event, struct incident_room *room,
                   eddy_incident *out);

/* Names the incident: the same host, detector and first flow give the same id. */
void incident_name(struct incident *incident, const char *detector);

/* Counts the flow in. Times beyond `now_us`, the watermark, are not believed. */
void incident_add(struct incident *incident, const struct row *row, int64_t now_us);
