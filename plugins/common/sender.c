/* SPDX-License-Identifier: MIT */
/* sender.c - hands the records of a ring to another process's datagram socket. */
#include "sender.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "listen.h"
#include "sockets.h"

#define BATCH     ((size_t)64 * 1024) /* of records that share a datagram */
#define BATCHES   64                  /* then the caller looks at its clock */
#define SEND_ROOM (2 * LISTEN_DATAGRAM_MAX)
#define TOLD_S    60 /* a line about a socket that is gone at most so often */

struct sender {
    struct say log;
    char *spec;
    struct socket_at at;
    int fd;      /* -1: not connected */
    bool gone;   /* it was told that nobody listens */
    time_t told; /* when */
    struct sender_counts counts;
    char *batch; /* LISTEN_DATAGRAM_MAX bytes */
    size_t used, records;
};

int sender_new(const char *spec, const struct say *say, struct sender **out, eddy_error *err)
{
    struct sender *s = calloc(1, sizeof *s);
    if (s == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    s->log = say != NULL ? *say : (struct say){0};
    s->fd = -1;
    s->spec = strdup(spec);
    s->batch = malloc(LISTEN_DATAGRAM_MAX);
    int status = s->spec == NULL || s->batch == NULL ? fault(err, EDDY_ENOMEM, "out of memory")
                                                     : socket_parse(s->spec, &s->at, err);
    if (status == EDDY_OK && s->at.kind != SOCKET_UNIX_DGRAM)
        status = fault(err, EDDY_ECONFIG, "'%s': not unix_dgram:PATH", spec);
    if (status < 0)
        sender_free(s);
    else
        *out = s;
    return status;
}

void sender_free(struct sender *s)
{
    if (s == NULL)
        return;
    if (s->fd >= 0)
        (void)close(s->fd); /* what was sent is the receiver's */
    free(s->spec);
    free(s->batch);
    free(s);
}

/* The socket is gone: closes ours, and says so unless it did a minute ago. */
static void lose(struct sender *s, int error)
{
    time_t now = time(NULL);
    if (s->fd >= 0)
        (void)close(s->fd); /* nobody reads it any more */
    s->fd = -1;
    if (s->gone || (s->told != 0 && now - s->told < TOLD_S))
        return;
    s->gone = true;
    s->told = now;
    say(&s->log, LOG_WARNING, "%s: %s; records wait until somebody listens", s->spec,
        strerror(error));
}

static bool connected(struct sender *s)
{
    if (s->fd >= 0)
        return true;
    int room = SEND_ROOM;
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (s->fd < 0 || connect(s->fd, (const struct sockaddr *)&s->at.address, s->at.length) != 0) {
        lose(s, errno);
        return false;
    }
    /* Best effort: the kernel gives up to net.core.wmem_max. */
    (void)setsockopt(s->fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (s->gone)
        say(&s->log, LOG_NOTICE, "%s: somebody listens again", s->spec);
    s->gone = false;
    return true;
}

static size_t fill(struct sender *s, struct ring *ring)
{
    const char *record;
    size_t length, taken = 0;
    while ((record = ring_peek(ring, &length)) != NULL) {
        if (length > LISTEN_DATAGRAM_MAX) {
            s->counts.too_long++;
        } else {
            if (s->used > 0 && s->used + length > BATCH)
                break;
            memcpy(s->batch + s->used, record, length);
            s->used += length;
            s->records++;
        }
        ring_next(ring);
        taken++;
    }
    return taken;
}

/* Sends the batch. False: it has to wait. */
static bool flush(struct sender *s, int timeout_ms)
{
    if (send(s->fd, s->batch, s->used, MSG_NOSIGNAL) >= 0) {
        s->counts.sent += s->records;
    } else if (errno == EMSGSIZE) {
        s->counts.too_long += s->records;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR) {
        struct pollfd fd = {.fd = s->fd, .events = POLLOUT};
        (void)poll(&fd, 1, timeout_ms); /* EINTR: the next turn tries again */
        return false;
    } else {
        lose(s, errno);
        return false;
    }
    s->used = 0;
    s->records = 0;
    return true;
}

size_t sender_turn(struct sender *s, struct ring *ring, int timeout_ms)
{
    size_t taken = 0;
    for (int i = 0; i < BATCHES; i++) {
        if (s->records == 0)
            taken += fill(s, ring);
        if (s->records == 0)
            break;
        if (!connected(s)) {
            (void)poll(NULL, 0, timeout_ms);
            break;
        }
        if (!flush(s, timeout_ms))
            break;
    }
    return taken;
}

size_t sender_waiting(const struct sender *s)
{
    return s->records;
}

void sender_counts(const struct sender *s, struct sender_counts *out)
{
    *out = s->counts;
}
