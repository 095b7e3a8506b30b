/* SPDX-License-Identifier: MIT */
/* listen.c - takes records from Unix and TCP sockets; each connection is a stream of its own. */
#define _GNU_SOURCE /* accept4() */
#include "listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "sockets.h"

#define PIECE            (256 * 1024)
#define DATAGRAMS_A_TURN 256 /* then other inputs have theirs */

struct client {
    int fd; /* -1: free; its worker waits for the next connection */
    eddy_worker *worker;
    int refused; /* the worker said EDDY_EINPUT: told once */
    bool former; /* the worker is one of the listener before this */
};

struct listener {
    eddy_engine *engine;
    struct say log;
    char *spec, *name, *format; /* `format` may be NULL */
    struct socket_at at;
    struct socket_file file;
    int fd;
    struct client clients[LISTEN_CLIENTS_MAX]; /* of a datagram socket: only the first */
    struct listen_stats stats;
    time_t told; /* about trouble, at most once a minute */
    char *buffer;
    size_t buffer_size;
};

static void tell(struct listener *l, const char *what)
{
    time_t now = time(NULL);
    if (l->told != 0 && now - l->told < 60)
        return;
    l->told = now;
    say(&l->log, LOG_WARNING, "%s: %s", l->spec, what);
}

static size_t feed(struct listener *l, struct client *c, const void *bytes, size_t length)
{
    int status = eddy_worker_feed(c->worker, bytes, length);
    if (status < 0 && !c->refused) {
        c->refused = 1;
        say(&l->log, LOG_ERR, "%s: %s", l->spec, eddy_strerror(status));
    }
    l->stats.bytes += length;
    return length;
}

static void hang_up(struct listener *l, struct client *c)
{
    (void)eddy_worker_end(c->worker); /* what was begun is a record */
    (void)close(c->fd);               /* read only */
    c->fd = -1;
    c->refused = 0;
    l->stats.connections--;
    if (c->former) {
        eddy_worker_free(c->worker);
        *c = (struct client){.fd = -1};
    }
}

/* A free place with a worker; workers are kept for later connections. NULL: none. */
static struct client *free_client(struct listener *l)
{
    for (size_t i = 0; i < LISTEN_CLIENTS_MAX; i++) {
        struct client *c = &l->clients[i];
        eddy_error err;
        if (c->fd >= 0)
            continue;
        if (c->worker == NULL &&
            eddy_worker_new(l->engine, l->name, l->format, &c->worker, &err) < 0) {
            tell(l, err.message);
            return NULL;
        }
        return c;
    }
    return NULL;
}

static void accept_clients(struct listener *l)
{
    struct client *c;
    while (l->stats.connections < LISTEN_CLIENTS_MAX && (c = free_client(l)) != NULL) {
        /* Hosts fork and execute: no moment without the flag. Reads are MSG_DONTWAIT. */
        int fd = accept4(l->fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR && errno != ECONNABORTED)
                tell(l, strerror(errno)); /* EMFILE and the like: the others go on */
            return;
        }
        c->fd = fd;
        l->stats.connections++;
        l->stats.accepted++;
    }
    if (l->stats.connections == LISTEN_CLIENTS_MAX)
        tell(l, "has as many connections as it takes, further ones wait");
}

static size_t read_client(struct listener *l, struct client *c)
{
    ssize_t got = recv(c->fd, l->buffer, l->buffer_size, MSG_DONTWAIT);
    if (got > 0)
        return feed(l, c, l->buffer, (size_t)got);
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        hang_up(l, c);
    return 0;
}

static size_t read_datagrams(struct listener *l)
{
    size_t total = 0;
    for (int i = 0; i < DATAGRAMS_A_TURN; i++) {
        struct iovec piece = {.iov_base = l->buffer, .iov_len = l->buffer_size};
        struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
        ssize_t got = recvmsg(l->fd, &message, MSG_DONTWAIT);
        if (got < 0)
            break;
        if (got == 0)
            continue;
        size_t length = (size_t)got;
        if ((message.msg_flags & MSG_TRUNC) != 0) {
            l->stats.cut++;
            tell(l, "a datagram longer than 1 MiB was cut");
        }
        total += feed(l, &l->clients[0], l->buffer, length);
        if (l->buffer[length - 1] != '\n')
            (void)feed(l, &l->clients[0], "\n", 1);
    }
    return total;
}

/* Copies of the texts; false when out of memory. */
static bool keep(struct listener *l, const struct listen_options *options)
{
    l->log = options->say != NULL ? *options->say : (struct say){0};
    l->spec = strdup(options->spec);
    l->name = strdup(options->name != NULL ? options->name : options->spec);
    l->format = options->format != NULL ? strdup(options->format) : NULL;
    return l->spec != NULL && l->name != NULL && (l->format != NULL) == (options->format != NULL);
}

static int same_socket(const struct listener *l, eddy_error *err)
{
    int fd = fcntl(l->fd, F_DUPFD_CLOEXEC, 0);
    return fd >= 0 ? fd : fault(err, EDDY_EIO, "%s: %s", l->spec, strerror(errno));
}

int listener_open(eddy_engine *engine, const struct listen_options *options, struct listener **out,
                  eddy_error *err)
{
    struct listener *l = calloc(1, sizeof *l);
    if (l == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status;
    l->engine = engine;
    l->fd = -1;
    for (size_t i = 0; i < LISTEN_CLIENTS_MAX; i++)
        l->clients[i].fd = -1;
    if (!keep(l, options)) {
        status = fault(err, EDDY_ENOMEM, "out of memory");
        goto fail;
    }
    status = socket_parse(l->spec, &l->at, err);
    if (status < 0)
        goto fail;
    l->buffer_size = l->at.kind == SOCKET_UNIX_DGRAM ? LISTEN_DATAGRAM_MAX : PIECE;
    l->buffer = malloc(l->buffer_size);
    if (l->buffer == NULL) {
        status = fault(err, EDDY_ENOMEM, "out of memory");
        goto fail;
    }
    if (l->at.kind == SOCKET_UNIX_DGRAM) {
        status = eddy_worker_new(engine, l->name, l->format, &l->clients[0].worker, err);
        if (status < 0)
            goto fail;
    }
    status =
        options->before != NULL ? same_socket(options->before, err) : socket_listen(&l->at, err);
    if (status < 0)
        goto fail;
    l->fd = status;
    if (options->before == NULL)
        (void)socket_file_of(&l->at, &l->file); /* TCP has none */
    *out = l;
    return EDDY_OK;

fail:
    listener_close(l);
    return status;
}

void listener_inherit(struct listener *l, struct listener *before)
{
    for (size_t i = 0; i < LISTEN_CLIENTS_MAX; i++)
        if (before->clients[i].fd >= 0) {
            l->clients[i] = before->clients[i];
            l->clients[i].former = true;
            before->clients[i] = (struct client){.fd = -1};
        }
    l->stats.connections = before->stats.connections;
    l->file = before->file;
    before->file = (struct socket_file){0}; /* no file has these numbers: closing removes none */
}

void listener_close(struct listener *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < LISTEN_CLIENTS_MAX; i++) {
        if (l->clients[i].fd >= 0)
            hang_up(l, &l->clients[i]);
        eddy_worker_free(l->clients[i].worker);
    }
    if (l->fd >= 0) {
        socket_remove(&l->at, &l->file);
        (void)close(l->fd); /* no data of ours in it */
    }
    free(l->spec);
    free(l->name);
    free(l->format);
    free(l->buffer);
    free(l);
}

size_t listener_poll(const struct listener *l, struct pollfd *fds)
{
    size_t n = 0;
    /* A full house stops asking: what waits, waits in the kernel's queue. */
    int full = l->stats.connections == LISTEN_CLIENTS_MAX;
    fds[n++] = (struct pollfd){.fd = full ? -1 : l->fd, .events = POLLIN};
    for (size_t i = 0; i < LISTEN_CLIENTS_MAX; i++)
        if (l->clients[i].fd >= 0)
            fds[n++] = (struct pollfd){.fd = l->clients[i].fd, .events = POLLIN};
    return n;
}

size_t listener_turn(struct listener *l, const struct pollfd *fds, size_t count)
{
    size_t total = 0;
    if (l->at.kind == SOCKET_UNIX_DGRAM)
        return fds[0].revents != 0 ? read_datagrams(l) : 0;
    for (size_t i = 0; i < LISTEN_CLIENTS_MAX; i++)
        for (size_t k = 1; k < count; k++)
            if (l->clients[i].fd >= 0 && fds[k].fd == l->clients[i].fd && fds[k].revents != 0) {
                total += read_client(l, &l->clients[i]);
                break;
            }
    if (count > 0 && fds[0].revents != 0)
        accept_clients(l);
    return total;
}

void listener_stats(const struct listener *l, struct listen_stats *out)
{
    *out = l->stats;
}
