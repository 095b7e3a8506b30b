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

struct name {
    const char *text;
    uint8_t length, key; /* enum key */
};

#define NAME(text, key)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1, key                                                                \
    }

static unsigned find(const struct name *names, size_t count, const char *text, size_t length)
{
    for (size_t i = 0; i < count; i++)
        if (names[i].length == length && memcmp(names[i].text, text, length) == 0)
            return names[i].key;
    return JSON_UNWANTED;
}

#define FIND(names, text, length) find(names, sizeof(names) / sizeof *(names), text, length)

static unsigned find_key(unsigned inside, const char *text, size_t length)
{
    static const struct name top[] = {
        NAME("timestamp", KEY_TIMESTAMP),
        NAME("flow_id", KEY_FLOW_ID),
        NAME("src_ip", KEY_SRC_IP),
        NAME("src_port", KEY_SRC_PORT),
        NAME("dest_ip", KEY_DEST_IP),
        NAME("dest_port", KEY_DEST_PORT),
        NAME("proto", KEY_PROTO),
        NAME("dns", KEY_DNS),
        NAME("tls", KEY_TLS),
        NAME("quic", KEY_QUIC),
        NAME("http", KEY_HTTP),
    };
    static const struct name dns[] = {
        NAME("type", KEY_DNS_TYPE),   NAME("rcode", KEY_RCODE),     NAME("rrname", KEY_RRNAME),
        NAME("rrtype", KEY_RRTYPE),   NAME("queries", KEY_QUERIES), NAME("query", KEY_QUERIES),
        NAME("answers", KEY_ANSWERS),
    };
    static const struct name query[] = {NAME("rrname", KEY_RRNAME), NAME("rrtype", KEY_RRTYPE)};
    static const struct name tls[] = {NAME("sni", KEY_SNI), NAME("ja3", KEY_JA3),
                                      NAME("ja4", KEY_JA4)};
    switch (inside) {
    case JSON_TOP:
        return FIND(top, text, length);
    case KEY_DNS:
        return FIND(dns, text, length);
    case KEY_QUERIES:
        return FIND(query, text, length);
    case KEY_ANSWERS: /* their names are aliases or the query's own */
        return is(text, length, "rdata") ? KEY_RDATA : JSON_UNWANTED;
    case KEY_TLS:
    case KEY_QUIC:
        return FIND(tls, text, length);
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
