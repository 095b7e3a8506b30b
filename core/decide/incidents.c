/* SPDX-License-Identifier: MIT */
/* incidents.c - evidence about one host from one detector, as long as it keeps coming. */
#include "decide/incidents.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "util/hash.h"

void incident_name(struct incident *incident, const char *detector)
{
    uint64_t hash = hash_address(incident->host, 0);
    for (const char *at = detector; *at != '\0'; at++)
        hash = hash_add(hash, (uint8_t)*at);
    hash = hash_add(hash, (uint64_t)incident->start_us);
    incident->number = hash;
    (void)snprintf(incident->id, sizeof incident->id, "%016llx", (unsigned long long)hash);
}

/* The first ids, then every doubling replaces one in turn: from the whole of its time. */
static void keep_id(struct incident *incident, const eddy_flow *flow)
{
    unsigned slot = incident->flow_id_count;
    if (slot < INCIDENT_FLOW_IDS)
        incident->flow_id_count++;
    else if ((incident->flows & (incident->flows - 1)) == 0)
        slot = INCIDENT_FLOW_IDS / 2 +
               (unsigned)__builtin_ctzll(incident->flows) % (INCIDENT_FLOW_IDS / 2);
    else
        return;
    memcpy(incident->flow_ids[slot], flow->id, sizeof flow->id);
}

/* Times before the first flow counted are counted with it: a sensor's records come in odd order. */
static void activity_add(struct activity *a, int64_t at_us)
{
    if (a->step_us == 0) {
        a->start_us = at_us;
        a->step_us = 1000000;
    }
    int64_t since_us = at_us > a->start_us ? at_us - a->start_us : 0;
    while (since_us / a->step_us >= ACTIVITY_STEPS) {
        for (size_t i = 0; i < ACTIVITY_STEPS / 2; i++)
            a->flows[i] = a->flows[2 * i] + a->flows[2 * i + 1];
        memset(a->flows + ACTIVITY_STEPS / 2, 0, sizeof a->flows / 2);
        a->step_us *= 2;
    }
    a->flows[since_us / a->step_us]++;
}

void incident_add(struct incident *incident, const struct row *row, int64_t now_us)
{
    int64_t end_us = row->end_us < now_us ? row->end_us : now_us;
    incident->flows++;
    incident->seen_us = now_us;
    if (row->flow.start_us < incident->start_us && !row->late)
        incident->start_us = row->flow.start_us;
    if (end_us > incident->end_us)
        incident->end_us = end_us;
    if (row->flow.id[0] != '\0')
        keep_id(incident, &row->flow);
    activity_add(&incident->activity, row->flow.start_us < now_us ? row->flow.start_us : now_us);
}

static void view_evidence(const struct explanation *why, struct incident_room *room)
{
    for (size_t n = 0; n < why->name_count; n++)
        room->names[n] = (eddy_name){why->name[n].kind, why->name[n].value};
    const struct evidence *e = &why->evidence;
    room->evidence = (eddy_evidence){.kind = e->kind,
                                     .x_name = e->x_name,
                                     .y_name = e->y_name,
                                     .x = e->x,
                                     .y = e->y,
                                     .count = e->count,
                                     .mark = e->mark};
}

void incident_view(const struct incident_event *event, struct incident_room *room,
                   eddy_incident *out)
{
    const struct incident *i = &event->incident;
    for (size_t n = 0; n < i->why.count; n++) {
        const struct explained *reason = &i->why.reason[n];
        room->reasons[n] = (eddy_reason){.feature = reason->feature,
                                         .text = reason->text,
                                         .value = reason->value,
                                         .usual = reason->usual,
                                         .share = reason->share};
    }
    for (size_t n = 0; n < i->flow_id_count; n++)
        room->flow_ids[n] = i->flow_ids[n];
    view_evidence(&i->why, room);
    const struct activity *activity = &i->activity;
    size_t steps = ACTIVITY_STEPS;
    while (steps > 0 && activity->flows[steps - 1] == 0)
        steps--;
    *out = (eddy_incident){
        .id = i->id,
        .detector = registry_detectors[i->detector]->part.name,
        .technique = i->why.technique[0] != '\0' ? i->why.technique
                                                 : registry_detectors[i->detector]->technique,
        .peer_port = i->peer_port,
        .proto = i->proto,
        .host_country = i->host_place.country,
        .peer_country = i->peer_place.country,
        .host_asn = i->host_place.asn,
        .peer_asn = i->peer_place.asn,
        .start_us = i->start_us,
        .end_us = i->end_us,
        .flows = i->flows,
        .p = i->p,
        .score = -log10(i->p),
        .severity = i->severity,
        .state = event->state,
        .withheld = i->withheld,
        .reasons = room->reasons,
        .reason_count = i->why.count,
        .flow_ids = room->flow_ids,
        .flow_id_count = i->flow_id_count,
        .summary = i->why.sentence,
        .suppressed_by = i->suppressed_by,
        .names = room->names,
        .name_count = i->why.name_count,
        .evidence = i->why.evidence.kind == NULL ? NULL : &room->evidence,
        .activity_start_us = activity->start_us,
        .activity_step_us = activity->step_us,
        .activity = activity->flows,
        .activity_count = steps,
    };
    memcpy(out->host, i->host, 16);
    memcpy(out->peer, i->peer, 16);
}
