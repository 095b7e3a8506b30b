/* SPDX-License-Identifier: MIT */
/* rest_stats.c - how many requests there were, and how long they took. */
#include "rest_stats.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "rest_route.h"

/* All that is ever answered; the last one is for what is not here. */
static const struct {
    unsigned status;
    const char *label;
} codes[] = {{0, "lost"},
             {STATUS_OK, "200"},
             {STATUS_BAD, "400"},
             {STATUS_UNAUTHORIZED, "401"},
             {STATUS_FORBIDDEN, "403"},
             {STATUS_NOT_FOUND, "404"},
             {STATUS_METHOD, "405"},
             {STATUS_CONFLICT, "409"},
             {STATUS_TOO_LARGE, "413"},
             {STATUS_TYPE, "415"},
             {STATUS_REFUSED, "422"},
             {STATUS_FAILED, "500"},
             {STATUS_BUSY, "503"},
             {1, "other"}};

enum { CODES = sizeof codes / sizeof *codes };

/* Counted by the threads of connections, read by whoever asks; each number stands for itself. */
struct route_stats {
    _Atomic uint64_t requests[CODES];
    _Atomic uint64_t took_ns;
};

struct rest_stats {
    size_t count;
    struct route_stats routes[];
};

struct rest_stats *rest_stats_new(void)
{
    struct rest_stats *stats = calloc(1, sizeof *stats + route_count() * sizeof *stats->routes);
    if (stats != NULL)
        stats->count = route_count();
    return stats;
}

void rest_stats_free(struct rest_stats *stats)
{
    free(stats);
}

void rest_stats_add(struct rest_stats *stats, size_t route, unsigned status, int64_t took_ns)
{
    size_t code = 0;
    while (code + 1 < CODES && codes[code].status != status)
        code++;
    struct route_stats *r = &stats->routes[route];
    atomic_fetch_add_explicit(&r->requests[code], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&r->took_ns, (uint64_t)took_ns, memory_order_relaxed);
}

/* ---- the text ---- */

struct text {
    char *at;
    size_t room; /* with the NUL */
    size_t needed;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(t->at, t->room, format, arguments);
    va_end(arguments);
    size_t used = length > 0 ? (size_t)length : 0;
    t->needed += used;
    size_t moved = used < t->room ? used : t->room > 0 ? t->room - 1 : 0;
    if (t->room > 0)
        t->at += moved;
    t->room -= moved;
}

static uint64_t requests_of(const struct route_stats *r)
{
    uint64_t all = 0;
    for (size_t i = 0; i < CODES; i++)
        all += atomic_load_explicit(&r->requests[i], memory_order_relaxed);
    return all;
}

size_t rest_stats_text(const struct rest_stats *stats, char *buf, size_t size)
{
    struct text t = {.at = buf, .room = size};
    add(&t, "# HELP eddyd_http_requests_total Requests over HTTP; code=\"lost\": not answered.\n"
            "# TYPE eddyd_http_requests_total counter\n");
    for (size_t i = 0; i < stats->count; i++)
        for (size_t code = 0; code < CODES; code++) {
            uint64_t count =
                atomic_load_explicit(&stats->routes[i].requests[code], memory_order_relaxed);
            if (count > 0)
                add(&t, "eddyd_http_requests_total{route=\"%s\",code=\"%s\"} %" PRIu64 "\n",
                    route_at(i)->pattern, codes[code].label, count);
        }
    add(&t, "# HELP eddyd_http_request_seconds From the headers of a request to the end of its "
            "answer.\n# TYPE eddyd_http_request_seconds summary\n");
    for (size_t i = 0; i < stats->count; i++) {
        const struct route_stats *r = &stats->routes[i];
        uint64_t count = requests_of(r);
        if (count == 0)
            continue;
        double took = (double)atomic_load_explicit(&r->took_ns, memory_order_relaxed) / 1e9;
        add(&t, "eddyd_http_request_seconds_sum{route=\"%s\"} %.9f\n", route_at(i)->pattern, took);
        add(&t, "eddyd_http_request_seconds_count{route=\"%s\"} %" PRIu64 "\n",
            route_at(i)->pattern, count);
    }
    return t.needed;
}
