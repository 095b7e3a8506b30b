/* SPDX-License-Identifier: MIT */
/* records.h - for tests of inputs: what a stream makes of some bytes. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ingest/stream.h"

enum { RECORDS_MAX = 64, RECORDS_LINE_MAX = 4096 };

struct records {
    size_t count;
    struct {
        enum reason reason;
        eddy_flow flow;
        struct context context;
        uint64_t offset;
        size_t length;
        char begin[16]; /* of the line */
    } at[RECORDS_MAX];
};

static inline void records_add(void *user, const struct stream_record *record)
{
    struct records *records = user;
    assert_in_range(records->count, 0, RECORDS_MAX - 1);
    size_t i = records->count++;
    records->at[i].reason = record->reason;
    records->at[i].offset = record->offset;
    records->at[i].length = record->length;
    if (record->length > 0)
        memcpy(records->at[i].begin, record->line,
               record->length < 16 ? record->length : sizeof records->at[i].begin);
    bool context = reason_is_context(record->reason);
    assert_true((record->flow != NULL) == (context || record->reason == REASON_NONE));
    assert_true((record->context != NULL) == context);
    if (record->flow != NULL)
        records->at[i].flow = *record->flow;
    if (context)
        records->at[i].context = *record->context;
}

static inline struct stream *records_stream(const char *format)
{
    const struct ingest_conf conf = {
        .max_line = RECORDS_LINE_MAX, .link_header = 14, .context = true};
    struct stream *stream;
    assert_int_equal(stream_new(&conf, format, &stream, NULL), EDDY_OK);
    return stream;
}

/* One stream from beginning to end, `cut` bytes at a time. Each piece is a block of its own, so
 * that reading beyond it is seen by the address sanitizer. */
static inline struct records records_of(const char *format, const char *bytes, size_t length,
                                        size_t cut)
{
    struct stream *stream = records_stream(format);
    struct records records;
    memset(&records, 0, sizeof records); /* also the padding: they are compared as a whole */
    for (size_t at = 0; at < length; at += cut) {
        size_t part = length - at < cut ? length - at : cut;
        char *piece = malloc(part);
        assert_non_null(piece);
        memcpy(piece, bytes + at, part);
        (void)stream_feed(stream, piece, part, records_add, &records);
        free(piece);
    }
    (void)stream_end(stream, records_add, &records);
    stream_free(stream);
    return records;
}

static inline struct records records_of_text(const char *format, const char *text)
{
    return records_of(format, text, strlen(text), strlen(text));
}

/* What becomes of one line. */
static inline enum reason reason_of(const char *format, const char *line)
{
    struct records records = records_of_text(format, line);
    assert_int_equal(records.count, 1);
    return records.at[0].reason;
}

static inline eddy_flow flow_of(const char *format, const char *line)
{
    struct records records = records_of_text(format, line);
    assert_int_equal(records.count, 1);
    assert_int_equal(records.at[0].reason, REASON_NONE);
    return records.at[0].flow;
}
