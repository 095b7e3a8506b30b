/* SPDX-License-Identifier: MIT */
/* test_input_conf.c - inputs as they are configured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../plugins/common/input_conf.c"
#include "../../plugins/common/say.c"

/* What input_check() asks; parsing does not. */
int follow_check(const char *path, eddy_error *err)
{
    (void)path;
    return fault(err, EDDY_EIO, "a log");
}

int socket_parse(const char *text, struct socket_at *out, eddy_error *err)
{
    (void)text;
    (void)out;
    return fault(err, EDDY_ECONFIG, "a socket");
}

static void parses(const char *entry, bool is_log, const char *name, const char *format,
                   const char *where)
{
    struct input_conf c;
    assert_int_equal(input_parse(entry, is_log, &c, NULL), EDDY_OK);
    assert_string_equal(c.name, name);
    assert_string_equal(c.where, where);
    if (format == NULL)
        assert_null(c.format);
    else
        assert_string_equal(c.format, format);
    input_conf_done(&c);
}

static void a_log_is_its_own_name(void **state)
{
    (void)state;
    parses("/var/log/eve.json", true, "/var/log/eve.json", NULL, "/var/log/eve.json");
    parses("eve:/var/log/eve.json", true, "/var/log/eve.json", "eve", "/var/log/eve.json");
    parses("logs/a:b", true, "logs/a:b", NULL, "logs/a:b");
}

static void a_name_may_come_first(void **state)
{
    (void)state;
    parses("dmz=/var/log/eve.json", true, "dmz", NULL, "/var/log/eve.json");
    parses("dmz=zeek-tsv:/logs/conn.log", true, "dmz", "zeek-tsv", "/logs/conn.log");
    parses("dmz=tcp:127.0.0.1:9478", false, "dmz", NULL, "tcp:127.0.0.1:9478");
}

static void an_equals_sign_in_a_path_begins_no_name(void **state)
{
    (void)state;
    parses("/data/year=2026/conn.log", true, "/data/year=2026/conn.log", NULL,
           "/data/year=2026/conn.log");
    parses("./a=b", true, "./a=b", NULL, "./a=b");
    parses("logs/a=b", true, "logs/a=b", NULL, "logs/a=b");
    parses("eve:/data/year=2026/eve.json", true, "/data/year=2026/eve.json", "eve",
           "/data/year=2026/eve.json");
}

static void the_kind_of_a_socket_is_no_format(void **state)
{
    (void)state;
    parses("unix_stream:/run/eve.sock", false, "unix_stream:/run/eve.sock", NULL,
           "unix_stream:/run/eve.sock");
    parses("a=eve:tcp:[::1]:9478", false, "a", "eve", "tcp:[::1]:9478");
}

static void names_have_1_to_63_plain_bytes(void **state)
{
    (void)state;
    char entry[80];
    struct input_conf c;
    eddy_error err;
    memset(entry, 'a', sizeof entry);
    memcpy(entry + 63, "=/x", 4);
    parses(entry, true, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL,
           "/x");
    entry[63] = 'a';
    memcpy(entry + 64, "=/x", 4);
    assert_int_equal(input_parse(entry, true, &c, &err), EDDY_ECONFIG);
    assert_int_equal(input_parse("=/x", true, &c, &err), EDDY_ECONFIG);
    assert_non_null(strstr(err.message, "a name has 1 to 63 bytes"));
    assert_true(input_name_good("eth0.100_A-b"));
    assert_false(input_name_good(""));
    assert_false(input_name_good(".a"));
    assert_false(input_name_good("a b"));
    assert_false(input_name_good("a/b"));
}

static void logs_and_sockets_are_checked_by_who_reads_them(void **state)
{
    (void)state;
    eddy_error err;
    struct input_conf c = {.where = "x", .is_log = true};
    assert_int_equal(input_check(&c, &err), EDDY_EIO);
    c.is_log = false;
    assert_int_equal(input_check(&c, &err), EDDY_ECONFIG);
}

int main(void)
{
    const struct CMUnitTest list[] = {
        cmocka_unit_test(a_log_is_its_own_name),
        cmocka_unit_test(a_name_may_come_first),
        cmocka_unit_test(an_equals_sign_in_a_path_begins_no_name),
        cmocka_unit_test(the_kind_of_a_socket_is_no_format),
        cmocka_unit_test(names_have_1_to_63_plain_bytes),
        cmocka_unit_test(logs_and_sockets_are_checked_by_who_reads_them),
    };
    return cmocka_run_group_tests(list, NULL, NULL);
}
