/* SPDX-License-Identifier: MIT */
/* test_config.c - settings by name, eddy.conf, a host's own settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>

#include "config.h"
#include "emit/emit.h"
#include "scratch.h"

static const eddy_option own[] = {
    {"host.listen", "", "path", "Where to listen.", "The host."},
    {"host.mode", "slow", "slow|fast", "How fast.", "The host."},
    {"host.port", "9100", "1..65535, whole", "Which port.", "The host."},
    {"host.follow", "", "list", "What to follow.", "The host."},
};

static eddy_config *config;
static eddy_error err;

static int new_config(void **state)
{
    (void)state;
    memset(&err, 0, sizeof err);
    config = eddy_config_new();
    return config == NULL || eddy_config_declare(config, own, sizeof own / sizeof *own, &err) != 0;
}

static int free_config(void **state)
{
    (void)state;
    eddy_config_free(config);
    return 0;
}

static int load(const char *text)
{
    return config_load_text(config, "eddy.conf", text, strlen(text), &err);
}

static void assert_load_fails(const char *text, const char *message)
{
    assert_int_equal(load(text), EDDY_ECONFIG);
    assert_int_equal(err.code, EDDY_ECONFIG);
    assert_string_equal(err.message, message);
}

static int64_t interval(const eddy_config *of)
{
    const struct emit_conf *conf = config_part(of, &emit_part);
    return conf->interval_us;
}

static void a_part_finds_its_initial_values_in_its_struct(void **state)
{
    (void)state;
    assert_int_equal(interval(config), 15000000);
    assert_string_equal(eddy_config_value(config, "emit.interval"), "15s");
}

static void what_is_set_reaches_the_struct_and_the_text(void **state)
{
    (void)state;
    assert_int_equal(eddy_config_set(config, "emit.interval", "1m", &err), EDDY_OK);
    assert_int_equal(interval(config), 60000000);
    assert_string_equal(eddy_config_value(config, "emit.interval"), "1m");
    assert_int_equal(eddy_config_set(config, "emit.interval", "2m", &err), EDDY_OK);
    assert_int_equal(interval(config), 120000000);
}

static void a_bad_value_changes_nothing_and_says_what_was_expected(void **state)
{
    (void)state;
    assert_int_equal(eddy_config_set(config, "emit.interval", "2h", &err), EDDY_ECONFIG);
    assert_string_equal(err.message, "emit.interval = '2h': not in 1s..1h");
    assert_int_equal(interval(config), 15000000);
    assert_int_equal(eddy_config_set(config, "emit.interval", "2h", NULL), EDDY_ECONFIG);
}

static void an_unknown_setting_gets_a_hint(void **state)
{
    (void)state;
    assert_int_equal(eddy_config_set(config, "emit.intervall", "1m", &err), EDDY_ECONFIG);
    assert_string_equal(err.message,
                        "emit.intervall: no such setting; did you mean emit.interval?");
    assert_int_equal(eddy_config_set(config, "host.zzzzzzzz", "1", &err), EDDY_ECONFIG);
    assert_string_equal(
        err.message, "host.zzzzzzzz: no such setting; known in [host]: listen, mode, port, follow");
    assert_int_equal(eddy_config_set(config, "nothing", "1", &err), EDDY_ECONFIG);
    assert_string_equal(err.message, "nothing: no such setting; see `eddy options`");
    assert_null(eddy_config_value(config, "nothing"));
}

static void a_list_grows_and_an_empty_value_empties_it(void **state)
{
    (void)state;
    assert_int_equal(eddy_config_set(config, "host.follow", "a", &err), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "host.follow", "b c", &err), EDDY_OK);
    assert_string_equal(eddy_config_value(config, "host.follow"), "a\nb c");
    assert_int_equal(eddy_config_set(config, "host.follow", "", &err), EDDY_OK);
    assert_string_equal(eddy_config_value(config, "host.follow"), "");
    assert_int_equal(eddy_config_set(config, "host.follow", "d", &err), EDDY_OK);
    assert_string_equal(eddy_config_value(config, "host.follow"), "d");
}

static void a_list_has_a_limit(void **state)
{
    (void)state;
    char entry[1001];
    memset(entry, 'x', sizeof entry - 1);
    entry[sizeof entry - 1] = '\0';
    int status = EDDY_OK;
    for (int i = 0; i < 100 && status == EDDY_OK; i++)
        status = eddy_config_set(config, "host.follow", entry, &err);
    assert_int_equal(status, EDDY_ECONFIG);
    assert_true(strlen(eddy_config_value(config, "host.follow")) < 70000);
}

static void a_hosts_settings_are_checked_by_their_range(void **state)
{
    (void)state;
    assert_int_equal(eddy_config_set(config, "host.port", "70000", &err), EDDY_ECONFIG);
    assert_int_equal(eddy_config_set(config, "host.mode", "medium", &err), EDDY_ECONFIG);
    assert_string_equal(err.message, "host.mode = 'medium': not slow|fast");
    assert_int_equal(eddy_config_set(config, "host.mode", "fast", &err), EDDY_OK);
    assert_string_equal(eddy_config_value(config, "host.mode"), "fast");
}

static void bad_declarations_are_refused_and_leave_no_trace(void **state)
{
    (void)state;
    static const eddy_option bad[][2] = {
        {{"x.new", "", "text", "", ""}, {"host.mode", "", "text", "", ""}},   /* taken */
        {{"x.new", "", "text", "", ""}, {"x.new", "", "text", "", ""}},       /* twice */
        {{"x.new", "", "text", "", ""}, {"nosection", "", "text", "", ""}},   /* no dot */
        {{"x.new", "", "text", "", ""}, {"x.y", "", "1 to 5", "", ""}},       /* no range */
        {{"x.new", "", "text", "", ""}, {"x.y", "9", "1..5, whole", "", ""}}, /* out of it */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(eddy_config_declare(config, bad[i], 2, &err), EDDY_EUSAGE);
        assert_null(eddy_config_value(config, "x.new"));
    }
}

static void a_file_of_every_habit_is_read(void **state)
{
    (void)state;
    assert_int_equal(load("\xEF\xBB\xBF# a comment\r\n"
                          "; another\r\n"
                          "\r\n"
                          "[emit]\r\n"
                          "interval = 30s   ; half a minute\r\n"
                          "  [host]  # indented\n"
                          "listen: /run/a:b=c\n"
                          "\tfollow=/x#1\n"
                          "   follow = /y # no part of it\n"
                          "mode=fast"),
                     EDDY_OK);
    assert_int_equal(interval(config), 30000000);
    assert_string_equal(eddy_config_value(config, "host.listen"), "/run/a:b=c");
    assert_string_equal(eddy_config_value(config, "host.follow"), "/x#1\n/y");
    assert_string_equal(eddy_config_value(config, "host.mode"), "fast");
}

static void the_message_names_file_and_line(void **state)
{
    (void)state;
    assert_load_fails("[emit]\n\n# x\n\ninterval = 9h\n",
                      "eddy.conf:5: emit.interval = '9h': not in 1s..1h");
    assert_load_fails("x = 1\n", "eddy.conf:1: a setting before the first [section]");
    assert_load_fails("[emit]\ninterval\n", "eddy.conf:2: neither [section] nor name = value");
    assert_load_fails("[emit\n", "eddy.conf:1: neither [section] nor name = value");
    assert_load_fails("[emit] interval = 1s\n", "eddy.conf:1: text after [section]");
    assert_load_fails("[host]\nmode = fast\n[emit]\n[host]\nmode = slow\n",
                      "eddy.conf:5: host.mode: set a second time; first in line 2");
}

static void the_first_bad_line_is_told(void **state)
{
    (void)state;
    assert_load_fails("[emit]\nno value\ninterval = 9h\n",
                      "eddy.conf:2: neither [section] nor name = value");
    assert_load_fails("[emit]\ninterval = 9h\nno value\n",
                      "eddy.conf:2: emit.interval = '9h': not in 1s..1h");
}

static void a_bad_file_changes_nothing(void **state)
{
    (void)state;
    assert_int_equal(load("[host]\nmode = fast\nport = 1\nport = 2\n"), EDDY_ECONFIG);
    assert_string_equal(eddy_config_value(config, "host.mode"), "slow");
    assert_string_equal(eddy_config_value(config, "host.port"), "9100");
}

static void a_second_file_overrides_the_first(void **state)
{
    (void)state;
    assert_int_equal(load("[host]\nport = 1\nfollow = a\n"), EDDY_OK);
    assert_int_equal(load("[host]\nport = 2\nfollow = b\n"), EDDY_OK);
    assert_string_equal(eddy_config_value(config, "host.port"), "2");
    assert_string_equal(eddy_config_value(config, "host.follow"), "a\nb");
}

static void a_line_is_never_cut_in_silence(void **state)
{
    (void)state;
    char text[1200] = "[host]\nlisten = ";
    for (size_t length = 50; length < 1000; length += 50) {
        size_t head = strlen("[host]\nlisten = ");
        memset(text + head, 'x', length);
        text[head + length] = '\0';
        int status = load(text);
        if (status == EDDY_OK)
            assert_int_equal(strlen(eddy_config_value(config, "host.listen")), length);
        else
            assert_memory_equal(err.message, "eddy.conf:2: longer than ", 25);
    }
    assert_true(strlen(eddy_config_value(config, "host.listen")) >= 150);
}

static void a_long_comment_is_no_long_line(void **state)
{
    (void)state;
    char text[3000];
    memset(text, '#', sizeof text);
    memcpy(text + sizeof text - 22, "\n[host]\nport = 7\n     ", 22);
    assert_int_equal(config_load_text(config, "eddy.conf", text, sizeof text, &err), EDDY_OK);
    assert_string_equal(eddy_config_value(config, "host.port"), "7");
}

static void bytes_that_are_no_text_are_refused(void **state)
{
    (void)state;
    static const char nul[] = "[host]\nlisten = a\0b\n";
    assert_int_equal(config_load_text(config, "eddy.conf", nul, sizeof nul - 1, &err),
                     EDDY_ECONFIG);
    assert_string_equal(err.message, "eddy.conf:2: has a NUL byte");
    assert_int_equal(load("[host]\nlisten = a\x1b[31m\n"), EDDY_ECONFIG);
}

static void what_is_no_file_is_said_so(void **state)
{
    const char *path = scratch_path(state, "big.conf");
    assert_int_equal(eddy_config_load(config, scratch_path(state, "none"), &err), EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(ENOENT)));
    assert_int_equal(eddy_config_load(config, *state, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, strerror(EISDIR)));
    char *big = calloc(1, (1 << 20) + 1);
    assert_non_null(big);
    memset(big, '#', (1 << 20) + 1);
    scratch_write(path, big, (1 << 20) + 1);
    free(big);
    assert_int_equal(eddy_config_load(config, path, &err), EDDY_ECONFIG);
    assert_non_null(strstr(err.message, "larger than 1 MiB"));
}

static void a_file_is_read_by_its_path(void **state)
{
    const char *path = scratch_path(state, "eddy.conf");
    static const char text[] = "[emit]\ninterval = 5s\n";
    scratch_write(path, text, sizeof text - 1);
    assert_int_equal(eddy_config_load(config, path, &err), EDDY_OK);
    assert_int_equal(interval(config), 5000000);
}

static void a_copy_lives_on_its_own(void **state)
{
    (void)state;
    eddy_config *copy = NULL;
    assert_int_equal(eddy_config_set(config, "emit.interval", "40s", &err), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "jsonl.path", "/a", &err), EDDY_OK);
    assert_int_equal(config_copy(config, &copy), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "emit.interval", "50s", &err), EDDY_OK);
    assert_int_equal(eddy_config_set(config, "jsonl.path", "/b", &err), EDDY_OK);
    assert_int_equal(interval(copy), 40000000);
    assert_string_equal(eddy_config_value(copy, "jsonl.path"), "/a");
    assert_null(eddy_config_value(copy, "host.mode")); /* not the host's */
    eddy_config_free(copy);
}

struct visit {
    size_t count;
    char last[64];
};

static int visit(const eddy_option *option, void *user)
{
    struct visit *v = user;
    v->count++;
    (void)snprintf(v->last, sizeof v->last, "%s", option->key);
    assert_non_null(strchr(option->key, '.'));
    assert_true(strlen(option->range) > 1);
    assert_true(strlen(option->help) > 5);
    assert_true(strlen(option->section) > 5);
    return 0;
}

static int stop(const eddy_option *option, void *user)
{
    (void)option;
    (void)user;
    return 42;
}

static void every_setting_is_visited_the_hosts_last(void **state)
{
    (void)state;
    struct visit v = {0};
    assert_int_equal(eddy_config_options(config, visit, &v), 0);
    assert_true(v.count > 10);
    assert_string_equal(v.last, "host.follow");
    assert_int_equal(eddy_config_options(config, stop, NULL), 42);
}

static int set_to_initial(const eddy_option *option, void *user)
{
    eddy_config *to = user;
    if (strcmp(option->range, "list") == 0)
        return 0; /* its entries are set one by one */
    return eddy_config_set(to, option->key, option->initial, &err);
}

static void every_initial_value_may_be_written(void **state)
{
    (void)state;
    eddy_config *other = eddy_config_new();
    assert_non_null(other);
    assert_int_equal(eddy_config_declare(other, own, sizeof own / sizeof *own, NULL), EDDY_OK);
    int status = eddy_config_options(config, set_to_initial, other);
    eddy_config_free(other);
    if (status != 0)
        fail_msg("%s", err.message);
}

#define CONFIG(test) cmocka_unit_test_setup_teardown(test, new_config, free_config)

static int new_both(void **state)
{
    return scratch_new(state) != 0 || new_config(state) != 0;
}

static int free_both(void **state)
{
    return free_config(state) != 0 || scratch_free(state) != 0;
}

#define IN_SCRATCH(test) cmocka_unit_test_setup_teardown(test, new_both, free_both)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CONFIG(a_part_finds_its_initial_values_in_its_struct),
        CONFIG(what_is_set_reaches_the_struct_and_the_text),
        CONFIG(a_bad_value_changes_nothing_and_says_what_was_expected),
        CONFIG(an_unknown_setting_gets_a_hint),
        CONFIG(a_list_grows_and_an_empty_value_empties_it),
        CONFIG(a_list_has_a_limit),
        CONFIG(a_hosts_settings_are_checked_by_their_range),
        CONFIG(bad_declarations_are_refused_and_leave_no_trace),
        CONFIG(a_file_of_every_habit_is_read),
        CONFIG(the_message_names_file_and_line),
        CONFIG(the_first_bad_line_is_told),
        CONFIG(a_bad_file_changes_nothing),
        CONFIG(a_second_file_overrides_the_first),
        CONFIG(a_line_is_never_cut_in_silence),
        CONFIG(a_long_comment_is_no_long_line),
        CONFIG(bytes_that_are_no_text_are_refused),
        IN_SCRATCH(what_is_no_file_is_said_so),
        IN_SCRATCH(a_file_is_read_by_its_path),
        CONFIG(a_copy_lives_on_its_own),
        CONFIG(every_setting_is_visited_the_hosts_last),
        CONFIG(every_initial_value_may_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
