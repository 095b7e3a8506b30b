/* SPDX-License-Identifier: MIT */
/* role.c - what kind of machine a host of ours is, learned from 16 bytes of counts. */
#include "score/role.h"

const char *const role_names[ROLE_COUNT] = {
    [ROLE_CLIENT] = "client", [ROLE_SERVER] = "server", [ROLE_DEVICE] = "device"};

#define ROLE_FLOWS   64   /* a share of one half is known within 1/8 then (two sigma) */
#define ROLE_EPOCH   1024 /* flows after which counting begins anew */
#define FEW_SERVICES 8    /* name service, clock, updates, a server or two, and what they call */
#define OTHERS       10   /* one port: fewer than one in so many answers are on another */

static enum role decide_role(const struct role_memory *m)
{
    bool few = __builtin_popcountll(m->services) <= FEW_SERVICES;
    bool one_port = (unsigned)m->others * OTHERS <= m->answered;
    if (few && one_port)
        return ROLE_DEVICE;
    return m->answered >= m->opened ? ROLE_SERVER : ROLE_CLIENT;
}

static void count(struct role_memory *m)
{
    unsigned n = (unsigned)m->opened + m->answered;
    if (n < ROLE_FLOWS || (n & (n - 1)) != 0) /* 64, 128, 256 ... */
        return;
    enum role role = decide_role(m);
    if (n >= ROLE_EPOCH)
        *m = (struct role_memory){0};
    m->role = (uint8_t)role;
}

static void count_answer(struct role_memory *m, uint16_t port)
{
    if (m->answered++ == 0)
        m->port = port;
    if (m->port != port && m->others < UINT8_MAX)
        m->others++;
    count(m);
}

/* Services by linear counting with 64 bits (see state/lincount.h): up to 8 are nearly exact. */
static void count_opening(struct role_memory *m, uint64_t service)
{
    m->opened++;
    m->services |= UINT64_C(1) << (service & 63);
    count(m);
}

void role_learn(const struct row *row)
{
    if (row->failed || row->dst.group)
        return;
    if (row->src.local)
        count_opening(&row->host->role, row->hash.service);
    if (row->destination != NULL && row->destination != row->host)
        count_answer(&row->destination->role, row->flow.dst_port);
}
