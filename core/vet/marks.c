/* SPDX-License-Identifier: MIT */
/* marks.c - what a person said of an incident: benign or malicious. */
#include "vet/marks.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ingest/conn.h"
#include "part.h"
#include "util/addr.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/number.h"
#include "util/text.h"
#include "vet/when.h"

#define SCORE_MAX 300.0 /* a p is never below 1e-300 */

/* ---- reading ---- */

static int bad(eddy_error *err, const eddy_word *word, const char *expected)
{
    return error_set(err, EDDY_ECONFIG, "%s=%.60s: not %s", word->key, word->value, expected);
}

static bool copy(const char *value, char *out, size_t size)
{
    size_t length = strlen(value);
    if (length >= size)
        return false;
    memcpy(out, value, length + 1);
    return true;
}

static bool is_name(const char *value)
{
    return strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
           strlen(value);
}

static bool read_incident(const char *value, struct mark *mark)
{
    return is_name(value) && copy(value, mark->incident, sizeof mark->incident);
}

static bool read_verdict(const char *value, struct mark *mark)
{
    static const char *const names[] = {"none", "benign", "malicious"};
    for (size_t i = 0; i < 3; i++)
        if (strcmp(value, names[i]) == 0) {
            mark->verdict = (enum mark_verdict)i;
            return true;
        }
    return false;
}

static bool read_detector(const char *value, struct mark *mark)
{
    for (size_t i = 0; registry_detectors[i] != NULL; i++)
        if (strcmp(value, registry_detectors[i]->part.name) == 0) {
            mark->detector = (uint8_t)i;
            return true;
        }
    return false;
}

static bool read_host(const char *value, struct mark *mark)
{
    return addr_parse(value, strlen(value), mark->host);
}

static bool read_peer(const char *value, struct mark *mark)
{
    mark->has_peer = true;
    return addr_parse(value, strlen(value), mark->peer);
}

static bool read_port(const char *value, struct mark *mark)
{
    return number_port(value, strlen(value), &mark->port) && mark->port != 0;
}

static bool read_proto(const char *value, struct mark *mark)
{
    (void)mark; /* for people, and for labels */
    return conn_proto(value, strlen(value)) != 0;
}

static bool read_reason(const char *value, struct mark *mark)
{
    return is_name(value) && copy(value, mark->reason, sizeof mark->reason);
}

static bool read_score(const char *value, struct mark *mark)
{
    return text_to_number(value, &mark->score) && mark->score > 0.0 && mark->score <= SCORE_MAX;
}

static bool read_marked(const char *value, struct mark *mark)
{
    return when_read(value, &mark->marked_us);
}

static bool read_time(const char *value, struct mark *mark)
{
    int64_t us;
    (void)mark; /* for labels */
    return when_read(value, &us);
}

static bool read_flows(const char *value, struct mark *mark)
{
    uint64_t flows;
    (void)mark; /* for labels */
    return number_unsigned(value, strlen(value), &flows);
}

static bool read_text(const char *value, struct mark *mark)
{
    (void)value, (void)mark;
    return true;
}

static const struct {
    const char *key;
    bool (*read)(const char *value, struct mark *mark);
    const char *expected;
} keys[] = {
    {"incident", read_incident, "an id of at most 23 letters and digits"},
    {"verdict", read_verdict, "benign, malicious or none"},
    {"detector", read_detector, "a detector of eddy"},
    {"host", read_host, "an address"},
    {"peer", read_peer, "an address"},
    {"port", read_port, "in 1..65535"},
    {"proto", read_proto, "a protocol such as tcp, udp or 47"},
    {"reason", read_reason, "a name of at most 31 letters, digits and '_'"},
    {"score", read_score, "above 0 and at most 300"},
    {"marked", read_marked, "a time such as 2026-12-31T12:00:00Z"},
    {"start", read_time, "a time such as 2026-12-31T12:00:00Z"},
    {"end", read_time, "a time such as 2026-12-31T12:00:00Z"},
    {"flows", read_flows, "a number"},
    {"by", read_text, ""},
    {"why", read_text, ""},
};

#define KEY_COUNT (sizeof keys / sizeof *keys)

static int read_word(const eddy_word *word, struct mark *mark, eddy_error *err)
{
    for (size_t i = 0; i < KEY_COUNT; i++)
        if (strcmp(word->key, keys[i].key) == 0)
            return keys[i].read(word->value, mark) ? EDDY_OK : bad(err, word, keys[i].expected);
    return error_set(err, EDDY_ECONFIG, "%.40s: no such key", word->key);
}

int mark_read(const struct entry *entry, struct mark *out, eddy_error *err)
{
    static const char *const needed[] = {"incident", "verdict", "detector",
                                         "host",     "marked",  "score"};
    struct mark mark = {.verdict = MARK_NONE};
    for (size_t i = 0; i < entry->count; i++) {
        int status = read_word(&entry->word[i], &mark, err);
        if (status != EDDY_OK)
            return status;
    }
    size_t need = mark.verdict == MARK_BENIGN ? 6 : mark.verdict == MARK_MALICIOUS ? 5 : 2;
    for (size_t i = 0; i < need; i++)
        if (entry_find(entry, needed[i]) == NULL)
            return error_set(err, EDDY_ECONFIG, "no %s=", needed[i]);
    if (mark.port != 0 && !mark.has_peer)
        return error_set(err, EDDY_ECONFIG, "port= without peer=");
    *out = mark;
    return EDDY_OK;
}

/* ---- the set ---- */

static uint32_t *bucket_of(struct marks *marks, const uint8_t host[16])
{
    return &marks->bucket[hash_address(host, 0) % MARKS_BUCKETS];
}

static uint32_t *named_of(struct marks *marks, const char *incident)
{
    uint64_t hash = 0;
    for (; *incident != '\0'; incident++)
        hash = hash_add(hash, (uint8_t)*incident);
    return &marks->named[hash % MARKS_BUCKETS];
}

struct reading {
    struct marks *marks;
    size_t room;
};

static int add_mark(const struct entry *entry, void *user, eddy_error *err)
{
    struct reading *reading = user;
    struct marks *marks = reading->marks;
    if (marks->count == reading->room) {
        size_t room = reading->room == 0 ? 16 : 2 * reading->room;
        struct mark *larger = realloc(marks->mark, room * sizeof *larger);
        if (larger == NULL)
            return error_nomem(err);
        marks->mark = larger;
        reading->room = room;
    }
    struct mark *mark = &marks->mark[marks->count];
    int status = mark_read(entry, mark, err);
    if (status != EDDY_OK)
        return status;
    uint32_t *first = named_of(marks, mark->incident);
    for (uint32_t at = *first; at != 0; at = marks->mark[at - 1].next_named)
        if (strcmp(marks->mark[at - 1].incident, mark->incident) == 0)
            marks->mark[at - 1].void_now = true;
    mark->next_named = *first;
    *first = (uint32_t)++marks->count;
    return EDDY_OK;
}

static void index_marks(struct marks *marks)
{
    for (size_t i = 0; i < marks->count; i++) {
        struct mark *mark = &marks->mark[i];
        if (mark->void_now || mark->verdict == MARK_NONE)
            continue;
        uint32_t *first = bucket_of(marks, mark->host);
        mark->next = *first;
        *first = (uint32_t)i + 1;
        marks->benign += mark->verdict == MARK_BENIGN;
        marks->malicious += mark->verdict == MARK_MALICIOUS;
        marks->pins += mark->verdict == MARK_MALICIOUS && mark->has_peer;
    }
}

int marks_new(const struct entries *entries, struct marks **out, eddy_error *err)
{
    struct reading reading = {.marks = calloc(1, sizeof *reading.marks)};
    if (reading.marks == NULL)
        return error_nomem(err);
    int status = entries_each(entries, add_mark, &reading, err);
    if (status != EDDY_OK) {
        marks_free(reading.marks);
        return status;
    }
    index_marks(reading.marks);
    *out = reading.marks;
    return EDDY_OK;
}

void marks_free(struct marks *marks)
{
    if (marks == NULL)
        return;
    free(marks->mark);
    free(marks);
}

/* ---- what they say of a row ---- */

static bool pins(const struct marks *marks, const eddy_flow *flow, const uint8_t host[16],
                 const uint8_t peer[16])
{
    uint32_t at = marks->bucket[hash_address(host, 0) % MARKS_BUCKETS];
    for (; at != 0; at = marks->mark[at - 1].next) {
        const struct mark *mark = &marks->mark[at - 1];
        if (mark->verdict == MARK_MALICIOUS && mark->has_peer &&
            memcmp(mark->host, host, 16) == 0 && memcmp(mark->peer, peer, 16) == 0 &&
            (mark->port == 0 || mark->port == flow->dst_port || mark->port == flow->src_port))
            return true;
    }
    return false;
}

bool marks_pin(const struct marks *marks, const struct row *row)
{
    const eddy_flow *flow = &row->flow;
    return pins(marks, flow, flow->src, flow->dst) || pins(marks, flow, flow->dst, flow->src);
}

/* The next mark about the finding's host, detector and peer, from `at` on; 0 if there is none. */
static uint32_t next_about(const struct marks *marks, uint32_t at, const struct row *row,
                           size_t detector)
{
    bool of_destination = row->finding[detector].of_destination;
    const uint8_t *about = of_destination ? row->flow.dst : row->flow.src;
    const uint8_t *other = of_destination ? row->flow.src : row->flow.dst;
    for (; at != 0; at = marks->mark[at - 1].next) {
        const struct mark *mark = &marks->mark[at - 1];
        if (mark->detector == detector && memcmp(mark->host, about, 16) == 0 &&
            (!mark->has_peer || memcmp(mark->peer, other, 16) == 0))
            return at;
    }
    return 0;
}

static uint32_t first_about(const struct marks *marks, const struct row *row, size_t detector)
{
    const uint8_t *about = row->finding[detector].of_destination ? row->flow.dst : row->flow.src;
    return next_about(marks, marks->bucket[hash_address(about, 0) % MARKS_BUCKETS], row, detector);
}

bool marks_ask(const struct marks *marks, const struct row *row, size_t detector)
{
    return first_about(marks, row, detector) != 0;
}

struct mark_effect marks_weigh(const struct marks *marks, const struct row *row, size_t detector,
                               const char *reason, const struct mark_time *time)
{
    struct mark_effect effect = {0};
    double score = -log10(row->finding[detector].p);
    for (uint32_t at = first_about(marks, row, detector); at != 0;
         at = next_about(marks, marks->mark[at - 1].next, row, detector)) {
        const struct mark *mark = &marks->mark[at - 1];
        if (mark->verdict == MARK_MALICIOUS) {
            effect.malicious = effect.malicious || !mark->has_peer; /* else: marks_pin */
            continue;
        }
        if (mark->reason[0] != '\0' && strcmp(mark->reason, reason) != 0)
            continue;
        double age_us = fmax(0.0, (double)(time->now_us - mark->marked_us));
        double weight = exp2(-age_us / (double)time->half_life_us);
        effect.lower_by = fmax(effect.lower_by, weight * fmin(score, mark->score));
    }
    return effect;
}
