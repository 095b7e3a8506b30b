/* SPDX-License-Identifier: MIT */
/* sockets.h - opens listening sockets from text such as "unix_stream:/run/eddy/eve.sock". */
#pragma once

#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "eddy.h"

enum socket_kind { SOCKET_UNIX_STREAM, SOCKET_UNIX_DGRAM, SOCKET_TCP };

struct socket_at {
    enum socket_kind kind;
    struct sockaddr_storage address;
    socklen_t length;
    const char *where; /* in the text given: the path, or HOST:PORT */
};

/* Reads `unix_stream:PATH`, `unix_dgram:PATH` or `tcp:HOST:PORT` (IPv6 as [::1]:9478, a name is
 * resolved). */
int socket_parse(const char *text, struct socket_at *out, eddy_error *err);

/* HOST:PORT alone. */
int socket_parse_host(const char *text, struct socket_at *out, eddy_error *err);

/* Binds and, but for datagrams, listens; non-blocking. A Unix socket gets mode 0660; one that is
 * there already is only replaced if nobody listens on it. Returns the descriptor. */
int socket_listen(const struct socket_at *at, eddy_error *err);

/* Removes the Unix socket file if it is still the one with this inode. */
struct socket_file {
    dev_t dev;
    ino_t ino;
};
int socket_file_of(const struct socket_at *at, struct socket_file *out);
void socket_remove(const struct socket_at *at, const struct socket_file *file);
