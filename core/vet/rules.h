/* SPDX-License-Identifier: MIT */
/* rules.h - suppressions: which findings a person has silenced.
 *
 * A rule is a line of words (entry.h); README.md has the keys. All fields must hold. A rule that
 * names both src and dst also holds for flows recorded the other way round (what answers what is
 * not always certain), one that names only one end holds as recorded: else a rule for what a
 * scanner does would hide attacks on it. `direction=recorded` and `direction=both` say otherwise.
 *
 * Rules are found by an address: each rule that names a single one (in src, dst, host or about)
 * is in the bucket of it, the others are in one list of at most RULES_WIDE. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "row.h"
#include "vet/entry.h"

#define RULES_WIDE    1000 /* rules that must be looked at for every finding */
#define RULES_BUCKETS 4096
#define RULE_ID       24 /* as in struct incident */

enum rule_field {
    RULE_DETECTOR = 1 << 0,
    RULE_SRC = 1 << 1,
    RULE_DST = 1 << 2,
    RULE_HOST = 1 << 3,
    RULE_ABOUT = 1 << 4,
    RULE_PORT = 1 << 5,
    RULE_PROTO = 1 << 6,
    RULE_ASN = 1 << 7,
    RULE_COUNTRY = 1 << 8
};

/* A network: the bits of `mask` must be those of `value`. All zero holds every address. */
struct block {
    uint64_t value[2], mask[2];
};

struct rule {
    unsigned fields; /* of enum rule_field: which of these are named */
    struct block src, dst, host, about;
    uint32_t asn;
    uint16_t port;
    uint8_t proto, detector;
    bool turned; /* also the other way round */
    char country[3];
    int64_t expires_us; /* event time; INT64_MAX: never */
    uint32_t next;      /* in its bucket or list, by rising number; number + 1, 0 = none */
    uint32_t was;       /* number in the set before + 1; 0 = it is new */
    unsigned line;
    char id[RULE_ID];
    /* Counted under the engine's lock. */
    uint64_t hits, flows; /* covered findings; all flows that match, with suppress.count_all */
    int64_t last_us;      /* event time of the last hit; 0: never */
};

struct rules {
    struct rule *rule;
    size_t count;
    bool need_asn, need_country;    /* some rule asks for them */
    uint32_t wide;                  /* the first of the list; as `next` */
    uint32_t bucket[RULES_BUCKETS]; /* likewise */
    uint64_t flows;                 /* that any rule matches, with suppress.count_all */
};

/* Reads a rule without looking at others. ECONFIG says what is wrong with it. */
int rule_read(const struct entry *entry, struct rule *out, eddy_error *err);

/* Reads a whole file. ECONFIG: "name:line: why". */
int rules_new(const struct entries *entries, struct rules **out, eddy_error *err);

void rules_free(struct rules *rules);

/* Finds the rules that are in both by their ids, then takes over their counts. The first takes a
 * while and needs no lock, for ids never change; the second is quick. */
int rules_trace(struct rules *rules, const struct rules *from, eddy_error *err);
void rules_inherit(struct rules *rules, const struct rules *from);

/* The first rule of the file that covers this finding of the row and has not expired; NULL if there
 * is none. */
struct rule *rules_find(struct rules *rules, const struct row *row, size_t detector,
                        int64_t now_us);

/* Counts the row for all rules that match it, unusual or not. */
void rules_count(struct rules *rules, const struct row *row, int64_t now_us);

/* How many have expired by now. */
size_t rules_expired(const struct rules *rules, int64_t now_us);
