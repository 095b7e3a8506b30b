/* SPDX-License-Identifier: MIT */
/* output.c - an output to copy: each incident as one UDP datagram of JSON.
 *
 * To make it a part of eddy: copy it to core/emit/udp.c and add PART(emit, udp) to core/parts.def.
 * Its settings then are [udp] in eddy.conf. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "part.h"
#include "util/error.h"

/* ---- Settings ---- */

struct udp_conf {
    const char *address;
    uint64_t port;
};

static const struct option options[] = {{"address", OPTION_TEXT, offsetof(struct udp_conf, address),
                                         "", 0, 0,
                                         "IPv4 address that incidents are sent to; empty: none."},
                                        {"port", OPTION_COUNT, offsetof(struct udp_conf, port),
                                         "5514", 1, 65535, "UDP port that incidents are sent to."},
                                        {0}};

/* ---- State ---- */

#define DATAGRAM_SIZE 1400 /* what fits an Ethernet frame: fragments get lost */

struct udp {
    struct sockaddr_in to;
    int fd;
};

/* ---- Functions, in the order of life ---- */

static bool udp_wanted(const void *conf)
{
    const struct udp_conf *c = conf;
    return c->address[0] != '\0';
}

/* `state` is zeroed. On failure nothing is left open. */
static int udp_open(void *state, const void *conf, eddy_error *err)
{
    const struct udp_conf *c = conf;
    struct udp *udp = state;
    udp->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)c->port)};
    if (inet_pton(AF_INET, c->address, &udp->to.sin_addr) != 1)
        return error_set(err, EDDY_ECONFIG, "udp.address = '%.60s': not an IPv4 address",
                         c->address);
    udp->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (udp->fd < 0)
        return error_set(err, EDDY_EIO, "udp: %s", strerror(errno));
    return EDDY_OK;
}

/* Runs on the keeper thread and may block. What fails is said in `err` and nowhere else: the keeper
 * counts it and logs it once a minute. */
static int udp_incident(void *state, const eddy_incident *incident, eddy_error *err)
{
    const struct udp *udp = state;
    char json[DATAGRAM_SIZE];
    int length = eddy_incident_json(incident, json, sizeof json);
    if ((size_t)length >= sizeof json)
        return error_set(err, EDDY_EIO, "udp: an incident of %d bytes is too long", length);
    if (sendto(udp->fd, json, (size_t)length, MSG_NOSIGNAL, (const struct sockaddr *)&udp->to,
               sizeof udp->to) < 0)
        return error_set(err, EDDY_EIO, "udp: %s", strerror(errno));
    return EDDY_OK;
}

static void udp_close(void *state)
{
    struct udp *udp = state;
    (void)close(udp->fd);
}

/* ---- The part: the only symbol outside of this file ---- */

const struct output emit_udp = {
    .part = {.name = "udp",
             .help = "Incidents as UDP datagrams of JSON.",
             .conf_size = sizeof(struct udp_conf),
             .options = options},
    .state_size = sizeof(struct udp),
    .wanted = udp_wanted,
    .open = udp_open,
    .incident = udp_incident,
    .close = udp_close,
};
