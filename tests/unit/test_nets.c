/* SPDX-License-Identifier: MIT */
/* test_nets.c - networks in CIDR notation, groups, and what a flow's addresses are told to be. */
#include <string.h>

#include "pipeline.h"
#include "random.h"

static struct nets *nets_of(const char *local)
{
    const struct nets_conf conf = {.local = local};
    struct nets *nets;
    assert_int_equal(nets_new(&conf, &nets, NULL), EDDY_OK);
    return nets;
}

static bool local(const struct nets *nets, const char *address)
{
    uint8_t bytes[16];
    address_of(address, bytes);
    return nets_local(nets, bytes);
}

static bool group(const struct nets *nets, const char *address)
{
    uint8_t bytes[16];
    address_of(address, bytes);
    return nets_group(nets, bytes);
}

static void without_a_setting_the_private_networks_are_ours(void **state)
{
    (void)state;
    static const struct {
        const char *first, *last, *before, *after; /* RFC 1918, 3927, 6598, 1122; 4193, 4291 */
    } blocks[] = {
        {"10.0.0.0", "10.255.255.255", "9.255.255.255", "11.0.0.0"},
        {"172.16.0.0", "172.31.255.255", "172.15.255.255", "172.32.0.0"},
        {"192.168.0.0", "192.168.255.255", "192.167.255.255", "192.169.0.0"},
        {"169.254.0.0", "169.254.255.255", "169.253.255.255", "169.255.0.0"},
        {"100.64.0.0", "100.127.255.255", "100.63.255.255", "100.128.0.0"},
        {"127.0.0.0", "127.255.255.255", "126.255.255.255", "128.0.0.0"},
        {"fc00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fbff:ffff::", "fe00::"},
        {"fe80::", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe7f:ffff::", "fec0::"},
        {"::1", "::1", "::", "::2"},
    };
    struct nets *nets = nets_of("");
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) {
        assert_true(local(nets, blocks[i].first));
        assert_true(local(nets, blocks[i].last));
        assert_false(local(nets, blocks[i].before));
        assert_false(local(nets, blocks[i].after));
    }
    nets_free(nets);
}

static void a_setting_replaces_the_private_networks(void **state)
{
    (void)state;
    struct nets *nets = nets_of("198.51.100.0/24\n2001:db8::/32\n203.0.113.7");
    assert_true(local(nets, "198.51.100.255"));
    assert_true(local(nets, "2001:db8:ffff::1"));
    assert_true(local(nets, "203.0.113.7"));
    assert_false(local(nets, "203.0.113.6"));
    assert_false(local(nets, "10.0.0.1"));
    nets_free(nets);
}

/* Every prefix length against the first principle: the first `bits` bits are the same. */
static void every_prefix_length_compares_that_many_bits(void **state)
{
    (void)state;
    struct rng rng = {4};
    uint8_t base[16], other[16];
    char text[64];
    for (unsigned bits = 0; bits <= 128; bits++) {
        for (size_t i = 0; i < 16; i++)
            base[i] = (uint8_t)rng_bits(&rng);
        base[0] = 0x20;
        char address[46];
        (void)snprintf(text, sizeof text, "%s/%u", eddy_address_text(base, address), bits);
        struct nets *nets = nets_of(text);
        for (unsigned flipped = 0; flipped < 128; flipped++) {
            memcpy(other, base, 16);
            other[flipped / 8] ^= (uint8_t)(0x80u >> flipped % 8);
            assert_int_equal(nets_local(nets, other), flipped >= bits);
        }
        assert_true(nets_local(nets, base));
        nets_free(nets);
    }
}

static void odd_prefix_lengths_of_ipv4_are_right_at_their_borders(void **state)
{
    (void)state;
    struct nets *nets = nets_of("198.51.100.96/27\n203.0.112.0/21\n192.0.2.129/32\n198.18.0.0/15");
    assert_false(local(nets, "198.51.100.95"));
    assert_true(local(nets, "198.51.100.96"));
    assert_true(local(nets, "198.51.100.127"));
    assert_false(local(nets, "198.51.100.128"));
    assert_false(local(nets, "203.0.111.255"));
    assert_true(local(nets, "203.0.119.255"));
    assert_false(local(nets, "203.0.120.0"));
    assert_true(local(nets, "192.0.2.129"));
    assert_false(local(nets, "192.0.2.128"));
    assert_true(local(nets, "198.19.255.255"));
    assert_false(local(nets, "198.20.0.0"));
    nets_free(nets);
    nets = nets_of("0.0.0.0/0");
    assert_true(local(nets, "8.8.8.8"));
    assert_false(local(nets, "2001:db8::1"));
    nets_free(nets);
}

static void bits_beyond_the_prefix_do_not_matter(void **state)
{
    (void)state;
    struct nets *nets = nets_of("198.51.100.77/24");
    assert_true(local(nets, "198.51.100.1"));
    nets_free(nets);
}

static void what_is_no_network_is_refused_with_its_text(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "10.0.0.0/33",    "10.0.0.0/",   "10.0.0.0/-1", "10.0.0/8",
        "10.0.0.0/8x",    "300.0.0.0/8", "10.0.0.0/ 8", "::/129",
        "2001:db8::/999", "local",       "/8",          "10.0.0.0/8/8",
        "10.0.0.0/255",   "10.0.0.0/+8", " 10.0.0.0/8", "fe80::1%1/10"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[64];
        (void)snprintf(text, sizeof text, "192.168.0.0/16\n%s", bad[i]);
        const struct nets_conf conf = {.local = text};
        struct nets *nets = NULL;
        eddy_error err = {0};
        assert_int_equal(nets_new(&conf, &nets, &err), EDDY_ECONFIG);
        assert_null(nets);
        (void)snprintf(text, sizeof text, "'%s'", bad[i]);
        assert_non_null(strstr(err.message, text));
    }
}

static void more_than_1024_networks_are_refused(void **state)
{
    (void)state;
    char *text = malloc(1025 * 20);
    assert_non_null(text);
    size_t length = 0, at_1024 = 0;
    for (unsigned i = 0; i < 1025; i++) {
        at_1024 = length;
        length += (size_t)snprintf(text + length, 20, "10.%u.%u.0/24\n", i / 256, i % 256);
    }
    const struct nets_conf conf = {.local = text};
    struct nets *nets;
    assert_int_equal(nets_new(&conf, &nets, NULL), EDDY_ECONFIG);
    text[at_1024] = '\0';
    assert_int_equal(nets_new(&conf, &nets, NULL), EDDY_OK);
    nets_free(nets);
    free(text);
}

static void groups_are_multicast_and_broadcast(void **state)
{
    (void)state;
    struct nets *nets = nets_of("");
    static const char *const groups[] = {"224.0.0.1",       "239.255.255.255", "255.255.255.255",
                                         "ff02::1",         "ff0e::1",         "10.1.2.255",
                                         "192.168.255.255", "240.0.0.1"};
    static const char *const hosts[] = {"223.255.255.254", "8.8.8.255",    "10.1.2.254", "fe80::1",
                                        "2001:db8::ff",    "10.255.255.0", "::1"};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++)
        assert_true(group(nets, groups[i]));
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++)
        assert_false(group(nets, hosts[i]));
    nets_free(nets);
}

/* ---- enrich ---- */

static void a_row_learns_of_both_its_ends(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    eddy_flow flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    const struct row *row = pipeline_pass(p, &flow);
    assert_true(row->src.local);
    assert_false(row->dst.local || row->dst.group || row->src.group);
    flow = flow_at(1, "203.0.113.1", "10.0.0.255", 137);
    (void)pipeline_pass(p, &flow);
    assert_false(row->src.local);
    assert_true(row->dst.group && row->dst.local); /* ours, but nobody in particular */
    pipeline_free(p);
}

/* In a network larger than /24 that is an address like any other. */
static void a_source_that_ends_in_255_is_ours(void **state)
{
    (void)state;
    struct pipeline *p = pipeline_new(NULL);
    static const char *const sources[] = {"10.0.0.255", "10.255.255.255", "192.168.1.255"};
    for (size_t i = 0; i < 3; i++) {
        eddy_flow flow = flow_at((double)i, sources[i], "203.0.113.1", 443);
        const struct row *row = pipeline_pass(p, &flow);
        assert_true(row->src.local);
        assert_false(row->dst.local || row->dst.group);
        assert_int_equal(row->users, i + 1);
    }
    eddy_flow flow = flow_at(9, "203.0.113.255", "10.0.0.1", 443);
    assert_false(pipeline_pass(p, &flow)->src.local);
    pipeline_free(p);
}

/* More addresses than the cache has slots, twice: what a slot held before never shows. */
static void the_cache_never_answers_for_another_address(void **state)
{
    (void)state;
    struct nets *nets = nets_of("10.0.0.0/9");
    struct enrich_cache *cache = calloc(1, sizeof *cache);
    const struct geoip_conf none = {"", "", "", ""};
    struct geoip *geoip;
    assert_non_null(cache);
    assert_int_equal(geoip_open(&none, &geoip, NULL), EDDY_OK);
    struct rng rng = {8};
    static struct row row;
    for (unsigned i = 0; i < 100000; i++) {
        uint32_t number = (uint32_t)rng_below(&rng, 1 << 24);
        memcpy(row.flow.src, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
        row.flow.src[12] = 10;
        row.flow.src[13] = (uint8_t)(number >> 16);
        row.flow.src[14] = (uint8_t)(number >> 8 & 15);
        row.flow.src[15] = (uint8_t)(number & 127);
        memcpy(row.flow.dst, row.flow.src, 16);
        row.flow.dst[13] ^= 0x80;
        enrich(geoip, nets, cache, &row);
        assert_int_equal(row.src.local, number >> 16 < 128);
        assert_int_equal(row.dst.local, number >> 16 >= 128);
    }
    geoip_close(geoip);
    nets_free(nets);
    free(cache);
}

static void a_forgotten_cache_asks_again(void **state)
{
    (void)state;
    struct nets *ours = nets_of("10.0.0.0/8"), *others = nets_of("198.51.100.0/24");
    struct enrich_cache *cache = calloc(1, sizeof *cache);
    const struct geoip_conf none = {"", "", "", ""};
    struct geoip *geoip;
    assert_non_null(cache);
    assert_int_equal(geoip_open(&none, &geoip, NULL), EDDY_OK);
    static struct row row;
    row.flow = flow_at(0, "10.0.0.1", "203.0.113.1", 443);
    enrich(geoip, ours, cache, &row);
    assert_true(row.src.local);
    enrich_forget(cache);
    enrich(geoip, others, cache, &row);
    assert_false(row.src.local);
    geoip_close(geoip);
    nets_free(ours);
    nets_free(others);
    free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_setting_the_private_networks_are_ours),
        cmocka_unit_test(a_setting_replaces_the_private_networks),
        cmocka_unit_test(every_prefix_length_compares_that_many_bits),
        cmocka_unit_test(odd_prefix_lengths_of_ipv4_are_right_at_their_borders),
        cmocka_unit_test(bits_beyond_the_prefix_do_not_matter),
        cmocka_unit_test(what_is_no_network_is_refused_with_its_text),
        cmocka_unit_test(more_than_1024_networks_are_refused),
        cmocka_unit_test(groups_are_multicast_and_broadcast),
        cmocka_unit_test(a_row_learns_of_both_its_ends),
        cmocka_unit_test(a_source_that_ends_in_255_is_ours),
        cmocka_unit_test(the_cache_never_answers_for_another_address),
        cmocka_unit_test(a_forgotten_cache_asks_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
