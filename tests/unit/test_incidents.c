/* SPDX-License-Identifier: MIT */
/* test_incidents.c - what an open incident keeps of its flows, and its name. */
#include "decide/incidents.h"
#include "pipeline.h"

static void sample_ids_are_of_the_whole_time(void **state)
{
    (void)state;
    struct incident incident = {.start_us = INT64_MAX};
    static struct row row;
    for (unsigned i = 1; i <= 5000; i++) {
        row.flow = flow_at(5000 - i, "10.0.0.1", "203.0.113.1", 443);
        row.end_us = row.flow.start_us + 5;
        (void)snprintf(row.flow.id, sizeof row.flow.id, "%u", i);
        incident_add(&incident, &row, INT64_MAX);
    }
    assert_int_equal(incident.flows, 5000);
    assert_int_equal(incident.flow_id_count, INCIDENT_FLOW_IDS);
    assert_int_equal(incident.start_us, T0 * US);
    assert_int_equal(incident.end_us, (T0 + 4999) * US + 5);
    assert_string_equal(incident.flow_ids[0], "1"); /* the first stay */
    bool latest = false;
    for (size_t i = 0; i < INCIDENT_FLOW_IDS; i++) {
        latest = latest || strcmp(incident.flow_ids[i], "4096") == 0;
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(incident.flow_ids[i], incident.flow_ids[j]);
    }
    assert_true(latest); /* the latest doubling */
}

static void flows_without_an_id_are_counted_but_not_listed(void **state)
{
    (void)state;
    struct incident incident = {0};
    static struct row row;
    row.flow.id[0] = '\0';
    incident_add(&incident, &row, INT64_MAX);
    assert_int_equal(incident.flows, 1);
    assert_int_equal(incident.flow_id_count, 0);
}

/* The watermark is what is believed; a flow may still have begun earlier than all others. */
static void times_beyond_the_watermark_stay_out(void **state)
{
    (void)state;
    struct incident incident = {.start_us = 1000, .end_us = 2000};
    static struct row row;
    row.flow.start_us = 900;
    row.end_us = 90000;
    incident_add(&incident, &row, 3000);
    assert_int_equal(incident.start_us, 900);
    assert_int_equal(incident.end_us, 3000);
    row.flow.start_us = 80000;
    incident_add(&incident, &row, 4000);
    assert_int_equal(incident.start_us, 900);
    assert_int_equal(incident.end_us, 4000);
    assert_int_equal(incident.flows, 2);
}

static void a_name_depends_on_host_detector_and_start(void **state)
{
    (void)state;
    struct incident base = {.host = {1}, .start_us = 5}, other = base;
    incident_name(&base, "tail");
    incident_name(&other, "tail");
    assert_string_equal(base.id, other.id);
    incident_name(&other, "fanout");
    assert_string_not_equal(base.id, other.id);
    other.start_us++;
    incident_name(&other, "tail");
    assert_string_not_equal(base.id, other.id);
    other = base;
    other.host[15] = 1;
    incident_name(&other, "tail");
    assert_string_not_equal(base.id, other.id);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_ids_are_of_the_whole_time),
        cmocka_unit_test(flows_without_an_id_are_counted_but_not_listed),
        cmocka_unit_test(times_beyond_the_watermark_stay_out),
        cmocka_unit_test(a_name_depends_on_host_detector_and_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
