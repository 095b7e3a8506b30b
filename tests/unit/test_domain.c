/* SPDX-License-Identifier: MIT */
/* test_domain.c - registered domains, and what the rest of a name can carry. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "state/domain.h"

static void assert_domain(const char *name, const char *domain)
{
    const char *found = domain_of(name);
    if (domain == NULL) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, domain);
}

static void the_last_two_labels_are_registered(void **state)
{
    (void)state;
    assert_domain("www.example.org", "example.org");
    assert_domain("a.b.c.example.org", "example.org");
    assert_domain("a.t.co", "t.co"); /* short, but not one under which a country registers */
    assert_domain("x.ab.io", "ab.io");
}

static void or_three_under_a_countrys_registry(void **state)
{
    (void)state;
    assert_domain("www.example.co.uk", "example.co.uk");
    assert_domain("a.b.example.com.au", "example.com.au");
    assert_domain("example.co.uk", NULL);    /* nothing below it */
    assert_domain("www.com.org", "com.org"); /* org is no country */
}

static void what_is_no_question_below_a_domain_has_none(void **state)
{
    (void)state;
    const char *const names[] = {"",
                                 "example",
                                 "example.org",
                                 "co.uk",
                                 "4.3.2.1.in-addr.arpa",
                                 "_http._tcp.local",
                                 "a.b.localhost",
                                 "4.3.2.1.zen.example.org.local",
                                 "..",
                                 "."};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_domain(names[i], NULL);
}

/* RFC 5782: an IPv4 address back to front, or 32 digits of an IPv6 one. */
static void lists_of_addresses_are_left_out(void **state)
{
    (void)state;
    assert_domain("99.2.0.192.example.org", NULL);
    assert_domain("b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4.example.org",
                  NULL);
    assert_domain("99.2.0.example.org", "example.org");
    assert_domain("9999.2.0.192.example.org", "example.org");
    assert_domain("x99.2.0.192.example.org", "example.org");
}

static void odd_dots_do_no_harm(void **state)
{
    (void)state;
    assert_domain("a..example.org", "example.org");
    assert_domain(".example.org", "example.org");
    assert_domain("a.example.", NULL);
    assert_domain("a..co.uk", NULL);
}

static double carries(const char *text, double *bits)
{
    return domain_carries(text, strlen(text), bits);
}

/* By hand: n characters, each with its share s, have sum of s log2(1/s) bits.
 *   abcd   4 x 1/4 x log2 4             = 2 bits, 4 of them 8 bits = 1 byte
 *   aabb   2 x 1/2 x log2 2             = 1 bit,  4 of them half a byte
 *   aab.a  3/4 log2 4/3 + 1/4 log2 4    = 0.3113 + 0.5 = 0.8113; 4 of them 3.245 bits = 0.4056
 *   the hexadecimal digits, twice: 16 x 1/16 x log2 16 = 4 bits, 32 of them 16 bytes */
static void a_name_carries_its_length_times_its_entropy(void **state)
{
    (void)state;
    double bits;
    assert_true(fabs(carries("abcd", &bits) - 1.0) < 1e-12);
    assert_true(fabs(bits - 2.0) < 1e-12);
    assert_true(fabs(carries("aabb", &bits) - 0.5) < 1e-12);
    assert_true(carries("aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", &bits) == 0.0);
    assert_true(fabs(carries("aab.a", &bits) - 0.405639) < 1e-6);
    assert_true(fabs(bits - 0.811278) < 1e-6);
    assert_true(fabs(carries("0123456789abcdef0123456789abcdef", &bits) - 16.0) < 1e-12);
    assert_true(carries("", &bits) == 0.0 && bits == 0.0);
    assert_true(carries("...", &bits) == 0.0 && bits == 0.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_two_labels_are_registered),
        cmocka_unit_test(or_three_under_a_countrys_registry),
        cmocka_unit_test(what_is_no_question_below_a_domain_has_none),
        cmocka_unit_test(lists_of_addresses_are_left_out),
        cmocka_unit_test(odd_dots_do_no_harm),
        cmocka_unit_test(a_name_carries_its_length_times_its_entropy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
