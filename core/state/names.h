/* SPDX-License-Identifier: MIT */
/* names.h - what services and addresses were called, bounded in bytes by state.names.
 *
 *     pair of a flow (source, destination, port, protocol) -> its last SNI or HTTP host, JA3, JA4
 *     address in an answer of DNS                          -> the name that was asked for
 *
 * Both are found when an incident is told, so it does not matter whether a name or the flow came
 * first. The second is "passive DNS" (Weimer 2005): as this site has seen it, whoever asked. */
#pragma once

#include <stdint.h>

#include "asked.h"
#include "part.h"
#include "row.h"
#include "table.h"
#include "watermark.h"

#define NAMES_TEXT 88 /* with its NUL: as much as an incident says; of a longer one, the end */

struct names_pair {
    uint64_t key;          /* row->hash.pair */
    char name[NAMES_TEXT]; /* "" if only a fingerprint is known */
    char ja3[33], ja4[40]; /* "" if not known */
    bool http;             /* `name` is the host of HTTP, not an SNI */
    bool several;          /* it had another before: a proxy, or many sites at one address */
};

struct names_answer {
    uint8_t address[16]; /* the key */
    char name[NAMES_TEXT];
    bool several; /* likewise */
};

struct names {
    struct table pairs, answers;
    struct asked_table asked;
    struct watermark watermark; /* of these records: their log may be read before that of flows */
    uint64_t seed;
};

/* EDDY_OK or EDDY_ENOMEM; `names` is zeroed, and to be done in both cases. */
int names_init(struct names *names, uint64_t bytes, uint64_t seed);
void names_done(struct names *names);

/* Remembers what a ROW_NAME says. `now_us` is the watermark of such rows. */
void names_add(struct names *names, const struct row *row, int64_t now_us);

/* NULL if nothing is known. Valid until the next names_add(). */
const struct names_pair *names_of_pair(const struct names *names, uint64_t pair);
const struct names_answer *names_of_address(const struct names *names, const uint8_t address[16]);

/* What the row's destination is called in a sentence: by the SNI or host of the pair, else by DNS.
 * NULL if nothing is known, or if it had several names: the last of them may be another flow's. */
const char *names_call(const struct names *names, const struct row *row);

/* The key of a pair by its ends, as in row->hash.pair. */
uint64_t names_key(const struct names *names, const uint8_t src[16], const uint8_t dst[16],
                   uint16_t dst_port, uint8_t proto);

uint64_t names_evictions(const struct names *names);
