/* SPDX-License-Identifier: MIT */
/* test_zeek_tsv.c - conn.log as Zeek's ASCII writer writes it. */
#include "records.h"

#define START                                                                                      \
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n"   \
    "#open\t2024-03-01-10-00-00\n"
#define FIELDS                                                                                     \
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\t"     \
    "orig_bytes\tresp_bytes\tconn_state\tlocal_orig\tlocal_resp\tmissed_bytes\thistory\t"          \
    "orig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\ttunnel_parents\n"
#define TYPES  "#types\ttime\tstring\taddr\n"
#define HEADER START FIELDS TYPES

#define ROW                                                                                        \
    "1709287200.250000\tCAbc1\t192.0.2.10\t40000\t198.51.100.5\t443\ttcp\tssl\t1.250000\t1000\t"   \
    "7000\tSF\tT\tF\t0\tShADadfF\t10\t1400\t8\t8000\t-\n"

static const char short_header[] = "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t"
                                   "proto\tconn_state\thistory\torig_pkts\torig_bytes\n";

/* The last record of a log, which must have a flow. */
static eddy_flow last_flow(const char *log)
{
    struct records records = records_of_text("zeek-tsv", log);
    assert_true(records.count > 0);
    assert_int_equal(records.at[records.count - 1].reason, REASON_NONE);
    return records.at[records.count - 1].flow;
}

static enum reason last_reason(const char *log)
{
    struct records records = records_of_text("zeek-tsv", log);
    assert_true(records.count > 0);
    return records.at[records.count - 1].reason;
}

/* A row below the short header. */
static eddy_flow short_flow(const char *row)
{
    char log[1024];
    assert_true(strlen(short_header) + strlen(row) < sizeof log);
    memcpy(log, short_header, sizeof short_header);
    strncat(log, row, sizeof log - sizeof short_header);
    return last_flow(log);
}

static enum reason short_reason(const char *row)
{
    char log[1024];
    assert_true(strlen(short_header) + strlen(row) < sizeof log);
    memcpy(log, short_header, sizeof short_header);
    strncat(log, row, sizeof log - sizeof short_header);
    return last_reason(log);
}

static void a_row_becomes_a_flow(void **state)
{
    (void)state;
    struct records records =
        records_of_text("zeek-tsv", HEADER ROW "#close\t2024-03-01-11-00-00\n");
    assert_int_equal(records.count, 10);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(records.at[i].reason, REASON_header);
    assert_int_equal(records.at[9].reason, REASON_header);
    assert_int_equal(records.at[8].reason, REASON_NONE);
    eddy_flow f = records.at[8].flow;
    char text[46];
    assert_string_equal(eddy_address_text(f.src, text), "192.0.2.10");
    assert_string_equal(eddy_address_text(f.dst, text), "198.51.100.5");
    assert_int_equal(f.src_port, 40000);
    assert_int_equal(f.dst_port, 443);
    assert_int_equal(f.proto, 6);
    assert_int_equal(f.start_us, 1709287200250000);
    assert_int_equal(f.duration_us, 1250000);
    assert_int_equal(f.packets_out, 10);
    assert_int_equal(f.bytes_out, 1400); /* orig_ip_bytes, not orig_bytes */
    assert_int_equal(f.packets_in, 8);
    assert_int_equal(f.bytes_in, 8000);
    assert_int_equal(f.state, EDDY_CONN_CLOSED);
    assert_int_equal(f.tcp_out, 0x1b);
    assert_int_equal(f.tcp_in, 0x1b);
    assert_int_equal(f.quality, 0);
    assert_string_equal(f.app, "tls");
    assert_string_equal(f.id, "CAbc1");
}

static void columns_are_found_by_name_in_any_order(void **state)
{
    (void)state;
    eddy_flow f =
        last_flow("#fields\t_node_name\tresp_pkts\tid_resp_h\tid.orig_h\tmine\tts\tproto\t"
                  "orig_pkts\n"
                  "worker-1\t8\t198.51.100.5\t192.0.2.10\tx\t5.5\tudp\t2\n");
    char text[46];
    assert_string_equal(eddy_address_text(f.dst, text), "198.51.100.5");
    assert_int_equal(f.start_us, 5500000);
    assert_int_equal(f.packets_in, 8);
    assert_int_equal(f.packets_out, 2);
    assert_int_equal(f.state, EDDY_CONN_ESTABLISHED);
    assert_true(f.duration_us == EDDY_UNSET);
}

static void unset_is_not_zero(void **state)
{
    (void)state;
    eddy_flow f = last_flow(HEADER "1.0\tC1\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\t-\t-\t-\t-\tS0\t-\t-\t"
                                   "0\tS\t1\t60\t-\t-\t(empty)\n");
    assert_true(f.duration_us == EDDY_UNSET);
    assert_int_equal(f.bytes_out, 60);
    assert_true(f.packets_in == EDDY_UNSET && f.bytes_in == EDDY_UNSET);
    assert_string_equal(f.app, "");
    assert_int_equal(f.state, EDDY_CONN_ATTEMPT);
    assert_int_equal(f.quality, 0);
}

static void missing_ip_bytes_are_derived_from_payload(void **state)
{
    (void)state;
    eddy_flow f = short_flow("1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\tShAD\t3\t100\n");
    assert_int_equal(f.bytes_out, 100 + 3 * 40);
    assert_int_equal(f.quality, EDDY_QUALITY_DERIVED);
    f = short_flow("1.0\tC\t::1\t1\t::2\t2\tudp\tSF\tDd\t3\t100\n");
    assert_int_equal(f.bytes_out, 100 + 3 * 48);
    f = short_flow("1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tS0\tS\t3\t-\n");
    assert_true(f.bytes_out == EDDY_UNSET);
    assert_int_equal(f.quality, 0);
    f = short_flow("1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tS0\tS\t18446744073709551614\t9\n");
    assert_true(f.bytes_out == EDDY_UNSET);
}

static void history_gives_flags_and_doubts(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        unsigned out, in, quality;
    } cases[] = {
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tREJ\tSr\t1\t-\n", 0x02, 0x14, 0},
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tRSTO\tShR\t1\t-\n", 0x06, 0x12, 0},
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t^hADadfFtTwWcCiIqQxX9?\t1\t-\n", 0x19, 0x1b,
         EDDY_QUALITY_DIRECTION},
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tS1\tShADgg\t1\t-\n", 0x1a, 0x12, EDDY_QUALITY_GAP},
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\tudp\tSF\tDd\t1\t-\n", 0, 0, 0},
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tOTH\tDd\t1\t-\n", 0x18, 0x18,
         EDDY_QUALITY_DIRECTION},
        {"1.0\tC\t10.0.0.1\t53\t10.0.0.2\t4000\tudp\tS0\tD\t1\t-\n", 0, 0, EDDY_QUALITY_DIRECTION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        eddy_flow f = short_flow(cases[i].row);
        assert_int_equal(f.tcp_out, cases[i].out);
        assert_int_equal(f.tcp_in, cases[i].in);
        assert_int_equal(f.quality, cases[i].quality);
    }
}

static void missed_bytes_are_a_gap(void **state)
{
    (void)state;
    eddy_flow f = last_flow(HEADER "1.0\tC1\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\t-\t-\t-\t-\tS0\t-\t-\t"
                                   "7\tS\t1\t60\t-\t-\t(empty)\n");
    assert_int_equal(f.quality, EDDY_QUALITY_GAP);
}

static void icmp_has_no_ports_and_its_own_number_for_ipv6(void **state)
{
    (void)state;
    eddy_flow f = short_flow("1.0\tC\t10.0.0.1\t8\t10.0.0.2\t0\ticmp\tOTH\t-\t1\t-\n");
    assert_int_equal(f.proto, 1);
    assert_int_equal(f.src_port, 0);
    assert_int_equal(f.state, EDDY_CONN_MIDSTREAM);
    f = short_flow("1.0\tC\tfe80::1\t133\tff02::2\t134\ticmp\tOTH\t-\t1\t-\n");
    assert_int_equal(f.proto, 58);
    assert_int_equal(f.dst_port, 0);
}

static void ip_proto_knows_more_than_proto(void **state)
{
    (void)state;
    static const char *const logs[] = {
        "#fields\tts\tid.orig_h\tid.resp_h\tproto\tip_proto\tduration\n"
        "1.0\t10.0.0.1\t10.0.0.2\tunknown_transport\t47\t-\n",
        "#fields\tts\tid.orig_h\tid.resp_h\tip_proto\tproto\tduration\n"
        "1.0\t10.0.0.1\t10.0.0.2\t47\tunknown_transport\t-\n",
    };
    assert_int_equal(last_flow(logs[0]).proto, 47);
    assert_int_equal(last_flow(logs[1]).proto, 47);
}

static void separators_of_the_header_are_obeyed(void **state)
{
    (void)state;
    eddy_flow f =
        last_flow("#separator |\n#set_separator|;\n#empty_field|EMPTY\n#unset_field|NONE\n"
                  "#path|conn\n#fields|ts|uid|id.orig_h|id.resp_h|proto|service|duration\n"
                  "1.0|C1|10.0.0.1|10.0.0.2|tcp|-ssl;http|NONE\n");
    assert_string_equal(f.app, "http");
    assert_true(f.duration_us == EDDY_UNSET);
    f = last_flow("#separator \\x2c\n#set_separator,;\n#unset_field,\n"
                  "#fields,ts,uid,id.orig_h,id.resp_h,proto,service,duration\n"
                  "1.0,C1,10.0.0.1,10.0.0.2,tcp,,\n");
    assert_string_equal(f.app, "");
}

static void escapes_are_undone_in_what_is_kept(void **state)
{
    (void)state;
    eddy_flow f = short_flow("1.0\tC\\x2d1\\\\\\x09\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n");
    assert_string_equal(f.id, "C-1??");
    f = short_flow("1.0\tC\\x4\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n");
    assert_string_equal(f.id, "C?x4");
}

static void a_header_in_mid_file_takes_over(void **state)
{
    (void)state;
    eddy_flow f =
        last_flow(HEADER ROW START "#fields\tuid\tts\tid.orig_h\tid.resp_h\tproto\tduration\n"
                                   "C2\t7.0\t10.0.0.1\t10.0.0.2\tudp\t1.0\n");
    assert_string_equal(f.id, "C2");
    assert_int_equal(f.start_us, 7000000);
}

static void a_repeated_header_changes_nothing(void **state)
{
    (void)state;
    assert_string_equal(last_flow(HEADER ROW HEADER HEADER ROW).id, "CAbc1");
}

static void rows_before_a_usable_header_are_rejected(void **state)
{
    (void)state;
    assert_int_equal(last_reason(ROW), REASON_no_header);
    assert_int_equal(last_reason(START ROW), REASON_no_header); /* half a header */
    assert_int_equal(last_reason(HEADER ROW START ROW), REASON_no_header);
    assert_int_equal(last_reason(START "#fields\tuid\tid.orig_h\tid.resp_h\tconn_state\n"
                                       "C\t10.0.0.1\t10.0.0.2\tSF\n"),
                     REASON_no_header); /* no time in it */
}

static void a_header_without_types_is_enough(void **state)
{
    (void)state;
    assert_string_equal(last_flow(START FIELDS ROW).id, "CAbc1");
    assert_string_equal(last_flow(FIELDS ROW).id, "CAbc1");
}

static void rows_of_another_log_are_skipped(void **state)
{
    (void)state;
    assert_int_equal(last_reason("#separator \\x09\n#path\tdns\n#fields\tts\tuid\tid.orig_h\t"
                                 "id.orig_p\tid.resp_h\tid.resp_p\tproto\tquery\n"
                                 "1.0\tC\t10.0.0.1\t1\t10.0.0.2\t53\tudp\texample.org\n"),
                     REASON_dns_context); /* of these the names are read: test_context.c */
    /* Also without #path: no log but conn.log has a state or counts beside the protocol. */
    assert_int_equal(last_reason("#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t"
                                 "proto\tquery\n"
                                 "1.0\tC\t10.0.0.1\t1\t10.0.0.2\t53\tudp\texample.org\n"),
                     REASON_other_event);
    /* Connections that are still open come again in conn.log. */
    assert_int_equal(last_reason("#path\tconn_long\n" FIELDS ROW), REASON_other_event);
    assert_int_equal(last_reason("#path\topen_conn\n" FIELDS ROW), REASON_other_event);
    assert_int_equal(last_reason("#path\teddy_conn\n" FIELDS ROW), REASON_NONE);
}

static void a_row_with_other_columns_is_rejected(void **state)
{
    (void)state;
    assert_int_equal(last_reason(HEADER "1.0\tC\t10.0.0.1\n"), REASON_wrong_columns);
    assert_int_equal(short_reason("1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\t-\n"),
                     REASON_wrong_columns);
    assert_int_equal(short_reason("x\n"), REASON_wrong_columns);
}

static void columns_merged_by_a_labeller_are_one_column(void **state)
{
    (void)state;
    eddy_flow f = last_flow("#fields\tts\tuid\tid.orig_h\tid.resp_h\tproto\tconn_state\t"
                            "tunnel_parents   label   detailed-label\n"
                            "1.0\tC7\t10.0.0.1\t10.0.0.2\ttcp\tS0\t-   Malicious   Scan\n");
    assert_string_equal(f.id, "C7");
}

static void bad_values_are_told_by_kind(void **state)
{
    (void)state;
    static const struct {
        const char *row;
        enum reason reason;
    } cases[] = {
        {"nan\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n", REASON_bad_number},
        {"1e400\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n", REASON_bad_number},
        {"\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n", REASON_bad_number},
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t-7\t-\n", REASON_bad_number},
        {"1.0\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t0x7\t-\n", REASON_bad_number},
        {"1.0\tC\t10.0.0.300\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n", REASON_bad_address},
        {"1.0\tC\t10.0.0.1\t65536\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n", REASON_bad_address},
        {"-\tC\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n", REASON_missing_field},
        {"1.0\tC\t-\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n", REASON_missing_field},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(short_reason(cases[i].row), cases[i].reason);
    assert_int_equal(last_reason("#fields\tts\tid.orig_h\tid.resp_h\tproto\tduration\n"
                                 "1.0\t10.0.0.1\t10.0.0.2\ttcp\t-0.5\n"),
                     REASON_bad_number);
}

static void a_nul_byte_is_rejected_and_other_bytes_are_made_safe(void **state)
{
    (void)state;
    static const char nul[] = "#fields\tts\tuid\tid.orig_h\tid.resp_h\tproto\tduration\n"
                              "1.0\tC\0\t10.0.0.1\t10.0.0.2\ttcp\t-\n";
    struct records records = records_of("zeek-tsv", nul, sizeof nul - 1, 16);
    assert_int_equal(records.at[1].reason, REASON_bad_utf8);
    eddy_flow f = short_flow("1.0\tC\xff\xfe\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\t-\t1\t-\n");
    assert_string_equal(f.id, "C??");
}

static void an_absurd_number_of_columns_is_no_header(void **state)
{
    (void)state;
    char log[RECORDS_LINE_MAX];
    size_t used = strlen("#fields\tts\tid.orig_h\tid.resp_h\tduration\tproto");
    memcpy(log, "#fields\tts\tid.orig_h\tid.resp_h\tduration\tproto", used);
    for (int i = 0; i < 600; i++) {
        memcpy(log + used, "\tx", 2);
        used += 2;
    }
    memcpy(log + used, "\n1.0\n", 6);
    assert_int_equal(last_reason(log), REASON_no_header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_becomes_a_flow),
        cmocka_unit_test(columns_are_found_by_name_in_any_order),
        cmocka_unit_test(unset_is_not_zero),
        cmocka_unit_test(missing_ip_bytes_are_derived_from_payload),
        cmocka_unit_test(history_gives_flags_and_doubts),
        cmocka_unit_test(missed_bytes_are_a_gap),
        cmocka_unit_test(icmp_has_no_ports_and_its_own_number_for_ipv6),
        cmocka_unit_test(ip_proto_knows_more_than_proto),
        cmocka_unit_test(separators_of_the_header_are_obeyed),
        cmocka_unit_test(escapes_are_undone_in_what_is_kept),
        cmocka_unit_test(a_header_in_mid_file_takes_over),
        cmocka_unit_test(a_repeated_header_changes_nothing),
        cmocka_unit_test(rows_before_a_usable_header_are_rejected),
        cmocka_unit_test(a_header_without_types_is_enough),
        cmocka_unit_test(rows_of_another_log_are_skipped),
        cmocka_unit_test(a_row_with_other_columns_is_rejected),
        cmocka_unit_test(columns_merged_by_a_labeller_are_one_column),
        cmocka_unit_test(bad_values_are_told_by_kind),
        cmocka_unit_test(a_nul_byte_is_rejected_and_other_bytes_are_made_safe),
        cmocka_unit_test(an_absurd_number_of_columns_is_no_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
