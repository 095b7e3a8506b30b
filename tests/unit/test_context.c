/* SPDX-License-Identifier: MIT */
/* test_context.c - records of DNS, TLS and HTTP, from both sensors: what is kept of them. */
#include "records.h"

#include <stdio.h>

#include "util/addr.h"

#define HEAD(type)                                                                                 \
    "{\"timestamp\":\"2026-01-02T03:04:05.100000+0000\",\"flow_id\":7,\"event_type\":\"" type      \
    "\",\"src_ip\":\"10.0.0.1\",\"src_port\":40000,\"dest_ip\":\"10.0.0.53\",\"dest_port\":53,"    \
    "\"proto\":\"UDP\","
#define BACK                                                                                       \
    "{\"timestamp\":\"2026-01-02T03:04:05.100000+0000\",\"flow_id\":7,\"event_type\":\"dns\","     \
    "\"src_ip\":\"10.0.0.53\",\"src_port\":53,\"dest_ip\":\"10.0.0.1\",\"dest_port\":40000,"       \
    "\"proto\":\"UDP\","

struct told {
    enum reason reason;
    eddy_flow flow;
    struct context context;
};

static struct told last(const char *format, const char *text)
{
    struct records records = records_of_text(format, text);
    assert_true(records.count > 0);
    size_t i = records.count - 1;
    return (struct told){records.at[i].reason, records.at[i].flow, records.at[i].context};
}

static void assert_ends(const struct told *told, const char *src, uint16_t src_port,
                        const char *dst, uint16_t dst_port)
{
    char text[46];
    assert_string_equal(eddy_address_text(told->flow.src, text), src);
    assert_string_equal(eddy_address_text(told->flow.dst, text), dst);
    assert_int_equal(told->flow.src_port, src_port);
    assert_int_equal(told->flow.dst_port, dst_port);
}

static const char *answer(const struct told *told, unsigned i)
{
    static char text[46];
    assert_true(i < told->context.answers);
    return eddy_address_text(told->context.answer[i], text);
}

/* ---- DNS of Suricata ---- */

static void a_query_of_version_2_is_a_name_and_who_asked(void **state)
{
    (void)state;
    struct told t = last("eve", HEAD("dns") "\"dns\":{\"version\":2,\"type\":\"query\",\"id\":1,"
                                            "\"rrname\":\"WWW.Example.ORG\",\"rrtype\":\"A\"}}");
    assert_int_equal(t.reason, REASON_dns_context);
    assert_int_equal(t.context.kind, CONTEXT_DNS);
    assert_string_equal(t.context.name, "www.example.org");
    assert_false(t.context.answered);
    assert_ends(&t, "10.0.0.1", 40000, "10.0.0.53", 53);
    assert_true(t.flow.start_us == INT64_C(1767323045100000));
    assert_string_equal(t.flow.id, "7");
}

static void an_answer_of_version_2_has_addresses(void **state)
{
    (void)state;
    struct told t = last(
        "eve",
        HEAD("dns") "\"dns\":{\"version\":2,\"type\":\"answer\",\"rrname\":\"a.example.org\","
                    "\"rrtype\":\"A\",\"rcode\":\"NOERROR\",\"answers\":["
                    "{\"rrname\":\"a.example.org\",\"rrtype\":\"CNAME\",\"rdata\":\"b.example."
                    "org\"},"
                    "{\"rrname\":\"b.example.org\",\"rrtype\":\"A\",\"rdata\":\"203.0.113.7\"},"
                    "{\"rrname\":\"b.example.org\",\"rrtype\":\"A\",\"rdata\":\"203.0.113.7\"},"
                    "{\"rrtype\":\"AAAA\",\"rdata\":\"2001:0db8:0000:0000:0000:0000:0000:0001\"}],"
                    "\"grouped\":{\"A\":[\"203.0.113.9\"]}}}");
    assert_int_equal(t.reason, REASON_dns_context);
    assert_string_equal(t.context.name, "a.example.org"); /* what was asked, not the alias */
    assert_true(t.context.answered);
    assert_false(t.context.no_domain);
    assert_int_equal(t.context.answers, 2);
    assert_string_equal(answer(&t, 0), "203.0.113.7");
    assert_string_equal(answer(&t, 1), "2001:db8::1");
    assert_ends(&t, "10.0.0.1", 40000, "10.0.0.53", 53);
}

static void version_3_is_turned_to_who_asked(void **state)
{
    (void)state;
    struct told t = last("eve", BACK "\"dns\":{\"version\":3,\"type\":\"response\",\"rcode\":"
                                     "\"NXDOMAIN\",\"queries\":[{\"rrname\":\"x.example.org\","
                                     "\"rrtype\":\"TXT\"}],\"authorities\":[{\"rrname\":\"org\","
                                     "\"rrtype\":\"SOA\"}]}}");
    assert_int_equal(t.reason, REASON_dns_context);
    assert_string_equal(t.context.name, "x.example.org");
    assert_true(t.context.answered && t.context.no_domain && t.context.carries);
    assert_ends(&t, "10.0.0.1", 40000, "10.0.0.53", 53);
    /* Its requests say NOERROR, too: that is no answer. */
    t = last("eve", HEAD("dns") "\"dns\":{\"version\":3,\"type\":\"request\",\"rcode\":\"NOERROR\","
                                "\"queries\":[{\"rrname\":\"x.example.org\",\"rrtype\":\"A\"}]}}");
    assert_string_equal(t.context.name, "x.example.org");
    assert_false(t.context.answered || t.context.carries);
    assert_ends(&t, "10.0.0.1", 40000, "10.0.0.53", 53);
}

static void of_several_questions_the_first_counts(void **state)
{
    (void)state;
    struct told t = last(
        "eve", HEAD("dns") "\"dns\":{\"type\":\"request\",\"queries\":[{\"rrname\":\"a.test\"},"
                           "{\"rrname\":\"b.test\"}]}}");
    assert_string_equal(t.context.name, "a.test");
}

/* ---- TLS, QUIC and HTTP of Suricata ---- */

static void tls_tells_its_name_and_fingerprints(void **state)
{
    (void)state;
    struct told t =
        last("eve", HEAD("tls") "\"tls\":{\"subject\":\"CN=x\",\"sni\":\"Updates.example.com\","
                                "\"version\":\"TLS 1.3\",\"ja3\":{\"hash\":"
                                "\"e7d705a3286e19ea42f587b344ee6865\",\"string\":\"771,4865\"},"
                                "\"ja3s\":{\"hash\":\"00000000000000000000000000000000\"},"
                                "\"ja4\":\"t13d1515h2_8daaf6152771_de4a06bb82e3\"}}");
    assert_int_equal(t.reason, REASON_tls_context);
    assert_string_equal(t.context.name, "updates.example.com");
    assert_string_equal(t.context.ja3, "e7d705a3286e19ea42f587b344ee6865");
    assert_string_equal(t.context.ja4, "t13d1515h2_8daaf6152771_de4a06bb82e3");
    t = last("eve", HEAD("quic") "\"quic\":{\"version\":\"1\",\"sni\":\"q.example.com\"}}");
    assert_int_equal(t.reason, REASON_tls_context);
    assert_string_equal(t.context.name, "q.example.com");
    assert_string_equal(t.context.ja3, ""); /* nothing of the record before */
}

static void http_tells_its_host(void **state)
{
    (void)state;
    struct told t = last("eve", HEAD("http") "\"http\":{\"hostname\":\"example.net\",\"url\":\"/\","
                                             "\"http_user_agent\":\"x\"}}");
    assert_int_equal(t.reason, REASON_http_context);
    assert_string_equal(t.context.name, "example.net");
}

static void what_has_nothing_to_join_is_another_event(void **state)
{
    (void)state;
    static const char *const lines[] = {
        HEAD("tls") "\"tls\":{\"version\":\"TLS 1.3\"}}",
        HEAD("tls") "\"tls\":{\"ja3\":{\"hash\":\"<script>\"},\"ja4\":\"short\"}}",
        HEAD("http") "\"http\":{\"url\":\"/\"}}",
        HEAD("dns") "\"dns\":{\"type\":\"query\",\"rrname\":\"\"}}",
        HEAD("dns") "\"dns\":[{\"rrname\":\"in.an.array\"}]}",
        HEAD("dns") "\"dns\":{\"queries\":[[{\"rrname\":\"deeper\"}]]}}",
        "{\"event_type\":\"tls\",\"tls\":{\"sni\":\"no.ends\"}}",
        "{\"timestamp\":\"yesterday\",\"event_type\":\"tls\",\"src_ip\":\"10.0.0.1\","
        "\"dest_ip\":\"10.0.0.2\",\"tls\":{\"sni\":\"no.time\"}}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        assert_int_equal(reason_of("eve", lines[i]), REASON_other_event);
    assert_int_equal(reason_of("eve", HEAD("dns") "\"dns\":{\"rrname\":}}"), REASON_bad_json);
}

/* ---- Zeek ---- */

#define TSV(path, fields)                                                                          \
    "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n" path           \
    "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t" fields "\n"                   \
    "1767323045.100000\tC7\t10.0.0.1\t40000\t10.0.0.53\t53\t"
#define DNS_FIELDS "proto\ttrans_id\tquery\tqtype\tqtype_name\trcode\trcode_name\tanswers\tTTLs"

static void dns_log_is_question_and_answer(void **state)
{
    (void)state;
    struct told t = last(
        "zeek-tsv", TSV("#path\tdns\n", DNS_FIELDS) "udp\t1\tWww.example.org\t1\tA\t0\tNOERROR"
                                                    "\talias.example.org,203.0.113.7,2001:db8::1"
                                                    "\t60.0,60.0,60.0\n");
    assert_int_equal(t.reason, REASON_dns_context);
    assert_string_equal(t.context.name, "www.example.org");
    assert_true(t.context.answered);
    assert_int_equal(t.context.answers, 2);
    assert_string_equal(answer(&t, 0), "203.0.113.7");
    assert_string_equal(answer(&t, 1), "2001:db8::1");
    assert_ends(&t, "10.0.0.1", 40000, "10.0.0.53", 53);
    assert_int_equal(t.flow.proto, 17);
    /* Also without #path, by its columns; unanswered; in escapes. */
    t = last("zeek-tsv",
             TSV("", DNS_FIELDS) "udp\t1\ta\\x2cb\\\\x.example.org\t16\tTXT\t-\t-\t-\t-\n");
    assert_int_equal(t.reason, REASON_dns_context);
    assert_string_equal(t.context.name, "a\\x2cb\\x.example.org");
    assert_false(t.context.answered);
    assert_true(t.context.carries);
}

static void ssl_log_and_http_log_are_tcp_and_quic_log_is_not(void **state)
{
    (void)state;
    struct told t = last(
        "zeek-tsv", TSV("#path\tssl\n",
                        "version\tcipher\tserver_name\tja3") "TLSv13\tTLS_AES\tCdn.example.com\t"
                                                             "e7d705a3286e19ea42f587b344ee6865\n");
    assert_int_equal(t.reason, REASON_tls_context);
    assert_string_equal(t.context.name, "cdn.example.com");
    assert_string_equal(t.context.ja3, "e7d705a3286e19ea42f587b344ee6865");
    assert_int_equal(t.flow.proto, 6);
    t = last("zeek-tsv", TSV("#path\tquic\n", "version\tserver_name") "1\tq.example.com\n");
    assert_int_equal(t.flow.proto, 17);
    t = last("zeek-tsv", TSV("", "trans_depth\tmethod\thost\turi") "1\tGET\texample.net\t/\n");
    assert_int_equal(t.reason, REASON_http_context);
    assert_string_equal(t.context.name, "example.net");
    assert_int_equal(t.flow.proto, 6);
}

#define JSON                                                                                       \
    "\"ts\":1767323045.1,\"uid\":\"C7\",\"id.orig_h\":\"10.0.0.1\",\"id.orig_p\":40000,"           \
    "\"id_resp_h\":\"10.0.0.53\",\"id_resp_p\":53,"

static void json_logs_are_known_by_path_or_fields(void **state)
{
    (void)state;
    static const char dns[] =
        JSON "\"proto\":\"udp\",\"query\":\"a.example.org\",\"qtype_name\":"
             "\"A\",\"rcode_name\":\"NXDOMAIN\",\"answers\":[\"b\",\"192.0.2.1\"]}";
    char line[512];
    const char *const heads[] = {"{", "{\"_path\":\"dns\",", "{\"@stream\":\"dns\","};
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        (void)snprintf(line, sizeof line, "%s%s", heads[i], dns);
        struct told t = last("zeek-json", line);
        assert_int_equal(t.reason, REASON_dns_context);
        assert_string_equal(t.context.name, "a.example.org");
        assert_true(t.context.answered && t.context.no_domain);
        assert_string_equal(answer(&t, 0), "192.0.2.1");
        assert_ends(&t, "10.0.0.1", 40000, "10.0.0.53", 53);
    }
    (void)snprintf(line, sizeof line, "{\"_path\":\"weird\",%s", dns);
    assert_int_equal(reason_of("zeek-json", line), REASON_other_event);
    struct told t = last("zeek-json", "{\"_path\":\"ssl\"," JSON "\"server_name\":\"s.example\"}");
    assert_int_equal(t.reason, REASON_tls_context);
    assert_string_equal(t.context.name, "s.example");
}

/* ---- What any text becomes ---- */

static const char *named(const char *text, size_t length)
{
    static struct context context;
    context_begin(&context);
    context_name(&context, text, length);
    return context.name;
}

#define NAMED(literal) named(literal, sizeof(literal) - 1)

static void names_are_printable_and_need_no_quotes(void **state)
{
    (void)state;
    assert_string_equal(NAMED("xn--BCHER-kva.example."), "xn--bcher-kva.example");
    assert_string_equal(NAMED("a b\n\x7f.test"), "a\\x20b\\x0a\\x7f.test");
    assert_string_equal(NAMED("\"<&>',.test"), "\\x22\\x3c\\x26\\x3e\\x27\\x2c.test");
    assert_string_equal(NAMED("\xc3\xa9\0.test"), "\\xc3\\xa9\\x00.test");
    assert_string_equal(NAMED("\\x41.test"), "\\x41.test"); /* as the sensor escaped it */
    assert_string_equal(NAMED("."), "");
}

static void of_a_long_name_the_end_is_kept(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 8, ".example", 8);
    assert_int_equal(strlen(named(text, sizeof text)), CONTEXT_NAME - 1);
    assert_string_equal(named(text, sizeof text) + CONTEXT_NAME - 1 - 8, ".example");
    /* An escape is there as a whole or not: 8 + 61 * 4 = 252, and 3 are too few for another. */
    memset(text, '\n', sizeof text - 8);
    assert_int_equal(strlen(named(text, sizeof text)), 252);
    assert_memory_equal(named(text, sizeof text), "\\x0a\\x0a", 8);
}

static void answers_are_bounded(void **state)
{
    (void)state;
    struct context context;
    char text[16];
    context_begin(&context);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof text, "10.0.%u.%u", i / 250, i % 250);
        context_answer(&context, text, strlen(text));
    }
    assert_int_equal(context.answers, CONTEXT_ANSWERS);
}

static void context_off_skips_them_unread(void **state)
{
    (void)state;
    const struct ingest_conf conf = {.max_line = RECORDS_LINE_MAX, .link_header = 14};
    static const char *const logs[] = {
        HEAD("dns") "\"dns\":{\"rrname\":broken}}",
        "{\"_path\":\"dns\",broken}",
        "{" JSON "\"query\":\"a.example.org\",\"qtype_name\":\"A\"}",
        TSV("#path\tdns\n", DNS_FIELDS) "udp\t1\ta.example.org\t1\tA\t0\tNOERROR\t-\t-\n",
    };
    for (size_t i = 0; i < sizeof logs / sizeof *logs; i++) {
        struct stream *stream;
        struct records records;
        memset(&records, 0, sizeof records);
        assert_int_equal(stream_new(&conf, NULL, &stream, NULL), EDDY_OK);
        (void)stream_feed(stream, logs[i], strlen(logs[i]), records_add, &records);
        (void)stream_end(stream, records_add, &records);
        stream_free(stream);
        assert_int_equal(records.at[records.count - 1].reason, REASON_other_event);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_query_of_version_2_is_a_name_and_who_asked),
        cmocka_unit_test(an_answer_of_version_2_has_addresses),
        cmocka_unit_test(version_3_is_turned_to_who_asked),
        cmocka_unit_test(of_several_questions_the_first_counts),
        cmocka_unit_test(tls_tells_its_name_and_fingerprints),
        cmocka_unit_test(http_tells_its_host),
        cmocka_unit_test(what_has_nothing_to_join_is_another_event),
        cmocka_unit_test(dns_log_is_question_and_answer),
        cmocka_unit_test(ssl_log_and_http_log_are_tcp_and_quic_log_is_not),
        cmocka_unit_test(json_logs_are_known_by_path_or_fields),
        cmocka_unit_test(names_are_printable_and_need_no_quotes),
        cmocka_unit_test(of_a_long_name_the_end_is_kept),
        cmocka_unit_test(answers_are_bounded),
        cmocka_unit_test(context_off_skips_them_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
