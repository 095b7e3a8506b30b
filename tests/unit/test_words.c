/* SPDX-License-Identifier: MIT */
/* test_words.c - quantities as a person says them. */
#include "pipeline.h"
#include "score/words.h"

typedef void say_fn(struct text *text, double value);

static const char *said(say_fn *say, double value)
{
    static char buffer[64];
    struct text text = text_over(buffer, sizeof buffer);
    say(&text, value);
    return buffer;
}

static void bytes_have_the_largest_unit_that_fits(void **state)
{
    (void)state;
    assert_string_equal(said(words_bytes, 0), "0 B");
    assert_string_equal(said(words_bytes, 999), "999 B");
    assert_string_equal(said(words_bytes, 1000), "1 kB");
    assert_string_equal(said(words_bytes, 999999), "1 MB"); /* not 1000 kB */
    assert_string_equal(said(words_bytes, 5200), "5.2 kB");
    assert_string_equal(said(words_bytes, 31000000), "31 MB");
    assert_string_equal(said(words_bytes, 5e15), "5000 TB");
}

static void counts_are_whole_up_to_9999(void **state)
{
    (void)state;
    assert_string_equal(said(words_count, 0), "0");
    assert_string_equal(said(words_count, 9999), "9999");
    assert_string_equal(said(words_count, 10000), "10k");
    assert_string_equal(said(words_count, 1234567), "1.2M");
}

static void durations_are_said_in_a_unit_that_suits(void **state)
{
    (void)state;
    assert_string_equal(said(words_seconds, 0), "0 s");
    assert_string_equal(said(words_seconds, 0.0001), "under 1 ms");
    assert_string_equal(said(words_seconds, 0.25), "250 ms");
    assert_string_equal(said(words_seconds, 1), "1 s");
    assert_string_equal(said(words_seconds, 60), "60 s");
    assert_string_equal(said(words_seconds, 600), "10 min");
    assert_string_equal(said(words_seconds, 86400), "24 h");
    assert_string_equal(said(words_seconds, 864000), "10 d");
}

static void a_place_says_country_and_asn_if_known(void **state)
{
    (void)state;
    char buffer[96];
    uint8_t address[16];
    address_of("203.0.113.9", address);
    static const struct {
        struct place place;
        const char *text;
    } places[] = {{{.country = ""}, "203.0.113.9"},
                  {{.country = "DE"}, "203.0.113.9 (DE)"},
                  {{.country = "", .asn = 64500}, "203.0.113.9 (AS64500)"},
                  {{.country = "DE", .asn = 4200000000}, "203.0.113.9 (DE, AS4200000000)"}};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct text text = text_over(buffer, sizeof buffer);
        words_place(&text, address, &places[i].place);
        assert_string_equal(buffer, places[i].text);
    }
}

static const char *service_of_flow(const eddy_flow *flow)
{
    static char buffer[96];
    struct pipeline *p = pipeline_new(NULL);
    struct text text = text_over(buffer, sizeof buffer);
    words_service(&text, pipeline_pass(p, flow));
    pipeline_free(p);
    return buffer;
}

static void a_service_says_port_and_protocol(void **state)
{
    (void)state;
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    assert_string_equal(service_of_flow(&flow), "203.0.113.1 port 443/tcp");
    flow.proto = 17;
    assert_string_equal(service_of_flow(&flow), "203.0.113.1 port 443/udp");
    flow.proto = 132;
    assert_string_equal(service_of_flow(&flow), "203.0.113.1 port 443");
    flow.proto = 1;
    flow.dst_port = 0;
    assert_string_equal(service_of_flow(&flow), "203.0.113.1 by ICMP");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_the_largest_unit_that_fits),
        cmocka_unit_test(counts_are_whole_up_to_9999),
        cmocka_unit_test(durations_are_said_in_a_unit_that_suits),
        cmocka_unit_test(a_place_says_country_and_asn_if_known),
        cmocka_unit_test(a_service_says_port_and_protocol),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
