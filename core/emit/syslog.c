/* SPDX-License-Identifier: MIT */
/* syslog.c - incidents as sentences in the system's log.
 *
 * Not by syslog(3): openlog() is one setting for a whole process, and we are a guest in it. So the
 * datagram is our own: "<priority>ident[pid]: message", which is what syslog(3) sends but for the
 * local time, which the receiver puts in (seen with rsyslog 8.2302). */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "emit.h"
#include "part.h"
#include "util/error.h"
#include "util/text.h"

struct syslog_conf {
    bool enabled;
    const char *facility, *ident, *socket;
};

static const struct option options[] = {
    {"enabled", OPTION_FLAG, offsetof(struct syslog_conf, enabled), "off", 0, 0,
     "Whether incidents are sent to the system's log."},
    {"facility", OPTION_TEXT, offsetof(struct syslog_conf, facility), "daemon", 0, 0,
     "Facility: daemon, auth, authpriv, user, or local0 to local7."},
    {"ident", OPTION_TEXT, offsetof(struct syslog_conf, ident), "eddy", 0, 0,
     "Name at the head of each message, at most 48 letters, digits, '-', '_' and '.'."},
    {"socket", OPTION_TEXT, offsetof(struct syslog_conf, socket), "/dev/log", 0, 0,
     "Unix datagram socket of the system's log."},
    {0}};

#define MESSAGE_SIZE 2048   /* what a receiver should at least take: RFC 5424, 6.1 */
#define IDENT_SIZE   49     /* RFC 5424: an APP-NAME has at most 48 */
#define WAIT_US      200000 /* for a receiver that is behind; then the message is lost and counted */

struct syslog {
    struct sockaddr_un address;
    char ident[IDENT_SIZE];
    int facility; /* its code, already times 8 */
    int fd;       /* -1: not connected */
};

static const struct {
    const char *name;
    int code;
} facilities[] = {/* RFC 5424, table 1 */
                  {"user", 1},    {"daemon", 3},  {"auth", 4},    {"authpriv", 10},
                  {"local0", 16}, {"local1", 17}, {"local2", 18}, {"local3", 19},
                  {"local4", 20}, {"local5", 21}, {"local6", 22}, {"local7", 23}};

static bool syslog_wanted(const void *conf)
{
    const struct syslog_conf *c = conf;
    return c->enabled;
}

static bool find_facility(const char *name, int *out)
{
    for (size_t i = 0; i < sizeof facilities / sizeof *facilities; i++) {
        if (strcmp(facilities[i].name, name) == 0) {
            *out = facilities[i].code * 8;
            return true;
        }
    }
    return false;
}

static bool good_ident(const char *ident)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t length = strlen(ident);
    return length > 0 && length < IDENT_SIZE && strspn(ident, letters) == length;
}

/* Checks the settings. Does not connect: the system's log may start after us. */
static int syslog_open(void *state, const void *conf, eddy_error *err)
{
    const struct syslog_conf *c = conf;
    struct syslog *s = state;
    s->fd = -1;
    if (!find_facility(c->facility, &s->facility))
        return error_set(err, EDDY_ECONFIG,
                         "syslog.facility = '%.60s': not daemon, auth, authpriv, user or local0..7",
                         c->facility);
    if (!good_ident(c->ident))
        return error_set(err, EDDY_ECONFIG,
                         "syslog.ident = '%.60s': not 1 to 48 letters, digits, '-', '_' or '.'",
                         c->ident);
    size_t length = strlen(c->socket);
    if (length == 0 || length >= sizeof s->address.sun_path)
        return error_set(err, EDDY_ECONFIG, "syslog.socket = '%.120s': not 1 to %zu bytes long",
                         c->socket, sizeof s->address.sun_path - 1);
    s->address.sun_family = AF_UNIX;
    memcpy(s->address.sun_path, c->socket, length + 1);
    struct text ident = text_over(s->ident, sizeof s->ident);
    text_add(&ident, c->ident);
    return EDDY_OK;
}

static void syslog_close(void *state)
{
    struct syslog *s = state;
    if (s->fd >= 0)
        (void)close(s->fd);
    s->fd = -1;
}

static bool connect_socket(struct syslog *s)
{
    s->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0)
        return false;
    struct timeval wait = {.tv_usec = WAIT_US};
    if (setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait) == 0 &&
        connect(s->fd, (const struct sockaddr *)&s->address, sizeof s->address) == 0)
        return true;
    int problem = errno;
    syslog_close(s);
    errno = problem;
    return false;
}

/* The receiver may have been restarted since: then the socket is a new one. */
static bool send_message(struct syslog *s, const char *message, size_t length)
{
    for (int attempt = 0; attempt < 2; attempt++) {
        if (s->fd < 0 && !connect_socket(s))
            return false;
        if (send(s->fd, message, length, MSG_NOSIGNAL) >= 0)
            return true;
        if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EMSGSIZE)
            return false;
        int problem = errno;
        syslog_close(s);
        errno = problem;
    }
    return false;
}

/* Severities of RFC 5424. None is worse than an error: an incident is no failure of a system. */
static int level_of(int severity)
{
    switch (severity) {
    case EDDY_HIGH:
        return 3; /* error */
    case EDDY_MEDIUM:
        return 4; /* warning */
    default:
        return 5; /* notice */
    }
}

static int syslog_incident(void *state, const eddy_incident *incident, eddy_error *err)
{
    struct syslog *s = state;
    if (incident->withheld)
        return EDDY_OK;
    char message[MESSAGE_SIZE];
    struct text text = text_over(message, sizeof message);
    text_format(&text, "<%d>%s[%ld]: ", s->facility + level_of(incident->severity), s->ident,
                (long)getpid());
    size_t head = text.length;
    text_format(&text, "%s %s incident %s, p=", emit_state(incident->state), incident->detector,
                incident->id);
    text_digits(&text, incident->p, 3);
    text_format(&text, ", %" PRIu64 " %s: ", incident->flows,
                incident->flows == 1 ? "flow" : "flows");
    text_add(&text, incident->summary);
    size_t length = strlen(message);
    for (size_t i = head; i < length; i++) { /* a name from the network must not forge a line */
        if ((unsigned char)message[i] < 0x20 || message[i] == 0x7F)
            message[i] = '?';
    }
    if (send_message(s, message, length))
        return EDDY_OK;
    return error_set(err, EDDY_EIO, "%s: %s", s->address.sun_path, strerror(errno));
}

const struct output emit_syslog = {
    .part = {.name = "syslog",
             .help = "Incidents as sentences in the system's log.",
             .conf_size = sizeof(struct syslog_conf),
             .options = options},
    .state_size = sizeof(struct syslog),
    .wanted = syslog_wanted,
    .open = syslog_open,
    .incident = syslog_incident,
    .close = syslog_close,
};
