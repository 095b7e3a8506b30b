/* SPDX-License-Identifier: MIT */
/* test_collectd_metrics.c - metrics as collectd's values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../plugins/collectd/metrics.c"

static struct cd_values last;
static union cd_value last_value;
static size_t dispatched;

int plugin_dispatch_values(const struct cd_values *values)
{
    last = *values;
    last_value = *values->values;
    dispatched++;
    return 0;
}

int plugin_register_data_set(const struct cd_data_set *set)
{
    assert_string_not_equal(set->type, "top_host_flows");
    assert_null(strstr(set->type, "eddy"));
    dispatched++;
    return 0;
}

int inputs_metrics(const struct inputs *in, eddy_metric_fn *each, void *user)
{
    eddy_metric metric = {.name = "input_gaps_total", .labels = "", .kind = EDDY_COUNTER};
    assert_null(in);
    return each(&metric, user);
}

static int setup(void **state)
{
    (void)state;
    dispatched = 0;
    return 0;
}

static void add(const char *name, const char *labels, double value, eddy_kind kind)
{
    eddy_metric metric = {.name = name, .help = "", .labels = labels, .value = value, .kind = kind};
    assert_int_equal(metrics_add(&metric, NULL), 0);
}

static void a_counter_loses_prefix_and_total(void **state)
{
    (void)state;
    add("eddy_input_records_total", "input=\"dmz\",result=\"scored\"", 12, EDDY_COUNTER);
    assert_string_equal(last.plugin, "eddy");
    assert_string_equal(last.plugin_instance, "dmz");
    assert_string_equal(last.type, "input_records");
    assert_string_equal(last.type_instance, "scored");
    assert_true(last_value.derive == 12);
    assert_int_equal(last.count, 1);
    assert_true(last.interval == 0 && last.time == 0 && last.host[0] == '\0' && last.meta == NULL);
}

static void without_an_input_the_instance_is_all(void **state)
{
    (void)state;
    add("eddy_calibration_error", "detector=\"tail\"", 0.5, EDDY_GAUGE);
    assert_string_equal(last.plugin_instance, "all");
    assert_string_equal(last.type_instance, "tail");
    assert_true(last_value.gauge == 0.5);
    add("eddy_hosts_tracked", "", 3, EDDY_GAUGE);
    assert_string_equal(last.plugin_instance, "all");
    assert_string_equal(last.type_instance, "");
}

static void two_further_labels_are_joined(void **state)
{
    (void)state;
    add("eddy_x", "a=\"1\",input=\"i\",b=\"q\\\"\\\\z\"", 1, EDDY_GAUGE);
    assert_string_equal(last.plugin_instance, "i");
    assert_string_equal(last.type_instance, "1-q\"\\z");
}

static void addresses_and_nan_are_not_shown(void **state)
{
    (void)state;
    add("eddy_top_host_flows", "host=\"10.0.0.1\"", 1, EDDY_GAUGE);
    add("eddy_hosts_tracked", "", NAN, EDDY_GAUGE);
    assert_int_equal(dispatched, 0);
}

static void our_own_have_names_too(void **state)
{
    (void)state;
    metrics_own(OWN_NOTIFICATIONS, "result=\"sent\"", 7);
    assert_string_equal(last.type, "notifications");
    assert_string_equal(last.type_instance, "sent");
    assert_true(last_value.derive == 7);
    for (int i = 0; i < OWN_COUNT; i++)
        assert_non_null(own[i].name);
}

static void labels_too_long_are_cut(void **state)
{
    (void)state;
    char labels[400];
    int n = snprintf(labels, sizeof labels, "input=\"%0200d\",x=\"%0150d\"", 1, 2);
    assert_true(n > 350);
    add("eddy_x", labels, 1, EDDY_GAUGE);
    assert_int_equal(strlen(last.plugin_instance), 63);
    assert_int_equal(strlen(last.type_instance), 63);
}

static void all_types_are_registered(void **state)
{
    (void)state;
    metrics_register();
    assert_true(dispatched > 20 + OWN_COUNT);
}

int main(void)
{
    const struct CMUnitTest list[] = {
        cmocka_unit_test_setup(a_counter_loses_prefix_and_total, setup),
        cmocka_unit_test_setup(without_an_input_the_instance_is_all, setup),
        cmocka_unit_test_setup(two_further_labels_are_joined, setup),
        cmocka_unit_test_setup(addresses_and_nan_are_not_shown, setup),
        cmocka_unit_test_setup(our_own_have_names_too, setup),
        cmocka_unit_test_setup(labels_too_long_are_cut, setup),
        cmocka_unit_test_setup(all_types_are_registered, setup),
    };
    return cmocka_run_group_tests(list, NULL, NULL);
}
