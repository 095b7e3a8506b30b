/* SPDX-License-Identifier: MIT */
/* mark_export.c - marked incidents as labels of flows, to train with.
 *
 * A flow belongs to a marked incident if it began in its time and is between its host and its
 * peer, on its port if one is named. Where the incident is about the host altogether, the host's
 * other traffic would be labelled, too: there, only flows count that are part of an incident when
 * they are scored again, without suppressions and marks. What dns finds are questions, which are
 * in no flow's incident: there, it is what the host sent to port 53. */
#include "mark_export.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "csv.h"
#include "when.h"

#define DNS_PORT 53

struct label {
    char incident[24], family[24];
    bool benign, taken_back, has_peer, whole; /* whole: it has all that is needed */
    enum label_by { BY_ENDS, BY_INCIDENT, BY_PORT } by;
    uint8_t host[16], peer[16];
    uint16_t port;
    int64_t start_us, end_us;
    uint64_t flows, incident_flows; /* labelled; of the incident when it was marked, 0: not known */
};

struct labels {
    struct run *run;
    struct label *label;
    size_t count;
    bool out_of_memory;
    uint64_t flows;
};

static bool address(const char *text, uint8_t out[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    memcpy(out, mapped, sizeof mapped);
    return inet_pton(AF_INET, text, out + 12) == 1 || inet_pton(AF_INET6, text, out) == 1;
}

static void take_word(struct label *label, const char *key, const char *value)
{
    if (strcmp(key, "verdict") == 0) {
        label->benign = strcmp(value, "benign") == 0;
        label->taken_back = strcmp(value, "none") == 0;
    } else if (strcmp(key, "detector") == 0) {
        (void)snprintf(label->family, sizeof label->family, "%s", value);
    } else if (strcmp(key, "host") == 0) {
        (void)address(value, label->host); /* all of these were checked */
    } else if (strcmp(key, "peer") == 0) {
        label->has_peer = address(value, label->peer);
    } else if (strcmp(key, "port") == 0) {
        label->port = (uint16_t)strtoul(value, NULL, 10);
    } else if (strcmp(key, "start") == 0) {
        (void)when_parse(value, &label->start_us);
    } else if (strcmp(key, "end") == 0) {
        (void)when_parse(value, &label->end_us);
    } else if (strcmp(key, "flows") == 0) {
        label->incident_flows = strtoull(value, NULL, 10);
    }
}

static int add_label(const eddy_entry *entry, void *user)
{
    struct labels *labels = user;
    struct label label = {0};
    (void)snprintf(label.incident, sizeof label.incident, "%s", entry->id);
    for (size_t i = 0; i < entry->word_count; i++)
        take_word(&label, entry->words[i].key, entry->words[i].value);
    static const char *const of_hosts[] = {"dns", "fanout", "rarity"};
    for (size_t i = 0; i < sizeof of_hosts / sizeof *of_hosts; i++)
        if (strcmp(label.family, of_hosts[i]) == 0)
            label.has_peer = false; /* older marks name one */
    if (!label.has_peer)
        label.by = strcmp(label.family, "dns") == 0 ? BY_PORT : BY_INCIDENT;
    label.whole = label.start_us != 0 && label.end_us != 0;
    for (size_t i = 0; i < labels->count; i++)
        if (strcmp(labels->label[i].incident, label.incident) == 0) {
            labels->label[i] = label; /* the last one counts */
            return 0;
        }
    struct label *larger = realloc(labels->label, (labels->count + 1) * sizeof *larger);
    if (larger == NULL) {
        labels->out_of_memory = true;
        return 1;
    }
    labels->label = larger;
    labels->label[labels->count++] = label;
    return 0;
}

static bool is_between(const struct label *label, const uint8_t a[16], const uint8_t b[16])
{
    return memcmp(label->host, a, 16) == 0 && (!label->has_peer || memcmp(label->peer, b, 16) == 0);
}

static bool belongs(const struct label *label, const eddy_flow *flow, const eddy_verdict *verdict)
{
    if (label->taken_back || !label->whole || flow->start_us < label->start_us ||
        flow->start_us > label->end_us)
        return false;
    if (!is_between(label, flow->src, flow->dst) && !is_between(label, flow->dst, flow->src))
        return false;
    if (label->port != 0 && label->port != flow->dst_port && label->port != flow->src_port)
        return false;
    if (label->by == BY_PORT)
        return flow->dst_port == DNS_PORT && memcmp(label->host, flow->src, 16) == 0;
    return label->by == BY_ENDS || (verdict->flags & EDDY_IN_INCIDENT) != 0;
}

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct labels *labels = user;
    struct label *best = NULL;
    (void)columns;
    for (size_t i = 0; i < labels->count; i++)
        if (belongs(&labels->label[i], flow, verdict) && (best == NULL || best->benign))
            best = &labels->label[i]; /* malicious wins */
    if (best == NULL)
        return;
    best->flows++;
    labels->flows++;
    csv_id(flow);
    printf(",%d,%s\n", best->benign ? 0 : 1, best->family);
}

static bool on_piece(void *user)
{
    (void)user;
    return !ferror(stdout);
}

static void say_label(const struct labels *labels, const struct label *label)
{
    static const char *const how[] = {
        [BY_ENDS] = "all between its ends in its time",
        [BY_INCIDENT] = "those of its host that were part of an incident when scored again",
        [BY_PORT] = "all of its host to port 53 in its time"};
    char flows[32], of[32];
    if (!label->whole)
        complain(&labels->run->progress,
                 "%s: its mark has no start= and end=: no flow can be told from it",
                 label->incident);
    else if (label->flows == 0)
        complain(&labels->run->progress, "%s: no flow of these logs belongs to it",
                 label->incident);
    else if (label->incident_flows == 0)
        complain(&labels->run->progress, "%s: %s flows labelled: %s", label->incident,
                 with_commas(label->flows, flows), how[label->by]);
    else
        complain(&labels->run->progress, "%s: %s flows labelled: %s; the incident had %s",
                 label->incident, with_commas(label->flows, flows), how[label->by],
                 with_commas(label->incident_flows, of));
}

static void say_labels(const struct labels *labels)
{
    for (size_t i = 0; i < labels->count; i++)
        if (!labels->label[i].taken_back)
            say_label(labels, &labels->label[i]);
}

int mark_export(struct run *run, const char *name, const char *text)
{
    struct labels labels = {.run = run};
    eddy_error err = {0};
    int status = eddy_said_check(EDDY_MARKS, name, text, add_label, &labels, &err);
    if (status < 0 || labels.out_of_memory) {
        complain(&run->progress, "%s", status < 0 ? err.message : "out of memory");
        free(labels.label);
        return EXIT_FAULT;
    }
    static const char *const settings[] = {
        "feedback.path=", "suppress.path=",    "jsonl.path=",       "history.path=",
        "textfile.path=", "zeek_notice.path=", "syslog.enabled=off"};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        run->settings[run->setting_count++] = settings[i];
    run->scored = on_scored;
    run->go_on = on_piece;
    run->user = &labels;
    (void)puts("id,label,family");
    status = run_files(run);
    if (status == EXIT_FINE && !run->quiet)
        say_labels(&labels);
    free(labels.label);
    int written = finish_output();
    return status != EXIT_FINE ? status : written;
}
