/* SPDX-License-Identifier: MIT */
/* test_conn.c - both sensors' words for the same thing. */
#include "ingest/conn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static eddy_flow tcp(unsigned out, unsigned in)
{
    return (eddy_flow){.proto = IP_TCP, .tcp_out = (uint8_t)out, .tcp_in = (uint8_t)in};
}

static eddy_conn zeek(eddy_flow flow, const char *conn_state)
{
    return conn_from_zeek(&flow, conn_state, strlen(conn_state));
}

static void every_conn_state_of_zeek_has_its_coarse_one(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        eddy_conn conn;
    } cases[] = {
        {"S0", EDDY_CONN_ATTEMPT},      {"REJ", EDDY_CONN_ATTEMPT},
        {"RSTOS0", EDDY_CONN_ATTEMPT},  {"SH", EDDY_CONN_ATTEMPT},
        {"S1", EDDY_CONN_ESTABLISHED},  {"S2", EDDY_CONN_ESTABLISHED},
        {"S3", EDDY_CONN_ESTABLISHED},  {"SF", EDDY_CONN_CLOSED},
        {"RSTO", EDDY_CONN_CLOSED},     {"RSTR", EDDY_CONN_CLOSED},
        {"OTH", EDDY_CONN_MIDSTREAM},   {"SHR", EDDY_CONN_MIDSTREAM},
        {"RSTRH", EDDY_CONN_MIDSTREAM},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(zeek(tcp(TCP_SYN, 0), cases[i].name), cases[i].conn);
        assert_int_equal(zeek(tcp(0, 0), cases[i].name), cases[i].conn); /* no history logged */
    }
}

static void a_connection_whose_syn_was_not_seen_is_midstream_for_both(void **state)
{
    (void)state;
    eddy_flow flow = tcp(TCP_ACK | TCP_FIN, TCP_ACK | TCP_FIN);
    assert_int_equal(zeek(flow, "SF"), EDDY_CONN_MIDSTREAM);
    assert_int_equal(conn_from_suricata(&flow, SURICATA_CLOSED), EDDY_CONN_MIDSTREAM);
    flow = tcp(0, TCP_SYN | TCP_ACK);
    assert_int_equal(zeek(flow, "SHR"), EDDY_CONN_MIDSTREAM);
    assert_int_equal(conn_from_suricata(&flow, SURICATA_NEW), EDDY_CONN_MIDSTREAM);
}

static void tcp_of_suricata_follows_from_its_flags(void **state)
{
    (void)state;
    static const struct {
        unsigned out, in;
        eddy_conn conn;
    } cases[] = {
        {0x00, 0x00, EDDY_CONN_MIDSTREAM},   /* not followed */
        {0x02, 0x00, EDDY_CONN_ATTEMPT},     /* S0 */
        {0x02, 0x14, EDDY_CONN_ATTEMPT},     /* REJ */
        {0x06, 0x00, EDDY_CONN_ATTEMPT},     /* RSTOS0 */
        {0x03, 0x00, EDDY_CONN_ATTEMPT},     /* SH */
        {0x12, 0x12, EDDY_CONN_ESTABLISHED}, /* S1 */
        {0x1b, 0x1a, EDDY_CONN_ESTABLISHED}, /* S2: closed by one side only */
        {0x1a, 0x1b, EDDY_CONN_ESTABLISHED}, /* S3 */
        {0x1b, 0x1b, EDDY_CONN_CLOSED},      /* SF */
        {0x1e, 0x1a, EDDY_CONN_CLOSED},      /* RSTO */
        {0x1a, 0x1e, EDDY_CONN_CLOSED},      /* RSTR */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eddy_flow flow = tcp(cases[i].out, cases[i].in);
        assert_int_equal(conn_from_suricata(&flow, SURICATA_ESTABLISHED), cases[i].conn);
    }
}

static void a_bypassed_flow_is_established(void **state)
{
    (void)state;
    eddy_flow flow = tcp(0, 0);
    assert_int_equal(conn_from_suricata(&flow, conn_suricata_state("bypassed", 8)),
                     EDDY_CONN_ESTABLISHED);
}

static void udp_is_an_attempt_until_it_is_answered(void **state)
{
    (void)state;
    eddy_flow flow = {.proto = IP_UDP, .packets_out = 3, .packets_in = 0};
    assert_int_equal(zeek(flow, "S0"), EDDY_CONN_ATTEMPT);
    assert_int_equal(conn_from_suricata(&flow, SURICATA_NEW), EDDY_CONN_ATTEMPT);
    flow.packets_in = 1;
    assert_int_equal(zeek(flow, "SF"), EDDY_CONN_ESTABLISHED);
    assert_int_equal(conn_from_suricata(&flow, SURICATA_ESTABLISHED), EDDY_CONN_ESTABLISHED);
    assert_int_equal(conn_from_suricata(&flow, SURICATA_NEW), EDDY_CONN_ESTABLISHED);
    flow.packets_out = 0;
    assert_int_equal(zeek(flow, "SHR"), EDDY_CONN_MIDSTREAM);
}

static void udp_without_counts_goes_by_the_sensors_state(void **state)
{
    (void)state;
    eddy_flow flow = {.proto = IP_UDP, .packets_out = EDDY_UNSET, .packets_in = EDDY_UNSET};
    assert_int_equal(zeek(flow, "S0"), EDDY_CONN_ATTEMPT);
    assert_int_equal(zeek(flow, "SF"), EDDY_CONN_ESTABLISHED);
    assert_int_equal(zeek(flow, ""), EDDY_CONN_MIDSTREAM);
    assert_int_equal(conn_from_suricata(&flow, SURICATA_NEW), EDDY_CONN_ATTEMPT);
    assert_int_equal(conn_from_suricata(&flow, SURICATA_ESTABLISHED), EDDY_CONN_ESTABLISHED);
}

static void icmp_and_the_rest_are_midstream_for_both(void **state)
{
    (void)state;
    static const uint8_t protos[] = {IP_ICMP, IP_ICMP6, 50, 132, 0};
    for (size_t i = 0; i < sizeof protos; i++) {
        eddy_flow flow = {.proto = protos[i], .packets_out = 1, .packets_in = 1};
        assert_int_equal(zeek(flow, "OTH"), EDDY_CONN_MIDSTREAM);
        assert_int_equal(conn_from_suricata(&flow, SURICATA_ESTABLISHED), EDDY_CONN_MIDSTREAM);
    }
}

static void an_unknown_conn_state_leaves_the_flags_to_decide(void **state)
{
    (void)state;
    assert_int_equal(zeek(tcp(0x1b, 0x1b), "NEW9"), EDDY_CONN_CLOSED);
    assert_int_equal(zeek(tcp(0x02, 0), ""), EDDY_CONN_ATTEMPT);
    assert_int_equal(zeek(tcp(0, 0), ""), EDDY_CONN_MIDSTREAM);
}

static void protocols_are_known_by_name_in_any_case_and_by_number(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint8_t number;
    } cases[] = {{"TCP", 6},        {"tcp", 6},    {"Udp", 17}, {"ICMP", 1},
                 {"IPv6-ICMP", 58}, {"SCTP", 132}, {"ESP", 50}, {"IP-in-IP", 4},
                 {"IPv6", 41},      {"gre", 47},   {"047", 47}, {"255", 255},
                 {"256", 0},        {"", 0},       {"tcpx", 0}, {"unknown_transport", 0},
                 {"-1", 0},         {"tc", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(conn_proto(cases[i].name, strlen(cases[i].name)), cases[i].number);
}

static void applications_have_suricatas_names(void **state)
{
    (void)state;
    static const struct {
        const char *name, *app;
    } cases[] = {{"ssl", "tls"},
                 {"tls", "tls"},
                 {"dce_rpc", "dcerpc"},
                 {"krb_tcp", "krb5"},
                 {"failed", ""},
                 {"unknown", ""},
                 {"HTTP", "http"},
                 {"bittorrent-dht", "bittorrent-dht"},
                 {"", ""},
                 {"spicy_ldap_tcp", "ldap"},
                 {"a,\"b\n\\", "a??b??"},
                 {"longer_than_the_field", "longer_than_th"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eddy_flow flow;
        memset(&flow, 'x', sizeof flow);
        conn_app(&flow, cases[i].name, strlen(cases[i].name));
        assert_string_equal(flow.app, cases[i].app);
    }
}

static void the_first_application_of_a_set_counts(void **state)
{
    (void)state;
    static const struct {
        const char *set, *app;
    } cases[] = {{"ssl,http", "tls"},
                 {"gssapi,smb,krb", "smb"},
                 {"-ssl,http", "http"},
                 {"-ssl", ""},
                 {"gssapi", ""},
                 {",,dns", "dns"},
                 {"http,-ssl", "http"},
                 {"", ""},
                 {",", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eddy_flow flow = {.size = 0};
        conn_app_of_set(&flow, cases[i].set, strlen(cases[i].set), ',');
        assert_string_equal(flow.app, cases[i].app);
    }
}

static void an_id_is_cut_and_needs_no_quoting(void **state)
{
    (void)state;
    eddy_flow flow;
    conn_id(&flow, "CHhAvVGS1DHFjwGM9", 17);
    assert_string_equal(flow.id, "CHhAvVGS1DHFjwGM9");
    conn_id(&flow, "a b\tc\"d,e\\f\x01g\xc3\xa4<h>", 18);
    assert_string_equal(flow.id, "a?b?c?d?e?f?g???h?");
    conn_id(&flow, "0123456789012345678901234567890123456789xyz", 43);
    assert_int_equal(strlen(flow.id), 39);
    conn_id(&flow, "a\0b", 3);
    assert_string_equal(flow.id, "a?b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_conn_state_of_zeek_has_its_coarse_one),
        cmocka_unit_test(a_connection_whose_syn_was_not_seen_is_midstream_for_both),
        cmocka_unit_test(tcp_of_suricata_follows_from_its_flags),
        cmocka_unit_test(a_bypassed_flow_is_established),
        cmocka_unit_test(udp_is_an_attempt_until_it_is_answered),
        cmocka_unit_test(udp_without_counts_goes_by_the_sensors_state),
        cmocka_unit_test(icmp_and_the_rest_are_midstream_for_both),
        cmocka_unit_test(an_unknown_conn_state_leaves_the_flags_to_decide),
        cmocka_unit_test(protocols_are_known_by_name_in_any_case_and_by_number),
        cmocka_unit_test(applications_have_suricatas_names),
        cmocka_unit_test(the_first_application_of_a_set_counts),
        cmocka_unit_test(an_id_is_cut_and_needs_no_quoting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
