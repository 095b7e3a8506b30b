/* SPDX-License-Identifier: MIT */
/* test_incident.c - an incident as JSON: order, what is left out, cutting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "incident.h"

static void json_has_every_field_in_the_documented_order(void **state)
{
    (void)state;
    char json[2048];
    eddy_incident incident = sample_incident();
    int length = eddy_incident_json(&incident, json, sizeof json);
    assert_string_equal(
        json,
        "{\"timestamp\":\"2026-01-02T03:04:05.123456+0000\",\"event_type\":\"eddy\","
        "\"incident_id\":\"beacon-0f3a\",\"state\":\"new\",\"detector\":\"beacon\",\"severity\":"
        "\"high\","
        "\"p\":1.25e-09,\"score\":8.90309,\"host\":\"10.0.0.5\",\"peer\":\"2001:db8::1\",\"peer_"
        "port\":443,"
        "\"proto\":\"TCP\",\"peer_country\":\"NL\",\"peer_asn\":64496,\"technique\":\"T1071\","
        "\"start\":\"2026-01-02T03:00:00.000000+0000\",\"end\":\"2026-01-02T03:04:05.123456+0000\","
        "\"flows\":64,\"withheld\":false,\"summary\":\"10.0.0.5 calls 2001:db8::1 every 600 s\","
        "\"reasons\":[{\"feature\":\"gap_cv\",\"text\":\"64 connections every 600 "
        "s\",\"value\":0.12,"
        "\"usual\":1.5,\"share\":0.8},{\"feature\":\"bytes_out\",\"text\":\"12345678901 bytes\","
        "\"value\":12345678901,\"share\":-0.2}],\"flow_ids\":[\"CuX1a2\",\"1234567890\"]}");
    assert_int_equal(length, strlen(json));
}

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    char json[2048];
    eddy_incident incident = sample_incident();
    memset(incident.peer, 0, sizeof incident.peer);
    incident.technique = "";
    incident.reason_count = incident.flow_id_count = 0;
    incident.proto = 47;
    (void)eddy_incident_json(&incident, json, sizeof json);
    assert_null(strstr(json, "peer"));
    assert_null(strstr(json, "technique"));
    assert_null(strstr(json, "host_asn"));
    assert_non_null(strstr(json, "\"proto\":\"47\""));
    assert_non_null(strstr(json, "\"reasons\":[],\"flow_ids\":[]}"));
}

static void json_is_cut_like_snprintf(void **state)
{
    (void)state;
    char whole[2048], cut[2048];
    eddy_incident incident = sample_incident();
    int length = eddy_incident_json(&incident, whole, sizeof whole);
    assert_int_equal(eddy_incident_json(&incident, NULL, 0), length);
    for (size_t size = 1; size <= (size_t)length + 1; size++) {
        memset(cut, 'x', sizeof cut);
        assert_int_equal(eddy_incident_json(&incident, cut, size), length);
        assert_memory_equal(cut, whole, size - 1);
        assert_int_equal(cut[size - 1], '\0');
        assert_int_equal(cut[size], 'x');
    }
}

static void text_from_the_network_is_escaped(void **state)
{
    (void)state;
    char json[2048];
    const char *ids[] = {"a\"},{\"b\n\xFF"};
    eddy_incident incident = sample_incident();
    incident.flow_ids = ids;
    incident.flow_id_count = 1;
    (void)eddy_incident_json(&incident, json, sizeof json);
    assert_non_null(strstr(json, "[\"a\\\"},{\\\"b\\n\\ufffd\"]"));
}

static void numbers_that_json_lacks_become_null(void **state)
{
    (void)state;
    char json[2048];
    eddy_incident incident = sample_incident();
    incident.p = NAN;
    incident.score = INFINITY;
    (void)eddy_incident_json(&incident, json, sizeof json);
    assert_non_null(strstr(json, "\"p\":null,\"score\":null,"));
}

static void times_are_right_in_every_century(void **state)
{
    (void)state;
    static const struct {
        int64_t us;
        const char *expected;
    } cases[] = {{0, "1970-01-01T00:00:00.000000+0000"},
                 {-1, "1969-12-31T23:59:59.999999+0000"},
                 {951782399999999, "2000-02-28T23:59:59.999999+0000"},
                 {951782400000000, "2000-02-29T00:00:00.000000+0000"},
                 {4107542400000000, "2100-03-01T00:00:00.000000+0000"},
                 {253402300799999999, "9999-12-31T23:59:59.999999+0000"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char json[2048];
        eddy_incident incident = sample_incident();
        incident.end_us = cases[i].us;
        (void)eddy_incident_json(&incident, json, sizeof json);
        assert_memory_equal(json + strlen("{\"timestamp\":\""), cases[i].expected, 31);
    }
}

static void the_same_under_a_decimal_comma(void **state)
{
    (void)state;
    char plain[2048], comma[2048];
    eddy_incident incident = sample_incident();
    (void)eddy_incident_json(&incident, plain, sizeof plain);
    (void)setenv("LOCPATH", LOCALES, 1); /* made by tests/CMakeLists.txt, if localedef is there */
    if (setlocale(LC_ALL, "comma") == NULL)
        skip();
    (void)eddy_incident_json(&incident, comma, sizeof comma);
    (void)setlocale(LC_ALL, "C");
    assert_string_equal(comma, plain);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_has_every_field_in_the_documented_order),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(json_is_cut_like_snprintf),
        cmocka_unit_test(text_from_the_network_is_escaped),
        cmocka_unit_test(numbers_that_json_lacks_become_null),
        cmocka_unit_test(times_are_right_in_every_century),
        cmocka_unit_test(the_same_under_a_decimal_comma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
