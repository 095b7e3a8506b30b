/* SPDX-License-Identifier: MIT */
/* test_geoip.c - databases made by hand, damaged in every place, replaced and truncated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "enrich/geoip.h"
#include "mmdb_writer.h"
#include "scratch.h"
#include "util/addr.h"
#include "util/log.h"

static void add_net(struct mmdb_writer *w, const char *address, unsigned bits, size_t offset)
{
    uint8_t bytes[16];
    assert_true(addr_parse(address, strlen(address), bytes));
    if (addr_is_v4(bytes)) {
        memset(bytes, 0, 12); /* IPv4 lives at ::/96 of the tree */
        bits += 96;
    }
    mmdb_insert(w, bytes, bits, offset);
}

/* 203.0.113.0/24 DE and AS 64500 in MaxMind's layout, 198.51.100.0/25 NL and AS 4200000000 in the
 * flat one, 2001:db8::/32 only registered in CH. */
static struct bytes sample(unsigned ip_version)
{
    struct mmdb_writer w = {.ip_version = ip_version};
    size_t german = w.data.length;
    put_head(&w.data, MMDB_MAP, 2);
    put_text(&w.data, "country");
    put_head(&w.data, MMDB_MAP, 1);
    put_text(&w.data, "iso_code");
    put_text(&w.data, "DE");
    put_text(&w.data, "autonomous_system_number");
    put_number(&w.data, MMDB_U32, 64500, 4);
    size_t dutch = w.data.length;
    put_head(&w.data, MMDB_MAP, 2);
    put_text(&w.data, "country_code");
    put_text(&w.data, "NL");
    put_text(&w.data, "autonomous_system_number");
    put_number(&w.data, MMDB_U32, 4200000000, 4);
    size_t swiss = w.data.length;
    put_head(&w.data, MMDB_MAP, 1);
    put_text(&w.data, "registered_country");
    put_head(&w.data, MMDB_MAP, 1);
    put_text(&w.data, "iso_code");
    put_text(&w.data, "CH");
    add_net(&w, "203.0.113.0", 24, german);
    add_net(&w, "198.51.100.0", 25, dutch);
    if (ip_version == 6)
        add_net(&w, "2001:db8::", 32, swiss);
    return mmdb_finish(&w);
}

static const struct geoip_conf plain = {
    .country = "", .asn = "", .country_field = "", .asn_field = "autonomous_system_number"};

static struct geoip *open_both(const char *path)
{
    struct geoip_conf conf = plain;
    conf.country = conf.asn = path;
    struct geoip *g;
    return geoip_open(&conf, &g, NULL) == EDDY_OK ? g : NULL;
}

static struct place find(const struct geoip *g, const char *address)
{
    uint8_t bytes[16];
    struct place place = {.country = ""};
    assert_true(addr_parse(address, strlen(address), bytes));
    geoip_find(g, bytes, &place);
    return place;
}

static bool is(const struct geoip *g, const char *address, const char *country, uint32_t asn)
{
    struct place place = find(g, address);
    return strcmp(place.country, country) == 0 && place.asn == asn;
}

static const char *write_sample(void **state, unsigned ip_version)
{
    struct bytes b = sample(ip_version);
    const char *path = scratch_path(state, "test.mmdb");
    scratch_write(path, (const char *)b.at, b.length);
    free(b.at);
    return path;
}

/* ---- what is found ---- */

static void nothing_configured_knows_nothing(void **state)
{
    (void)state;
    struct geoip *g;
    assert_int_equal(geoip_open(&plain, &g, NULL), EDDY_OK);
    assert_true(is(g, "203.0.113.9", "", 0));
    assert_false(geoip_changed(g));
    assert_int_equal(geoip_country_built(g), 0);
    assert_int_equal(geoip_asn_built(g), 0);
    geoip_close(g);
}

static void country_and_asn_are_found_by_network(void **state)
{
    struct geoip *g = open_both(write_sample(state, 6));
    assert_non_null(g);
    assert_true(is(g, "203.0.113.0", "DE", 64500));
    assert_true(is(g, "203.0.113.255", "DE", 64500));
    assert_true(is(g, "203.0.114.0", "", 0));
    assert_true(is(g, "203.0.112.255", "", 0));
    assert_true(is(g, "198.51.100.127", "NL", 4200000000));
    assert_true(is(g, "198.51.100.128", "", 0));
    assert_true(is(g, "2001:db8:ffff::1", "CH", 0));
    assert_true(is(g, "2001:db9::1", "", 0));
    assert_int_equal(geoip_country_built(g), 1700000000);
    assert_int_equal(geoip_asn_built(g), 1700000000);
    geoip_close(g);
}

static void a_database_of_ipv4_knows_nothing_of_ipv6(void **state)
{
    struct geoip *g = open_both(write_sample(state, 4));
    assert_non_null(g);
    assert_true(is(g, "203.0.113.9", "DE", 64500));
    assert_true(is(g, "2001:db8::1", "", 0));
    assert_true(is(g, "::ffff:198.51.100.1", "NL", 4200000000));
    geoip_close(g);
}

static void a_named_field_is_the_only_one_tried(void **state)
{
    struct geoip_conf conf = plain;
    conf.country = write_sample(state, 6);
    conf.country_field = "country_code";
    struct geoip *g;
    assert_int_equal(geoip_open(&conf, &g, NULL), EDDY_OK);
    assert_true(is(g, "203.0.113.9", "", 0));
    assert_true(is(g, "198.51.100.1", "NL", 0));
    geoip_close(g);
}

static void a_code_that_is_no_country_code_is_not_taken(void **state)
{
    static const char *const codes[] = {"de", "D", "DEU", "D1", "", "\"\n"};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        struct mmdb_writer w = {.ip_version = 4};
        put_head(&w.data, MMDB_MAP, 1);
        put_text(&w.data, "country_code");
        put_text(&w.data, codes[i]);
        add_net(&w, "203.0.113.0", 24, 0);
        struct bytes b = mmdb_finish(&w);
        const char *path = scratch_path(state, "code.mmdb");
        scratch_write(path, (const char *)b.at, b.length);
        free(b.at);
        struct geoip *g = open_both(path);
        assert_non_null(g);
        assert_true(is(g, "203.0.113.9", "", 0));
        geoip_close(g);
    }
}

/* ---- what can't be opened ---- */

static void assert_refused(const char *path, const char *why)
{
    struct geoip_conf conf = plain;
    conf.asn = path;
    struct geoip *g;
    eddy_error err;
    assert_int_equal(geoip_open(&conf, &g, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, why));
}

static void a_file_that_cannot_be_read_is_an_error_that_names_it(void **state)
{
    assert_refused(scratch_path(state, "missing.mmdb"), "No such file");
    assert_refused(*state, "not a file"); /* a directory */
    scratch_write(scratch_path(state, "empty"), "", 0);
    assert_refused(scratch_path(state, "empty"), "");
    scratch_write(scratch_path(state, "text"), "hello, world\n", 13);
    assert_refused(scratch_path(state, "text"), "metadata");
    assert_int_equal(mkfifo(scratch_path(state, "pipe"), 0600), 0);
    assert_refused(scratch_path(state, "pipe"), "not a file"); /* and does not wait */
}

static void a_field_name_too_long_is_refused(void **state)
{
    struct geoip_conf conf = plain;
    char field[100];
    memset(field, 'x', sizeof field);
    field[sizeof field - 1] = '\0';
    conf.country = write_sample(state, 6);
    conf.country_field = field;
    struct geoip *g;
    assert_int_equal(geoip_open(&conf, &g, NULL), EDDY_ECONFIG);
}

/* ---- what is damaged ---- */

static void ask_all(const struct geoip *g)
{
    static const char *const addresses[] = {
        "203.0.113.9",     "198.51.100.1", "2001:db8::1", "0.0.0.0",
        "255.255.255.255", "::",           "ffff:ffff::", "8.8.8.8"};
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        struct place place = find(g, addresses[i]);
        assert_true(place.country[0] == '\0' ||
                    (place.country[0] >= 'A' && place.country[0] <= 'Z' &&
                     place.country[1] >= 'A' && place.country[1] <= 'Z'));
        assert_int_equal(place.country[2], '\0');
    }
    (void)geoip_country_built(g);
}

/* libmaxminddb 1.7.1 loses a few kilobytes when it refuses certain metadata. Other tests watch for
 * leaks of ours. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static bool survives(const char *path, const struct bytes *b, size_t length)
{
    scratch_write(path, (const char *)b->at, length);
    if (__lsan_disable != NULL)
        __lsan_disable();
    struct geoip *g = open_both(path);
    if (__lsan_enable != NULL)
        __lsan_enable();
    if (g != NULL)
        ask_all(g);
    geoip_close(g);
    return g != NULL;
}

static void every_byte_flipped_in_turn_is_survived(void **state)
{
    static const uint8_t masks[] = {0xff, 0x80, 0x20, 0x01};
    const char *path = scratch_path(state, "flipped.mmdb");
    unsigned opened = 0, refused = 0;
    for (unsigned version = 4; version <= 6; version += 2) {
        struct bytes b = sample(version);
        for (size_t i = 0; i < b.length; i++)
            for (size_t m = 0; m < sizeof masks; m++) {
                b.at[i] ^= masks[m];
                bool open = survives(path, &b, b.length);
                opened += open;
                refused += !open;
                b.at[i] ^= masks[m];
            }
        free(b.at);
    }
    assert_true(opened > 100); /* both really happen */
    assert_true(refused > 100);
}

static void every_truncation_is_survived(void **state)
{
    const char *path = scratch_path(state, "cut.mmdb");
    struct bytes b = sample(6);
    for (size_t length = 0; length < b.length; length++)
        (void)survives(path, &b, length);
    assert_true(survives(path, &b, b.length));
    free(b.at);
}

static void truncated_in_place_while_open_it_still_answers(void **state)
{
    const char *path = write_sample(state, 6);
    struct geoip *g = open_both(path);
    assert_non_null(g);
    assert_int_equal(truncate(path, 0), 0);
    assert_true(is(g, "203.0.113.9", "DE", 64500));
    assert_true(is(g, "2001:db8::1", "CH", 0));
    assert_true(geoip_changed(g));
    struct geoip_conf conf = plain;
    conf.country = conf.asn = path;
    struct log log = {.hook = NULL};
    const struct geoip_renewal renewal = {.before = g, .only_changed = true, .log = &log};
    struct geoip *same;
    assert_int_equal(geoip_renew(&conf, &renewal, &same, NULL), EDDY_OK);
    assert_ptr_equal(same, g);
    assert_false(geoip_changed(g)); /* a broken file is not opened again and again */
    geoip_close(same);
    geoip_close(g);
}

static void put_deep(struct bytes *b, unsigned levels)
{
    for (unsigned i = 0; i < levels; i++) {
        put_head(b, MMDB_MAP, 1);
        put_text(b, "k");
    }
    put_text(b, "end");
}

static void a_record_nested_100000_deep_is_survived(void **state)
{
    struct mmdb_writer w = {.ip_version = 4};
    put_head(&w.data, MMDB_MAP, 2);
    put_text(&w.data, "deep");
    put_deep(&w.data, 100000);
    put_text(&w.data, "country_code");
    put_text(&w.data, "DE");
    add_net(&w, "203.0.113.0", 24, 0);
    struct bytes b = mmdb_finish(&w);
    const char *path = scratch_path(state, "deep.mmdb");
    scratch_write(path, (const char *)b.at, b.length);
    free(b.at);
    struct geoip *g = open_both(path);
    assert_non_null(g);
    assert_true(is(g, "203.0.113.9", "DE", 0));
    geoip_close(g);
}

/* libmaxminddb reads the metadata itself, in the last 128 KiB of the file. */
static void metadata_nested_as_deep_as_it_may_be_is_survived(void **state)
{
    for (unsigned kind = 0; kind < 2; kind++) {
        struct mmdb_writer w = {.ip_version = 4};
        put_head(&w.data, MMDB_MAP, 0);
        add_net(&w, "203.0.113.0", 24, 0);
        w.extra_count = 1;
        put_text(&w.extra, "deep");
        if (kind == 0)
            put_deep(&w.extra, 40000);
        for (unsigned i = 0; kind == 1 && i < 60000; i++)
            put_head(&w.extra, MMDB_ARRAY, 1);
        put_head(&w.extra, MMDB_ARRAY, 0);
        struct bytes b = mmdb_finish(&w);
        (void)survives(scratch_path(state, "metadata.mmdb"), &b, b.length);
        free(b.at);
    }
}

/* ---- what is replaced ---- */

static void a_file_that_was_replaced_is_noticed(void **state)
{
    const char *path = write_sample(state, 6);
    struct geoip *g = open_both(path);
    assert_non_null(g);
    assert_false(geoip_changed(g));
    struct bytes b = sample(4);
    scratch_write(scratch_path(state, "new.mmdb"), (const char *)b.at, b.length);
    free(b.at);
    assert_int_equal(rename(scratch_path(state, "new.mmdb"), path), 0);
    assert_true(geoip_changed(g));
    geoip_close(g);
}

static void a_file_that_is_gone_for_a_moment_has_not_changed(void **state)
{
    const char *path = write_sample(state, 6);
    struct geoip *g = open_both(path);
    assert_non_null(g);
    assert_int_equal(unlink(path), 0);
    assert_false(geoip_changed(g));
    assert_true(is(g, "203.0.113.9", "DE", 64500));
    geoip_close(g);
}

/* ---- MaxMind's own test databases, beside the repository on the developers' machines ---- */

#define MAXMIND SOURCE_DIR "/../shared/data/geo/maxmind-test/"

static struct geoip *maxmind(const char *country, const char *asn)
{
    char paths[2][512] = {"", ""};
    if (country != NULL)
        (void)snprintf(paths[0], sizeof paths[0], MAXMIND "%s", country);
    if (asn != NULL)
        (void)snprintf(paths[1], sizeof paths[1], MAXMIND "%s", asn);
    struct geoip_conf conf = plain;
    conf.country = paths[0];
    conf.asn = paths[1];
    struct geoip *g;
    return geoip_open(&conf, &g, NULL) == EDDY_OK ? g : NULL;
}

static void maxminds_test_databases_are_read(void **state)
{
    (void)state;
    if (access(MAXMIND, R_OK) != 0) {
        print_message("skipped: MaxMind's test databases are not here\n");
        skip();
    }
    struct geoip *g = maxmind("GeoLite2-Country-Test.mmdb", "GeoLite2-ASN-Test.mmdb");
    assert_non_null(g);
    assert_true(is(g, "81.2.69.142", "GB", 0));
    assert_true(is(g, "2001:218::1", "JP", 0));
    assert_true(is(g, "1.128.0.1", "", 1221));
    assert_true(is(g, "12.81.92.7", "", 7018));
    geoip_close(g);
    g = maxmind("GeoLite2-City-Test.mmdb", NULL);
    assert_non_null(g);
    assert_true(is(g, "81.2.69.142", "GB", 0));
    geoip_close(g);
}

static void maxminds_broken_databases_are_survived(void **state)
{
    (void)state;
    if (access(MAXMIND, R_OK) != 0) {
        print_message("skipped: MaxMind's test databases are not here\n");
        skip();
    }
    static const char *const files[] = {"GeoIP2-City-Test-Broken-Double-Format.mmdb",
                                        "GeoIP2-City-Test-Invalid-Node-Count.mmdb",
                                        "MaxMind-DB-no-ipv4-search-tree.mmdb",
                                        "MaxMind-DB-test-broken-pointers-24.mmdb",
                                        "MaxMind-DB-test-decoder.mmdb",
                                        "MaxMind-DB-test-ipv4-24.mmdb"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        struct geoip *g = maxmind(files[i], files[i]);
        if (g != NULL)
            ask_all(g);
        geoip_close(g);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_configured_knows_nothing),
        TEST(country_and_asn_are_found_by_network),
        TEST(a_database_of_ipv4_knows_nothing_of_ipv6),
        TEST(a_named_field_is_the_only_one_tried),
        TEST(a_code_that_is_no_country_code_is_not_taken),
        TEST(a_file_that_cannot_be_read_is_an_error_that_names_it),
        TEST(a_field_name_too_long_is_refused),
        TEST(every_byte_flipped_in_turn_is_survived),
        TEST(every_truncation_is_survived),
        TEST(truncated_in_place_while_open_it_still_answers),
        TEST(a_record_nested_100000_deep_is_survived),
        TEST(metadata_nested_as_deep_as_it_may_be_is_survived),
        TEST(a_file_that_was_replaced_is_noticed),
        TEST(a_file_that_is_gone_for_a_moment_has_not_changed),
        cmocka_unit_test(maxminds_test_databases_are_read),
        cmocka_unit_test(maxminds_broken_databases_are_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
