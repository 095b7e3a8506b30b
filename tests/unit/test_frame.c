/* SPDX-License-Identifier: MIT */
/* test_frame.c - scored flows as columns, walked as a consumer of the Arrow C data interface does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arrow.h"
#include "frame.h"
#include "row.h"

#define FLOW_COLUMNS 17

struct exported {
    struct ArrowSchema schema;
    struct ArrowArray array;
};

static void export(eddy_frame *frame, struct exported *out)
{
    eddy_error err;
    int status = eddy_frame_export(frame, &out->schema, &out->array, &err);
    if (status != EDDY_OK)
        print_error("%s\n", err.message);
    assert_int_equal(status, EDDY_OK);
}

static void release(struct exported *e)
{
    e->array.release(&e->array);
    e->schema.release(&e->schema);
    assert_null(e->array.release);
    assert_null(e->schema.release);
}

static size_t place(const struct exported *e, const char *name)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < (size_t)e->schema.n_children; i++)
        if (strcmp(e->schema.children[i]->name, name) == 0) {
            assert_int_equal(found, SIZE_MAX); /* names are unique */
            found = i;
        }
    assert_int_not_equal(found, SIZE_MAX);
    return found;
}

static const struct ArrowArray *column(const struct exported *e, const char *name,
                                       const char *format)
{
    size_t i = place(e, name);
    assert_string_equal(e->schema.children[i]->format, format);
    return e->array.children[i];
}

static uint64_t number(const struct exported *e, const char *name, const char *format, size_t row)
{
    const void *values = column(e, name, format)->buffers[1];
    switch (format[0]) {
    case 'C':
        return ((const uint8_t *)values)[row];
    case 'S':
        return ((const uint16_t *)values)[row];
    case 'I':
        return ((const uint32_t *)values)[row];
    default:
        return ((const uint64_t *)values)[row];
    }
}

static double real(const struct exported *e, const char *name, size_t row)
{
    return ((const double *)column(e, name, "g")->buffers[1])[row];
}

static bool is_set(const struct exported *e, const char *name, size_t row)
{
    const uint8_t *bits = column(e, name, "L")->buffers[0];
    return bits == NULL || (bits[row / 8] >> row % 8 & 1) != 0;
}

static void text_is(const struct exported *e, const char *name, size_t row, const char *expected)
{
    const struct ArrowArray *a = column(e, name, "u");
    const int32_t *begins = a->buffers[1];
    assert_int_equal(begins[0], 0);
    assert_int_equal(begins[row + 1] - begins[row], strlen(expected));
    assert_memory_equal((const char *)a->buffers[2] + begins[row], expected, strlen(expected));
}

/* The i-th row: every field tells i, every third has no bytes_in. */
static void add(eddy_frame *frame, size_t i)
{
    eddy_flow flow = {.size = sizeof flow,
                      .src_port = (uint16_t)(1000 + i),
                      .dst_port = 443,
                      .src = {[10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)i},
                      .dst = {0x20, 0x01, 0x0d, 0xb8, [15] = 1},
                      .start_us = -5 + (int64_t)i,
                      .duration_us = 7 * i,
                      .bytes_out = i,
                      .bytes_in = i % 3 == 0 ? EDDY_UNSET : 3 * i,
                      .packets_out = 1,
                      .packets_in = 2,
                      .proto = 6,
                      .state = EDDY_CONN_CLOSED,
                      .tcp_out = 2,
                      .tcp_in = 18,
                      .quality = EDDY_QUALITY_GAP,
                      .app = "tls",
                      .id = "flow-0"};
    double columns[COLUMN_COUNT];
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        columns[c] = (double)(100 * i + c);
    eddy_verdict verdict = {.score = 0.5 * (double)i,
                            .p = i == 1 ? NAN : 0.25,
                            .detector = i % 2 == 0 ? "" : "beacon",
                            .flags = EDDY_LEARNING};
    flow.id[5] = (char)('0' + i % 10);
    eddy_frame_scored(&flow, columns, &verdict, frame);
}

static eddy_frame *frame_of(size_t rows)
{
    eddy_frame *frame = NULL;
    assert_int_equal(eddy_frame_new(&frame, NULL), EDDY_OK);
    for (size_t i = 0; i < rows; i++)
        add(frame, i);
    return frame;
}

static void rows_come_out_as_they_went_in(void **state)
{
    (void)state;
    enum { ROWS = 3000 }; /* every buffer has grown */
    eddy_frame *frame = frame_of(ROWS);
    struct exported e;
    export(frame, &e);
    eddy_frame_free(frame); /* what was exported lives on */
    assert_string_equal(e.schema.format, "+s");
    assert_int_equal(e.array.length, ROWS);
    for (size_t i = 0; i < ROWS; i++) {
        char id[] = "flow-0", src[46];
        uint8_t address[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, (uint8_t)i};
        id[5] = (char)('0' + i % 10);
        text_is(&e, "id", i, id);
        text_is(&e, "src", i, eddy_address_text(address, src));
        text_is(&e, "dst", i, "2001:db8::1");
        text_is(&e, "app", i, "tls");
        text_is(&e, "detector", i, i % 2 == 0 ? "" : "beacon");
        assert_int_equal((int64_t)number(&e, "start", "tsu:UTC", i), (int64_t)i - 5);
        assert_int_equal(number(&e, "src_port", "S", i), 1000 + i);
        assert_int_equal(number(&e, "dst_port", "S", i), 443);
        assert_int_equal(number(&e, "proto", "C", i), 6);
        assert_int_equal(number(&e, "state", "C", i), EDDY_CONN_CLOSED);
        assert_int_equal(number(&e, "tcp_out", "C", i), 2);
        assert_int_equal(number(&e, "tcp_in", "C", i), 18);
        assert_int_equal(number(&e, "quality", "C", i), EDDY_QUALITY_GAP);
        assert_int_equal(number(&e, "duration_us", "L", i), 7 * i);
        assert_int_equal(number(&e, "flow_bytes_out", "L", i), i);
        assert_int_equal(number(&e, "flow_packets_out", "L", i), 1);
        assert_int_equal(number(&e, "flow_packets_in", "L", i), 2);
        assert_int_equal(is_set(&e, "flow_bytes_in", i), i % 3 != 0);
        if (i % 3 != 0)
            assert_int_equal(number(&e, "flow_bytes_in", "L", i), 3 * i);
        assert_true(real(&e, "score", i) == 0.5 * (double)i);
        assert_true(i == 1 ? isnan(real(&e, "p", i)) : real(&e, "p", i) == 0.25);
        assert_int_equal(number(&e, "flags", "I", i), EDDY_LEARNING);
    }
    assert_int_equal(column(&e, "flow_bytes_in", "L")->null_count, ROWS / 3);
    assert_int_equal(column(&e, "flow_bytes_out", "L")->null_count, 0);
    release(&e);
}

struct visit {
    const struct exported *e;
    size_t next;
};

static int feature_is_there(const eddy_feature *feature, void *user)
{
    struct visit *v = user;
    for (size_t row = 0; row < 2; row++)
        assert_true(real(v->e, feature->name, row) == (double)(100 * row + v->next));
    assert_int_equal(place(v->e, feature->name), FLOW_COLUMNS + v->next);
    v->next++;
    return 0;
}

static void features_are_called_by_their_names(void **state)
{
    (void)state;
    eddy_frame *frame = frame_of(2);
    struct exported e;
    export(frame, &e);
    struct visit visit = {&e, 0};
    assert_int_equal(eddy_features(feature_is_there, &visit), COLUMN_COUNT);
    assert_int_equal(visit.next, COLUMN_COUNT);
    assert_int_equal(e.schema.n_children, FLOW_COLUMNS + COLUMN_COUNT + 4);
    release(&e);
    eddy_frame_free(frame);
}

/* What the specification asks of every array. */
static void arrays_are_as_specified(void **state)
{
    (void)state;
    eddy_frame *frame = frame_of(9);
    struct exported e;
    export(frame, &e);
    assert_int_equal(e.array.n_children, e.schema.n_children);
    assert_int_equal(e.array.n_buffers, 1);
    assert_null(e.array.buffers[0]);
    assert_int_equal(e.array.null_count, 0);
    for (int64_t i = 0; i < e.array.n_children; i++) {
        const struct ArrowArray *a = e.array.children[i];
        const struct ArrowSchema *s = e.schema.children[i];
        assert_int_equal(a->length, 9);
        assert_int_equal(a->offset, 0);
        assert_int_equal(a->n_buffers, strcmp(s->format, "u") == 0 ? 3 : 2);
        assert_int_equal(a->n_children, 0);
        assert_int_equal(s->n_children, 0);
        assert_null(a->dictionary);
        assert_null(s->dictionary);
        assert_non_null(a->release);
        assert_non_null(s->release);
        for (int64_t b = 0; b < a->n_buffers; b++) {
            assert_int_equal((uintptr_t)a->buffers[b] % 64, 0);
            assert_true(a->buffers[b] != NULL || (b == 0 && a->null_count == 0));
        }
        assert_true(a->null_count == 0 || (s->flags & ARROW_FLAG_NULLABLE) != 0);
    }
    release(&e);
    eddy_frame_free(frame);
}

static void an_export_leaves_it_ready_for_more(void **state)
{
    (void)state;
    eddy_frame *frame = frame_of(5);
    struct exported first, second, none;
    export(frame, &first);
    export(frame, &none);
    add(frame, 8);
    export(frame, &second);
    assert_int_equal(first.array.length, 5);
    assert_int_equal(none.array.length, 0);
    assert_int_equal(second.array.length, 1);
    for (int64_t i = 0; i < none.array.n_children; i++)
        assert_non_null(none.array.children[i]->buffers[1]); /* text: one offset also then */
    assert_int_equal(*(const int32_t *)column(&none, "id", "u")->buffers[1], 0);
    text_is(&first, "id", 4, "flow-4");
    text_is(&second, "id", 0, "flow-8");
    release(&none);
    release(&second);
    release(&first);
    eddy_frame_free(frame);
}

/* A consumer keeps a child, copied out of its parent, and releases all others. */
static void a_child_may_be_taken_out(void **state)
{
    (void)state;
    eddy_frame *frame = frame_of(3);
    struct exported e;
    export(frame, &e);
    size_t at = place(&e, "id");
    struct ArrowArray kept = *e.array.children[at];
    struct ArrowSchema kept_schema = *e.schema.children[at];
    e.array.children[at]->release = NULL;
    e.schema.children[at]->release = NULL;
    release(&e);
    assert_string_equal(kept_schema.name, "id");
    const int32_t *begins = kept.buffers[1];
    assert_memory_equal((const char *)kept.buffers[2] + begins[2], "flow-2", 6);
    kept.release(&kept);
    kept_schema.release(&kept_schema);
    assert_null(kept.release);
    assert_null(kept_schema.release);
    eddy_frame_free(frame);
}

static void text_is_made_utf8(void **state)
{
    (void)state;
    eddy_frame *frame = frame_of(0);
    eddy_flow flow = {.size = sizeof flow, .app = "\xc3\xbc\xff", .id = "a\xc3"};
    memset(flow.id + 2, 'x', sizeof flow.id - 2); /* not even a NUL */
    double columns[COLUMN_COUNT] = {0};
    eddy_frame_scored(&flow, columns, &(eddy_verdict){.detector = ""}, frame);
    struct exported e;
    export(frame, &e);
    text_is(&e, "app", 0, "\xc3\xbc?");
    text_is(&e, "id", 0, "a?xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
    release(&e);
    eddy_frame_free(frame);
}

/* Offsets are int32: a column of text ends at 2 GiB, here at 21 bytes. */
static void more_text_than_offsets_can_tell_is_an_error(void **state)
{
    (void)state;
    eddy_frame *frame = NULL;
    eddy_error err;
    struct exported e;
    assert_int_equal(frame_new(21, &frame, NULL), EDDY_OK);
    add(frame, 1);
    export(frame, &e); /* dst has 11 bytes: one row fits, two don't */
    release(&e);
    add(frame, 1);
    add(frame, 2);
    add(frame, 3);
    for (int attempt = 0; attempt < 2; attempt++) {
        assert_int_equal(eddy_frame_export(frame, &e.schema, &e.array, &err), EDDY_EUSAGE);
        assert_string_equal(err.message,
                            "2 rows were left out: column dst has no room for more text than 21 "
                            "bytes; export more often");
    }
    eddy_frame_free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_as_they_went_in),
        cmocka_unit_test(features_are_called_by_their_names),
        cmocka_unit_test(arrays_are_as_specified),
        cmocka_unit_test(an_export_leaves_it_ready_for_more),
        cmocka_unit_test(a_child_may_be_taken_out),
        cmocka_unit_test(text_is_made_utf8),
        cmocka_unit_test(more_text_than_offsets_can_tell_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
