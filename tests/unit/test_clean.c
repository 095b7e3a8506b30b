/* SPDX-License-Identifier: MIT */
/* test_clean.c - every rule that rejects or corrects, and the kind of conversation. */
#include <string.h>

#include "clean/service.h"
#include "pipeline.h"

#define UNSET EDDY_UNSET

static const struct clean_conf conf = {.max_duration_us = INT64_C(34560000) * US,
                                       .max_bytes = UINT64_C(4096) << 40};

static eddy_flow sample(void)
{
    return flow_at(0, "10.0.0.1", "203.0.113.1", 443);
}

static enum reason clean_of(const eddy_flow *flow, struct row *row,
                            uint64_t corrected[CORRECTION_COUNT])
{
    memset(row, 0xa5, sizeof *row); /* whatever was there before does not shine through */
    row->flow = *flow;
    memset(corrected, 0, CORRECTION_COUNT * sizeof *corrected);
    return clean(&conf, row, corrected);
}

/* ---- rejected ---- */

static enum reason reason_at(int64_t start_us)
{
    static struct row row;
    uint64_t corrected[CORRECTION_COUNT];
    eddy_flow flow = sample();
    flow.start_us = start_us;
    return clean_of(&flow, &row, corrected);
}

static void times_outside_1970_to_2200_are_rejected(void **state)
{
    (void)state;
    assert_int_equal(reason_at(-1), REASON_bad_time);
    assert_int_equal(reason_at(INT64_MIN), REASON_bad_time);
    assert_int_equal(reason_at(0), REASON_NONE);
    assert_int_equal(reason_at(INT64_C(7258118400) * US), REASON_NONE); /* 2200-01-01 */
    assert_int_equal(reason_at(INT64_C(7258118400) * US + 1), REASON_bad_time);
    assert_int_equal(reason_at(INT64_C(253370764800) * US), REASON_bad_time); /* 9999-01-01 */
    assert_int_equal(reason_at(INT64_MAX), REASON_bad_time);
}

static void a_destination_of_zeros_is_nobody(void **state)
{
    (void)state;
    static struct row row;
    uint64_t corrected[CORRECTION_COUNT];
    eddy_flow flow = sample();
    address_of("::", flow.dst);
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_no_end);
    address_of("0.0.0.0", flow.dst);
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_no_end);
    flow = sample();
    address_of("0.0.0.0", flow.src); /* DHCP asks so */
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_NONE);
    address_of("::", flow.src); /* neighbour discovery too */
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_NONE);
}

static void counts_and_durations_beyond_reason_are_rejected(void **state)
{
    (void)state;
    static const struct {
        uint64_t duration_us, bytes_out, bytes_in, packets_out, packets_in;
        enum reason reason;
    } flows[] = {
        {34560000000000, 1000, 1000, 10, 10, REASON_NONE},
        {34560000000001, 1000, 1000, 10, 10, REASON_absurd_duration},
        {UNSET - 1, 1000, 1000, 10, 10, REASON_absurd_duration},
        {UNSET, UNSET, UNSET, UNSET, UNSET, REASON_NONE},
        {1, UINT64_C(4096) << 40, 1000, UINT64_C(1) << 40, 10, REASON_NONE},
        {1, (UINT64_C(4096) << 40) + 1, 1000, UINT64_C(1) << 40, 10, REASON_absurd_count},
        {1, 1000, UNSET - 1, 10, 10, REASON_absurd_count},
        {1, 1000, 1000, (UINT64_C(4096) << 40) / 20 + 1, 10, REASON_absurd_count},
        {1, 1000, 1000, 10, UNSET - 1, REASON_absurd_count},
    };
    for (size_t i = 0; i < sizeof flows / sizeof *flows; i++) {
        static struct row row;
        uint64_t corrected[CORRECTION_COUNT];
        eddy_flow flow = sample();
        flow.duration_us = flows[i].duration_us;
        flow.bytes_out = flows[i].bytes_out;
        flow.bytes_in = flows[i].bytes_in;
        flow.packets_out = flows[i].packets_out;
        flow.packets_in = flows[i].packets_in;
        assert_int_equal(clean_of(&flow, &row, corrected), flows[i].reason);
    }
}

/* ---- corrected ---- */

static void each_rule_corrects_what_cannot_be_and_is_counted(void **state)
{
    (void)state;
    enum {
        SWAPPED = 1 << CORRECTION_SWAPPED_COUNTS,
        WITHOUT = 1 << CORRECTION_BYTES_WITHOUT_PACKETS,
        FEW = 1 << CORRECTION_FEW_BYTES,
        MANY = 1 << CORRECTION_MANY_BYTES
    };
    static const struct {
        uint64_t bytes, packets;             /* as reported */
        uint64_t bytes_after, packets_after; /* as scored */
        unsigned rules;
    } cases[] = {
        {1000, 10, 1000, 10, 0},
        {0, 0, 0, 0, 0},
        {UNSET, UNSET, 0, 0, 0},
        {200, 10, 200, 10, 0}, /* bare IPv4 headers */
        {199, 10, 200, 10, FEW},
        {0, 3, 60, 3, FEW},
        {UNSET, 3, 60, 3, FEW},
        {65575, 1, 65575, 1, 0}, /* the longest packet there can be */
        {131149, 1, 131149, 1, 0},
        {131150, 1, 65575, 1, MANY},
        {10, 1000, 1000, 10, SWAPPED},
        {5, 6, 100, 5, SWAPPED | FEW},
        {1, 0, 20, 1, WITHOUT | FEW},
        {1500, 0, 1500, 1, WITHOUT},
        {1501, UNSET, 1501, 2, WITHOUT},
        {30000000, UNSET, 30000000, 20000, WITHOUT}, /* a big upload stays big */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (unsigned out = 0; out < 2; out++) { /* each direction on its own */
            static struct row row;
            uint64_t corrected[CORRECTION_COUNT];
            eddy_flow flow = sample();
            *(out ? &flow.bytes_out : &flow.bytes_in) = cases[i].bytes;
            *(out ? &flow.packets_out : &flow.packets_in) = cases[i].packets;
            assert_int_equal(clean_of(&flow, &row, corrected), REASON_NONE);
            assert_int_equal(out ? row.bytes_out : row.bytes_in, cases[i].bytes_after);
            assert_int_equal(out ? row.packets_out : row.packets_in, cases[i].packets_after);
            assert_int_equal(out ? row.bytes_in : row.bytes_out, out ? 5000 : 1000);
            assert_int_equal(row.cleaned, cases[i].rules != 0);
            for (unsigned rule = 0; rule < CORRECTION_COUNT; rule++)
                assert_int_equal(corrected[rule], cases[i].rules >> rule & 1);
        }
}

static void no_correction_overflows_at_the_largest_counts(void **state)
{
    (void)state;
    static const uint64_t values[] = {
        0, 1, 20, 65575, UINT64_C(4096) << 40, (UINT64_C(4096) << 40) / 20, UNSET};
    for (size_t b = 0; b < 7; b++)
        for (size_t p = 0; p < 7; p++) {
            static struct row row;
            uint64_t corrected[CORRECTION_COUNT];
            eddy_flow flow = sample();
            flow.bytes_out = values[b];
            flow.packets_out = values[p];
            if (clean_of(&flow, &row, corrected) != REASON_NONE)
                continue;
            assert_true(row.bytes_out >= 20 * row.packets_out);
            assert_true(row.bytes_out / 65575 <= row.packets_out);
            assert_int_equal(row.bytes_out > 0, row.packets_out > 0);
        }
}

static void january_1970_is_scored_and_counted_as_relative_time(void **state)
{
    (void)state;
    static struct row row;
    uint64_t corrected[CORRECTION_COUNT];
    eddy_flow flow = sample();
    flow.start_us = 5 * US;
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_NONE);
    assert_int_equal(corrected[CORRECTION_RELATIVE_TIME], 1);
    assert_int_equal(row.flow.start_us, 5 * US);
    assert_int_equal(row.end_us, 6 * US);
    flow.start_us = 31 * 86400 * US;
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_NONE);
    assert_int_equal(corrected[CORRECTION_RELATIVE_TIME], 0);
}

static void what_is_unset_counts_as_zero_and_ends_at_its_start(void **state)
{
    (void)state;
    static struct row row;
    uint64_t corrected[CORRECTION_COUNT];
    eddy_flow flow = sample();
    flow.duration_us = UNSET;
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_NONE);
    assert_int_equal(row.duration_us, 0);
    assert_int_equal(row.end_us, flow.start_us);
    assert_false(row.cleaned);
}

static void every_correction_has_a_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < CORRECTION_COUNT; i++) {
        assert_non_null(correction_names[i]);
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(correction_names[i], correction_names[other]);
    }
}

/* ---- failed ---- */

static bool failed(uint8_t proto, uint8_t conn, uint64_t packets_in)
{
    static struct row row;
    uint64_t corrected[CORRECTION_COUNT];
    eddy_flow flow = sample();
    flow.proto = proto;
    flow.state = conn;
    flow.packets_in = packets_in;
    flow.bytes_in = 60 * packets_in;
    assert_int_equal(clean_of(&flow, &row, corrected), REASON_NONE);
    return row.failed;
}

static void a_flow_failed_if_it_was_an_attempt_or_an_echo_without_answer(void **state)
{
    (void)state;
    assert_true(failed(6, EDDY_CONN_ATTEMPT, 1));
    assert_false(failed(6, EDDY_CONN_ESTABLISHED, 0));
    assert_false(failed(6, EDDY_CONN_MIDSTREAM, 0));
    assert_true(failed(17, EDDY_CONN_ATTEMPT, 0));
    assert_true(failed(1, EDDY_CONN_MIDSTREAM, 0));
    assert_false(failed(1, EDDY_CONN_ATTEMPT, 1));
    assert_true(failed(58, EDDY_CONN_ESTABLISHED, 0));
}

/* ---- services ---- */

static enum service service(uint8_t proto, uint16_t port, const char *app)
{
    eddy_flow flow = sample();
    flow.proto = proto;
    flow.dst_port = port;
    memcpy(flow.app, app, strlen(app) + 1);
    return service_of(&flow);
}

static void the_protocol_names_the_service(void **state)
{
    (void)state;
    assert_int_equal(service(6, 9999, "http"), SERVICE_WEB);
    assert_int_equal(service(6, 53, "tls"), SERVICE_WEB); /* not what the port says */
    assert_int_equal(service(6, 443, "ssh"), SERVICE_REMOTE);
    assert_int_equal(service(17, 5000, "dns"), SERVICE_DNS);
    assert_int_equal(service(6, 2121, "ftp-data"), SERVICE_FILES);
    assert_int_equal(service(6, 5000, "krb5"), SERVICE_DIRECTORY);
    assert_int_equal(service(17, 5000, "ntp"), SERVICE_CLOCK);
    assert_int_equal(service(6, 5000, "imap"), SERVICE_MAIL);
    assert_int_equal(service(17, 5353, "dns"), SERVICE_LOCAL); /* mDNS parses as DNS */
    assert_int_equal(service(6, 8080, "unheard-of"), SERVICE_WEB);
}

static void without_a_protocol_the_port_names_the_service(void **state)
{
    (void)state;
    static const struct {
        uint16_t port;
        enum service service;
    } ports[] = {{53, SERVICE_DNS},          {443, SERVICE_WEB},          {25, SERVICE_MAIL},
                 {22, SERVICE_REMOTE},       {3389, SERVICE_REMOTE},      {445, SERVICE_FILES},
                 {88, SERVICE_DIRECTORY},    {123, SERVICE_CLOCK},        {67, SERVICE_LOCAL},
                 {1900, SERVICE_LOCAL},      {1, SERVICE_OTHER_LOW},      {1023, SERVICE_OTHER_LOW},
                 {1024, SERVICE_OTHER_HIGH}, {65535, SERVICE_OTHER_HIGH}, {0, SERVICE_OTHER_LOW}};
    for (size_t i = 0; i < sizeof ports / sizeof *ports; i++)
        assert_int_equal(service(6, ports[i].port, ""), ports[i].service);
}

static void icmp_is_icmp_whatever_its_port(void **state)
{
    (void)state;
    assert_int_equal(service(1, 443, "http"), SERVICE_ICMP);
    assert_int_equal(service(58, 0, ""), SERVICE_ICMP);
}

static void every_service_has_a_name_to_say(void **state)
{
    (void)state;
    for (enum service s = 0; s < SERVICE_COUNT; s++)
        assert_true(strlen(service_name(s)) > 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_outside_1970_to_2200_are_rejected),
        cmocka_unit_test(a_destination_of_zeros_is_nobody),
        cmocka_unit_test(counts_and_durations_beyond_reason_are_rejected),
        cmocka_unit_test(each_rule_corrects_what_cannot_be_and_is_counted),
        cmocka_unit_test(no_correction_overflows_at_the_largest_counts),
        cmocka_unit_test(january_1970_is_scored_and_counted_as_relative_time),
        cmocka_unit_test(what_is_unset_counts_as_zero_and_ends_at_its_start),
        cmocka_unit_test(every_correction_has_a_name),
        cmocka_unit_test(a_flow_failed_if_it_was_an_attempt_or_an_echo_without_answer),
        cmocka_unit_test(the_protocol_names_the_service),
        cmocka_unit_test(without_a_protocol_the_port_names_the_service),
        cmocka_unit_test(icmp_is_icmp_whatever_its_port),
        cmocka_unit_test(every_service_has_a_name_to_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
