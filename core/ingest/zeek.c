/* SPDX-License-Identifier: MIT */
/* zeek.c - what a conn.log says, whether it came as TSV or as JSON; zeek_context.c: other logs. */
#include "zeek.h"

#include <string.h>

#include "conn.h"
#include "timestamp.h"
#include "util/addr.h"
#include "util/number.h"
#include "zeek_context.h"

/* ---- Names -------------------------------------------------------------- */

struct name {
    const char *text;
    uint8_t length;
    uint8_t number; /* enum zeek_field or enum zeek_log */
};

#define NAME(text, number)                                                                         \
    {                                                                                              \
        text, sizeof(text) - 1, number                                                             \
    }

static enum zeek_field find_name(const struct name *names, size_t count, const char *text,
                                 size_t length)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i].length == length && memcmp(names[i].text, text, length) == 0)
            return (enum zeek_field)names[i].number;
    }
    return ZEEK_NONE;
}

enum zeek_field zeek_id_field(const char *name, size_t length)
{
    static const struct name names[] = {
        NAME("orig_h", ZEEK_ORIG_H),
        NAME("orig_p", ZEEK_ORIG_P),
        NAME("resp_h", ZEEK_RESP_H),
        NAME("resp_p", ZEEK_RESP_P),
    };
    return find_name(names, sizeof names / sizeof *names, name, length);
}

enum zeek_field zeek_field(const char *name, size_t length)
{
    static const struct name names[] = {
        NAME("ts", ZEEK_TS),
        NAME("uid", ZEEK_UID),
        NAME("proto", ZEEK_PROTO),
        NAME("service", ZEEK_SERVICE),
        NAME("duration", ZEEK_DURATION),
        NAME("orig_bytes", ZEEK_ORIG_BYTES),
        NAME("resp_bytes", ZEEK_RESP_BYTES),
        NAME("conn_state", ZEEK_CONN_STATE),
        NAME("missed_bytes", ZEEK_MISSED_BYTES),
        NAME("history", ZEEK_HISTORY),
        NAME("orig_pkts", ZEEK_ORIG_PKTS),
        NAME("orig_ip_bytes", ZEEK_ORIG_IP_BYTES),
        NAME("resp_pkts", ZEEK_RESP_PKTS),
        NAME("resp_ip_bytes", ZEEK_RESP_IP_BYTES),
        NAME("ip_proto", ZEEK_IP_PROTO),
        NAME("query", ZEEK_QUERY),
        NAME("qtype_name", ZEEK_QTYPE),
        NAME("rcode_name", ZEEK_RCODE),
        NAME("answers", ZEEK_ANSWERS),
        NAME("server_name", ZEEK_SERVER_NAME),
        NAME("cipher", ZEEK_CIPHER),
        NAME("ja3", ZEEK_JA3),
        NAME("ja4", ZEEK_JA4),
        NAME("host", ZEEK_HOST),
        NAME("method", ZEEK_METHOD),
    };
    /* The sign between is Log::default_scope_sep: a dot, unless a site has set another. */
    if (length == 9 && name[0] == 'i' && name[1] == 'd' && (name[2] < '0' || name[2] == '_'))
        return zeek_id_field(name + 3, 6);
    return find_name(names, sizeof names / sizeof *names, name, length);
}

bool zeek_is_conn(unsigned fields)
{
    const unsigned counts = ZEEK_BIT(ZEEK_DURATION) | ZEEK_BIT(ZEEK_ORIG_BYTES) |
                            ZEEK_BIT(ZEEK_ORIG_PKTS) | ZEEK_BIT(ZEEK_ORIG_IP_BYTES);
    if ((fields & ZEEK_BIT(ZEEK_CONN_STATE)) != 0)
        return true;
    return (fields & ZEEK_BIT(ZEEK_PROTO)) != 0 && (fields & counts) != 0;
}

enum zeek_log zeek_log_named(const char *path, size_t length)
{
    static const struct name names[] = {
        NAME("conn", ZEEK_LOG_CONN), NAME("eddy_conn", ZEEK_LOG_CONN), /* written for eddy alone */
        NAME("dns", ZEEK_LOG_DNS),   NAME("ssl", ZEEK_LOG_SSL),
        NAME("quic", ZEEK_LOG_QUIC), NAME("http", ZEEK_LOG_HTTP),
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].length == length && memcmp(names[i].text, path, length) == 0)
            return (enum zeek_log)names[i].number;
    return ZEEK_LOG_OTHER;
}

enum zeek_log zeek_log_with(unsigned fields)
{
    const unsigned dns = ZEEK_BIT(ZEEK_QTYPE) | ZEEK_BIT(ZEEK_RCODE) | ZEEK_BIT(ZEEK_ANSWERS);
    const unsigned tls = ZEEK_BIT(ZEEK_SERVER_NAME) | ZEEK_BIT(ZEEK_JA3) | ZEEK_BIT(ZEEK_JA4);
    const unsigned http = ZEEK_BIT(ZEEK_HOST) | ZEEK_BIT(ZEEK_METHOD);
    if (zeek_is_conn(fields))
        return ZEEK_LOG_CONN;
    if ((fields & ZEEK_BIT(ZEEK_QUERY)) != 0 && (fields & dns) != 0)
        return ZEEK_LOG_DNS;
    if ((fields & ZEEK_BIT(ZEEK_CIPHER)) != 0 && (fields & tls) != 0)
        return ZEEK_LOG_SSL;
    return (fields & http) == http ? ZEEK_LOG_HTTP : ZEEK_LOG_OTHER;
}

bool zeek_log_wanted(enum zeek_log log, bool context)
{
    return log == ZEEK_LOG_CONN || (context && log > ZEEK_LOG_CONN && log < ZEEK_LOG_OTHER);
}

/* ---- Fields ------------------------------------------------------------- */

struct zeek_conn zeek_begin(eddy_flow *flow, struct context *context)
{
    *flow = (eddy_flow){
        .size = sizeof *flow,
        .duration_us = EDDY_UNSET,
        .bytes_out = EDDY_UNSET,
        .bytes_in = EDDY_UNSET,
        .packets_out = EDDY_UNSET,
        .packets_in = EDDY_UNSET,
    };
    return (struct zeek_conn){
        .flow = flow,
        .context = context,
        .wrong = REASON_NONE,
        .payload_out = EDDY_UNSET,
        .payload_in = EDDY_UNSET,
        .set_separator = ',',
    };
}

/* What a history letter, in upper case, says of the side that it is about. D is data; Zeek does
 * not log its flags, but data carries ACK, and PSH on nearly all ends of it. A FIN carries ACK. */
static uint8_t flags_of(char letter)
{
    switch (letter) {
    case 'S':
        return TCP_SYN;
    case 'H':
        return TCP_SYN | TCP_ACK;
    case 'A':
        return TCP_ACK;
    case 'D':
        return TCP_PSH | TCP_ACK;
    case 'F':
        return TCP_FIN | TCP_ACK;
    case 'R':
        return TCP_RST;
    default:
        return 0; /* C checksum, T again, W no window, I and Q inconsistent; and letters to come */
    }
}

/* Letters in the order in which things were first seen; upper case from the originator. */
static void set_history(eddy_flow *flow, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool out = c >= 'A' && c <= 'Z';
        char letter = out || c < 'a' || c > 'z' ? c : (char)(c - 'a' + 'A');
        if (c == '^')
            flow->quality |= EDDY_QUALITY_DIRECTION;
        else if (letter == 'G')
            flow->quality |= EDDY_QUALITY_GAP;
        else if (out)
            flow->tcp_out |= flags_of(letter);
        else
            flow->tcp_in |= flags_of(letter);
    }
    /* A refused SYN is answered by RST with ACK (RFC 9293, 3.10.7.1), as Suricata logs it. */
    if ((flow->tcp_out & TCP_SYN) != 0 && flow->tcp_in == TCP_RST)
        flow->tcp_in |= TCP_ACK;
}

/* Seconds as Zeek prints them; in JSON also whole milliseconds (JSON::TS_MILLIS) or ISO 8601. The
 * milliseconds are told from seconds by their size: 10^11 s is the year 5138, 10^11 ms is 1973. */
static bool set_time(const char *text, size_t length, int64_t *out)
{
    const uint64_t least_ms = 100000000000, most_ms = INT64_MAX / 1000;
    if (length > 4 && text[4] == '-')
        return timestamp_parse(text, length, out);
    bool minus = length > 0 && text[0] == '-';
    uint64_t ms;
    if (!number_unsigned(text + minus, length - minus, &ms) || ms < least_ms)
        return number_micros(text, length, out);
    if (ms > most_ms)
        return false;
    *out = minus ? -(int64_t)ms * 1000 : (int64_t)ms * 1000;
    return true;
}

static bool set_duration(const char *text, size_t length, uint64_t *out)
{
    int64_t duration;
    if (!number_micros(text, length, &duration) || duration < 0)
        return false;
    *out = (uint64_t)duration;
    return true;
}

static bool set_missed(const char *text, size_t length, eddy_flow *flow)
{
    uint64_t missed;
    if (!number_unsigned(text, length, &missed))
        return false;
    if (missed > 0)
        flow->quality |= EDDY_QUALITY_GAP;
    return true;
}

static bool set_ip_proto(const char *text, size_t length, eddy_flow *flow)
{
    uint64_t number;
    if (!number_unsigned(text, length, &number) || number > UINT8_MAX)
        return false;
    flow->proto = (uint8_t)number;
    return true;
}

/* Reads numbers and addresses. False if the text is none. */
static bool set_value(struct zeek_conn *conn, enum zeek_field field, const char *text,
                      size_t length)
{
    eddy_flow *flow = conn->flow;
    switch (field) {
    case ZEEK_TS:
        return set_time(text, length, &flow->start_us);
    case ZEEK_DURATION:
        return set_duration(text, length, &flow->duration_us);
    case ZEEK_ORIG_H:
        return addr_parse(text, length, flow->src);
    case ZEEK_RESP_H:
        return addr_parse(text, length, flow->dst);
    case ZEEK_ORIG_P:
        return number_port(text, length, &flow->src_port);
    case ZEEK_RESP_P:
        return number_port(text, length, &flow->dst_port);
    case ZEEK_IP_PROTO:
        return set_ip_proto(text, length, flow);
    case ZEEK_ORIG_BYTES:
        return number_count(text, length, &conn->payload_out);
    case ZEEK_RESP_BYTES:
        return number_count(text, length, &conn->payload_in);
    case ZEEK_MISSED_BYTES:
        return set_missed(text, length, flow);
    case ZEEK_ORIG_PKTS:
        return number_count(text, length, &flow->packets_out);
    case ZEEK_ORIG_IP_BYTES:
        return number_count(text, length, &flow->bytes_out);
    case ZEEK_RESP_PKTS:
        return number_count(text, length, &flow->packets_in);
    case ZEEK_RESP_IP_BYTES:
        return number_count(text, length, &flow->bytes_in);
    default:
        return true;
    }
}

static void set_text(struct zeek_conn *conn, enum zeek_field field, const char *text, size_t length)
{
    eddy_flow *flow = conn->flow;
    switch (field) {
    case ZEEK_UID:
        conn_id(flow, text, length);
        break;
    case ZEEK_SERVICE:
        conn_app_of_set(flow, text, length, conn->set_separator);
        break;
    case ZEEK_PROTO:
        if ((conn->seen & ZEEK_BIT(ZEEK_IP_PROTO)) == 0) /* that one knows more */
            flow->proto = conn_proto(text, length);
        break;
    case ZEEK_HISTORY:
        set_history(flow, text, length);
        break;
    case ZEEK_CONN_STATE:
        conn->state_length = (uint8_t)(length < sizeof conn->state ? length : 0);
        memcpy(conn->state, text, conn->state_length);
        break;
    default:
        break;
    }
}

static bool is_address(enum zeek_field field)
{
    return field >= ZEEK_ORIG_H && field <= ZEEK_RESP_P;
}

void zeek_set(struct zeek_conn *conn, enum zeek_field field, const char *text, size_t length)
{
    if (field >= ZEEK_QUERY) {
        zeek_set_context(conn, field, text, length);
        return;
    }
    if (field == ZEEK_NONE || (conn->seen & ZEEK_BIT(field)) != 0)
        return;
    set_text(conn, field, text, length);
    conn->seen |= ZEEK_BIT(field);
    if (!set_value(conn, field, text, length) && conn->wrong == REASON_NONE)
        conn->wrong = is_address(field) ? REASON_bad_address : REASON_bad_number;
}

/* ---- The record as a whole ---------------------------------------------- */

/* IP bytes where the log has only payload: with the shortest headers. False without payload. */
static bool derive_bytes(const eddy_flow *flow, uint64_t payload, uint64_t packets, uint64_t *out)
{
    if (payload == EDDY_UNSET || packets == EDDY_UNSET)
        return false;
    uint64_t header = addr_is_v4(flow->src) ? 20 : 40;
    header += flow->proto == IP_TCP ? 20 : 8; /* UDP and ICMP have 8 */
    uint64_t headers, bytes;
    if (__builtin_mul_overflow(packets, header, &headers) ||
        __builtin_add_overflow(payload, headers, &bytes))
        return false;
    *out = bytes;
    return true;
}

static void fill_bytes(struct zeek_conn *conn)
{
    eddy_flow *flow = conn->flow;
    bool derived = false;
    if ((conn->seen & ZEEK_BIT(ZEEK_ORIG_IP_BYTES)) == 0)
        derived |= derive_bytes(flow, conn->payload_out, flow->packets_out, &flow->bytes_out);
    if ((conn->seen & ZEEK_BIT(ZEEK_RESP_IP_BYTES)) == 0)
        derived |= derive_bytes(flow, conn->payload_in, flow->packets_in, &flow->bytes_in);
    if (derived)
        flow->quality |= EDDY_QUALITY_DERIVED;
}

enum reason zeek_finish(struct zeek_conn *conn)
{
    const unsigned needed = ZEEK_BIT(ZEEK_TS) | ZEEK_BIT(ZEEK_ORIG_H) | ZEEK_BIT(ZEEK_RESP_H);
    eddy_flow *flow = conn->flow;
    if (conn->wrong != REASON_NONE)
        return conn->wrong;
    if ((conn->seen & needed) != needed)
        return REASON_missing_field;
    if (flow->proto == IP_ICMP && !addr_is_v4(flow->src))
        flow->proto = IP_ICMP6; /* Zeek says "icmp" for both */
    if (flow->proto == IP_ICMP || flow->proto == IP_ICMP6)
        flow->src_port = flow->dst_port = 0; /* Zeek puts type and code there */
    if (flow->proto != IP_TCP)
        flow->tcp_out = flow->tcp_in = 0; /* D and d are data of any protocol */
    fill_bytes(conn);
    flow->state = (uint8_t)conn_from_zeek(flow, conn->state, conn->state_length);
    conn_direction(flow);
    return REASON_NONE;
}
