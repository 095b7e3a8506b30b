/* SPDX-License-Identifier: MIT */
/* test_promtext.c - the Prometheus text format. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "emit/promtext.h"

static char buf[1024];

static void write_metrics(const eddy_metric *metrics, size_t count)
{
    struct text text = text_over(buf, sizeof buf);
    struct promtext promtext = promtext_over(&text);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(promtext_metric(&metrics[i], &promtext), 0);
}

static void help_and_type_come_once_for_each_name(void **state)
{
    (void)state;
    const eddy_metric metrics[] = {
        {"eddy_flows_total", "Flows scored.", "input=\"eve\"", 12345678, EDDY_COUNTER},
        {"eddy_flows_total", "Flows scored.", "input=\"zeek\"", 0, EDDY_COUNTER},
        {"eddy_hosts", "Hosts known.", "", 2.5, EDDY_GAUGE}};
    write_metrics(metrics, 3);
    assert_string_equal(buf, "# HELP eddy_flows_total Flows scored.\n"
                             "# TYPE eddy_flows_total counter\n"
                             "eddy_flows_total{input=\"eve\"} 12345678\n"
                             "eddy_flows_total{input=\"zeek\"} 0\n"
                             "# HELP eddy_hosts Hosts known.\n"
                             "# TYPE eddy_hosts gauge\n"
                             "eddy_hosts 2.5\n");
}

static void help_is_escaped(void **state)
{
    (void)state;
    const eddy_metric metric = {"a", "two\nlines, a \\ and a \"", "", 1, EDDY_GAUGE};
    write_metrics(&metric, 1);
    assert_memory_equal(buf, "# HELP a two\\nlines, a \\\\ and a \"\n#", 34);
}

static void values_that_are_no_numbers_have_prometheus_names(void **state)
{
    (void)state;
    const eddy_metric metrics[] = {{"a", "h", "x=\"1\"", NAN, EDDY_GAUGE},
                                   {"a", "h", "x=\"2\"", INFINITY, EDDY_GAUGE},
                                   {"a", "h", "x=\"3\"", -INFINITY, EDDY_GAUGE}};
    write_metrics(metrics, 3);
    assert_non_null(strstr(buf, "a{x=\"1\"} NaN\na{x=\"2\"} +Inf\na{x=\"3\"} -Inf\n"));
}

static void labels_are_joined_and_escaped(void **state)
{
    (void)state;
    char labels[128];
    struct text text = text_over(labels, sizeof labels);
    promtext_label(&text, "input", "a\"b\\c\nd");
    promtext_label(&text, "reason", "\xFFok");
    assert_string_equal(labels, "input=\"a\\\"b\\\\c\\nd\",reason=\"\xEF\xBF\xBDok\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(help_and_type_come_once_for_each_name),
        cmocka_unit_test(help_is_escaped),
        cmocka_unit_test(values_that_are_no_numbers_have_prometheus_names),
        cmocka_unit_test(labels_are_joined_and_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
