/* SPDX-License-Identifier: MIT */
/* test_mmdb_copy.c - what is no database is refused before libmaxminddb sees it, and quickly. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

#include "enrich/geoip.h"
#include "enrich/mmdb_copy.h"
#include "mmdb_writer.h"
#include "scratch.h"

/* A database that knows nothing; its metadata ends with `levels` arrays, each in the one before. */
static struct bytes nested(unsigned levels)
{
    static const uint8_t prefix[16] = {[12] = 203, [14] = 113};
    struct mmdb_writer w = {.ip_version = 4, .extra_count = 1};
    put_head(&w.data, MMDB_MAP, 0);
    mmdb_insert(&w, prefix, 120, 0);
    put_text(&w.extra, "deep");
    for (unsigned i = 0; i < levels; i++)
        put_head(&w.extra, MMDB_ARRAY, 1);
    put_head(&w.extra, MMDB_ARRAY, 0);
    return mmdb_finish(&w);
}

static const char *write_nested(void **state, unsigned levels)
{
    struct bytes b = nested(levels);
    const char *path = scratch_path(state, "nested.mmdb");
    scratch_write(path, (const char *)b.at, b.length);
    free(b.at);
    return path;
}

static int open_it(const char *path, eddy_error *err)
{
    const struct geoip_conf conf = {
        .country = path, .asn = "", .country_field = "", .asn_field = ""};
    struct geoip *g;
    int status = geoip_open(&conf, &g, err);
    if (status == EDDY_OK)
        geoip_close(g);
    return status;
}

static void a_copy_has_the_same_bytes_and_outlives_the_file(void **state)
{
    struct bytes b = nested(3);
    const char *path = scratch_path(state, "normal.mmdb");
    scratch_write(path, (const char *)b.at, b.length);
    struct stat identity = {0}, info;
    int fd = mmdb_copy(path, &identity, NULL);
    assert_true(fd >= 0);
    assert_int_equal(stat(path, &info), 0);
    assert_true(info.st_ino == identity.st_ino && info.st_dev == identity.st_dev);
    assert_int_equal(truncate(path, 0), 0);
    uint8_t *copy = malloc(b.length + 1);
    assert_non_null(copy);
    assert_int_equal(pread(fd, copy, b.length + 1, 0), b.length);
    assert_memory_equal(copy, b.at, b.length);
    free(copy);
    free(b.at);
    (void)close(fd);
}

static void metadata_as_deep_as_real_ones_is_opened(void **state)
{
    assert_int_equal(open_it(write_nested(state, 0), NULL), EDDY_OK);
    assert_int_equal(open_it(write_nested(state, 10), NULL), EDDY_OK);
}

static void metadata_nested_60000_deep_is_refused_with_a_message(void **state)
{
    static const unsigned depths[] = {20, 31, 32, 33, 1000, 60000};
    for (size_t i = 0; i < sizeof depths / sizeof *depths; i++) {
        eddy_error err;
        const char *path = write_nested(state, depths[i]);
        assert_int_equal(open_it(path, &err), EDDY_EIO);
        assert_non_null(strstr(err.message, path));
        assert_non_null(strstr(err.message, "nested too deeply"));
    }
}

/* libmaxminddb takes what follows the last marker; an innocent one before it hides nothing. */
static void the_last_of_two_markers_counts(void **state)
{
    struct bytes b = nested(0), deep = nested(60000);
    bytes_add(&b, deep.at, deep.length);
    const char *path = scratch_path(state, "two.mmdb");
    scratch_write(path, (const char *)b.at, b.length);
    eddy_error err;
    assert_int_equal(open_it(path, &err), EDDY_EIO);
    assert_non_null(strstr(err.message, "nested too deeply"));
    free(b.at);
    free(deep.at);
}

static void metadata_cut_off_is_refused(void **state)
{
    struct bytes b = nested(8);
    const char *path = scratch_path(state, "cut.mmdb");
    eddy_error err;
    for (size_t cut = 1; cut <= 12; cut++) {
        scratch_write(path, (const char *)b.at, b.length - cut);
        assert_int_equal(open_it(path, &err), EDDY_EIO);
    }
    free(b.at);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Without a look at its size its holes would be copied into memory: refused in no time. */
static void a_file_of_more_than_2_gib_is_refused_unread(void **state)
{
    const char *path = write_nested(state, 0);
    if (truncate(path, (off_t)MMDB_COPY_MOST + 1) != 0)
        skip(); /* the file system has no files that large */
    eddy_error err;
    double begin = seconds();
    assert_int_equal(open_it(path, &err), EDDY_EIO);
    assert_true(seconds() - begin < 0.5);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "2 GiB"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_new, scratch_free)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_copy_has_the_same_bytes_and_outlives_the_file),
        TEST(metadata_as_deep_as_real_ones_is_opened),
        TEST(metadata_nested_60000_deep_is_refused_with_a_message),
        TEST(the_last_of_two_markers_counts),
        TEST(metadata_cut_off_is_refused),
        TEST(a_file_of_more_than_2_gib_is_refused_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
