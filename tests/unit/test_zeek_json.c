/* SPDX-License-Identifier: MIT */
/* test_zeek_json.c - conn.log as JSON lines. */
#include "records.h"

#define DOTTED                                                                                     \
    "\"id.orig_h\":\"192.0.2.10\",\"id.orig_p\":40000,\"id.resp_h\":\"198.51.100.5\","             \
    "\"id.resp_p\":443,"
#define UNDERSCORED                                                                                \
    "\"id_orig_h\":\"192.0.2.10\",\"id_orig_p\":40000,\"id_resp_h\":\"198.51.100.5\","             \
    "\"id_resp_p\":443,"
#define NESTED                                                                                     \
    "\"id\":{\"orig_h\":\"192.0.2.10\",\"orig_p\":40000,\"resp_h\":\"198.51.100.5\","              \
    "\"resp_p\":443},"
#define REST                                                                                       \
    "\"proto\":\"tcp\",\"service\":\"ssl\",\"duration\":1.25,\"orig_bytes\":1000,"                 \
    "\"resp_bytes\":7000,\"conn_state\":\"SF\",\"missed_bytes\":0,\"history\":\"ShADadfF\","       \
    "\"orig_pkts\":10,\"orig_ip_bytes\":1400,\"resp_pkts\":8,\"resp_ip_bytes\":8000}"
#define TS "{\"ts\":1709287200.25,\"uid\":\"CAbc1\","

static eddy_flow flow(const char *line)
{
    return flow_of("zeek-json", line);
}

static void ids_may_be_dotted_underscored_or_nested(void **state)
{
    (void)state;
    static const char *const lines[] = {TS DOTTED REST, TS UNDERSCORED REST, TS NESTED REST};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        eddy_flow f = flow(lines[i]);
        char text[46];
        assert_string_equal(eddy_address_text(f.src, text), "192.0.2.10");
        assert_string_equal(eddy_address_text(f.dst, text), "198.51.100.5");
        assert_int_equal(f.src_port, 40000);
        assert_int_equal(f.dst_port, 443);
        assert_int_equal(f.start_us, 1709287200250000);
        assert_int_equal(f.duration_us, 1250000);
        assert_int_equal(f.bytes_out, 1400);
        assert_int_equal(f.packets_in, 8);
        assert_int_equal(f.state, EDDY_CONN_CLOSED);
        assert_int_equal(f.tcp_in, 0x1b);
        assert_string_equal(f.app, "tls");
        assert_string_equal(f.id, "CAbc1");
        assert_int_equal(f.quality, 0);
    }
}

static void the_time_may_be_seconds_milliseconds_or_iso(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        int64_t us;
    } cases[] = {
        {"{\"ts\":1709287200.250001," DOTTED REST, 1709287200250001},
        {"{\"ts\":1709287200250," DOTTED REST, 1709287200250000},
        {"{\"ts\":\"2024-03-01T10:00:00.250001Z\"," DOTTED REST, 1709287200250001},
        {"{\"ts\":1.70928720025e9," DOTTED REST, 1709287200250000},
        {"{\"ts\":12," DOTTED REST, 12000000},
        {"{\"ts\":-62135596800000," DOTTED REST, -62135596800000000},
        {"{\"ts\":253402300799.0," DOTTED REST, 253402300799000000}, /* the year 9999 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(flow(cases[i].line).start_us, cases[i].us);
}

static void a_noisy_double_is_rounded_to_microseconds(void **state)
{
    (void)state;
    eddy_flow f = flow(TS DOTTED "\"proto\":\"tcp\",\"duration\":0.05999898910522461}");
    assert_int_equal(f.duration_us, 59999);
    f = flow(TS DOTTED "\"proto\":\"tcp\",\"duration\":1.5020370483398438e-05}");
    assert_int_equal(f.duration_us, 15);
}

static void null_and_absent_are_unset(void **state)
{
    (void)state;
    eddy_flow f = flow(TS DOTTED "\"proto\":\"tcp\",\"conn_state\":\"S0\",\"duration\":null,"
                                 "\"service\":null,\"orig_ip_bytes\":null}");
    assert_true(f.duration_us == EDDY_UNSET);
    assert_true(f.bytes_out == EDDY_UNSET && f.packets_in == EDDY_UNSET);
    assert_string_equal(f.app, "");
}

static void the_path_says_which_log_it_is(void **state)
{
    (void)state;
    assert_int_equal(reason_of("zeek-json", "{\"_path\":\"conn\",\"ts\":1.0," DOTTED REST),
                     REASON_NONE);
    assert_int_equal(reason_of("zeek-json", "{\"_path\":\"eddy_conn\",\"ts\":1.0," DOTTED REST),
                     REASON_NONE);
    assert_int_equal(reason_of("zeek-json", "{\"_path\":\"conn_long\",\"ts\":1.0," DOTTED REST),
                     REASON_other_event);
    assert_int_equal(reason_of("zeek-json", "{\"_path\":\"dns\",\"ts\":1.0," DOTTED REST),
                     REASON_other_event);
    assert_int_equal(reason_of("zeek-json", "{\"@stream\":\"dns\",\"ts\":1.0," DOTTED REST),
                     REASON_other_event);
    /* At the end of the record, after another object. */
    assert_int_equal(reason_of("zeek-json", TS NESTED "\"conn_state\":\"SF\",\"_path\":\"ssl\"}"),
                     REASON_other_event);
}

static void without_a_path_the_fields_say_it(void **state)
{
    (void)state;
    assert_int_equal(reason_of("zeek-json", TS DOTTED "\"conn_state\":\"S0\"}"), REASON_NONE);
    assert_int_equal(reason_of("zeek-json", TS DOTTED "\"proto\":\"udp\",\"orig_pkts\":1}"),
                     REASON_NONE);
    assert_int_equal(
        reason_of("zeek-json", TS DOTTED "\"proto\":\"udp\",\"query\":\"example.org\"}"),
        REASON_other_event); /* dns.log */
    assert_int_equal(reason_of("zeek-json", "{\"ts\":1.0,\"name\":\"weird\"}"), REASON_other_event);
}

static void json_of_other_programs_is_not_zeek(void **state)
{
    (void)state;
    assert_int_equal(reason_of("zeek-json", "{}"), REASON_unknown_format);
    assert_int_equal(reason_of("zeek-json", "{\"event_type\":\"flow\"}"), REASON_unknown_format);
}

static void a_service_may_be_a_list(void **state)
{
    (void)state;
    assert_string_equal(flow(TS DOTTED "\"conn_state\":\"SF\",\"service\":\"-ssl,http\"}").app,
                        "http");
    assert_string_equal(flow(TS DOTTED "\"conn_state\":\"SF\",\"service\":[\"ssl\",\"x\"]}").app,
                        "tls");
}

static void bad_values_are_told_by_kind(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum reason reason;
    } cases[] = {
        {TS DOTTED "\"conn_state\":\"SF\",\"duration\":-0.5}", REASON_bad_number},
        {TS DOTTED "\"conn_state\":\"SF\",\"duration\":1e400}", REASON_bad_number},
        {TS DOTTED "\"conn_state\":\"SF\",\"orig_pkts\":-1}", REASON_bad_number},
        {TS DOTTED "\"conn_state\":\"SF\",\"orig_pkts\":1.5}", REASON_bad_number},
        {TS DOTTED "\"conn_state\":\"SF\",\"orig_pkts\":true}", REASON_bad_number},
        {"{\"ts\":\"now\"," DOTTED REST, REASON_bad_number},
        {"{\"ts\":1.0,\"id.orig_h\":\"x\"," DOTTED REST, REASON_bad_address},
        {"{\"ts\":1.0,\"id.orig_p\":70000," DOTTED REST, REASON_bad_address},
        {"{\"ts\":1.0,\"id.orig_h\":\"10.0.0.1\",\"conn_state\":\"SF\"}", REASON_missing_field},
        {"{\"ts\":null,\"_path\":\"conn\"," DOTTED REST, REASON_missing_field},
        {TS DOTTED "\"conn_state\":\"SF\"", REASON_bad_json},
        {TS DOTTED "\"conn_state\":SF}", REASON_bad_json},
        {TS DOTTED "\"x\":\"\xff\"," REST, REASON_bad_utf8},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(reason_of("zeek-json", cases[i].line), cases[i].reason);
}

static void the_first_of_two_equal_keys_wins(void **state)
{
    (void)state;
    eddy_flow f = flow(TS DOTTED "\"id.resp_p\":1," NESTED "\"uid\":\"other\"," REST);
    assert_int_equal(f.dst_port, 443);
    assert_string_equal(f.id, "CAbc1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_may_be_dotted_underscored_or_nested),
        cmocka_unit_test(the_time_may_be_seconds_milliseconds_or_iso),
        cmocka_unit_test(a_noisy_double_is_rounded_to_microseconds),
        cmocka_unit_test(null_and_absent_are_unset),
        cmocka_unit_test(the_path_says_which_log_it_is),
        cmocka_unit_test(without_a_path_the_fields_say_it),
        cmocka_unit_test(json_of_other_programs_is_not_zeek),
        cmocka_unit_test(a_service_may_be_a_list),
        cmocka_unit_test(bad_values_are_told_by_kind),
        cmocka_unit_test(the_first_of_two_equal_keys_wins),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
