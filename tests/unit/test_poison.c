/* SPDX-License-Identifier: MIT */
/* test_poison.c - what an attacker who knows eddy can teach it, and what not. */
#include "pipeline.h"
#include "random.h"

static eddy_flow usual_flow(struct rng *rng, double start_s)
{
    eddy_flow flow = flow_at(start_s, numbered("10.0", (unsigned)rng_below(rng, 10)),
                             numbered("203.0", (unsigned)rng_below(rng, 50)), 443);
    flow.bytes_out = 500 + (uint64_t)(1500 * rng_exponential(rng));
    flow.bytes_in = 2000 + (uint64_t)(9000 * rng_exponential(rng));
    flow.packets_out = 5 + flow.bytes_out / 300;
    flow.packets_in = 5 + flow.bytes_in / 900;
    flow.duration_us = 50000 + (uint64_t)(3e6 * rng_exponential(rng));
    return flow;
}

static eddy_flow upload(double start_s, const char *src, double bytes)
{
    eddy_flow flow = flow_at(start_s, src, "198.51.100.1", 443);
    flow.bytes_out = (uint64_t)bytes;
    flow.packets_out = 5 + flow.bytes_out / 1400;
    flow.packets_in = 5 + flow.packets_out / 2;
    flow.bytes_in = 60 * flow.packets_in;
    flow.duration_us = 1000000 + flow.bytes_out / 2;
    return flow;
}

static struct finding tail_of(struct pipeline *p, const eddy_flow *flow)
{
    (void)pipeline_score(p, flow);
    return p->row.finding[detector_named("tail")];
}

/* What another host's upload looks like after 4000 usual flows and then 4000 of which a share were
 * an attacker's uploads. */
static double after_attack(const char *leak, double share)
{
    const char *const settings[] = {"calibrate.leak", leak, NULL};
    struct pipeline *p = pipeline_new(settings);
    struct rng rng = {5};
    for (unsigned i = 0; i < 8000; i++) {
        bool attack = i >= 4000 && rng_uniform(&rng) < share;
        eddy_flow flow = attack
                             ? upload(i * 0.5, numbered("10.0", 3), 1e9 * (1 + rng_uniform(&rng)))
                             : usual_flow(&rng, i * 0.5);
        (void)pipeline_score(p, &flow);
    }
    eddy_flow flow = upload(4001, numbered("10.0", 7), 2e9);
    double p_value = tail_of(p, &flow).p;
    pipeline_free(p);
    return p_value;
}

/* One such flow taught among the 4000 of its kind makes p 1/4000 = 2.5e-4. What is suspicious and
 * comes from one host teaches nobody else: it stays below. With leak 1 it is seen, and usual. */
static void one_hosts_attack_of_1_10_30_percent_stays_unusual(void **state)
{
    (void)state;
    static const double shares[] = {0.01, 0.1, 0.3};
    for (size_t i = 0; i < 3; i++) {
        assert_true(after_attack("0", shares[i]) < 1e-5);
        assert_true(after_attack("0.05", shares[i]) < 2.5e-4);
        assert_true(after_attack("1", shares[i]) > 2e-4);
    }
}

/* p of 26 MB after 100 days in which one host sends five times a day what grows by a factor: by
 * that host or by another. */
static double ramp(double growth, bool same)
{
    struct pipeline *p = pipeline_new(NULL);
    struct rng rng = {6};
    double bytes = 2e5;
    for (unsigned day = 0; day < 100; day++, bytes *= growth) {
        for (unsigned i = 0; i < 200; i++) {
            eddy_flow flow = usual_flow(&rng, day * 86400.0 + i * 300);
            (void)pipeline_score(p, &flow);
        }
        for (unsigned i = 0; i < 5; i++) {
            eddy_flow flow = upload(day * 86400.0 + 61000 + i * 300, numbered("10.0", 3), bytes);
            (void)pipeline_score(p, &flow);
        }
    }
    eddy_flow flow = upload(100 * 86400.0, numbered("10.0", same ? 3 : 7), 26e6);
    double p_value = tail_of(p, &flow).p;
    pipeline_free(p);
    return p_value;
}

/* 5 % a day, from 0.2 MB to 26 MB in 100 days: it widens what is usual for the host that does it,
 * and nobody can tell that from a host whose work grows. It does not make 26 MB usual for anybody
 * else, of whom 20,000 flows are known: one taught would make p 5e-5. */
static void a_slow_ramp_widens_only_the_hosts_own_past(void **state)
{
    (void)state;
    assert_true(ramp(1, true) < 5e-5);
    assert_true(ramp(1, false) < 5e-5);
    assert_true(ramp(1.05, false) < 5e-5);
    assert_true(ramp(1.05, true) > 1e-3); /* what it does achieve */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_hosts_attack_of_1_10_30_percent_stays_unusual),
        cmocka_unit_test(a_slow_ramp_widens_only_the_hosts_own_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
