/* SPDX-License-Identifier: MIT */
/* test_setting_name.c - settings as collectd and Suricata write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "../../plugins/common/say.c"
#include "../../plugins/common/setting_name.c"

static eddy_config *config;

static int fresh(void **state)
{
    (void)state;
    config = eddy_config_new();
    return config == NULL;
}

static int done(void **state)
{
    (void)state;
    eddy_config_free(config);
    return 0;
}

static void case_and_joints_do_not_matter(void **state)
{
    (void)state;
    static const char *const written[][2] = {{"Beacon", "MinGaps"},
                                             {"beacon", "min-gaps"},
                                             {"BEACON", "min_gaps"},
                                             {"bea-con", "mingaps"}};
    static const char *const values[] = {"11", "12", "13", "14"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(setting_set(config, written[i][0], written[i][1], values[i], NULL), 0);
        assert_string_equal(eddy_config_value(config, "beacon.min_gaps"), values[i]);
    }
}

static void parts_of_names_are_not_names(void **state)
{
    (void)state;
    static const char *const written[][2] = {{"beacon", "min"},    {"beacon", "mingapss"},
                                             {"beac", "min_gaps"}, {"beacon", ""},
                                             {"", "min_gaps"},     {"beacon.min", "gaps"}};
    for (size_t i = 0; i < sizeof written / sizeof *written; i++) {
        eddy_error err = {0};
        assert_int_equal(setting_set(config, written[i][0], written[i][1], "11", &err),
                         EDDY_ECONFIG);
        assert_non_null(strstr(err.message, "no such setting"));
    }
}

static void values_are_checked_by_the_library(void **state)
{
    (void)state;
    eddy_error err = {0};
    assert_int_equal(setting_set(config, "Beacon", "MinGaps", "few", &err), EDDY_ECONFIG);
    assert_non_null(strstr(err.message, "beacon.min_gaps"));
}

static void names_are_compared_in_one_way(void **state)
{
    (void)state;
    assert_true(setting_is("Con-fig", "config"));
    assert_true(setting_is("MIN_gaps", "min_gaps"));
    assert_false(setting_is("confi", "config"));
    assert_false(setting_is("", "config"));
    assert_true(setting_is_section(config, "GeoIP"));
    assert_true(setting_is_section(config, "geo-ip"));
    assert_false(setting_is_section(config, "geo"));
    assert_false(setting_is_section(config, "asn"));
}

static void sizes_are_read_as_the_library_reads_them(void **state)
{
    (void)state;
    static const struct {
        const char *written;
        uint64_t bytes;
    } cases[] = {{"4194304", 4194304}, {"8192K", 8388608}, {"128M", 134217728}, {"2G", 2147483648}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(eddy_config_set(config, "state.memory", cases[i].written, NULL), 0);
        assert_int_equal(setting_bytes(config, "state.memory"), cases[i].bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(case_and_joints_do_not_matter, fresh, done),
        cmocka_unit_test_setup_teardown(parts_of_names_are_not_names, fresh, done),
        cmocka_unit_test_setup_teardown(names_are_compared_in_one_way, fresh, done),
        cmocka_unit_test_setup_teardown(sizes_are_read_as_the_library_reads_them, fresh, done),
        cmocka_unit_test_setup_teardown(values_are_checked_by_the_library, fresh, done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
