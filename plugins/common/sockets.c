/* SPDX-License-Identifier: MIT */
/* sockets.c - opens listening sockets from text such as "unix_stream:/run/eddy/eve.sock". */
#include "sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "say.h"

#define BACKLOG       64
#define RECEIVE_BYTES (4 * 1024 * 1024) /* asked for; the kernel gives up to net.core.rmem_max */

static int parse_unix(const char *path, struct socket_at *out, eddy_error *err)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&out->address;
    size_t length = strlen(path);
    if (path[0] != '/')
        return fault(err, EDDY_ECONFIG, "'%s': a socket needs an absolute path", path);
    if (length >= sizeof un->sun_path)
        return fault(err, EDDY_ECONFIG, "'%s': longer than the %zu bytes a socket path may have",
                     path, sizeof un->sun_path - 1);
    un->sun_family = AF_UNIX;
    memcpy(un->sun_path, path, length + 1);
    out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
    out->where = path;
    return EDDY_OK;
}

int socket_parse_host(const char *text, struct socket_at *out, eddy_error *err)
{
    const char *colon = strrchr(text, ':');
    char host[256];
    size_t length = colon != NULL ? (size_t)(colon - text) : 0;
    const char *start = text;
    if (length > 2 && text[0] == '[' && text[length - 1] == ']') {
        start++;
        length -= 2;
    }
    if (colon == NULL || length == 0 || length >= sizeof host || colon[1] == '\0' ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 ||
        strtol(colon + 1, NULL, 10) > 65535)
        return fault(err, EDDY_ECONFIG, "'%s': not HOST:PORT, such as 127.0.0.1:9477 or [::1]:9477",
                     text);
    memcpy(host, start, length);
    host[length] = '\0';
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *found;
    int status = getaddrinfo(host, colon + 1, &hints, &found);
    if (status != 0)
        return fault(err, EDDY_ECONFIG, "'%s': %s", text, gai_strerror(status));
    memcpy(&out->address, found->ai_addr, found->ai_addrlen);
    out->length = found->ai_addrlen;
    out->kind = SOCKET_TCP;
    out->where = text;
    freeaddrinfo(found);
    return EDDY_OK;
}

int socket_parse(const char *text, struct socket_at *out, eddy_error *err)
{
    struct socket_at at = {0};
    int status;
    if (strncmp(text, "unix_stream:", 12) == 0) {
        at.kind = SOCKET_UNIX_STREAM;
        status = parse_unix(text + 12, &at, err);
    } else if (strncmp(text, "unix_dgram:", 11) == 0) {
        at.kind = SOCKET_UNIX_DGRAM;
        status = parse_unix(text + 11, &at, err);
    } else if (strncmp(text, "tcp:", 4) == 0) {
        status = socket_parse_host(text + 4, &at, err);
    } else {
        return fault(err, EDDY_ECONFIG,
                     "'%s': not unix_stream:PATH, unix_dgram:PATH or tcp:HOST:PORT", text);
    }
    if (status == EDDY_OK)
        *out = at;
    return status;
}

static int type_of(const struct socket_at *at)
{
    return at->kind == SOCKET_UNIX_DGRAM ? SOCK_DGRAM : SOCK_STREAM;
}

/* Removes what an eddyd that was killed left behind; refuses everything else. */
static int clear_path(const struct socket_at *at, eddy_error *err)
{
    struct stat st;
    if (lstat(at->where, &st) != 0)
        return errno == ENOENT ? EDDY_OK
                               : fault(err, EDDY_EIO, "%s: %s", at->where, strerror(errno));
    if (!S_ISSOCK(st.st_mode))
        return fault(err, EDDY_EIO, "%s: is in the way and not a socket", at->where);
    int probe = socket(AF_UNIX, type_of(at) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return fault(err, EDDY_EIO, "%s: %s", at->where, strerror(errno));
    int failed = connect(probe, (const struct sockaddr *)&at->address, at->length);
    int error = errno;
    (void)close(probe);                       /* nothing sent */
    if (failed == 0 || error != ECONNREFUSED) /* EPROTOTYPE, EAGAIN: somebody is there */
        return fault(err, EDDY_EIO, "%s: another program listens on it", at->where);
    if (unlink(at->where) != 0 && errno != ENOENT)
        return fault(err, EDDY_EIO, "%s: %s", at->where, strerror(errno));
    return EDDY_OK;
}

int socket_listen(const struct socket_at *at, eddy_error *err)
{
    bool local = at->kind != SOCKET_TCP;
    int status = local ? clear_path(at, err) : EDDY_OK;
    if (status < 0)
        return status;
    int fd = socket(at->address.ss_family, type_of(at) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fault(err, EDDY_EIO, "%s: %s", at->where, strerror(errno));
    int on = 1;
    int bytes = RECEIVE_BYTES;
    /* Best effort, both: a restart may have to wait for old connections, bursts may be dropped. */
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
    if (local)
        (void)fchmod(fd, 0660); /* Linux: the mode the socket file is born with, before umask */
    if (bind(fd, (const struct sockaddr *)&at->address, at->length) != 0 ||
        (local && chmod(at->where, 0660) != 0) ||
        (at->kind != SOCKET_UNIX_DGRAM && listen(fd, BACKLOG) != 0)) {
        status = fault(err, EDDY_EIO, "%s: %s", at->where, strerror(errno));
        (void)close(fd); /* never used */
        return status;
    }
    return fd;
}

int socket_file_of(const struct socket_at *at, struct socket_file *out)
{
    struct stat st;
    if (at->kind == SOCKET_TCP || lstat(at->where, &st) != 0)
        return -1;
    *out = (struct socket_file){.dev = st.st_dev, .ino = st.st_ino};
    return 0;
}

void socket_remove(const struct socket_at *at, const struct socket_file *file)
{
    struct socket_file now;
    if (socket_file_of(at, &now) == 0 && now.dev == file->dev && now.ino == file->ino)
        (void)unlink(at->where); /* a stale socket file is replaced at the next start */
}
