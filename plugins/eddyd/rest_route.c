/* SPDX-License-Identifier: MIT */
/* rest_route.c - the table of what can be requested, and the small things that are. */
#include "rest_route.h"

#include <stdlib.h>
#include <string.h>

#include "rest_openapi.h"

#define SILENT_MS 10000 /* without a turn of the scoring loop we are not healthy */

/* ---- the small things ---- */

static void serve_metrics(const struct service *s, const struct request *q, struct answer *a)
{
    (void)q;
    size_t own = telemetry_text(s->telemetry, NULL, 0) + 4096; /* it may grow meanwhile */
    size_t rest = rest_stats_text(s->stats, NULL, 0) + 4096;
    int needed = eddy_engine_metrics_text(s->engine, NULL, 0);
    size_t engine = (needed > 0 ? (size_t)needed : 0) + 4096;
    char *text = malloc(engine + own + rest);
    if (text == NULL) {
        answer_error(a, STATUS_FAILED, "out of memory");
        return;
    }
    int used = eddy_engine_metrics_text(s->engine, text, engine);
    size_t at = used < 0 || (size_t)used >= engine ? SIZE_MAX : (size_t)used;
    size_t more = at != SIZE_MAX ? telemetry_text(s->telemetry, text + at, own) : 0;
    size_t last =
        at != SIZE_MAX && more < own ? rest_stats_text(s->stats, text + at + more, rest) : 0;
    if (at == SIZE_MAX || more >= own || last >= rest) {
        free(text);
        answer_error(a, STATUS_BUSY, "try again");
        return;
    }
    *a = (struct answer){.status = STATUS_OK,
                         .type = "text/plain; version=0.0.4; charset=utf-8",
                         .text = text,
                         .length = at + more + last};
}

static void serve_healthz(const struct service *s, const struct request *q, struct answer *a)
{
    (void)q;
    if (telemetry_silent_ms(s->telemetry) < SILENT_MS)
        answer_line(a, STATUS_OK, "ok");
    else
        answer_line(a, STATUS_BUSY, "the scoring loop is stuck");
}

static void serve_readyz(const struct service *s, const struct request *q, struct answer *a)
{
    (void)q;
    if (telemetry_is_ready(s->telemetry))
        answer_line(a, STATUS_OK, "ready");
    else
        answer_line(a, STATUS_BUSY, "not ready");
}

static void serve_openapi(const struct service *s, const struct request *q, struct answer *a)
{
    (void)s;
    (void)q;
    char *text = malloc(openapi_length + 1);
    if (text == NULL) {
        answer_error(a, STATUS_FAILED, "out of memory");
        return;
    }
    memcpy(text, openapi_text, openapi_length);
    *a = (struct answer){
        .status = STATUS_OK, .type = "application/yaml", .text = text, .length = openapi_length};
}

/* ---- the table ---- */

#define MODEL   "/v2/models/{name}"
#define VERSION MODEL "/versions/{version}"

static const struct route routes[] = {
    {"/metrics", 0, serve_metrics},
    {"/healthz", ROUTE_OPEN, serve_healthz},
    {"/readyz", ROUTE_OPEN, serve_readyz},
    {"/openapi.yaml", 0, serve_openapi},
    {"/v1/score", ROUTE_POST | ROUTE_TURN | ROUTE_LINES, serve_score},
    {"/v1/models", 0, serve_models},
    {"/v1/models/{name}/load", ROUTE_POST, serve_model_load},
    {"/v1/models/{name}/unload", ROUTE_POST, serve_model_unload},
    {"/v2", 0, serve_v2},
    {"/v2/health/live", ROUTE_OPEN, serve_v2_live},
    {"/v2/health/ready", ROUTE_OPEN, serve_v2_ready},
    {MODEL, 0, serve_v2_model},
    {VERSION, 0, serve_v2_model},
    {MODEL "/ready", 0, serve_v2_model_ready},
    {VERSION "/ready", 0, serve_v2_model_ready},
    {MODEL "/infer", ROUTE_POST | ROUTE_TURN | ROUTE_TENSORS, serve_infer},
    {VERSION "/infer", ROUTE_POST | ROUTE_TURN | ROUTE_TENSORS, serve_infer},
    {"/v2/repository/index", ROUTE_POST, serve_v2_index},
    {"/v2/repository/models/{name}/load", ROUTE_POST, serve_v2_load},
    {"/v2/repository/models/{name}/unload", ROUTE_POST, serve_v2_unload},
    {"other", 0, NULL}, /* all else */
};

enum { ROUTES = sizeof routes / sizeof *routes };

size_t route_count(void)
{
    return ROUTES;
}

const struct route *route_at(size_t i)
{
    return &routes[i];
}

size_t route_index(const struct route *route)
{
    return (size_t)(route - routes);
}

/* ---- finding ---- */

/* Names are what may be a part of a file's name, and never lead elsewhere. */
static bool take_name(const char *text, size_t length, char out[NAME_MAX_BYTES + 1])
{
    static const char may[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (length == 0 || length > NAME_MAX_BYTES || text[0] == '.')
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return strspn(out, may) == length;
}

static bool matches(const char *pattern, const char *path, struct request *q)
{
    while (*pattern == '/' && *path == '/') {
        size_t wanted = strcspn(++pattern, "/");
        size_t length = strcspn(++path, "/");
        if (*pattern == '{') {
            if (!take_name(path, length, pattern[1] == 'n' ? q->name : q->version))
                return false;
        } else if (length != wanted || memcmp(pattern, path, length) != 0) {
            return false;
        }
        pattern += wanted;
        path += length;
    }
    return *pattern == '\0' && *path == '\0';
}

static bool has_method(const struct route *route, const char *method)
{
    if ((route->flags & ROUTE_POST) != 0)
        return strcmp(method, "POST") == 0;
    return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

const struct route *route_find(const char *method, const char *path, struct request *q,
                               const char **allow)
{
    *allow = NULL;
    for (size_t i = 0; i + 1 < ROUTES; i++) {
        const struct route *route = &routes[i];
        q->name[0] = q->version[0] = '\0';
        if (!matches(route->pattern, path, q))
            continue;
        if (has_method(route, method))
            return route;
        *allow = (route->flags & ROUTE_POST) != 0 ? "POST" : "GET, HEAD";
        return route; /* a path has one method */
    }
    return &routes[ROUTES - 1];
}
