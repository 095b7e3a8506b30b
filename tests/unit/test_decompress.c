/* SPDX-License-Identifier: MIT */
/* test_decompress.c - gzip and zstd streams, whole, joined, cut off and damaged. */
#include "ingest/decompress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>
#include <zstd.h>

#include <cmocka.h>

#include "eddy.h"

enum { ROOM = 1 << 20 };

struct bytes {
    size_t length;
    char at[ROOM];
};

static struct bytes plain, packed, unpacked, other;

static void collect(void *user, const char *bytes, size_t length)
{
    struct bytes *out = user;
    assert_true(length <= ROOM - out->length);
    memcpy(out->at + out->length, bytes, length);
    out->length += length;
}

/* Text that does not repeat itself too much: a small linear congruence in decimal (constants of
 * C's example rand()). */
static void make_plain(size_t length)
{
    uint32_t x = 1;
    for (size_t i = 0; i < length; i++) {
        x = x * 1103515245u + 12345u;
        plain.at[i] = (char)(i % 60 == 59 ? '\n' : '0' + (x >> 16) % 10);
    }
    plain.length = length;
}

static void add_gzip(const char *bytes, size_t length)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (unsigned)length;
    z.next_out = (unsigned char *)packed.at + packed.length;
    z.avail_out = (unsigned)(ROOM - packed.length);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    packed.length += z.total_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
}

static void add_zstd(const char *bytes, size_t length)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    assert_non_null(context);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    size_t n =
        ZSTD_compress2(context, packed.at + packed.length, ROOM - packed.length, bytes, length);
    assert_false(ZSTD_isError(n));
    packed.length += n;
    (void)ZSTD_freeCCtx(context);
}

/* Feeds the first `length` packed bytes, `cut` at a time. The first failure, or what _end says. */
static int unpack(size_t length, size_t cut, struct bytes *out)
{
    struct decompress *d;
    int result = EDDY_OK;
    assert_int_equal(decompress_new(&d), EDDY_OK);
    out->length = 0;
    for (size_t at = 0; at < length; at += cut) {
        size_t part = length - at < cut ? length - at : cut;
        int status = decompress_feed(d, packed.at + at, part, collect, out);
        assert_true(status == EDDY_OK || result == EDDY_OK); /* told once */
        if (status != EDDY_OK)
            result = status;
    }
    int status = decompress_end(d, collect, out);
    if (status != EDDY_OK) {
        assert_int_equal(result, EDDY_OK);
        result = status;
    }
    decompress_free(d);
    return result;
}

static void assert_unpacks(size_t cut)
{
    assert_int_equal(unpack(packed.length, cut, &unpacked), EDDY_OK);
    assert_int_equal(unpacked.length, plain.length);
    assert_memory_equal(unpacked.at, plain.at, plain.length);
}

static void plain_bytes_are_passed_on_in_place(void **state)
{
    (void)state;
    struct decompress *d;
    assert_int_equal(decompress_new(&d), EDDY_OK);
    unpacked.length = 0;
    assert_int_equal(decompress_feed(d, "", 0, collect, &unpacked), EDDY_OK);
    assert_int_equal(decompress_feed(d, "\x1f", 1, collect, &unpacked), EDDY_OK);
    assert_int_equal(unpacked.length, 0); /* could still become gzip */
    assert_int_equal(decompress_feed(d, "{}", 2, collect, &unpacked), EDDY_OK);
    assert_int_equal(decompress_end(d, collect, &unpacked), EDDY_OK);
    assert_int_equal(unpacked.length, 3);
    assert_memory_equal(unpacked.at, "\x1f{}", 3);
    decompress_free(d);
}

static void a_stream_shorter_than_any_magic_is_plain(void **state)
{
    (void)state;
    packed.length = 2;
    memcpy(packed.at, "\x1f\x8b", 2);
    assert_int_equal(unpack(2, 1, &unpacked), EDDY_OK);
    assert_int_equal(unpacked.length, 2);
    assert_int_equal(unpack(0, 1, &unpacked), EDDY_OK);
    assert_int_equal(unpacked.length, 0);
}

static void gzip_and_zstd_are_told_by_their_first_bytes(void **state)
{
    (void)state;
    static void (*const add[])(const char *, size_t) = {add_gzip, add_zstd};
    make_plain(300000);
    for (size_t i = 0; i < 2; i++) {
        packed.length = 0;
        add[i](plain.at, plain.length);
        assert_true(packed.length < plain.length);
        assert_unpacks(1);
        assert_unpacks(3);
        assert_unpacks(4096);
        assert_unpacks(packed.length);
    }
}

static void members_in_a_row_are_one_stream(void **state)
{
    (void)state;
    static void (*const add[])(const char *, size_t) = {add_gzip, add_zstd};
    make_plain(9000);
    for (size_t i = 0; i < 2; i++) {
        packed.length = 0;
        add[i](plain.at, 5000);
        add[i](plain.at, 0);
        add[i](plain.at + 5000, 4000);
        assert_unpacks(1);
        assert_unpacks(packed.length);
    }
}

static void zeros_after_a_gzip_member_are_padding(void **state)
{
    (void)state;
    make_plain(1000);
    packed.length = 0;
    add_gzip(plain.at, plain.length);
    memset(packed.at + packed.length, 0, 512);
    packed.length += 512;
    assert_unpacks(7);
}

static void a_skippable_zstd_frame_may_come_first(void **state)
{
    (void)state;
    make_plain(1000);
    memcpy(packed.at, "\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
    packed.length = 12;
    add_zstd(plain.at, plain.length);
    assert_unpacks(1);
    assert_unpacks(packed.length);
}

static void a_stream_cut_off_is_an_error_at_its_end(void **state)
{
    (void)state;
    static void (*const add[])(const char *, size_t) = {add_gzip, add_zstd};
    make_plain(2000);
    for (size_t i = 0; i < 2; i++) {
        packed.length = 0;
        add[i](plain.at, plain.length);
        for (size_t length = 4; length < packed.length; length++)
            assert_int_equal(unpack(length, 100, &unpacked), EDDY_EINPUT);
    }
}

/* Whatever byte is damaged: the same status and the same bytes, however the stream is cut. */
static void damage_gives_the_same_however_the_stream_is_cut(void **state)
{
    (void)state;
    static void (*const add[])(const char *, size_t) = {add_gzip, add_zstd};
    size_t damaged = 0;
    make_plain(300000);
    for (size_t i = 0; i < 2; i++) {
        packed.length = 0;
        add[i](plain.at, 1000);
        add[i](plain.at + 1000, 299000);
        for (size_t at = 4; at < packed.length; at += at < 1000 ? 13 : 9973) {
            packed.at[at] ^= 0x55;
            int status = unpack(packed.length, packed.length, &unpacked);
            damaged += status == EDDY_EINPUT;
            for (size_t cut = 1; cut < packed.length; cut = cut * 7 + 3) {
                assert_int_equal(unpack(packed.length, cut, &other), status);
                assert_int_equal(other.length, unpacked.length);
                assert_memory_equal(other.at, unpacked.at, unpacked.length);
            }
            packed.at[at] ^= 0x55;
        }
    }
    assert_true(damaged > 20);
}

static void the_rest_of_a_damaged_stream_is_ignored_and_the_next_is_read(void **state)
{
    (void)state;
    struct decompress *d;
    make_plain(1000);
    packed.length = 0;
    add_gzip(plain.at, plain.length);
    assert_int_equal(decompress_new(&d), EDDY_OK);
    unpacked.length = 0;
    assert_int_equal(decompress_feed(d, "\x1f\x8b\x08\xff garbage", 12, collect, &unpacked),
                     EDDY_EINPUT);
    assert_int_equal(decompress_feed(d, packed.at, packed.length, collect, &unpacked), EDDY_OK);
    assert_int_equal(decompress_end(d, collect, &unpacked), EDDY_OK);
    assert_int_equal(unpacked.length, 0);
    assert_int_equal(decompress_feed(d, packed.at, packed.length, collect, &unpacked), EDDY_OK);
    assert_int_equal(decompress_end(d, collect, &unpacked), EDDY_OK);
    assert_int_equal(unpacked.length, plain.length);
    decompress_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_bytes_are_passed_on_in_place),
        cmocka_unit_test(a_stream_shorter_than_any_magic_is_plain),
        cmocka_unit_test(gzip_and_zstd_are_told_by_their_first_bytes),
        cmocka_unit_test(members_in_a_row_are_one_stream),
        cmocka_unit_test(zeros_after_a_gzip_member_are_padding),
        cmocka_unit_test(a_skippable_zstd_frame_may_come_first),
        cmocka_unit_test(a_stream_cut_off_is_an_error_at_its_end),
        cmocka_unit_test(damage_gives_the_same_however_the_stream_is_cut),
        cmocka_unit_test(the_rest_of_a_damaged_stream_is_ignored_and_the_next_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
