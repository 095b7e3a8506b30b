/* SPDX-License-Identifier: MIT */
/* test_role.c - clients, servers and devices are told apart by what they open and answer. */
#include "score/role.h"

#include "pipeline.h"
#include "util/hash.h"

/* Machines as regular as these are suspicious of being beacons; here it is all about counts. */
static struct pipeline *trusting(void)
{
    static const char *const settings[] = {"calibrate.suspicious", "0", NULL};
    return pipeline_new(settings);
}

static struct host *host_of(struct pipeline *p, const char *address)
{
    uint8_t key[16];
    address_of(address, key);
    return table_find(&p->state->hosts, hash_address(key, p->state->seed), key);
}

static enum role role_of(struct pipeline *p, const char *address)
{
    return role_of_host(host_of(p, address));
}

/* One flow of the host itself: it has a record from then on. */
static void begin(struct pipeline *p, const char *host)
{
    eddy_flow flow = flow_at(0, host, "10.0.0.53", 53);
    (void)pipeline_score(p, &flow);
}

static void one_that_opens_to_many_services_is_a_client(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 63; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.1", numbered("203.0", i % 30), 443);
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "10.0.0.1"), ROLE_UNKNOWN); /* decided at 64 */
    begin(p, "10.0.0.1");
    assert_int_equal(role_of(p, "10.0.0.1"), ROLE_CLIENT);
    pipeline_free(p);
}

/* 100 answers on three ports, 40 openings to 20 services. */
static void one_that_answers_more_than_it_opens_is_a_server(void **state)
{
    (void)state;
    static const uint16_t ports[] = {80, 443, 22};
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 140; i++) {
        eddy_flow flow = i % 7 < 2 ? flow_at(i, "10.0.0.2", numbered("203.0", i % 20), 443)
                                   : flow_at(i, numbered("10.1", i % 9), "10.0.0.2", ports[i % 3]);
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "10.0.0.2"), ROLE_SERVER);
    pipeline_free(p);
}

static void a_printer_is_a_device(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    begin(p, "10.0.0.3");
    for (unsigned i = 0; i < 64; i++) {
        eddy_flow flow = flow_at(i, numbered("10.1", i % 20), "10.0.0.3", 631);
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "10.0.0.3"), ROLE_DEVICE);
    pipeline_free(p);
}

static void a_camera_that_only_calls_its_maker_is_a_device(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 64; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.4", numbered("203.0", i % 4), 443);
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "10.0.0.4"), ROLE_DEVICE);
    pipeline_free(p);
}

static void being_scanned_makes_no_server(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 64; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.5", numbered("203.0", i), 443);
        (void)pipeline_score(p, &flow);
    }
    for (unsigned i = 0; i < 2000; i++) {
        eddy_flow flow = refused_at(64 + i * 0.01, "10.9.9.9", "10.0.0.5", (uint16_t)(1 + i));
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "10.0.0.5"), ROLE_CLIENT);
    assert_int_equal(host_of(p, "10.0.0.5")->role.answered, 0);
    pipeline_free(p);
}

static void one_that_only_answers_has_no_record(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = flow_at(i, numbered("10.1", i % 9), "10.0.0.6", 80);
        (void)pipeline_score(p, &flow);
    }
    assert_null(host_of(p, "10.0.0.6"));
    pipeline_free(p);
}

static void outside_hosts_have_no_role(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 200; i++) {
        eddy_flow flow = flow_at(i, "203.0.113.1", numbered("10.0", i % 40), 443);
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "203.0.113.1"), ROLE_UNKNOWN);
    pipeline_free(p);
}

/* 1024 flows as a client, then 1024 answers: the role is decided anew at 64, 128 ... of the new
 * count. */
static void a_host_may_change_its_role(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 1024; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.7", numbered("203.0", i % 50), 443);
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "10.0.0.7"), ROLE_CLIENT);
    assert_int_equal(host_of(p, "10.0.0.7")->role.opened, 0);
    for (unsigned i = 0; i < 64; i++) {
        eddy_flow flow = flow_at(1024 + i, numbered("10.1", i % 9), "10.0.0.7", i % 2 ? 80 : 443);
        (void)pipeline_score(p, &flow);
    }
    assert_int_equal(role_of(p, "10.0.0.7"), ROLE_SERVER);
    pipeline_free(p);
}

static void what_may_not_teach_counts_for_no_role(void **state)
{
    (void)state;
    struct pipeline *p = trusting();
    for (unsigned i = 0; i < 100; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.8", numbered("203.0", i), 443);
        score(p->score, &p->score_conf, pipeline_pass(p, &flow));
        p->row.teach = 0.0;
        score_learn(p->score, &p->score_conf, &p->row);
    }
    assert_int_equal(host_of(p, "10.0.0.8")->role.opened, 0);
    pipeline_free(p);
}

/* Of 400 suspicious flows, 20 count: not yet 64. */
static void suspicious_flows_count_by_their_weight(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    for (unsigned i = 0; i < 400; i++) {
        eddy_flow flow = flow_at(i, "10.0.0.6", numbered("203.0", i % 30), 443);
        score(p->score, &p->score_conf, pipeline_pass(p, &flow));
        p->row.teach = 0.05;
        score_learn(p->score, &p->score_conf, &p->row);
    }
    assert_int_equal(role_of(p, "10.0.0.6"), ROLE_UNKNOWN);
    assert_in_range(host_of(p, "10.0.0.6")->role.opened, 19, 20);
    pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_opens_to_many_services_is_a_client),
        cmocka_unit_test(one_that_answers_more_than_it_opens_is_a_server),
        cmocka_unit_test(a_printer_is_a_device),
        cmocka_unit_test(a_camera_that_only_calls_its_maker_is_a_device),
        cmocka_unit_test(being_scanned_makes_no_server),
        cmocka_unit_test(one_that_only_answers_has_no_record),
        cmocka_unit_test(outside_hosts_have_no_role),
        cmocka_unit_test(a_host_may_change_its_role),
        cmocka_unit_test(what_may_not_teach_counts_for_no_role),
        cmocka_unit_test(suspicious_flows_count_by_their_weight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
