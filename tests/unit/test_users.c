/* SPDX-License-Identifier: MIT */
/* test_users.c - how many of our hosts use a service, on a busy network with little memory. */
#include "pipeline.h"
#include "util/hash.h"

static int setup(void **state)
{
    *state = pipeline_new(NULL); /* 8 MiB */
    return 0;
}

static int teardown(void **state)
{
    pipeline_free(*state);
    return 0;
}

static uint32_t users(struct pipeline *p, double start_s, const char *src, const char *dst)
{
    eddy_flow flow = flow_at(start_s, src, dst, 443);
    return pipeline_pass(p, &flow)->users;
}

static void one_to_twelve_hosts_are_counted_exactly(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 12; i++)
        for (unsigned again = 0; again < 3; again++)
            assert_int_equal(users(p, i, numbered("10.2", i), "203.0.113.1"), i + 1);
    assert_int_equal(users(p, 20, "10.2.0.1", "203.0.113.2"), 1); /* another service */
}

static bool knows_pair(struct pipeline *p, const eddy_flow *flow)
{
    uint64_t port = (uint64_t)flow->dst_port << 8 | flow->proto;
    uint64_t offered = hash_add(hash_address(flow->dst, p->state->seed), port);
    uint64_t key = hash_add(offered, hash_address(flow->src, p->state->seed));
    return table_find(&p->state->pairs, key, &key) != NULL;
}

static void the_same_host_counts_once_also_when_its_pair_was_forgotten(void **state)
{
    struct pipeline *p = *state;
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    assert_int_equal(pipeline_pass(p, &flow)->users, 1);
    assert_true(knows_pair(p, &flow));
    for (unsigned i = 0; i < 120000; i++) /* 480 hosts with 250 services each */
        (void)users(p, 1 + i * 0.01, numbered("10.3", i / 250), numbered("198.51", i % 250));
    assert_false(knows_pair(p, &flow));
    assert_int_equal(users(p, 1300, "10.0.0.1", "203.0.113.1"), 1);
    assert_int_equal(users(p, 1301, "10.0.0.2", "203.0.113.1"), 2);
}

enum { OTHERS = 120000, PROBES = 1000 };

/* What is forgotten may be counted anew, but what one host uses is never said to be common. */
static void other_services_do_not_add_to_a_service(void **state)
{
    struct pipeline *p = *state;
    unsigned both = 0;
    for (unsigned i = 0; i < PROBES; i++)
        assert_int_equal(users(p, i * 0.01, "10.0.0.1", numbered("203.0", i)), 1);
    for (unsigned i = 0; i < OTHERS; i++) {
        eddy_flow flow =
            flow_at(10 + i * 0.01, numbered("10.3", i % 300), numbered("198.51", i), 443);
        flow.dst_port = (uint16_t)(443 + i / 62500);
        assert_int_equal(pipeline_pass(p, &flow)->users, 1);
    }
    for (unsigned i = 0; i < PROBES; i++) {
        assert_int_equal(users(p, 1300 + i * 0.01, "10.0.0.1", numbered("203.0", i)), 1);
        uint32_t two = users(p, 1300 + i * 0.01, "10.0.0.2", numbered("203.0", i));
        assert_in_range(two, 1, 2);
        both += two == 2;
    }
    assert_true(both > PROBES * 98 / 100); /* the first was just seen; some share a bit */
}

static void what_few_services_have_in_common_is_remembered(void **state)
{
    struct pipeline *p = *state;
    for (unsigned i = 0; i < 40; i++)
        (void)users(p, i, numbered("10.2", i), "203.0.113.1");
    for (unsigned i = 0; i < OTHERS; i++)
        (void)users(p, 50 + i * 0.005, numbered("10.3", i % 300), numbered("198.51", i));
    assert_in_range(users(p, 700, "10.2.0.1", "203.0.113.1"), 36, 44);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_to_twelve_hosts_are_counted_exactly),
        TEST(the_same_host_counts_once_also_when_its_pair_was_forgotten),
        TEST(other_services_do_not_add_to_a_service),
        TEST(what_few_services_have_in_common_is_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
