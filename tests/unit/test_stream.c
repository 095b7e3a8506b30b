/* SPDX-License-Identifier: MIT */
/* test_stream.c - bytes cut anywhere into records: formats, compression, limits, skipping. */
#include "records.h"

#include <stdio.h>

#include <zlib.h>
#include <zstd.h>

#define EVE(id)                                                                                    \
    "{\"flow_id\":" id                                                                             \
    ",\"event_type\":\"flow\",\"src_ip\":\"10.0.0.1\",\"dest_ip\":\"10.0.0.2\","                   \
    "\"proto\":\"TCP\",\"flow\":{\"start\":\"2024-03-01T10:00:00.250000+0000\"}}"
#define DNS "{\"flow_id\":9,\"event_type\":\"dns\",\"dns\":{\"rrname\":\"example.org\"}}"
#define ZEEK(id)                                                                                   \
    "{\"ts\":1.5,\"uid\":\"" id "\",\"id.orig_h\":\"10.0.0.1\",\"id.resp_h\":\"10.0.0.2\","        \
    "\"proto\":\"tcp\",\"conn_state\":\"SF\"}"
#define TSV_HEADER                                                                                 \
    "#separator "                                                                                  \
    "\\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\t"           \
    "proto\tconn_state\n"
#define TSV(id) "1709287200.250000\t" id "\t10.0.0.1\t1\t10.0.0.2\t2\ttcp\tSF\n"

/* One of everything. */
static const char mixed[] =
    "\xef\xbb\xbf" EVE("1") "\n" DNS "\r\n\r\n  \t\n" EVE("2") "\r\nnonsense\n" TSV_HEADER TSV("T1")
        TSV("T2") "#close\t2024\n" ZEEK("Z1") "\n" ZEEK("Z2") "\n{\"ts\":\n" TSV("T3")
            EVE("3") "\n{\"x\":1}\n" EVE("4");

static void expect(struct records records, const enum reason *reasons, size_t count)
{
    for (size_t i = 0; i < count && i < records.count; i++)
        assert_int_equal(records.at[i].reason, reasons[i]);
    assert_int_equal(records.count, count);
}

#define EXPECT(records, ...)                                                                       \
    expect(records, (const enum reason[]){__VA_ARGS__},                                            \
           sizeof((const enum reason[]){__VA_ARGS__}) / sizeof(enum reason))

static void every_line_is_one_record_in_order(void **state)
{
    (void)state;
    struct records records = records_of_text(NULL, mixed);
    EXPECT(records, REASON_NONE, REASON_other_event, REASON_blank, REASON_blank, REASON_NONE,
           REASON_bad_json, REASON_header, REASON_header, REASON_header, REASON_NONE, REASON_NONE,
           REASON_header, REASON_NONE, REASON_NONE, REASON_bad_json, REASON_NONE, REASON_NONE,
           REASON_unknown_format, REASON_NONE);
    assert_string_equal(records.at[9].flow.id, "T1");
    assert_string_equal(records.at[15].flow.id, "T3"); /* its header was not forgotten */
    assert_string_equal(records.at[18].flow.id, "4");
}

static void records_say_where_their_line_is(void **state)
{
    (void)state;
    struct records records = records_of_text(NULL, mixed);
    for (size_t i = 1; i < records.count; i++)
        assert_memory_equal(records.at[i].begin, mixed + records.at[i].offset,
                            records.at[i].length < 16 ? records.at[i].length : 16);
}

static void cutting_anywhere_changes_nothing(void **state)
{
    (void)state;
    struct records whole = records_of_text(NULL, mixed);
    for (size_t cut = 1; cut < sizeof mixed; cut++) {
        struct records records = records_of(NULL, mixed, sizeof mixed - 1, cut);
        assert_memory_equal(&records, &whole, sizeof whole);
    }
}

/* Two pieces, cut at every place. */
static void a_single_cut_at_every_byte_changes_nothing(void **state)
{
    (void)state;
    struct records whole = records_of_text(NULL, mixed);
    struct stream *stream = records_stream(NULL);
    for (size_t at = 0; at < sizeof mixed; at++) {
        struct records records;
        memset(&records, 0, sizeof records);
        (void)stream_feed(stream, mixed, at, records_add, &records);
        (void)stream_feed(stream, mixed + at, sizeof mixed - 1 - at, records_add, &records);
        (void)stream_end(stream, records_add, &records);
        assert_memory_equal(&records, &whole, sizeof whole);
    }
    stream_free(stream);
}

static size_t gzip(const char *bytes, size_t length, char *out, size_t room)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (unsigned char *)(uintptr_t)bytes;
    z.avail_in = (unsigned)length;
    z.next_out = (unsigned char *)out;
    z.avail_out = (unsigned)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t used = z.total_out;
    assert_int_equal(deflateEnd(&z), Z_OK);
    return used;
}

static void compression_changes_nothing(void **state)
{
    (void)state;
    char packed[8192];
    struct records whole = records_of_text(NULL, mixed);
    size_t length = gzip(mixed, sizeof mixed - 1, packed, sizeof packed);
    for (size_t cut = 1; cut <= length; cut += 97) {
        struct records records = records_of(NULL, packed, length, cut);
        assert_memory_equal(&records, &whole, sizeof whole);
    }
    length = ZSTD_compress(packed, sizeof packed, mixed, sizeof mixed - 1, 3);
    assert_false(ZSTD_isError(length));
    for (size_t cut = 1; cut <= length; cut += 97) {
        struct records records = records_of(NULL, packed, length, cut);
        assert_memory_equal(&records, &whole, sizeof whole);
    }
}

static void a_stream_cut_off_is_one_bad_record_at_its_end(void **state)
{
    (void)state;
    char packed[8192];
    size_t length = gzip(mixed, sizeof mixed - 1, packed, sizeof packed);
    struct stream *stream = records_stream(NULL);
    struct records records;
    memset(&records, 0, sizeof records);
    assert_int_equal(stream_feed(stream, packed, length - 20, records_add, &records), EDDY_OK);
    size_t before = records.count;
    assert_int_equal(stream_end(stream, records_add, &records), EDDY_EINPUT);
    assert_int_equal(records.count, before + 1); /* the line that was cut is not another */
    assert_int_equal(records.at[before].reason, REASON_bad_stream);
    stream_free(stream);
}

static void damage_is_one_bad_record_and_the_rest_is_ignored(void **state)
{
    (void)state;
    char packed[8192];
    size_t length = gzip(mixed, sizeof mixed - 1, packed, sizeof packed);
    memset(packed + length / 2, 0xff, 40);
    struct stream *stream = records_stream(NULL);
    struct records records;
    memset(&records, 0, sizeof records);
    assert_int_equal(stream_feed(stream, packed, length, records_add, &records), EDDY_EINPUT);
    size_t before = records.count;
    assert_int_equal(records.at[before - 1].reason, REASON_bad_stream);
    assert_int_equal(stream_feed(stream, mixed, sizeof mixed - 1, records_add, &records), EDDY_OK);
    assert_int_equal(stream_end(stream, records_add, &records), EDDY_OK);
    assert_int_equal(records.count, before);
    /* The next stream is read again. */
    assert_int_equal(
        stream_feed(stream, EVE("1") "\n", strlen(EVE("1") "\n"), records_add, &records), EDDY_OK);
    assert_int_equal(records.at[before].reason, REASON_NONE);
    stream_free(stream);
}

static void a_line_too_long_is_one_record_and_the_next_is_read(void **state)
{
    (void)state;
    char log[3 * RECORDS_LINE_MAX];
    memset(log, 'x', sizeof log);
    size_t begin = 2 * RECORDS_LINE_MAX;
    int n = snprintf(log + begin, sizeof log - begin, "\n%s\n", EVE("7"));
    for (size_t cut = 100; cut < 2 * begin; cut += 1000) {
        struct records records = records_of(NULL, log, begin + (size_t)n, cut);
        EXPECT(records, REASON_line_too_long, REASON_NONE);
        assert_int_equal(records.at[0].length, RECORDS_LINE_MAX);
        assert_int_equal(records.at[1].offset, begin + 1);
    }
}

static void the_format_is_found_by_the_first_line_that_has_one(void **state)
{
    (void)state;
    static const struct {
        const char *line, *format;
    } cases[] = {{EVE("1"), "eve"},
                 {DNS, "eve"},
                 {ZEEK("1"), "zeek-json"},
                 {"{\"_path\":\"dns\",\"ts\":1}", "zeek-json"},
                 {"#separator \\x09", "zeek-tsv"},
                 {"#fields\tts", "zeek-tsv"},
                 {TSV("1"), "zeek-tsv"},
                 {"hello", ""},
                 {"# a comment", ""},
                 {"{\"a\":1}", ""}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct stream *stream = records_stream(NULL);
        struct records records;
        memset(&records, 0, sizeof records);
        assert_string_equal(stream_format(stream), "");
        (void)stream_feed(stream, cases[i].line, strlen(cases[i].line), records_add, &records);
        (void)stream_feed(stream, "\n", 1, records_add, &records);
        assert_string_equal(stream_format(stream), cases[i].format);
        stream_free(stream);
    }
    struct records records = records_of_text(NULL, "hello\n\nrow\trow\n" EVE("1") "\n");
    EXPECT(records, REASON_unknown_format, REASON_blank, REASON_unknown_format, REASON_NONE);
}

static void a_row_without_header_is_recognised_but_not_read(void **state)
{
    (void)state;
    EXPECT(records_of_text(NULL, TSV("1") TSV_HEADER TSV("2")), REASON_no_header, REASON_header,
           REASON_header, REASON_header, REASON_NONE);
}

static void a_line_of_json_does_not_make_a_log_forget_its_header(void **state)
{
    (void)state;
    EXPECT(records_of_text(NULL, TSV_HEADER TSV("1") ZEEK("2") "\n" TSV("3")), REASON_header,
           REASON_header, REASON_header, REASON_NONE, REASON_NONE, REASON_NONE);
}

static void a_named_format_stays(void **state)
{
    (void)state;
    EXPECT(records_of_text("eve", ZEEK("1") "\n" TSV_HEADER EVE("2")), REASON_unknown_format,
           REASON_bad_json, REASON_bad_json, REASON_bad_json, REASON_NONE);
    EXPECT(records_of_text("zeek-tsv", EVE("1") "\n" TSV_HEADER TSV("1")), REASON_no_header,
           REASON_header, REASON_header, REASON_header, REASON_NONE);
    EXPECT(records_of_text("zeek-json", EVE("1")), REASON_unknown_format);
}

static void an_unknown_format_is_refused_naming_the_known_ones(void **state)
{
    (void)state;
    const struct ingest_conf conf = {.max_line = 4096, .link_header = 14};
    struct stream *stream;
    eddy_error err;
    assert_int_equal(stream_new(&conf, "pcap", &stream, &err), EDDY_ECONFIG);
    assert_string_equal(err.message,
                        "unknown format 'pcap': expected one of eve, zeek-json, zeek-tsv");
}

static void a_new_stream_starts_from_nothing(void **state)
{
    (void)state;
    struct stream *stream = records_stream(NULL);
    struct records records;
    memset(&records, 0, sizeof records);
    (void)stream_feed(stream, TSV_HEADER, strlen(TSV_HEADER), records_add, &records);
    assert_int_equal(stream_end(stream, records_add, &records), EDDY_OK);
    records.count = 0;
    (void)stream_feed(stream, TSV("1"), strlen(TSV("1")), records_add, &records);
    assert_int_equal(records.at[0].reason, REASON_no_header);
    assert_int_equal(records.at[0].offset, 0);
    stream_free(stream);
}

/* Skipping to each line of the log: what is left is as in the whole log. */
static void skipped_lines_are_read_for_their_headers_only(void **state)
{
    (void)state;
    static const char log[] =
        "x\n" TSV_HEADER TSV("1") "bad\trow\n" TSV("2") "\n" TSV("3") ZEEK("4") "\n" EVE("5") "\n";
    struct records whole = records_of_text(NULL, log);
    struct stream *stream = records_stream(NULL);
    for (size_t first = 0; first < whole.count; first++) {
        struct records records;
        memset(&records, 0, sizeof records);
        stream_skip(stream, whole.at[first].offset);
        for (size_t at = 0; at < sizeof log - 1; at += 10)
            (void)stream_feed(stream, log + at, sizeof log - 1 - at < 10 ? sizeof log - 1 - at : 10,
                              records_add, &records);
        (void)stream_end(stream, records_add, &records);
        assert_int_equal(records.count, whole.count - first);
        assert_memory_equal(records.at, whole.at + first, records.count * sizeof *records.at);
    }
    stream_free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_line_is_one_record_in_order),
        cmocka_unit_test(records_say_where_their_line_is),
        cmocka_unit_test(cutting_anywhere_changes_nothing),
        cmocka_unit_test(a_single_cut_at_every_byte_changes_nothing),
        cmocka_unit_test(compression_changes_nothing),
        cmocka_unit_test(a_stream_cut_off_is_one_bad_record_at_its_end),
        cmocka_unit_test(damage_is_one_bad_record_and_the_rest_is_ignored),
        cmocka_unit_test(a_line_too_long_is_one_record_and_the_next_is_read),
        cmocka_unit_test(the_format_is_found_by_the_first_line_that_has_one),
        cmocka_unit_test(a_row_without_header_is_recognised_but_not_read),
        cmocka_unit_test(a_line_of_json_does_not_make_a_log_forget_its_header),
        cmocka_unit_test(a_named_format_stays),
        cmocka_unit_test(an_unknown_format_is_refused_naming_the_known_ones),
        cmocka_unit_test(a_new_stream_starts_from_nothing),
        cmocka_unit_test(skipped_lines_are_read_for_their_headers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
