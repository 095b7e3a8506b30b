/* SPDX-License-Identifier: MIT */
/* eve.c - Suricata's EVE: records of event_type "flow"; eve_context.c reads dns, tls, quic and
 * http, all others are skipped unread. */
#include <string.h>

#include "conn.h"
#include "eve_context.h"
#include "json.h"
#include "part.h"
#include "stream.h"
#include "timestamp.h"
#include "util/addr.h"
#include "util/number.h"

/* ---- Keys --------------------------------------------------------------- */

enum key {
    KEY_EVENT_TYPE = JSON_TOP + 1,
    KEY_FLOW_ID,
    KEY_SRC_IP,
    KEY_SRC_PORT,
    KEY_DEST_IP,
    KEY_DEST_PORT,
    KEY_PROTO,
    KEY_APP_PROTO,
    KEY_VLAN,
    KEY_FLOW, /* the object */
    KEY_PKTS_TOSERVER,
    KEY_PKTS_TOCLIENT,
    KEY_BYTES_TOSERVER,
    KEY_BYTES_TOCLIENT,
    KEY_START,
    KEY_END,
    KEY_STATE,
    KEY_TCP, /* the object */
    KEY_FLAGS_TS,
    KEY_FLAGS_TC,
    KEY_TS_GAP,
    KEY_TC_GAP
};

#define BIT(key) (1u << (key))

/* `word` is a literal, and `text` is known to be as long. */
#define IS(text, word) (memcmp(text, word, sizeof(word) - 1) == 0)

static unsigned top_key(const char *text, size_t length)
{
    switch (length) {
    case 3:
        return IS(text, "tcp") ? KEY_TCP : JSON_UNWANTED;
    case 4:
        return IS(text, "flow") ? KEY_FLOW : IS(text, "vlan") ? KEY_VLAN : JSON_UNWANTED;
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
        return IS(text, "dest_port")   ? KEY_DEST_PORT
               : IS(text, "app_proto") ? KEY_APP_PROTO
                                       : JSON_UNWANTED;
    case 10:
        return IS(text, "event_type") ? KEY_EVENT_TYPE : JSON_UNWANTED;
    default:
        return JSON_UNWANTED;
    }
}

static unsigned flow_key(const char *text, size_t length)
{
    switch (length) {
    case 3:
        return IS(text, "end") ? KEY_END : JSON_UNWANTED;
    case 5:
        return IS(text, "start") ? KEY_START : IS(text, "state") ? KEY_STATE : JSON_UNWANTED;
    case 13:
        return IS(text, "pkts_toserver")   ? KEY_PKTS_TOSERVER
               : IS(text, "pkts_toclient") ? KEY_PKTS_TOCLIENT
                                           : JSON_UNWANTED;
    case 14:
        return IS(text, "bytes_toserver")   ? KEY_BYTES_TOSERVER
               : IS(text, "bytes_toclient") ? KEY_BYTES_TOCLIENT
                                            : JSON_UNWANTED;
    default: /* also "bypassed": Suricata has added those counts to the ones above already */
        return JSON_UNWANTED;
    }
}

static unsigned tcp_key(const char *text, size_t length)
{
    switch (length) {
    case 6:
        return IS(text, "ts_gap") ? KEY_TS_GAP : IS(text, "tc_gap") ? KEY_TC_GAP : JSON_UNWANTED;
    case 12:
        return IS(text, "tcp_flags_ts")   ? KEY_FLAGS_TS
               : IS(text, "tcp_flags_tc") ? KEY_FLAGS_TC
                                          : JSON_UNWANTED;
    default:
        return JSON_UNWANTED;
    }
}

static unsigned find_key(unsigned inside, const char *text, size_t length)
{
    switch (inside) {
    case JSON_TOP:
        return top_key(text, length);
    case KEY_FLOW:
        return flow_key(text, length);
    case KEY_TCP:
        return tcp_key(text, length);
    default:
        return JSON_UNWANTED;
    }
}

/* ---- Values ------------------------------------------------------------- */

enum { VLAN_TAG = 4 }; /* bytes, IEEE 802.1Q */

struct record {
    eddy_flow *flow;
    unsigned seen;     /* BIT() of the keys that had a value; a repeated key is ignored */
    bool is_flow;      /* event_type says so */
    enum reason wrong; /* the first field that could not be read */
    enum suricata_state state;
    int64_t end_us;
    unsigned link; /* bytes in front of each IP packet: the link's own header and VLAN tags */
};

static bool take_flags(const char *text, size_t length, uint8_t *out)
{
    if (!number_hex_byte(text, length, out))
        return false;
    *out &= TCP_KEPT;
    return true;
}

/* Numbers and times. False if the text is none. */
static bool take_number(struct record *record, enum key key, const char *text, size_t length)
{
    eddy_flow *flow = record->flow;
    switch (key) {
    case KEY_PKTS_TOSERVER:
        return number_count(text, length, &flow->packets_out);
    case KEY_PKTS_TOCLIENT:
        return number_count(text, length, &flow->packets_in);
    case KEY_BYTES_TOSERVER:
        return number_count(text, length, &flow->bytes_out);
    case KEY_BYTES_TOCLIENT:
        return number_count(text, length, &flow->bytes_in);
    case KEY_START:
        return timestamp_parse(text, length, &flow->start_us);
    case KEY_END:
        return timestamp_parse(text, length, &record->end_us);
    case KEY_FLAGS_TS:
        return take_flags(text, length, &flow->tcp_out);
    case KEY_FLAGS_TC:
        return take_flags(text, length, &flow->tcp_in);
    default:
        return true;
    }
}

static bool take_address(eddy_flow *flow, enum key key, const char *text, size_t length)
{
    switch (key) {
    case KEY_SRC_IP:
        return addr_parse(text, length, flow->src);
    case KEY_DEST_IP:
        return addr_parse(text, length, flow->dst);
    case KEY_SRC_PORT:
        return number_port(text, length, &flow->src_port);
    case KEY_DEST_PORT:
        return number_port(text, length, &flow->dst_port);
    default:
        return true;
    }
}

static void take_text(struct record *record, enum key key, const char *text, size_t length)
{
    eddy_flow *flow = record->flow;
    switch (key) {
    case KEY_EVENT_TYPE:
        record->is_flow = length == 4 && IS(text, "flow");
        break;
    case KEY_FLOW_ID:
        conn_id(flow, text, length);
        break;
    case KEY_PROTO:
        flow->proto = conn_proto(text, length);
        break;
    case KEY_APP_PROTO:
        conn_app(flow, text, length);
        break;
    case KEY_STATE:
        record->state = conn_suricata_state(text, length);
        break;
    case KEY_TS_GAP:
    case KEY_TC_GAP:
        if (length == 4 && IS(text, "true"))
            flow->quality |= EDDY_QUALITY_GAP;
        break;
    default:
        break;
    }
}

static void take_value(void *user, unsigned key, const char *text, size_t length)
{
    struct record *record = user;
    if (key == KEY_VLAN) { /* an array: one value for each tag */
        record->link += VLAN_TAG;
        return;
    }
    if ((record->seen & BIT(key)) != 0)
        return;
    record->seen |= BIT(key);
    take_text(record, (enum key)key, text, length);
    enum reason wrong = REASON_NONE;
    if (!take_number(record, (enum key)key, text, length))
        wrong = REASON_bad_number;
    else if (!take_address(record->flow, (enum key)key, text, length))
        wrong = REASON_bad_address;
    if (record->wrong == REASON_NONE)
        record->wrong = wrong;
}

/* ---- The record as a whole ---------------------------------------------- */

/* Suricata counts frames; eddy IP packets. Taken off: the link's header and VLAN tags of each
 * packet, but no more than leaves an IP header, for the link may be another than was said. What
 * padded short Ethernet frames to 60 bytes stays in. */
static uint64_t ip_bytes(const struct record *record, uint64_t bytes, uint64_t packets)
{
    enum { IPV4 = 20, IPV6 = 40 };
    if (bytes == EDDY_UNSET || packets == EDDY_UNSET)
        return bytes;
    uint64_t link, least;
    uint64_t header = addr_is_v4(record->flow->src) ? IPV4 : IPV6;
    if (__builtin_mul_overflow(packets, record->link, &link) ||
        __builtin_mul_overflow(packets, header, &least) || least >= bytes)
        return bytes;
    return link < bytes - least ? bytes - link : least;
}

static enum reason finish(struct record *record)
{
    const unsigned needed = BIT(KEY_START) | BIT(KEY_SRC_IP) | BIT(KEY_DEST_IP);
    eddy_flow *flow = record->flow;
    if (record->wrong != REASON_NONE)
        return record->wrong;
    if ((record->seen & needed) != needed)
        return REASON_missing_field;
    if ((record->seen & BIT(KEY_END)) != 0 && record->end_us >= flow->start_us)
        flow->duration_us = (uint64_t)(record->end_us - flow->start_us);
    flow->bytes_out = ip_bytes(record, flow->bytes_out, flow->packets_out);
    flow->bytes_in = ip_bytes(record, flow->bytes_in, flow->packets_in);
    flow->quality |= EDDY_QUALITY_DERIVED;
    if (flow->proto == IP_ICMP || flow->proto == IP_ICMP6)
        flow->src_port = flow->dst_port = 0;
    if (flow->proto != IP_TCP)
        flow->tcp_out = flow->tcp_in = 0;
    flow->state = (uint8_t)conn_from_suricata(flow, record->state);
    conn_direction(flow);
    return REASON_NONE;
}

/* ---- The stream --------------------------------------------------------- */

struct eve {
    unsigned link_header; /* bytes */
};

static void open_eve(void *state, const struct ingest_conf *conf)
{
    struct eve *eve = state;
    eve->link_header = (unsigned)conf->link_header; /* at most 64 */
}

/* ---- One line ----------------------------------------------------------- */

static enum json_peek peek(const char *line, size_t length, struct json_string *type)
{
    return json_peek(line, length, JSON_KEY("\"event_type\"", 2), type);
}

static bool recognise(const char *line, size_t length)
{
    struct json_string type;
    return json_is_object(line, length) && peek(line, length, &type) != JSON_ABSENT;
}

static enum reason decode(void *state, struct arena *scratch, const char *line, size_t length,
                          eddy_flow *flow, struct context *context)
{
    static const struct json_format format = {.key = find_key, .value = take_value};
    const struct eve *eve = state;
    if (!json_is_object(line, length))
        return json_not_object(line, length);
    struct json_string type;
    enum json_peek found = peek(line, length, &type);
    if (found == JSON_ABSENT)
        return REASON_unknown_format; /* JSON, but not EVE */
    if (found == JSON_FOUND && (type.length != 4 || !IS(type.text, "flow"))) {
        if (context == NULL)
            return REASON_other_event;
        context->kind = eve_context_kind(type.text, type.length);
        return context->kind == CONTEXT_NONE ? REASON_other_event
                                             : eve_context(scratch, line, length, flow, context);
    }
    *flow = (eddy_flow){
        .size = sizeof *flow,
        .duration_us = EDDY_UNSET,
        .bytes_out = EDDY_UNSET,
        .bytes_in = EDDY_UNSET,
        .packets_out = EDDY_UNSET,
        .packets_in = EDDY_UNSET,
    };
    struct record record = {.flow = flow, .wrong = REASON_NONE, .link = eve->link_header};
    enum reason reason = json_read(scratch, line, length, &format, &record);
    if (reason != REASON_NONE)
        return reason;
    return record.is_flow ? finish(&record) : REASON_other_event;
}

const struct input ingest_eve = {
    .part =
        {.name = "eve",
         .help =
             "Suricata's EVE JSON: flow records, and the names in dns, tls, quic and http ones."},
    .state_size = sizeof(struct eve),
    .open = open_eve,
    .recognise = recognise,
    .decode = decode,
};
