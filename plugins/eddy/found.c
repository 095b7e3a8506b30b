/* SPDX-License-Identifier: MIT */
/* found.c - the incidents of a run, in their final state, most unusual first. */
#include "found.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void line_done(struct incident_line *line)
{
    free(line->id);
    free(line->summary);
    free(line->json);
}

static char *json_of(const eddy_incident *incident)
{
    int length = eddy_incident_json(incident, NULL, 0);
    char *json = malloc((size_t)length + 1);
    if (json != NULL)
        (void)eddy_incident_json(incident, json, (size_t)length + 1);
    return json;
}

bool found_suppressed(const eddy_incident *incident)
{
    return incident->suppressed_by != NULL && incident->suppressed_by[0] != '\0';
}

static bool line_init(struct incident_line *line, const eddy_incident *incident, const char *state)
{
    static const uint8_t nobody[16];
    *line = (struct incident_line){.p = incident->p,
                                   .severity = incident->severity,
                                   .suppressed = found_suppressed(incident),
                                   .withheld = incident->withheld && !found_suppressed(incident),
                                   .peer_port = incident->peer_port,
                                   .proto = incident->proto,
                                   .start_us = incident->start_us,
                                   .end_us = incident->end_us,
                                   .flows = incident->flows,
                                   .id = strdup(incident->id),
                                   .summary = strdup(incident->summary),
                                   .json = json_of(incident)};
    (void)snprintf(line->state, sizeof line->state, "%s", state);
    (void)snprintf(line->detector, sizeof line->detector, "%s", incident->detector);
    (void)eddy_address_text(incident->host, line->host);
    if (memcmp(incident->peer, nobody, sizeof nobody) != 0)
        (void)eddy_address_text(incident->peer, line->peer);
    if (line->id != NULL && line->summary != NULL && line->json != NULL)
        return true;
    line_done(line);
    return false;
}

static bool make_room(struct found *found)
{
    if (found->count < found->room)
        return true;
    size_t room = found->room > 0 ? found->room * 2 : 64;
    struct incident_line *lines = realloc(found->lines, room * sizeof *lines);
    if (lines == NULL)
        return false;
    found->lines = lines;
    found->room = room;
    return true;
}

void found_put(struct found *found, const eddy_incident *incident, const char *state)
{
    if (make_room(found) && line_init(&found->lines[found->count], incident, state))
        found->count++;
    else
        found->out_of_memory = true;
}

void found_add(const eddy_incident *incident, void *user)
{
    struct found *found = user;
    if (incident->state != EDDY_INCIDENT_CLOSED)
        return;
    bool suppressed = found_suppressed(incident), withheld = incident->withheld && !suppressed;
    *(suppressed ? &found->suppressed : withheld ? &found->withheld : &found->shown) += 1;
    if ((withheld && !found->keep_withheld) || (suppressed && !found->keep_suppressed))
        return;
    found_put(found, incident, "");
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

size_t found_id_length(const char **ids, size_t count)
{
    size_t length = 6;
    if (count > 1)
        qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 1; i < count; i++) {
        size_t same = 0;
        while (ids[i][same] != '\0' && ids[i][same] == ids[i - 1][same])
            same++;
        length = same >= length ? same + 1 : length;
    }
    return length;
}

/* Most unusual first, then the most severe, then the earliest; the id makes the order total. */
static int compare(const void *a, const void *b)
{
    const struct incident_line *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    if (x->severity != y->severity)
        return x->severity > y->severity ? -1 : 1;
    if (x->start_us != y->start_us)
        return x->start_us < y->start_us ? -1 : 1;
    return strcmp(x->id, y->id);
}

void found_sort(struct found *found)
{
    if (found->count > 1)
        qsort(found->lines, found->count, sizeof *found->lines, compare);
}

void found_done(struct found *found)
{
    for (size_t i = 0; i < found->count; i++)
        line_done(&found->lines[i]);
    free(found->lines);
    *found = (struct found){0};
}
