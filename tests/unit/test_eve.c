/* SPDX-License-Identifier: MIT */
/* test_eve.c - flow records of Suricata. */
#include "records.h"

#include <stdio.h>

#include "util/addr.h"

/* Pieces of a record, so that a test shows only what it is about. */
#define HEAD "{\"timestamp\":\"2024-03-01T10:00:31.000000+0000\",\"flow_id\":1234567890123,"
#define TYPE "\"event_type\":\"flow\","
#define ENDS                                                                                       \
    "\"src_ip\":\"192.0.2.10\",\"src_port\":40000,\"dest_ip\":\"198.51.100.5\",\"dest_port\":443,"
#define TIMES                                                                                      \
    "\"start\":\"2024-03-01T10:00:00.250000+0000\",\"end\":\"2024-03-01T10:00:01.500000+0000\""
#define PKTS "\"pkts_toserver\":10,\"pkts_toclient\":8"
#define FLOW                                                                                       \
    "\"flow\":{" PKTS ",\"bytes_toserver\":1540,\"bytes_toclient\":8112," TIMES                    \
    ",\"age\":1,\"state\":\"closed\"}"
#define TCP ",\"tcp\":{\"tcp_flags\":\"1b\",\"tcp_flags_ts\":\"1b\",\"tcp_flags_tc\":\"1b\"}"

static const char whole[] = HEAD TYPE ENDS "\"proto\":\"TCP\",\"app_proto\":\"tls\"," FLOW TCP "}";

static eddy_flow flow(const char *line)
{
    return flow_of("eve", line);
}

static void a_flow_record_becomes_a_flow(void **state)
{
    (void)state;
    eddy_flow f = flow(whole);
    char text[46];
    assert_int_equal(f.size, sizeof f);
    assert_string_equal(eddy_address_text(f.src, text), "192.0.2.10");
    assert_string_equal(eddy_address_text(f.dst, text), "198.51.100.5");
    assert_int_equal(f.src_port, 40000);
    assert_int_equal(f.dst_port, 443);
    assert_int_equal(f.proto, 6);
    assert_int_equal(f.start_us, 1709287200250000); /* flow.start, not timestamp */
    assert_int_equal(f.duration_us, 1250000);
    assert_int_equal(f.packets_out, 10);
    assert_int_equal(f.packets_in, 8);
    assert_int_equal(f.bytes_out, 1540 - 10 * 14);
    assert_int_equal(f.bytes_in, 8112 - 8 * 14);
    assert_int_equal(f.state, EDDY_CONN_CLOSED);
    assert_int_equal(f.tcp_out, 0x1b);
    assert_int_equal(f.quality, EDDY_QUALITY_DERIVED);
    assert_string_equal(f.app, "tls");
    assert_string_equal(f.id, "1234567890123");
}

static void other_events_are_skipped_unread(void **state)
{
    (void)state;
    static const char *const lines[] = {
        HEAD "\"event_type\":\"dns\",\"dns\":{\"type\":\"query\"}}",
        HEAD "\"event_type\":\"alert\"," FLOW "}",
        HEAD "\"event_type\":\"netflow\"," FLOW "}",
        HEAD "\"event_type\":\"flows\"}",
        HEAD "\"event_type\":\"\"}",
        HEAD "\"event_type\":\"stats\",\"broken\":[,,}", /* not looked into */
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(reason_of("eve", lines[i]), REASON_other_event);
}

static void event_type_is_found_wherever_it_is(void **state)
{
    (void)state;
    assert_string_equal(flow(HEAD ENDS FLOW ",\"event_type\": \"flow\"}").id, "1234567890123");
    assert_string_equal(flow(HEAD "\"event_type\" :\t\"flow\"," ENDS FLOW "}").id, "1234567890123");
    assert_string_equal(flow(HEAD "\"event_type\":\"\\u0066low\"," ENDS FLOW "}").id,
                        "1234567890123");
    /* One inside another object, or as a value, says nothing. */
    assert_string_equal(flow(HEAD "\"x\":{\"event_type\":\"dns\"}," TYPE ENDS FLOW "}").id,
                        "1234567890123");
    assert_string_equal(flow(HEAD "\"x\":\"event_type\"," TYPE ENDS FLOW "}").id, "1234567890123");
    assert_int_equal(reason_of("eve", HEAD "\"x\":{\"event_type\":\"flow\"}}"), REASON_other_event);
}

static void json_without_event_type_is_not_eve(void **state)
{
    (void)state;
    assert_int_equal(reason_of("eve", "{}"), REASON_unknown_format);
    assert_int_equal(reason_of("eve", "{\"level\":\"info\",\"msg\":\"x\"}"), REASON_unknown_format);
}

static void cut_or_garbage_is_bad_json(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "garbage",
        "[]",
        "\"event_type\":\"flow\"}",
        HEAD TYPE ENDS FLOW, /* the last brace is the flow's own */
        HEAD TYPE ENDS FLOW "}}",
        HEAD TYPE ENDS FLOW "} {}",
        HEAD TYPE ENDS FLOW "} \"}",
        HEAD TYPE ENDS FLOW ",\"x\":\"\\n\"} \"}", /* yajl would let this through */
        HEAD TYPE ENDS FLOW ",}",
        HEAD TYPE ENDS "\"flow\":{\"start\":1e}}",
        HEAD TYPE ENDS "\"vlan\":[1,2," FLOW "}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(reason_of("eve", lines[i]), REASON_bad_json);
    char line[sizeof whole];
    for (size_t length = 1; length < sizeof whole - 1; length++) {
        memcpy(line, whole, length);
        line[length] = '\0';
        assert_int_equal(reason_of("eve", line), REASON_bad_json);
    }
}

static void bytes_that_are_not_utf8_and_nul_are_told_apart(void **state)
{
    (void)state;
    assert_int_equal(reason_of("eve", HEAD TYPE ENDS "\"x\":\"\xff\"," FLOW "}"), REASON_bad_utf8);
    assert_int_equal(reason_of("eve", HEAD TYPE ENDS "\"x\":\"\xc3\"," FLOW "}"), REASON_bad_utf8);
    static const char nul[] = HEAD TYPE "\"x\":\"\0\"," ENDS FLOW "}";
    assert_int_equal(records_of("eve", nul, sizeof nul - 1, 64).at[0].reason, REASON_bad_utf8);
    static const char hole[] = "\0\0\0\0\0\0";
    assert_int_equal(records_of("eve", hole, sizeof hole - 1, 64).at[0].reason, REASON_bad_utf8);
    assert_string_equal(flow(HEAD TYPE ENDS "\"x\":\"\xc3\xa4\"," FLOW "}").id, "1234567890123");
}

static void nesting_beyond_reason_is_bad_json(void **state)
{
    (void)state;
    char line[RECORDS_LINE_MAX];
    for (size_t depth = 10; depth <= 1000; depth += 490) {
        int n = snprintf(line, sizeof line, "%s", HEAD TYPE ENDS FLOW ",\"x\":");
        memset(line + n, '[', depth);
        memset(line + n + depth, ']', depth);
        memcpy(line + n + 2 * depth, "}", 2);
        assert_int_equal(reason_of("eve", line), depth == 10 ? REASON_NONE : REASON_bad_json);
    }
}

static void a_record_without_time_or_address_misses_a_field(void **state)
{
    (void)state;
    static const char *const lines[] = {
        HEAD TYPE ENDS "\"proto\":\"TCP\"}",
        HEAD TYPE ENDS "\"flow\":{" PKTS "}}",
        HEAD TYPE ENDS "\"flow\":{\"start\":null}}",
        HEAD TYPE "\"src_ip\":\"192.0.2.10\"," FLOW "}",
        HEAD TYPE "\"dest_ip\":\"192.0.2.10\"," FLOW "}",
        HEAD TYPE ENDS "\"flow\":[{" TIMES "}]}", /* in an array: not the flow's */
        HEAD TYPE ENDS "\"x\":{" FLOW "}}",       /* elsewhere */
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(reason_of("eve", lines[i]), REASON_missing_field);
}

static void bad_values_are_told_by_kind(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum reason reason;
    } cases[] = {
        {HEAD TYPE "\"src_ip\":\"1.2.3\"," ENDS FLOW "}", REASON_bad_address},
        {HEAD TYPE "\"src_ip\":7," ENDS FLOW "}", REASON_bad_address},
        {HEAD TYPE "\"src_port\":65536," ENDS FLOW "}", REASON_bad_address},
        {HEAD TYPE "\"dest_port\":-1," ENDS FLOW "}", REASON_bad_address},
        {HEAD TYPE ENDS "\"flow\":{\"pkts_toserver\":-1," TIMES "}}", REASON_bad_number},
        {HEAD TYPE ENDS "\"flow\":{\"pkts_toserver\":1e400," TIMES "}}", REASON_bad_number},
        {HEAD TYPE ENDS "\"flow\":{\"bytes_toclient\":18446744073709551616," TIMES "}}",
         REASON_bad_number},
        {HEAD TYPE ENDS "\"flow\":{\"start\":\"yesterday\"}}", REASON_bad_number},
        {HEAD TYPE ENDS FLOW ",\"tcp\":{\"tcp_flags_ts\":\"zz\"}}", REASON_bad_number},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(reason_of("eve", cases[i].line), cases[i].reason);
}

static void integers_beyond_63_bits_elsewhere_do_no_harm(void **state)
{
    (void)state;
    assert_string_equal(flow(HEAD TYPE ENDS "\"x\":18446744073709551615,\"y\":1e999," FLOW "}").id,
                        "1234567890123");
}

static void the_first_of_two_equal_keys_wins(void **state)
{
    (void)state;
    eddy_flow f = flow(HEAD TYPE ENDS "\"dest_port\":1,\"proto\":\"TCP\",\"proto\":\"UDP\"," FLOW
                                      ",\"flow\":{\"pkts_toserver\":99}}");
    assert_int_equal(f.dst_port, 443);
    assert_int_equal(f.proto, 6);
    assert_int_equal(f.packets_out, 10);
}

static void an_end_before_the_start_leaves_the_duration_unset(void **state)
{
    (void)state;
    eddy_flow f = flow(HEAD TYPE ENDS "\"flow\":{\"start\":\"2024-03-01T10:00:01+0000\","
                                      "\"end\":\"2024-03-01T10:00:00+0000\"}}");
    assert_true(f.duration_us == EDDY_UNSET);
    assert_true(f.packets_out == EDDY_UNSET && f.bytes_in == EDDY_UNSET);
}

static void icmp_has_no_ports(void **state)
{
    (void)state;
    eddy_flow f =
        flow(HEAD TYPE "\"src_ip\":\"fe80:0000:0000:0000:0000:0000:0000:0001\","
                       "\"dest_ip\":\"ff02:0000:0000:0000:0000:0000:0000:0002\","
                       "\"proto\":\"IPv6-ICMP\",\"icmp_type\":133,\"icmp_code\":0," FLOW "}");
    char text[46];
    assert_string_equal(eddy_address_text(f.dst, text), "ff02::2");
    assert_int_equal(f.proto, 58);
    assert_int_equal(f.src_port + f.dst_port, 0);
    assert_int_equal(f.state, EDDY_CONN_MIDSTREAM);
}

/* bytes_out for a flow with these fields. */
static uint64_t bytes_out(const char *vlan, const char *src, int packets, int bytes)
{
    char line[1024];
    int n = snprintf(line, sizeof line,
                     HEAD TYPE "%s\"src_ip\":\"%s\",\"dest_ip\":\"::1\",\"flow\":{"
                               "\"pkts_toserver\":%d,\"bytes_toserver\":%d," TIMES "}}",
                     vlan, src, packets, bytes);
    assert_in_range(n, 1, sizeof line - 1);
    return flow(line).bytes_out;
}

static void frame_bytes_become_ip_bytes(void **state)
{
    (void)state;
    assert_int_equal(bytes_out("", "1.2.3.4", 2, 200), 200 - 2 * 14);
    assert_int_equal(bytes_out("\"vlan\":[10],", "1.2.3.4", 2, 200), 200 - 2 * 18);
    assert_int_equal(bytes_out("\"vlan\":[10,20],", "1.2.3.4", 2, 200), 200 - 2 * 22);
    assert_int_equal(bytes_out("\"vlan\":7,", "1.2.3.4", 2, 200), 200 - 2 * 18);
    /* Never less than IP headers, never more than was counted. */
    assert_int_equal(bytes_out("", "1.2.3.4", 2, 50), 40);
    assert_int_equal(bytes_out("", "::2", 2, 90), 80);
    assert_int_equal(bytes_out("", "1.2.3.4", 2, 30), 30);
    assert_int_equal(bytes_out("", "1.2.3.4", 0, 0), 0);
}

static void keep_bytes(void *user, const struct stream_record *record)
{
    assert_int_equal(record->reason, REASON_NONE);
    *(uint64_t *)user = record->flow->bytes_out;
}

/* Also in the second log that a stream reads. */
static void the_links_header_is_a_setting(void **state)
{
    (void)state;
    static const struct {
        uint64_t header, expected;
    } cases[] = {{0, 1540}, {4, 1500}, {16, 1380}, {64, 900}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct ingest_conf conf = {.max_line = 4096, .link_header = cases[i].header};
        struct stream *stream;
        assert_int_equal(stream_new(&conf, NULL, &stream, NULL), EDDY_OK);
        for (int log = 0; log < 2; log++) {
            uint64_t bytes = 0;
            (void)stream_feed(stream, whole, sizeof whole - 1, keep_bytes, &bytes);
            (void)stream_end(stream, keep_bytes, &bytes);
            assert_int_equal(bytes, cases[i].expected);
        }
        stream_free(stream);
    }
}

static unsigned doubt(const char *proto, unsigned src_port, unsigned dst_port, const char *flags)
{
    char line[1024];
    int n =
        snprintf(line, sizeof line,
                 HEAD TYPE "\"src_ip\":\"192.0.2.10\",\"src_port\":%u,\"dest_ip\":\"192.0.2.11\","
                           "\"dest_port\":%u,\"proto\":\"%s\"," FLOW
                           ",\"tcp\":{\"tcp_flags_ts\":\"%s\",\"tcp_flags_tc\":\"12\"}}",
                 src_port, dst_port, proto, flags);
    assert_in_range(n, 1, sizeof line - 1);
    return flow(line).quality & EDDY_QUALITY_DIRECTION;
}

static void who_began_is_in_doubt_without_a_start(void **state)
{
    (void)state;
    assert_int_equal(doubt("TCP", 443, 40000, "02"), 0);
    assert_int_not_equal(doubt("TCP", 40000, 443, "18"), 0);
    assert_int_not_equal(doubt("TCP", 40000, 443, "00"), 0);
    assert_int_equal(doubt("UDP", 40000, 53, "00"), 0);
    assert_int_equal(doubt("UDP", 123, 123, "00"), 0);
    assert_int_not_equal(doubt("UDP", 53, 40000, "00"), 0);
    assert_int_equal(doubt("ICMP", 0, 0, "00"), 0);
}

static void bypassed_counts_are_in_the_totals_already(void **state)
{
    (void)state;
    eddy_flow f =
        flow(HEAD TYPE ENDS "\"proto\":\"TCP\",\"flow\":{" PKTS ",\"bytes_toserver\":1540,"
                            "\"bypassed\":{\"pkts_toserver\":7,\"bytes_toserver\":900}," TIMES
                            ",\"state\":\"bypassed\"}}");
    assert_int_equal(f.packets_out, 10);
    assert_int_equal(f.bytes_out, 1400);
    assert_int_equal(f.state, EDDY_CONN_ESTABLISHED);
}

static void a_gap_on_either_side_marks_the_flow(void **state)
{
    (void)state;
    assert_true(flow(HEAD TYPE ENDS FLOW ",\"tcp\":{\"tc_gap\":true}}").quality & EDDY_QUALITY_GAP);
    assert_true(flow(HEAD TYPE ENDS FLOW ",\"tcp\":{\"ts_gap\":true}}").quality & EDDY_QUALITY_GAP);
    assert_false(flow(HEAD TYPE ENDS FLOW ",\"tcp\":{\"ts_gap\":false}}").quality &
                 EDDY_QUALITY_GAP);
}

static void failed_means_no_application(void **state)
{
    (void)state;
    assert_string_equal(flow(HEAD TYPE ENDS "\"app_proto\":\"failed\"," FLOW "}").app, "");
    assert_string_equal(flow(HEAD TYPE ENDS FLOW "}").app, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flow_record_becomes_a_flow),
        cmocka_unit_test(other_events_are_skipped_unread),
        cmocka_unit_test(event_type_is_found_wherever_it_is),
        cmocka_unit_test(json_without_event_type_is_not_eve),
        cmocka_unit_test(cut_or_garbage_is_bad_json),
        cmocka_unit_test(bytes_that_are_not_utf8_and_nul_are_told_apart),
        cmocka_unit_test(nesting_beyond_reason_is_bad_json),
        cmocka_unit_test(a_record_without_time_or_address_misses_a_field),
        cmocka_unit_test(bad_values_are_told_by_kind),
        cmocka_unit_test(integers_beyond_63_bits_elsewhere_do_no_harm),
        cmocka_unit_test(the_first_of_two_equal_keys_wins),
        cmocka_unit_test(an_end_before_the_start_leaves_the_duration_unset),
        cmocka_unit_test(icmp_has_no_ports),
        cmocka_unit_test(frame_bytes_become_ip_bytes),
        cmocka_unit_test(the_links_header_is_a_setting),
        cmocka_unit_test(who_began_is_in_doubt_without_a_start),
        cmocka_unit_test(bypassed_counts_are_in_the_totals_already),
        cmocka_unit_test(a_gap_on_either_side_marks_the_flow),
        cmocka_unit_test(failed_means_no_application),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
