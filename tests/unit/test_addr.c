/* SPDX-License-Identifier: MIT */
/* test_addr.c - addresses as text and as 16 bytes. */
#include "util/addr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "eddy.h"

static void an_address_is_read_and_written(void **state)
{
    (void)state;
    static const struct {
        const char *read, *written;
    } cases[] = {
        {"10.0.0.1", "10.0.0.1"},
        {"255.255.255.255", "255.255.255.255"},
        {"0.0.0.0", "0.0.0.0"},
        {"::", "::"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        {"FE80::1", "fe80::1"},
        {"::ffff:192.0.2.7", "192.0.2.7"},
        {"::ffff:c000:0207", "192.0.2.7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t address[16];
        char text[46];
        assert_true(addr_parse(cases[i].read, strlen(cases[i].read), address));
        assert_string_equal(eddy_address_text(address, text), cases[i].written);
    }
}

static void what_is_no_address_is_refused_and_writes_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",           "1",
        "1.2.3",      "1.2.3.4.5",
        "1.2.3.256",  "1.2.3.",
        ".1.2.3",     "01.2.3.4",
        "1.2.3.04",   "1.2.3.4 ",
        " 1.2.3.4",   "1..2.3",
        "a.b.c.d",    "1.2.3.-4",
        "1.2.3.4444", "fe80::1%eth0",
        "[::1]",      "1:2:3:4:5:6:7",
        "::1::2",     "12345::",
        "::g",        ":",
        "::/0",       "2001:0db8:0000:0000:0000:0000:0000:0001:0000:0000:0000:0000:0001",
    };
    uint8_t address[16], before[16];
    memset(before, 0xaa, sizeof before);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        memcpy(address, before, sizeof address);
        assert_false(addr_parse(cases[i], strlen(cases[i]), address));
        assert_memory_equal(address, before, sizeof address);
    }
}

static void a_nul_byte_inside_is_refused(void **state)
{
    (void)state;
    uint8_t address[16];
    assert_false(addr_parse("::1\0", 4, address));
    assert_false(addr_parse("1.2.3.4\0", 8, address));
}

static void no_byte_after_the_length_is_read(void **state)
{
    (void)state;
    uint8_t address[16];
    char text[46];
    assert_true(addr_parse("10.0.0.123", 9, address));
    assert_string_equal(eddy_address_text(address, text), "10.0.0.12");
    assert_true(addr_parse("::12", 3, address));
    assert_string_equal(eddy_address_text(address, text), "::1");
}

static void unspecified_means_all_zero_in_either_family(void **state)
{
    (void)state;
    uint8_t address[16];
    assert_true(addr_parse("0.0.0.0", 7, address));
    assert_true(addr_is_v4(address) && addr_is_unspecified(address));
    assert_true(addr_parse("::", 2, address));
    assert_true(!addr_is_v4(address) && addr_is_unspecified(address));
    assert_true(addr_parse("0.0.0.1", 7, address));
    assert_false(addr_is_unspecified(address));
    assert_true(addr_parse("::1", 3, address));
    assert_false(addr_is_unspecified(address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_read_and_written),
        cmocka_unit_test(what_is_no_address_is_refused_and_writes_nothing),
        cmocka_unit_test(a_nul_byte_inside_is_refused),
        cmocka_unit_test(no_byte_after_the_length_is_read),
        cmocka_unit_test(unspecified_means_all_zero_in_either_family),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
