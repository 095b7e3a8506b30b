/* SPDX-License-Identifier: MIT */
/* rest_score.c - POST /v1/score: lines of a log in, scored flows out.
 *
 * The flows become part of what the sensor knows, as those of any other input: a worker of the same
 * engine scores them. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clock.h"
#include "gz.h"
#include "rest_route.h"

#define PIECE ((size_t)32 * 1024) /* fed between two looks at the clock */

static void put_time(struct json_writer *w, const char *key, int64_t us)
{
    char text[64];
    struct tm tm;
    int64_t s = us / 1000000 - (us % 1000000 < 0);
    time_t seconds = (time_t)s;
    json_put_key(w, key);
    if (gmtime_r(&seconds, &tm) == NULL) {
        json_put_json(w, "null");
        return;
    }
    size_t used = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(text + used, sizeof text - used, ".%06dZ",
                   (int)(us - s * 1000000)); /* it fits */
    json_put_text(w, text);
}

static void put_flags(struct json_writer *w, uint32_t flags)
{
    static const struct {
        uint32_t flag;
        const char *name;
    } names[] = {{EDDY_IN_INCIDENT, "in_incident"},
                 {EDDY_SUPPRESSED, "suppressed"},
                 {EDDY_CLEANED, "cleaned"},
                 {EDDY_REJECTED, "rejected"},
                 {EDDY_LEARNING, "learning"}};
    json_put_key(w, "flags");
    json_put_open(w, '[');
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if ((flags & names[i].flag) != 0)
            json_put_text(w, names[i].name);
    json_put_close(w, ']');
}

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct json_writer *w = user;
    char address[46];
    (void)columns;
    json_put_open(w, '{');
    json_put_pair(w, "id", flow->id);
    put_time(w, "start", flow->start_us);
    json_put_pair(w, "src", eddy_address_text(flow->src, address));
    json_put_pair(w, "dst", eddy_address_text(flow->dst, address));
    json_put_key(w, "dst_port");
    json_put_count(w, flow->dst_port);
    json_put_key(w, "proto");
    json_put_count(w, flow->proto);
    json_put_key(w, "score");
    json_put_number(w, verdict->score);
    json_put_key(w, "p");
    json_put_number(w, verdict->p);
    json_put_pair(w, "detector", verdict->detector);
    put_flags(w, verdict->flags);
    json_put_close(w, '}');
}

static int put_reason(const char *reason, const char *help, uint64_t count, int rejected,
                      void *user)
{
    struct json_writer *w = user;
    json_put_open(w, '{');
    json_put_pair(w, "reason", reason);
    json_put_pair(w, "help", help);
    json_put_key(w, "count");
    json_put_count(w, count);
    json_put_key(w, "rejected");
    json_put_truth(w, rejected != 0);
    json_put_close(w, '}');
    return 0;
}

static void put_counts(struct json_writer *w, const eddy_worker *worker)
{
    eddy_counts counts;
    eddy_worker_counts(worker, &counts);
    const struct {
        const char *key;
        uint64_t count;
    } all[] = {{"read", counts.read},
               {"scored", counts.scored},
               {"skipped", counts.skipped},
               {"rejected", counts.rejected},
               {"dropped", counts.dropped}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        json_put_key(w, all[i].key);
        json_put_count(w, all[i].count);
    }
    json_put_key(w, "reasons");
    json_put_open(w, '[');
    (void)eddy_worker_rejects(worker, put_reason, w); /* put_reason() never stops it */
    json_put_close(w, ']');
}

/* Feeds all of it, or what there is time for. EDDY_EIO: the time is over. */
static int feed(eddy_worker *worker, const char *text, size_t length, int64_t deadline_ms)
{
    for (size_t at = 0; at < length; at += PIECE) {
        if (clock_ms() >= deadline_ms)
            return EDDY_EIO;
        size_t piece = length - at < PIECE ? length - at : PIECE;
        int status = eddy_worker_feed(worker, text + at, piece);
        if (status < 0)
            return status;
    }
    return eddy_worker_end(worker);
}

static void score(const struct service *s, const struct request *q, const char *text, size_t length,
                  struct answer *a)
{
    eddy_worker *worker = NULL;
    eddy_error err;
    if (eddy_worker_new(s->engine, "rest", NULL, &worker, &err) < 0) {
        answer_error(a, STATUS_FAILED, "%s", err.message);
        return;
    }
    struct json_writer w = {.max = ANSWER_MAX};
    json_put_open(&w, '{');
    json_put_key(&w, "flows");
    json_put_open(&w, '[');
    eddy_worker_scored(worker, on_scored, &w);
    int status = feed(worker, text, length, q->deadline_ms);
    json_put_close(&w, ']');
    put_counts(&w, worker);
    if (status == EDDY_EIO)
        json_put_pair(&w, "error", "the time is over (rest.timeout): only some lines were read");
    else if (status < 0)
        json_put_pair(&w, "error", eddy_strerror(status));
    json_put_close(&w, '}');
    eddy_worker_free(worker);
    answer_json(a, status == EDDY_EIO ? STATUS_BUSY : status < 0 ? STATUS_REFUSED : STATUS_OK, &w);
}

/* ---- what was sent ---- */

static bool is_gzip(const char *text, size_t length)
{
    return length >= 2 && memcmp(text, "\x1f\x8b", 2) == 0;
}

static bool is_zstd(const char *text, size_t length)
{
    return length >= 4 && memcmp(text, "\x28\xb5\x2f\xfd", 4) == 0;
}

static size_t count_lines(const char *text, size_t length)
{
    size_t lines = length > 0 && text[length - 1] != '\n' ? 1 : 0;
    for (const char *at = text; (at = memchr(at, '\n', length - (size_t)(at - text))) != NULL; at++)
        lines++;
    return lines;
}

/* Nothing is scored of what is too much. */
static void score_if_few(const struct service *s, const struct request *q, const char *text,
                         size_t length, struct answer *a)
{
    size_t lines = count_lines(text, length);
    if (is_gzip(text, length) || is_zstd(text, length)) /* once more: it could be any length */
        answer_error(a, STATUS_REFUSED, "the lines are compressed twice, or not by gzip");
    else if (lines > s->conf->max_batch)
        answer_error(a, STATUS_TOO_LARGE, "%zu lines, more than the %zu of rest.max_batch", lines,
                     s->conf->max_batch);
    else
        score(s, q, text, length, a);
}

void serve_score(const struct service *s, const struct request *q, struct answer *a)
{
    char *text = NULL;
    size_t length;
    if (!is_gzip(q->body, q->length)) {
        if (q->encoding != NULL)
            answer_error(a, STATUS_REFUSED, "Content-Encoding: gzip, but it is not");
        else
            score_if_few(s, q, q->body, q->length, a);
        return;
    }
    int status = gz_unpack(q->body, q->length, s->conf->max_body, &text, &length);
    if (status == EDDY_OK)
        score_if_few(s, q, text, length, a);
    else if (status == EDDY_ECONFIG)
        answer_error(a, STATUS_TOO_LARGE,
                     "unpacked, it has more than the %zu bytes of rest.max_body",
                     s->conf->max_body);
    else if (status == EDDY_EINPUT)
        answer_error(a, STATUS_REFUSED, "the gzip data is damaged or cut off");
    else
        answer_error(a, STATUS_FAILED, "out of memory");
    free(text);
}
