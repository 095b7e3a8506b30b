/* SPDX-License-Identifier: MIT */
/* conn.c - what both sensors call differently: states, protocols, applications, ids. */
#include "conn.h"

#include <string.h>

#include "util/number.h"

static bool same(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* ---- States ------------------------------------------------------------- */

/* By the flags both sides have sent. */
static eddy_conn tcp_by_flags(const eddy_flow *flow)
{
    unsigned out = flow->tcp_out, in = flow->tcp_in;
    if ((out & TCP_SYN) == 0)
        return EDDY_CONN_MIDSTREAM; /* even if the peer's SYN|ACK was seen */
    if ((in & TCP_SYN) == 0)
        return EDDY_CONN_ATTEMPT; /* silence, or a RST */
    if ((out & in & TCP_FIN) != 0 || ((out | in) & TCP_RST) != 0)
        return EDDY_CONN_CLOSED;
    return EDDY_CONN_ESTABLISHED;
}

/* UDP has no states: answered or not. Other protocols are not followed by Zeek at all. */
static eddy_conn other_by_packets(const eddy_flow *flow, eddy_conn otherwise)
{
    if (flow->proto != IP_UDP)
        return EDDY_CONN_MIDSTREAM;
    if (flow->packets_out == EDDY_UNSET || flow->packets_in == EDDY_UNSET)
        return otherwise;
    if (flow->packets_out > 0)
        return flow->packets_in > 0 ? EDDY_CONN_ESTABLISHED : EDDY_CONN_ATTEMPT;
    return flow->packets_in > 0 ? EDDY_CONN_MIDSTREAM : otherwise;
}

eddy_conn conn_from_zeek(const eddy_flow *flow, const char *conn_state, size_t length)
{
    static const struct {
        char name[8];
        uint8_t tcp, other; /* eddy_conn */
    } table[] = {
        {"S0", EDDY_CONN_ATTEMPT, EDDY_CONN_ATTEMPT},
        {"REJ", EDDY_CONN_ATTEMPT, EDDY_CONN_ATTEMPT},
        {"RSTOS0", EDDY_CONN_ATTEMPT, EDDY_CONN_ATTEMPT},
        {"SH", EDDY_CONN_ATTEMPT, EDDY_CONN_ATTEMPT},
        {"S1", EDDY_CONN_ESTABLISHED, EDDY_CONN_ESTABLISHED},
        {"S2", EDDY_CONN_ESTABLISHED, EDDY_CONN_ESTABLISHED},
        {"S3", EDDY_CONN_ESTABLISHED, EDDY_CONN_ESTABLISHED},
        {"SF", EDDY_CONN_CLOSED, EDDY_CONN_ESTABLISHED},
        {"RSTO", EDDY_CONN_CLOSED, EDDY_CONN_ESTABLISHED},
        {"RSTR", EDDY_CONN_CLOSED, EDDY_CONN_ESTABLISHED},
        {"OTH", EDDY_CONN_MIDSTREAM, EDDY_CONN_MIDSTREAM},
        {"SHR", EDDY_CONN_MIDSTREAM, EDDY_CONN_MIDSTREAM},
        {"RSTRH", EDDY_CONN_MIDSTREAM, EDDY_CONN_MIDSTREAM},
    };
    /* To Zeek a connection without SYN can still be SF or SH; to Suricata it is not followed. */
    bool no_start = (flow->tcp_out | flow->tcp_in) != 0 && (flow->tcp_out & TCP_SYN) == 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (same(conn_state, length, table[i].name)) {
            if (flow->proto != IP_TCP)
                return other_by_packets(flow, (eddy_conn)table[i].other);
            return no_start ? EDDY_CONN_MIDSTREAM : (eddy_conn)table[i].tcp;
        }
    }
    return flow->proto == IP_TCP ? tcp_by_flags(flow) : other_by_packets(flow, EDDY_CONN_MIDSTREAM);
}

eddy_conn conn_from_suricata(const eddy_flow *flow, enum suricata_state state)
{
    if (state == SURICATA_BYPASSED && (flow->proto == IP_TCP || flow->proto == IP_UDP))
        return EDDY_CONN_ESTABLISHED; /* nothing is bypassed before it is established */
    if (flow->proto == IP_TCP)
        return tcp_by_flags(flow);
    return other_by_packets(flow,
                            state == SURICATA_NEW ? EDDY_CONN_ATTEMPT : EDDY_CONN_ESTABLISHED);
}

void conn_direction(eddy_flow *flow)
{
    enum { WELL_KNOWN = 1024 }; /* servers listen below, RFC 6335 */
    bool tcp = flow->proto == IP_TCP && flow->state == EDDY_CONN_MIDSTREAM;
    bool udp = flow->proto == IP_UDP && flow->src_port < WELL_KNOWN && flow->dst_port >= WELL_KNOWN;
    if (tcp || udp)
        flow->quality |= EDDY_QUALITY_DIRECTION;
}

enum suricata_state conn_suricata_state(const char *name, size_t length)
{
    if (same(name, length, "established"))
        return SURICATA_ESTABLISHED;
    if (same(name, length, "closed"))
        return SURICATA_CLOSED;
    if (same(name, length, "bypassed") || same(name, length, "local_bypassed") ||
        same(name, length, "capture_bypassed"))
        return SURICATA_BYPASSED;
    return SURICATA_NEW;
}

/* ---- Protocols ---------------------------------------------------------- */

/* Names from /etc/protocols, which Suricata uses in its own spelling, and Zeek's. */
static uint8_t proto_by_name(const char *name, size_t length)
{
    static const struct {
        char name[12];
        uint8_t number;
    } table[] = {
        {"icmp", 1},         {"igmp", 2},    {"ggp", 3},         {"ip-in-ip", 4},
        {"ipip", 4},         {"ipencap", 4}, {"st", 5},          {"tcp", 6},
        {"egp", 8},          {"igp", 9},     {"udp", 17},        {"rdp", 27},
        {"dccp", 33},        {"ipv6", 41},   {"ipv6-route", 43}, {"ipv6-frag", 44},
        {"rsvp", 46},        {"gre", 47},    {"esp", 50},        {"ah", 51},
        {"ipv6-icmp", 58},   {"icmp6", 58},  {"icmpv6", 58},     {"ipv6-nonxt", 59},
        {"ipv6-opts", 60},   {"eigrp", 88},  {"ospf", 89},       {"pim", 103},
        {"vrrp", 112},       {"l2tp", 115},  {"sctp", 132},      {"udplite", 136},
        {"mpls-in-ip", 137},
    };
    char word[sizeof table[0].name] = {0};
    if (length >= sizeof word)
        return 0;
    for (size_t i = 0; i < length; i++)
        word[i] = lower(name[i]);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (strcmp(word, table[i].name) == 0)
            return table[i].number;
    }
    return 0;
}

uint8_t conn_proto(const char *name, size_t length)
{
    if (length == 3) { /* nearly all flows are one of these */
        char word[3] = {lower(name[0]), lower(name[1]), lower(name[2])};
        if (memcmp(word, "tcp", 3) == 0)
            return IP_TCP;
        if (memcmp(word, "udp", 3) == 0)
            return IP_UDP;
    }
    uint64_t number;
    if (number_unsigned(name, length, &number)) /* Suricata writes unnamed ones as "047" */
        return number <= UINT8_MAX ? (uint8_t)number : 0;
    return proto_by_name(name, length);
}

/* ---- Applications and ids ----------------------------------------------- */

/* What another sensor calls by another name, and what is no application. Zeek's gssapi and ntlm
 * are ways of logging in, spoken inside another protocol. */
static const struct {
    char name[16], common[16];
} app_names[] = {
    {"failed", ""},        {"unknown", ""},
    {"gssapi", ""},        {"ntlm", ""},
    {"ssl", "tls"},        {"dtls", "tls"},
    {"krb", "krb5"},       {"krb_tcp", "krb5"},
    {"krb_udp", "krb5"},   {"kerberos", "krb5"},
    {"dce_rpc", "dcerpc"}, {"ldap_tcp", "ldap"},
    {"ldap_udp", "ldap"},  {"ftp_data", "ftp-data"},
    {"dnp3_tcp", "dnp3"},  {"dnp3_udp", "dnp3"},
    {"enip_tcp", "enip"},  {"enip_udp", "enip"},
    {"ipsec", "ike"},      {"isakmp", "ike"},
    {"ikev2", "ike"},      {"wireguard_udp", "wireguard"},
};

/* What needs quoting in CSV, JSON or HTML, or can't be seen, is not kept. */
static char safe(char c)
{
    switch (c) {
    case '"':
    case '\'':
    case ',':
    case '\\':
    case '<':
    case '>':
    case '&':
        return '?';
    default:
        return c > ' ' && c < 0x7f ? c : '?';
    }
}

void conn_app(eddy_flow *flow, const char *name, size_t length)
{
    char word[sizeof flow->app] = {0};
    if (length > 6 && memcmp(name, "spicy_", 6) == 0) { /* names of Zeek's Spicy analyzers */
        name += 6;
        length -= 6;
    }
    for (size_t i = 0; i < length && i < sizeof word - 1; i++)
        word[i] = safe(lower(name[i]));
    for (size_t i = 0; i < sizeof app_names / sizeof *app_names; i++) {
        if (app_names[i].name[0] == word[0] && strcmp(app_names[i].name, word) == 0) {
            memcpy(flow->app, app_names[i].common, sizeof flow->app);
            return;
        }
    }
    memcpy(flow->app, word, sizeof flow->app);
}

void conn_app_of_set(eddy_flow *flow, const char *set, size_t length, char separator)
{
    const char *end = set + length;
    for (const char *at = set; at < end;) {
        const char *stop = memchr(at, separator, (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        if (stop > at && *at != '-') /* -ssl: was taken for ssl, but turned out not to be */
            conn_app(flow, at, (size_t)(stop - at));
        if (flow->app[0] != '\0')
            return;
        at = stop + 1;
    }
}

void conn_id(eddy_flow *flow, const char *id, size_t length)
{
    if (length > sizeof flow->id - 1)
        length = sizeof flow->id - 1;
    for (size_t i = 0; i < length; i++)
        flow->id[i] = safe(id[i]);
    flow->id[length] = '\0';
}
