/* SPDX-License-Identifier: MIT */
/* rest.c - the HTTP server: connections, requests as they come in, answers as they go out; the only
 * file that includes microhttpd.h. What is answered is in the files of the routes.
 *
 * Each connection has a thread, so that one that waits or works delays no other. How much is worked
 * on at a time is limited by turns (rest_turns.h), how long a client may take by rest_watch.h. */
#include "rest.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "rest_body.h"
#include "rest_head.h"
#include "rest_models.h"
#include "rest_route.h"
#include "rest_stats.h"
#include "rest_turns.h"
#include "rest_watch.h"
#include "sockets.h"

#define MEMORY_MAX (32 * 1024) /* of a connection: longer headers get 431 */
#define WAIT_MS    5

struct rest {
    struct rest_conf conf; /* never changes: threads read it */
    struct service service;
    struct MHD_Daemon *daemon;
    struct watch *watch;
    struct turns *turns;
    struct body_budget budget;
    atomic_bool refusing; /* written once by the scoring thread; nothing hangs on the order */
    pthread_rwlock_t token_lock;
    struct token token;
    char *cert, *key;
    bool is_unix;
    struct socket_file file; /* of the Unix socket, to remove no other */
    /* Requests between their headers and the end of their answers; only for waiting at the end. */
    atomic_uint under_way;
};

/* From the headers to the end of the answer. */
struct exchange {
    struct request request;
    struct answer answer; /* with a status: it is to be answered so, whatever the body is */
    struct body body;
    int64_t begun_ns;
};

/* ---- before the body is read ---- */

static void check_head(struct rest *r, const struct head *h, struct exchange *x)
{
    (void)pthread_rwlock_rdlock(&r->token_lock);
    struct head_rules rules = {
        .token = &r->token, .max_body = r->conf.max_body, .refusing = atomic_load(&r->refusing)};
    head_check(h, &rules, &x->request, &x->answer);
    (void)pthread_rwlock_unlock(&r->token_lock);
    if (x->answer.status != 0)
        body_refuse(&x->body);
}

static struct head read_head(struct MHD_Connection *from, const char *method, const char *path)
{
    struct head h = {.method = method, .path = path};
    const struct {
        const char *name;
        const char **value;
    } all[] = {{MHD_HTTP_HEADER_AUTHORIZATION, &h.authorization},
               {"Origin", &h.origin},
               {MHD_HTTP_HEADER_EXPECT, &h.expect},
               {MHD_HTTP_HEADER_CONTENT_TYPE, &h.content_type},
               {MHD_HTTP_HEADER_CONTENT_ENCODING, &h.content_encoding},
               {MHD_HTTP_HEADER_CONTENT_LENGTH, &h.content_length},
               {MHD_HTTP_HEADER_TRANSFER_ENCODING, &h.transfer_encoding},
               {"Inference-Header-Content-Length", &h.json_length}};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        *all[i].value = MHD_lookup_connection_value(from, MHD_HEADER_KIND, all[i].name);
    return h;
}

/* ---- the answer ---- */

static enum MHD_Result send_answer(struct rest *r, struct MHD_Connection *to, struct exchange *x)
{
    struct answer *a = &x->answer;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(a->length, a->text, MHD_RESPMEM_MUST_FREE);
    if (response == NULL)
        return MHD_NO;
    a->text = NULL; /* the response's now */
    char length[24];
    (void)snprintf(length, sizeof length, "%zu", a->json_length);
    const char *headers[][2] = {
        {MHD_HTTP_HEADER_CONTENT_TYPE, a->type},
        {MHD_HTTP_HEADER_CACHE_CONTROL, "no-store"},
        {"X-Content-Type-Options", "nosniff"},
        {MHD_HTTP_HEADER_ALLOW, a->allow},
        {"Inference-Header-Content-Length", a->json_length > 0 ? length : NULL},
        {MHD_HTTP_HEADER_WWW_AUTHENTICATE,
         a->status == STATUS_UNAUTHORIZED ? "Bearer realm=\"eddy\"" : NULL},
        {MHD_HTTP_HEADER_RETRY_AFTER, a->status == STATUS_BUSY ? "1" : NULL},
        {MHD_HTTP_HEADER_CONNECTION, atomic_load(&r->refusing) ? "close" : NULL}};
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        if (headers[i][1] != NULL)
            (void)MHD_add_response_header(response, headers[i][0], headers[i][1]);
    enum MHD_Result result = MHD_queue_response(to, a->status, response);
    MHD_destroy_response(response);
    return result;
}

static void work(struct rest *r, struct exchange *x)
{
    struct request *q = &x->request;
    bool turn = (x->request.route->flags & ROUTE_TURN) != 0;
    q->body = x->body.text != NULL ? x->body.text : "";
    q->length = x->body.used;
    if (q->json_length == SIZE_MAX)
        q->json_length = q->length;
    q->deadline_ms = clock_ms() + r->conf.timeout_ms;
    if (turn && !turns_take(r->turns, q->deadline_ms)) {
        answer_error(&x->answer, STATUS_BUSY, "too many requests at a time (rest.parallel)");
        return;
    }
    x->request.route->serve(&r->service, q, &x->answer);
    if (turn)
        turns_give(r->turns);
}

/* ---- what libmicrohttpd calls, on the connection's thread ---- */

static struct watched *watched_of(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info != NULL ? info->socket_context : NULL;
}

static void give_time(struct rest *r, struct MHD_Connection *connection)
{
    watch_until(r->watch, watched_of(connection), clock_ms() + r->conf.timeout_ms);
}

/* The headers are there. What is answered here, with a body unread, closes the connection. */
static enum MHD_Result begin(struct rest *r, struct MHD_Connection *from, const char *method,
                             const char *path, void **request)
{
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL)
        return MHD_NO;
    *request = x;
    atomic_fetch_add(&r->under_way, 1);
    x->begun_ns = clock_ns();
    struct head head = read_head(from, method, path);
    body_init(&x->body, r->conf.max_body, &r->budget);
    check_head(r, &head, x);
    give_time(r, from);
    bool go_on = x->answer.status == 0 || head_is_short(&head, r->conf.max_body);
    return go_on ? MHD_YES : send_answer(r, from, x);
}

/* The body is there, or as much of it as there is room for. */
static enum MHD_Result finish(struct rest *r, struct MHD_Connection *to, struct exchange *x)
{
    if (x->body.fault == BODY_TOO_LONG)
        answer_error(&x->answer, STATUS_TOO_LARGE, "more than the %zu bytes of rest.max_body",
                     r->conf.max_body);
    else if (x->body.fault == BODY_NO_ROOM)
        answer_error(&x->answer, STATUS_BUSY, "too many long requests at a time");
    watch_until(r->watch, watched_of(to), WATCH_NEVER); /* work has its own deadline */
    if (x->answer.status == 0)
        work(r, x);
    body_done(&x->body);
    give_time(r, to);
    return send_answer(r, to, x);
}

static enum MHD_Result serve(void *user, struct MHD_Connection *connection, const char *path,
                             const char *method, const char *version, const char *body,
                             size_t *body_length, void **request)
{
    struct rest *r = user;
    struct exchange *x = *request;
    (void)version;
    if (x == NULL)
        return begin(r, connection, method, path, request);
    if (*body_length == 0)
        return finish(r, connection, x);
    bool going_on = body_add(&x->body, body, *body_length);
    *body_length = 0;
    return going_on ? MHD_YES : MHD_NO;
}

static void completed(void *user, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    struct rest *r = user;
    struct exchange *x = *request;
    give_time(r, connection); /* for the next one */
    if (x == NULL)
        return;
    bool answered = code == MHD_REQUEST_TERMINATED_COMPLETED_OK;
    rest_stats_add(r->service.stats, route_index(x->request.route), answered ? x->answer.status : 0,
                   clock_ns() - x->begun_ns);
    body_done(&x->body);
    answer_done(&x->answer);
    free(x);
    *request = NULL;
    atomic_fetch_sub(&r->under_way, 1);
}

static void connected(void *user, struct MHD_Connection *connection, void **context,
                      enum MHD_ConnectionNotificationCode code)
{
    struct rest *r = user;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        watch_remove(r->watch, *context);
        return;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info != NULL)
        *context = watch_add(r->watch, info->connect_fd, clock_ms() + r->conf.timeout_ms);
}

/* libmicrohttpd's own complaints (a peer hung up and the like) are of no use to anybody. */
static void ignore(void *user, const char *format, va_list arguments)
{
    (void)user;
    (void)format;
    (void)arguments;
}

/* ---- start and end ---- */

static int start_daemon(struct rest *r, int fd, eddy_error *err)
{
    const struct rest_conf *c = r->service.conf;
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_POLL | MHD_USE_ITC | MHD_USE_ERROR_LOG |
                     (r->cert != NULL ? MHD_USE_TLS : 0);
    /* The time that a client may do nothing; rest_watch.h has the time for all it does. */
    unsigned idle_s = (unsigned)((c->timeout_ms + 999) / 1000);
    static char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, r->cert},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, r->key},
                                   {MHD_OPTION_HTTPS_PRIORITIES, 0, priorities},
                                   {MHD_OPTION_END, 0, NULL}};
    if (r->cert == NULL)
        tls[0].option = MHD_OPTION_END;
    r->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, serve, r, MHD_OPTION_EXTERNAL_LOGGER, ignore, NULL,
        MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, c->connections,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY_MAX, MHD_OPTION_NOTIFY_COMPLETED, completed, r, MHD_OPTION_NOTIFY_CONNECTION,
        connected, r, MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (r->daemon != NULL) /* the socket is closed by libmicrohttpd, also on failure */
        return EDDY_OK;
    return fault(err, EDDY_EIO, "%s: can't serve HTTP%s", c->http,
                 r->cert != NULL ? "S: are rest.tls_cert and rest.tls_key in PEM, and a pair?"
                                 : "");
}

static int open_socket(struct rest *r, eddy_error *err)
{
    struct socket_at at;
    bool local;
    int status = rest_conf_where(r->service.conf, &at, &local, err);
    if (status < 0)
        return status;
    int fd = socket_listen(&at, err);
    if (fd < 0)
        return fd;
    r->is_unix = at.kind != SOCKET_TCP && socket_file_of(&at, &r->file) == 0;
    if (!local && r->cert == NULL)
        say(r->service.say, LOG_WARNING,
            "%s: tokens and flows go over the network in clear: set rest.tls_cert", r->conf.http);
    return fd;
}

static int read_files(struct rest *r, eddy_error *err)
{
    const struct rest_conf *c = r->service.conf;
    if (*c->token_file != '\0') {
        int status = token_read(c->token_file, r->service.say, &r->token, err);
        if (status < 0)
            return status;
    }
    if (*c->tls_cert == '\0')
        return EDDY_OK;
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return fault(err, EDDY_ECONFIG, "rest.tls_cert: this libmicrohttpd has no TLS");
    r->cert = rest_conf_file(c->tls_cert, err);
    r->key = r->cert != NULL ? rest_conf_file(c->tls_key, err) : NULL;
    return r->key != NULL ? EDDY_OK : EDDY_EIO;
}

static int prepare(struct rest *r, eddy_error *err)
{
    const struct rest_conf *c = r->service.conf;
    atomic_init(&r->budget.left, 4 * c->max_body); /* of all requests together */
    r->service.stats = rest_stats_new();
    if (r->service.stats == NULL || pthread_rwlock_init(&r->token_lock, NULL) != 0)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = read_files(r, err);
    if (status == EDDY_OK)
        status = models_new(c->models, r->service.say, &r->service.models, err);
    if (status == EDDY_OK)
        status = turns_new(c->parallel, &r->turns, err);
    if (status == EDDY_OK)
        status = watch_new(&r->watch, err);
    return status;
}

int rest_open(const struct rest_conf *conf, eddy_engine *engine, struct telemetry *telemetry,
              const struct say *to, struct rest **out, eddy_error *err)
{
    struct rest *r = calloc(1, sizeof *r);
    if (r == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    r->service =
        (struct service){.engine = engine, .telemetry = telemetry, .conf = &r->conf, .say = to};
    int status = rest_conf_copy(conf, &r->conf, err);
    if (status == EDDY_OK)
        status = prepare(r, err);
    if (status == EDDY_OK)
        status = open_socket(r, err);
    if (status >= 0)
        status = start_daemon(r, status, err);
    if (status < 0) {
        rest_close(r);
        return status;
    }
    *out = r;
    return EDDY_OK;
}

void rest_reload(struct rest *r, const struct rest_conf *conf)
{
    struct token token = {.length = 0};
    eddy_error err;
    if (r == NULL)
        return;
    if (*conf->token_file != '\0' &&
        token_read(conf->token_file, r->service.say, &token, &err) < 0) {
        say(r->service.say, LOG_ERR, "rest.token_file: %s; the old token stays", err.message);
        return;
    }
    (void)pthread_rwlock_wrlock(&r->token_lock);
    r->token = token;
    (void)pthread_rwlock_unlock(&r->token_lock);
}

void rest_refuse(struct rest *r)
{
    if (r != NULL)
        atomic_store(&r->refusing, true);
}

/* Nobody can come any more; those who are there are waited for, but not longer than a request may
 * take. */
static void stop_daemon(struct rest *r)
{
    if (r->daemon == NULL)
        return;
    rest_refuse(r);
    int fd = MHD_quiesce_daemon(r->daemon);
    int64_t end = clock_ms() + r->conf.timeout_ms;
    struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    while (atomic_load(&r->under_way) > 0 && clock_ms() < end)
        (void)nanosleep(&pause, NULL); /* shorter is fine, too */
    MHD_stop_daemon(r->daemon);        /* ends connections, waits for their threads */
    if (fd >= 0)
        (void)close(fd); /* nothing to write */
}

static void remove_socket(const struct rest *r)
{
    struct socket_at at;
    bool local;
    if (r->is_unix && rest_conf_where(r->service.conf, &at, &local, NULL) == EDDY_OK)
        socket_remove(&at, &r->file);
}

void rest_close(struct rest *r)
{
    if (r == NULL)
        return;
    stop_daemon(r);
    remove_socket(r);
    watch_free(r->watch);
    turns_free(r->turns);
    models_free(r->service.models);
    rest_stats_free(r->service.stats);
    (void)pthread_rwlock_destroy(&r->token_lock);
    rest_conf_done(&r->conf);
    free(r->cert);
    free(r->key);
    free(r);
}
