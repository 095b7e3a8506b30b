/* SPDX-License-Identifier: MIT */
/* nets.c - which networks are ours, and which addresses stand for groups. */
#include "enrich/nets.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "util/addr.h"
#include "util/error.h"

static const struct option options[] = {
    {"local", OPTION_LIST, offsetof(struct nets_conf, local), "", 0, 0,
     "A network of ours in CIDR notation, e.g. 198.51.100.0/24; none set: the private and "
     "link-local ones of RFC 1918, 3927, 4193, 4291 and 6598."},
    {0},
};

const struct part nets_part = {
    .name = "nets",
    .help = "Which networks are ours.",
    .conf_size = sizeof(struct nets_conf),
    .options = options,
};

#define PRIVATE                                                                                    \
    "10.0.0.0/8\n172.16.0.0/12\n192.168.0.0/16\n169.254.0.0/16\n100.64.0.0/10\n127.0.0.0/8\n"      \
    "fc00::/7\nfe80::/10\n::1/128"

#define NETS_MAX 1024

struct nets {
    /* Whoever gives up the last hold frees it: acquire and release order that after all other use.
     */
    atomic_uint holders;
    size_t count;
    struct net net[NETS_MAX];
};

bool net_has(const struct net *net, const uint8_t address[16])
{
    unsigned whole = net->bits / 8u, rest = net->bits % 8u;
    if (memcmp(net->prefix, address, whole) != 0)
        return false;
    return rest == 0 || (net->prefix[whole] ^ address[whole]) >> (8 - rest) == 0;
}

bool net_parse(const char *text, size_t length, struct net *net)
{
    const char *slash = memchr(text, '/', length);
    size_t address_length = slash == NULL ? length : (size_t)(slash - text);
    if (!addr_parse(text, address_length, net->prefix))
        return false;
    unsigned v4 = addr_is_v4(net->prefix) ? 96 : 0, bits = 0;
    if (slash == NULL) {
        net->bits = 128;
        return true;
    }
    const char *end = text + length;
    if (slash + 1 == end || end - slash > 4)
        return false;
    for (const char *at = slash + 1; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        bits = bits * 10 + (unsigned)(*at - '0');
    }
    if (bits + v4 > 128)
        return false;
    net->bits = (uint8_t)(bits + v4);
    return true;
}

static int nets_add(struct nets *nets, const char *text, size_t length, eddy_error *err)
{
    if (nets->count == NETS_MAX)
        return error_set(err, EDDY_ECONFIG, "nets.local: more than %d networks", NETS_MAX);
    if (!net_parse(text, length, &nets->net[nets->count]))
        return error_set(err, EDDY_ECONFIG, "nets.local = '%.*s': not a network such as 10.0.0.0/8",
                         (int)(length < 64 ? length : 64), text);
    nets->count++;
    return EDDY_OK;
}

int nets_new(const struct nets_conf *conf, struct nets **out, eddy_error *err)
{
    struct nets *nets = calloc(1, sizeof *nets);
    if (nets == NULL)
        return error_nomem(err);
    atomic_init(&nets->holders, 1);
    const char *at = conf->local[0] == '\0' ? PRIVATE : conf->local;
    int status = EDDY_OK;
    while (*at != '\0' && status == EDDY_OK) {
        size_t length = strcspn(at, "\n");
        status = nets_add(nets, at, length, err);
        at += length + (at[length] == '\n');
    }
    if (status != EDDY_OK) {
        nets_free(nets);
        return status;
    }
    *out = nets;
    return EDDY_OK;
}

struct nets *nets_hold(struct nets *nets)
{
    atomic_fetch_add_explicit(&nets->holders, 1, memory_order_relaxed);
    return nets;
}

void nets_free(struct nets *nets)
{
    if (nets != NULL && atomic_fetch_sub_explicit(&nets->holders, 1, memory_order_acq_rel) == 1)
        free(nets);
}

bool nets_local(const struct nets *nets, const uint8_t address[16])
{
    for (size_t i = 0; i < nets->count; i++)
        if (net_has(&nets->net[i], address))
            return true;
    return false;
}

/* A directed broadcast can't be told without the netmask; x.x.x.255 inside our networks nearly
 * always is one, and a host that really has such an address is only spared the scan count. */
bool nets_group(const struct nets *nets, const uint8_t address[16])
{
    if (!addr_is_v4(address))
        return address[0] == 0xff;
    if (address[12] >= 224)
        return true; /* 224/4 multicast; 240/4 and 255.255.255.255 */
    return address[15] == 255 && nets_local(nets, address);
}
