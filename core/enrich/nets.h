/* SPDX-License-Identifier: MIT */
/* nets.h - which networks are ours, and which addresses stand for groups. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "part.h"

extern const struct part nets_part;

struct nets_conf {
    const char *local; /* CIDR blocks, one a line; "" = the private ones */
};

/* A block of addresses; bits are of 128: an IPv4 /8 is 104. */
struct net {
    uint8_t prefix[16];
    uint8_t bits;
};

/* "10.0.0.0/8", "2001:db8::/32" or a single address; all of `text`. */
bool net_parse(const char *text, size_t length, struct net *out);
bool net_has(const struct net *net, const uint8_t address[16]);

struct nets;

/* Reads the blocks. ECONFIG names the one that can't be read. Held once, by the caller. */
int nets_new(const struct nets_conf *conf, struct nets **out, eddy_error *err);

/* Another hold, and the end of one: the last one frees it. */
struct nets *nets_hold(struct nets *nets);
void nets_free(struct nets *nets);

bool nets_local(const struct nets *nets, const uint8_t address[16]);

/* Multicast (RFC 5771, RFC 4291) or limited or likely directed broadcast. */
bool nets_group(const struct nets *nets, const uint8_t address[16]);
