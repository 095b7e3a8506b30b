/* SPDX-License-Identifier: MIT */
/* logs.h - an EVE log made on the spot: an office at work, and a scan of 2000 addresses. */
#pragma once

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct log_text {
    char *bytes;
    size_t length, size;
    unsigned flows;
};

#define LOG_BEGIN_S 1767322800 /* 2026-01-02T03:00:00Z */
#define LOG_LINE    640

static inline void log_room(struct log_text *log)
{
    if (log->length + LOG_LINE <= log->size)
        return;
    log->size = log->size * 2 + 4 * LOG_LINE;
    log->bytes = realloc(log->bytes, log->size);
    if (log->bytes == NULL)
        abort(); /* the test can't go on */
}

static inline void log_time(int64_t seconds, char out[40])
{
    time_t t = (time_t)(LOG_BEGIN_S + seconds);
    struct tm utc;
    (void)gmtime_r(&t, &utc);
    (void)strftime(out, 40, "%Y-%m-%dT%H:%M:%S.000000+0000", &utc);
}

static inline void log_line(struct log_text *log, const char *line)
{
    log_room(log);
    log->length += (size_t)snprintf(log->bytes + log->length, LOG_LINE, "%s\n", line);
}

/* A TCP connection of 2 seconds; a failed one has no answer. */
static inline void log_flow(struct log_text *log, int64_t at_s, const char *src, const char *dst,
                            unsigned port, int failed)
{
    char start[40], end[40];
    log_room(log);
    log_time(at_s, start);
    log_time(at_s + 2, end);
    unsigned sent = failed ? 60 : 1200 + log->flows * 37 % 900;
    log->length += (size_t)snprintf(
        log->bytes + log->length, LOG_LINE,
        "{\"timestamp\":\"%s\",\"flow_id\":%u,\"event_type\":\"flow\",\"src_ip\":\"%s\",\"src_"
        "port\":%u,"
        "\"dest_ip\":\"%s\",\"dest_port\":%u,\"proto\":\"TCP\",\"flow\":{\"pkts_toserver\":%d,"
        "\"pkts_toclient\":%d,\"bytes_toserver\":%u,\"bytes_toclient\":%u,\"start\":\"%s\",\"end\":"
        "\"%s\","
        "\"age\":2,\"state\":\"%s\",\"reason\":\"timeout\",\"alerted\":false}}\n",
        end, 1000000 + log->flows, src, 40000 + log->flows % 20000, dst, port, failed ? 1 : 12,
        failed ? 0 : 10, sent, failed ? 0 : sent * 5, start, end, failed ? "new" : "closed");
    log->flows++;
}

/* 20 hosts at work for two hours; after one hour 10.0.0.66 looks for open ports. */
static inline struct log_text log_office(void)
{
    struct log_text log = {0};
    for (int64_t s = 0; s < 7200; s += 3) {
        char src[20], dst[20];
        (void)snprintf(src, sizeof src, "10.0.0.%d", (int)(s / 3 * 7 % 20 + 1));
        (void)snprintf(dst, sizeof dst, "203.0.113.%d", (int)(s / 3 * 11 % 9 + 1));
        log_flow(&log, s, src, dst, s % 2 == 0 ? 443 : 80, s % 51 == 0);
        for (int i = 0; s >= 3600 && s < 3660 && i < 100; i++) { /* 2000 in a minute */
            (void)snprintf(dst, sizeof dst, "10.0.%d.%d", (int)(s - 3600) / 3 + 1, i + 1);
            log_flow(&log, s, "10.0.0.66", dst, 22, 1);
        }
    }
    return log;
}
