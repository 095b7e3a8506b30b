/* SPDX-License-Identifier: MIT */
/* rules.c - suppressions: which findings a person has silenced. */
#include "vet/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "enrich/nets.h"
#include "ingest/conn.h"
#include "part.h"
#include "util/error.h"
#include "util/hash.h"
#include "util/number.h"
#include "vet/when.h"

/* ---- reading ---- */

static int bad(eddy_error *err, const eddy_word *word, const char *expected)
{
    return error_set(err, EDDY_ECONFIG, "%s=%.60s: not %s", word->key, word->value, expected);
}

static bool read_detector(const char *name, uint8_t *out)
{
    for (size_t i = 0; registry_detectors[i] != NULL; i++)
        if (strcmp(registry_detectors[i]->part.name, name) == 0) {
            *out = (uint8_t)i;
            return true;
        }
    return false;
}

/* 10.0.0.5/8: was the /8 meant, or a single address? */
static bool has_host_bits(const struct net *net)
{
    for (unsigned bit = net->bits; bit < 128; bit++)
        if ((net->prefix[bit / 8] >> (7 - bit % 8) & 1) != 0)
            return true;
    return false;
}

static struct block block_of(const struct net *net)
{
    uint8_t mask[16];
    struct block block;
    for (unsigned i = 0; i < 16; i++)
        mask[i] = (uint8_t)(net->bits >= 8 * (i + 1) ? 0xff
                            : net->bits <= 8 * i     ? 0
                                                     : 0xff << (8 - net->bits % 8));
    memcpy(block.mask, mask, sizeof mask);
    memcpy(block.value, net->prefix, sizeof net->prefix);
    return block;
}

static int read_net(const eddy_word *word, struct block *out, eddy_error *err)
{
    struct net net;
    if (!net_parse(word->value, strlen(word->value), &net))
        return bad(err, word, "an address, or a network such as 10.0.0.0/8");
    if (net.bits == 0 || (net.bits == 96 && strchr(word->value, ':') == NULL))
        return bad(err, word, "a part of the network: leave the key out to mean any address");
    if (has_host_bits(&net))
        return bad(err, word, "a network: its address has bits beyond the prefix");
    *out = block_of(&net);
    return EDDY_OK;
}

static bool read_asn(const char *value, uint32_t *out)
{
    uint64_t asn;
    if (strncmp(value, "AS", 2) == 0)
        value += 2;
    if (!number_unsigned(value, strlen(value), &asn) || asn == 0 || asn > UINT32_MAX)
        return false;
    *out = (uint32_t)asn;
    return true;
}

static bool read_country(const char *value, char out[3])
{
    if (strlen(value) != 2 || value[0] < 'A' || value[0] > 'Z' || value[1] < 'A' || value[1] > 'Z')
        return false;
    memcpy(out, value, 3);
    return true;
}

static bool read_id(const char *value, char out[RULE_ID])
{
    size_t length = strlen(value);
    if (length >= RULE_ID || strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789._-") != length)
        return false;
    memcpy(out, value, length + 1);
    return true;
}

static int read_numbers(const eddy_word *word, struct rule *rule, eddy_error *err)
{
    const char *value = word->value;
    if (strcmp(word->key, "port") == 0) {
        rule->fields |= RULE_PORT;
        return number_port(value, strlen(value), &rule->port) && rule->port != 0
                   ? EDDY_OK
                   : bad(err, word, "in 1..65535");
    }
    if (strcmp(word->key, "proto") == 0) {
        rule->fields |= RULE_PROTO;
        rule->proto = conn_proto(value, strlen(value));
        return rule->proto != 0 ? EDDY_OK : bad(err, word, "a protocol such as tcp, udp or 47");
    }
    if (strcmp(word->key, "asn") == 0) {
        rule->fields |= RULE_ASN;
        return read_asn(value, &rule->asn) ? EDDY_OK : bad(err, word, "a number such as 64496");
    }
    rule->fields |= RULE_COUNTRY;
    return read_country(value, rule->country) ? EDDY_OK : bad(err, word, "two capitals such as DE");
}

static int read_rest(const eddy_word *word, struct rule *rule, eddy_error *err)
{
    const char *value = word->value;
    if (strcmp(word->key, "id") == 0)
        return read_id(value, rule->id)
                   ? EDDY_OK
                   : bad(err, word, "at most 23 of letters, digits, '.', '_' and '-'");
    if (strcmp(word->key, "expires") == 0)
        return when_read(value, &rule->expires_us)
                   ? EDDY_OK
                   : bad(err, word, "a time such as 2026-12-31 or 2026-12-31T12:00:00Z");
    if (strcmp(word->key, "direction") == 0) {
        rule->turned = strcmp(value, "both") == 0;
        return rule->turned || strcmp(value, "recorded") == 0 ? EDDY_OK
                                                              : bad(err, word, "recorded or both");
    }
    if (strcmp(word->key, "owner") == 0 || strcmp(word->key, "why") == 0)
        return EDDY_OK;
    return error_set(err, EDDY_ECONFIG, "%.40s: no such key", word->key);
}

static int read_word(const eddy_word *word, struct rule *rule, eddy_error *err)
{
    static const struct {
        const char *key;
        unsigned field;
        size_t offset;
    } nets[] = {{"src", RULE_SRC, offsetof(struct rule, src)},
                {"dst", RULE_DST, offsetof(struct rule, dst)},
                {"host", RULE_HOST, offsetof(struct rule, host)},
                {"about", RULE_ABOUT, offsetof(struct rule, about)}};
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        if (strcmp(word->key, nets[i].key) == 0) {
            rule->fields |= nets[i].field;
            return read_net(word, (void *)((char *)rule + nets[i].offset), err);
        }
    if (strcmp(word->key, "detector") == 0) {
        rule->fields |= RULE_DETECTOR;
        return read_detector(word->value, &rule->detector) ? EDDY_OK
                                                           : bad(err, word, "a detector of eddy");
    }
    static const char *const numbers[] = {"port", "proto", "asn", "country"};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(word->key, numbers[i]) == 0)
            return read_numbers(word, rule, err);
    return read_rest(word, rule, err);
}

/* From what the rule matches, in whatever order it is written: the same rule has the same id. */
static void name_rule(const struct entry *entry, struct rule *rule)
{
    static const char *const apart[] = {"id", "owner", "why", "expires"};
    uint64_t sum = 0;
    for (size_t i = 0; i < entry->count; i++) {
        bool counts = true;
        for (size_t k = 0; k < sizeof apart / sizeof *apart; k++)
            counts = counts && strcmp(entry->word[i].key, apart[k]) != 0;
        if (!counts)
            continue;
        uint64_t hash = 0;
        for (const char *at = entry->word[i].key; *at != '\0'; at++)
            hash = hash_add(hash, (uint8_t)*at);
        for (const char *at = entry->word[i].value; *at != '\0'; at++)
            hash = hash_add(hash ^ 1, (uint8_t)*at);
        sum += hash;
    }
    (void)snprintf(rule->id, sizeof rule->id, "%08llx", (unsigned long long)(sum >> 32));
}

int rule_read(const struct entry *entry, struct rule *out, eddy_error *err)
{
    struct rule rule = {.expires_us = INT64_MAX, .line = entry->line};
    for (size_t i = 0; i < entry->count; i++) {
        int status = read_word(&entry->word[i], &rule, err);
        if (status != EDDY_OK)
            return status;
    }
    if (rule.fields == 0)
        return error_set(err, EDDY_ECONFIG,
                         "names nothing to match (detector, src, dst, host, about, port, proto, "
                         "asn or country)");
    if (entry_find(entry, "direction") == NULL)
        rule.turned = (rule.fields & RULE_SRC) != 0 && (rule.fields & RULE_DST) != 0;
    if (rule.id[0] == '\0')
        name_rule(entry, &rule);
    *out = rule;
    return EDDY_OK;
}

/* ---- the set ---- */

static uint32_t *bucket_of(struct rules *rules, const uint8_t address[16])
{
    return &rules->bucket[hash_address(address, 0) % RULES_BUCKETS];
}

/* The one address that the rule can be found by, NULL if there is none. */
static const uint8_t *address_of(const struct rule *rule)
{
    const struct block *blocks[] = {&rule->src, &rule->dst, &rule->host, &rule->about};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        if (blocks[i]->mask[0] == UINT64_MAX && blocks[i]->mask[1] == UINT64_MAX)
            return (const uint8_t *)blocks[i]->value;
    return NULL;
}

static uint64_t hash_id(const char *id)
{
    uint64_t hash = 0;
    for (; *id != '\0'; id++)
        hash = hash_add(hash, (uint8_t)*id);
    return hash;
}

struct ids {
    uint32_t slot[2 * ENTRIES_MAX]; /* open addressing: number of a rule + 1; 0 = free */
};

/* The slot of the rule with this id, or the free one for it. */
static uint32_t *slot_of(struct ids *ids, const struct rules *rules, const char *id)
{
    size_t i = hash_id(id) % (2 * ENTRIES_MAX);
    while (ids->slot[i] != 0 && strcmp(rules->rule[ids->slot[i] - 1].id, id) != 0)
        i = (i + 1) % (2 * ENTRIES_MAX);
    return &ids->slot[i];
}

struct reading {
    struct rules *rules;
    struct ids *ids;
    size_t room, wide;
};

static int add_rule(const struct entry *entry, void *user, eddy_error *err)
{
    struct reading *reading = user;
    struct rules *rules = reading->rules;
    if (rules->count == reading->room) {
        size_t room = reading->room == 0 ? 16 : 2 * reading->room;
        struct rule *larger = realloc(rules->rule, room * sizeof *larger);
        if (larger == NULL)
            return error_nomem(err);
        rules->rule = larger;
        reading->room = room;
    }
    struct rule *rule = &rules->rule[rules->count];
    int status = rule_read(entry, rule, err);
    if (status != EDDY_OK)
        return status;
    uint32_t *slot = slot_of(reading->ids, rules, rule->id);
    if (*slot != 0)
        return error_set(err, EDDY_ECONFIG, "the same %s as line %u: %s",
                         entry_find(entry, "id") != NULL ? "id" : "rule",
                         rules->rule[*slot - 1].line, rule->id);
    *slot = (uint32_t)++rules->count;
    if (address_of(rule) == NULL && ++reading->wide > RULES_WIDE)
        return error_set(err, EDDY_ECONFIG, "more than %d rules without a single address",
                         RULES_WIDE);
    rules->need_asn = rules->need_asn || (rule->fields & RULE_ASN) != 0;
    rules->need_country = rules->need_country || (rule->fields & RULE_COUNTRY) != 0;
    return EDDY_OK;
}

int rules_new(const struct entries *entries, struct rules **out, eddy_error *err)
{
    struct reading reading = {.rules = calloc(1, sizeof *reading.rules),
                              .ids = calloc(1, sizeof *reading.ids)};
    int status = EDDY_ENOMEM;
    if (reading.rules == NULL || reading.ids == NULL)
        (void)error_nomem(err);
    else
        status = entries_each(entries, add_rule, &reading, err);
    free(reading.ids);
    if (status != EDDY_OK) {
        if (reading.rules != NULL)
            free(reading.rules->rule);
        free(reading.rules);
        return status;
    }
    struct rules *rules = reading.rules;
    for (size_t i = rules->count; i-- > 0;) { /* from the last: lists rise */
        const uint8_t *address = address_of(&rules->rule[i]);
        uint32_t *first = address == NULL ? &rules->wide : bucket_of(rules, address);
        rules->rule[i].next = *first;
        *first = (uint32_t)i + 1;
    }
    *out = rules;
    return EDDY_OK;
}

void rules_free(struct rules *rules)
{
    if (rules == NULL)
        return;
    free(rules->rule);
    free(rules);
}

/* ---- matching ---- */

/* The ends of a row, to be compared with blocks. */
struct ends {
    uint64_t src[2], dst[2];
};

static struct ends ends_of(const struct row *row)
{
    struct ends ends;
    memcpy(ends.src, row->flow.src, sizeof ends.src);
    memcpy(ends.dst, row->flow.dst, sizeof ends.dst);
    return ends;
}

static inline bool has(const struct block *block, const uint64_t address[2])
{
    return (((address[0] ^ block->value[0]) & block->mask[0]) |
            ((address[1] ^ block->value[1]) & block->mask[1])) == 0;
}

/* Either way round. Port 0 (ICMP, or no single one) matches no rule that names a port. */
static bool ends_match(const struct rule *rule, const struct row *row, const struct ends *ends)
{
    bool any = (rule->fields & RULE_PORT) == 0;
    bool port = any || rule->port == row->flow.dst_port;
    if (port && has(&rule->src, ends->src) && has(&rule->dst, ends->dst))
        return true;
    return rule->turned && (port || rule->port == row->flow.src_port) &&
           has(&rule->src, ends->dst) && has(&rule->dst, ends->src);
}

/* Does the flow match, whatever was found in it? */
static bool flow_matches(const struct rule *rule, const struct row *row, const struct ends *ends)
{
    if (!ends_match(rule, row, ends))
        return false;
    if ((rule->fields & RULE_PROTO) != 0 && rule->proto != row->flow.proto)
        return false;
    if ((rule->fields & RULE_ASN) != 0 && rule->asn != row->src.asn && rule->asn != row->dst.asn)
        return false;
    if ((rule->fields & RULE_COUNTRY) != 0 && strcmp(rule->country, row->src.country) != 0 &&
        strcmp(rule->country, row->dst.country) != 0)
        return false;
    return has(&rule->host, ends->src) || has(&rule->host, ends->dst);
}

static bool covers(const struct rule *rule, const struct row *row, const struct ends *ends,
                   size_t detector)
{
    if ((rule->fields & RULE_DETECTOR) != 0 && rule->detector != detector)
        return false;
    return flow_matches(rule, row, ends) &&
           has(&rule->about, row->finding[detector].of_destination ? ends->dst : ends->src);
}

/* Where the rules that may match this row begin: those of its ends, and the wide ones. */
static size_t lists_of(struct rules *rules, const struct row *row, uint32_t first[3])
{
    size_t count = 0;
    const uint32_t *src = bucket_of(rules, row->flow.src), *dst = bucket_of(rules, row->flow.dst);
    first[count++] = rules->wide;
    first[count++] = *src;
    if (src != dst)
        first[count++] = *dst;
    return count;
}

struct rule *rules_find(struct rules *rules, const struct row *row, size_t detector, int64_t now_us)
{
    uint32_t first[3], best = 0;
    const struct ends ends = ends_of(row);
    size_t lists = lists_of(rules, row, first);
    for (size_t i = 0; i < lists; i++) {
        uint32_t at = first[i];
        while (at != 0 && (best == 0 || at < best)) {
            const struct rule *rule = &rules->rule[at - 1];
            if (now_us < rule->expires_us && covers(rule, row, &ends, detector))
                best = at;
            at = rule->next;
        }
    }
    return best == 0 ? NULL : &rules->rule[best - 1];
}

void rules_count(struct rules *rules, const struct row *row, int64_t now_us)
{
    uint32_t first[3];
    const struct ends ends = ends_of(row);
    size_t lists = lists_of(rules, row, first);
    bool any = false;
    for (size_t i = 0; i < lists; i++)
        for (uint32_t at = first[i]; at != 0;) {
            struct rule *rule = &rules->rule[at - 1];
            bool about = has(&rule->about, ends.src) || has(&rule->about, ends.dst);
            if (now_us < rule->expires_us && about && flow_matches(rule, row, &ends)) {
                rule->flows++;
                any = true;
            }
            at = rule->next;
        }
    rules->flows += any;
}

/* ---- counts ---- */

int rules_trace(struct rules *rules, const struct rules *from, eddy_error *err)
{
    if (from == NULL || from->count == 0)
        return EDDY_OK;
    struct ids *ids = calloc(1, sizeof *ids);
    if (ids == NULL)
        return error_nomem(err);
    for (uint32_t i = 0; i < from->count; i++)
        *slot_of(ids, from, from->rule[i].id) = i + 1;
    for (size_t i = 0; i < rules->count; i++)
        rules->rule[i].was = *slot_of(ids, from, rules->rule[i].id);
    free(ids);
    return EDDY_OK;
}

void rules_inherit(struct rules *rules, const struct rules *from)
{
    for (size_t i = 0; from != NULL && i < rules->count; i++) {
        struct rule *rule = &rules->rule[i];
        if (rule->was == 0)
            continue;
        rule->hits = from->rule[rule->was - 1].hits;
        rule->flows = from->rule[rule->was - 1].flows;
        rule->last_us = from->rule[rule->was - 1].last_us;
    }
}

size_t rules_expired(const struct rules *rules, int64_t now_us)
{
    size_t expired = 0;
    for (size_t i = 0; rules != NULL && i < rules->count; i++)
        expired += rules->rule[i].expires_us <= now_us;
    return expired;
}
