/* SPDX-License-Identifier: MIT */
/* listen.h - takes records from Unix and TCP sockets; each connection is a stream of its own. */
#pragma once

#include <poll.h>
#include <stddef.h>
#include <stdint.h>

#include "eddy.h"
#include "say.h"

#define LISTEN_CLIENTS_MAX  64            /* connections of one listener */
#define LISTEN_DATAGRAM_MAX (1024 * 1024) /* bytes; longer ones are cut, and told once a minute */
#define LISTEN_FDS_MAX      (LISTEN_CLIENTS_MAX + 1)

struct listener;

struct listen_stats {
    size_t connections; /* open now */
    uint64_t accepted;  /* ever */
    uint64_t bytes;     /* fed */
    uint64_t cut;       /* datagrams longer than LISTEN_DATAGRAM_MAX */
};

struct listen_options {
    const char *spec;   /* as in socket_parse() */
    const char *name;   /* of its streams in metrics; NULL: `spec` */
    const char *format; /* as in eddy_worker_new(); NULL: detected */
    const struct say *say;
    const struct listener *before; /* is open on this place and will give it up; or NULL */
};

/* A datagram is a record (or several lines), a connection is a stream of lines; what a connection
 * leaves unfinished when it ends counts as its last record. `engine` is kept. */
int listener_open(eddy_engine *engine, const struct listen_options *options, struct listener **out,
                  eddy_error *err);

/* For one that was opened with `before`, as soon as it is certain that it will be used: `before`
 * gives it its socket file and its connections, and is to be closed. Connections keep the name and
 * the format they began with. */
void listener_inherit(struct listener *l, struct listener *before);

/* Ends all streams, closes, removes the socket file if it is still ours. */
void listener_close(struct listener *l);

/* Writes what to wait for to `fds` (room for LISTEN_FDS_MAX). Returns their number. */
size_t listener_poll(const struct listener *l, struct pollfd *fds);

/* After poll() over exactly these `fds`: accepts, reads at most one piece (256 KiB) from each
 * connection, feeds. Returns the bytes taken. */
size_t listener_turn(struct listener *l, const struct pollfd *fds, size_t count);

void listener_stats(const struct listener *l, struct listen_stats *out);
