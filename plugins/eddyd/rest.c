/* SPDX-License-Identifier: MIT */
/* rest.c - /metrics, /healthz and /readyz over HTTP; the only file that includes microhttpd.h. */
#include "rest.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say.h"
#include "sockets.h"

#define CONNECTIONS_MAX 32
#define TIMEOUT_S       10
#define MEMORY_MAX      (32 * 1024) /* of a connection: longer headers get 431 */
#define SILENT_MS       10000       /* without a turn of the scoring loop we are not healthy */

struct rest {
    struct MHD_Daemon *daemon;
    eddy_engine *engine;
    struct telemetry *telemetry;
};

static enum MHD_Result answer(struct MHD_Connection *to, unsigned status, const char *type,
                              char *text, size_t length, enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(length, text, mode);
    if (response == NULL) {
        if (mode == MHD_RESPMEM_MUST_FREE)
            free(text);
        return MHD_NO;
    }
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    enum MHD_Result result = MHD_queue_response(to, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result say_plainly(struct MHD_Connection *to, unsigned status, const char *line)
{
    char text[128];
    int length = snprintf(text, sizeof text, "%s\n", line);
    return answer(to, status, "text/plain; charset=utf-8", text, (size_t)length,
                  MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result answer_metrics(struct rest *r, struct MHD_Connection *to)
{
    size_t own = telemetry_text(r->telemetry, NULL, 0) + 4096; /* it may grow meanwhile */
    int needed = eddy_engine_metrics_text(r->engine, NULL, 0);
    size_t size = own + (needed > 0 ? (size_t)needed : 0) + 4096;
    char *text = malloc(size);
    if (text == NULL)
        return say_plainly(to, MHD_HTTP_INTERNAL_SERVER_ERROR, "out of memory");
    int used = eddy_engine_metrics_text(r->engine, text, size - own);
    if (used < 0 || (size_t)used >= size - own) {
        free(text);
        return say_plainly(to, MHD_HTTP_SERVICE_UNAVAILABLE, "try again");
    }
    size_t more = telemetry_text(r->telemetry, text + used, own);
    if (more >= own) {
        free(text);
        return say_plainly(to, MHD_HTTP_SERVICE_UNAVAILABLE, "try again");
    }
    return answer(to, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text,
                  (size_t)used + more, MHD_RESPMEM_MUST_FREE);
}

static enum MHD_Result serve(void *user, struct MHD_Connection *to, const char *url,
                             const char *method, const char *version, const char *body,
                             size_t *body_length, void **request)
{
    struct rest *r = user;
    (void)version;
    (void)body;
    (void)body_length;
    (void)request;
    /* Answered at the first call, before a body is read: with one, the connection is closed. */
    if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
        return say_plainly(to, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
    if (strcmp(url, "/metrics") == 0)
        return answer_metrics(r, to);
    if (strcmp(url, "/healthz") == 0)
        return telemetry_silent_ms(r->telemetry) < SILENT_MS
                   ? say_plainly(to, MHD_HTTP_OK, "ok")
                   : say_plainly(to, MHD_HTTP_SERVICE_UNAVAILABLE, "the scoring loop is stuck");
    if (strcmp(url, "/readyz") == 0)
        return telemetry_is_ready(r->telemetry)
                   ? say_plainly(to, MHD_HTTP_OK, "ready")
                   : say_plainly(to, MHD_HTTP_SERVICE_UNAVAILABLE, "not ready");
    return say_plainly(to, MHD_HTTP_NOT_FOUND, "there are /metrics, /healthz and /readyz");
}

/* libmicrohttpd's own complaints (a peer hung up and the like) are of no use to anybody. */
static void ignore(void *user, const char *format, va_list arguments)
{
    (void)user;
    (void)format;
    (void)arguments;
}

int rest_open(const char *where, eddy_engine *engine, struct telemetry *telemetry,
              struct rest **out, eddy_error *err)
{
    struct socket_at at;
    int status = socket_parse_host(where, &at, err);
    if (status < 0)
        return status;
    struct rest *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    r->engine = engine;
    r->telemetry = telemetry;
    int fd = socket_listen(&at, err);
    if (fd < 0) {
        free(r);
        return fd;
    }
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG;
    r->daemon = MHD_start_daemon(flags, 0, NULL, NULL, serve, r, MHD_OPTION_EXTERNAL_LOGGER, ignore,
                                 NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
                                 (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
                                 (unsigned)TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
                                 (size_t)MEMORY_MAX, MHD_OPTION_END);
    if (r->daemon == NULL) {
        free(r); /* the socket is closed by libmicrohttpd, also on failure */
        return fault(err, EDDY_EIO, "%s: can't serve HTTP", where);
    }
    *out = r;
    return EDDY_OK;
}

void rest_close(struct rest *r)
{
    if (r == NULL)
        return;
    MHD_stop_daemon(r->daemon);
    free(r);
}
