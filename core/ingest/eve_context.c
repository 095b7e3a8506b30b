/* SPDX-License-Identifier: MIT */
/* eve_context.c - the records of Suricata's EVE that name what flows are about: dns in versions 2
 * and 3, tls, quic and http. */
#include "eve_context.h"

#include <string.h>

#include "conn.h"
#include "json.h"
#include "timestamp.h"
#include "util/addr.h"
#include "util/number.h"

/* ---- Keys --------------------------------------------------------------- */

enum key {
    KEY_TIMESTAMP = JSON_TOP + 1,
    KEY_FLOW_ID,
    KEY_SRC_IP,
    KEY_SRC_PORT,
    KEY_DEST_IP,
    KEY_DEST_PORT,
    KEY_PROTO,
    KEY_DNS, /* the objects */
    KEY_TLS,
    KEY_QUIC,
    KEY_HTTP,
    KEY_DNS_TYPE,
    KEY_RCODE,
    KEY_RRNAME,
    KEY_RRTYPE,
    KEY_QUERIES, /* an array of objects, in version 3 */
    KEY_ANSWERS, /* likewise, in both */
    KEY_RDATA,
    KEY_SNI,
    KEY_JA3, /* an object */
    KEY_JA3_HASH,
    KEY_JA4,
    KEY_HOSTNAME
};

#define BIT(key) (UINT64_C(1) << (key))

static bool is(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* `word` is a literal, and `text` is known to be as long. */
#define IS(text, word) (memcmp(text, word, sizeof(word) - 1) == 0)

static unsigned top_key(const char *text, size_t length)
{
    switch (length) {
    case 3:
        return IS(text, "dns") ? KEY_DNS : IS(text, "tls") ? KEY_TLS : JSON_UNWANTED;
    case 4:
        return IS(text, "http") ? KEY_HTTP : IS(text, "quic") ? KEY_QUIC : JSON_UNWANTED;
    case 5:
        return IS(text, "proto") ? KEY_PROTO : JSON_UNWANTED;
    case 6:
        return IS(text, "src_ip") ? KEY_SRC_IP : JSON_UNWANTED;
    case 7:
        return IS(text, "dest_ip")   ? KEY_DEST_IP
               : IS(text, "flow_id") ? KEY_FLOW_ID
                                     : JSON_UNWANTED;
    case 8:
        return IS(text, "src_port") ? KEY_SRC_PORT : JSON_UNWANTED;
    case 9:
        return IS(text, "timestamp")   ? KEY_TIMESTAMP
               : IS(text, "dest_port") ? KEY_DEST_PORT
                                       : JSON_UNWANTED;
    default:
        return JSON_UNWANTED;
    }
}

static unsigned dns_key(const char *text, size_t length)
{
    switch (length) {
    case 4:
        return IS(text, "type") ? KEY_DNS_TYPE : JSON_UNWANTED;
    case 5:
        return IS(text, "rcode") ? KEY_RCODE : IS(text, "query") ? KEY_QUERIES : JSON_UNWANTED;
    case 6:
        return IS(text, "rrname") ? KEY_RRNAME : IS(text, "rrtype") ? KEY_RRTYPE : JSON_UNWANTED;
    case 7:
        return IS(text, "queries")   ? KEY_QUERIES
               : IS(text, "answers") ? KEY_ANSWERS
                                     : JSON_UNWANTED;
    default:
        return JSON_UNWANTED;
    }
}

static unsigned tls_key(const char *text, size_t length)
{
    if (length != 3)
        return JSON_UNWANTED;
    return IS(text, "sni")   ? KEY_SNI
           : IS(text, "ja3") ? KEY_JA3
           : IS(text, "ja4") ? KEY_JA4
                             : JSON_UNWANTED;
}

static unsigned find_key(unsigned inside, const char *text, size_t length)
{
    switch (inside) {
    case JSON_TOP:
        return top_key(text, length);
    case KEY_DNS:
        return dns_key(text, length);
    case KEY_QUERIES:
        return length == 6 ? dns_key(text, length) : JSON_UNWANTED; /* rrname, rrtype */
    case KEY_ANSWERS: /* their names are aliases or the query's own */
        return is(text, length, "rdata") ? KEY_RDATA : JSON_UNWANTED;
    case KEY_TLS:
    case KEY_QUIC:
        return tls_key(text, length);
    case KEY_JA3:
        return is(text, length, "hash") ? KEY_JA3_HASH : JSON_UNWANTED;
    case KEY_HTTP:
        return is(text, length, "hostname") ? KEY_HOSTNAME : JSON_UNWANTED;
    default:
        return JSON_UNWANTED;
    }
}

/* ---- Values ------------------------------------------------------------- */

struct record {
    eddy_flow *flow;
    struct context *context;
    uint64_t seen; /* BIT() of the keys that had a value; a repeated key is ignored */
    bool wrong;    /* a time, address or port can't be read */
    bool response; /* dns.type */
};

/* The record's time, ends and id. False if the text is none. */
static bool take_ends(struct record *record, enum key key, const char *text, size_t length)
{
    eddy_flow *flow = record->flow;
    switch (key) {
    case KEY_TIMESTAMP:
        return timestamp_parse(text, length, &flow->start_us);
    case KEY_SRC_IP:
        return addr_parse(text, length, flow->src);
    case KEY_DEST_IP:
        return addr_parse(text, length, flow->dst);
    case KEY_SRC_PORT:
        return number_port(text, length, &flow->src_port);
    case KEY_DEST_PORT:
        return number_port(text, length, &flow->dst_port);
    case KEY_FLOW_ID:
        conn_id(flow, text, length);
        return true;
    case KEY_PROTO:
        flow->proto = conn_proto(text, length);
        return true;
    default:
        return true;
    }
}

static void take_value(void *user, unsigned key, const char *text, size_t length)
{
    struct record *record = user;
    struct context *context = record->context;
    if (key == KEY_RDATA) { /* one for each answer */
        context_answer(context, text, length);
        return;
    }
    if ((record->seen & BIT(key)) != 0)
        return;
    record->seen |= BIT(key);
    switch (key) {
    case KEY_DNS_TYPE:
        record->response = !is(text, length, "query") && !is(text, length, "request");
        break;
    case KEY_RCODE:
        context_rcode(context, text, length);
        break;
    case KEY_RRTYPE:
        context_type(context, text, length);
        break;
    case KEY_RRNAME:
    case KEY_SNI:
    case KEY_HOSTNAME:
        context_name(context, text, length);
        break;
    case KEY_JA3_HASH:
        context_ja3(context, text, length);
        break;
    case KEY_JA4:
        context_ja4(context, text, length);
        break;
    default:
        record->wrong |= !take_ends(record, (enum key)key, text, length);
    }
}

/* ---- The record as a whole ---------------------------------------------- */

/* Version 3 gives a response the ends of its packet, version 2 those of the flow. Who asked is the
 * one with the higher port: the other has 53 or the like. */
static void turn(eddy_flow *flow)
{
    uint8_t address[16];
    uint16_t port = flow->src_port;
    if (flow->src_port >= flow->dst_port)
        return;
    memcpy(address, flow->src, sizeof address);
    memcpy(flow->src, flow->dst, sizeof address);
    memcpy(flow->dst, address, sizeof address);
    flow->src_port = flow->dst_port;
    flow->dst_port = port;
}

static enum reason finish(struct record *record)
{
    const uint64_t needed = BIT(KEY_TIMESTAMP) | BIT(KEY_SRC_IP) | BIT(KEY_DEST_IP);
    struct context *context = record->context;
    if (record->wrong || (record->seen & needed) != needed || !context_says(context))
        return REASON_other_event;
    if (context->kind == CONTEXT_TLS)
        return REASON_tls_context;
    if (context->kind == CONTEXT_HTTP)
        return REASON_http_context;
    if (record->response)
        turn(record->flow);
    else
        context->answered = context->no_domain = false; /* version 3: NOERROR in requests, too */
    return REASON_dns_context;
}

enum context_kind eve_context_kind(const char *type, size_t length)
{
    if (is(type, length, "dns"))
        return CONTEXT_DNS;
    if (is(type, length, "tls") || is(type, length, "quic"))
        return CONTEXT_TLS;
    return is(type, length, "http") ? CONTEXT_HTTP : CONTEXT_NONE;
}

enum reason eve_context(struct arena *scratch, const char *line, size_t length, eddy_flow *flow,
                        struct context *context)
{
    static const struct json_format format = {
        .key = find_key, .value = take_value, .each = BIT(KEY_QUERIES) | BIT(KEY_ANSWERS)};
    *flow = (eddy_flow){.size = sizeof *flow,
                        .duration_us = EDDY_UNSET,
                        .bytes_out = EDDY_UNSET,
                        .bytes_in = EDDY_UNSET,
                        .packets_out = EDDY_UNSET,
                        .packets_in = EDDY_UNSET};
    struct record record = {.flow = flow, .context = context};
    enum reason reason = json_read(scratch, line, length, &format, &record);
    return reason != REASON_NONE ? reason : finish(&record);
}
