/* SPDX-License-Identifier: MIT */
/* role.h - what kind of machine a host of ours is, learned from 16 bytes of counts.
 *
 *     server   answers at least as many connections as it opens
 *     device   few services in all, and answers on one port if at all: a printer, a camera, a probe
 *     client   opens more than it answers, to many services
 *
 * Decided anew at 64, 128, ... 1024 flows, then the counts begin anew: a machine may change. Only
 * hosts of ours that have opened a connection themselves have a record and so a role: one that only
 * answers has no flow of its own to be judged. Failed flows say nothing: being scanned makes no
 * server. */
#pragma once

#include "row.h"
#include "state/host.h"

enum role { ROLE_UNKNOWN, ROLE_CLIENT, ROLE_SERVER, ROLE_DEVICE, ROLE_COUNT };

/* "client", "server", "device"; NULL for one that is not known. */
extern const char *const role_names[ROLE_COUNT];

/* The host's role as of now. */
static inline enum role role_of_host(const struct host *host)
{
    return (enum role)host->role.role;
}

/* Whose doing a row is, for what one host alone may teach: the source's; of one from outside, whose
 * address is cheap to change, the destination's, if that is ours. */
static inline uint64_t role_actor(const struct row *row)
{
    return row->src.local || !row->dst.local ? row->hash.source : row->hash.destination;
}

/* Counts the row for its source and for its destination's record, if they are ours. */
void role_learn(const struct row *row);
