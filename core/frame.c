/* SPDX-License-Identifier: MIT */
/* frame.c - gathers scored flows as columns of the Arrow C data interface.
 *
 *     frame -> column[0] -> { whether set | values }              id, start, src ...
 *              column[1] -> { -           | where   | bytes }     text
 *
 * Each column is a block of its own, for a consumer may keep one and release the others. An export
 * hands the columns over as they are, nothing is copied. */
#include "frame.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arrow.h"
#include "row.h"
#include "util/error.h"
#include "util/text.h"

#define ALIGNMENT 64   /* recommended by the specification: vector loads never straddle */
#define FIRST     4096 /* bytes of a buffer, doubled whenever it is full */

/* ---- which columns ---- */

enum type { TYPE_U8, TYPE_U16, TYPE_U32, TYPE_COUNT, TYPE_TIME, TYPE_DOUBLE, TYPE_TEXT };

static const struct {
    const char *format;
    size_t width; /* bytes of a value */
} types[] = {
    [TYPE_U8] = {"C", 1},         [TYPE_U16] = {"S", 2},
    [TYPE_U32] = {"I", 4},        [TYPE_COUNT] = {"L", 8}, /* null where EDDY_UNSET */
    [TYPE_TIME] = {"tsu:UTC", 8},                          /* microseconds since 1970 */
    [TYPE_DOUBLE] = {"g", 8},     [TYPE_TEXT] = {"u", 4},  /* where it begins */
};

enum source { FROM_FLOW, FROM_COLUMNS, FROM_VERDICT, FROM_ADDRESS };

struct field {
    const char *name;
    enum type type;
    enum source source;
    size_t at;   /* in the source */
    size_t size; /* of a text there; 0: a pointer to one */
};

#define FLOW(name, type, of)                                                                       \
    {                                                                                              \
        name, type, FROM_FLOW, offsetof(eddy_flow, of), 0                                          \
    }
#define FLOW_TEXT(of)                                                                              \
    {                                                                                              \
#of, TYPE_TEXT, FROM_FLOW, offsetof(eddy_flow, of), sizeof((eddy_flow *)0)->of             \
    }
#define ADDRESS(of)                                                                                \
    {                                                                                              \
#of, TYPE_TEXT, FROM_ADDRESS, offsetof(eddy_flow, of), 0                                   \
    }
#define VERDICT(name, type)                                                                        \
    {                                                                                              \
#name, type, FROM_VERDICT, offsetof(eddy_verdict, name), 0                                 \
    }
#define COLUMN(name, f, help) {#name, TYPE_DOUBLE, FROM_COLUMNS, COLUMN_##name * sizeof(double), 0},

/* Four counts of the flow are called flow_..., for features have their names. */
static const struct field fields[] = {
    FLOW_TEXT(id),
    FLOW("start", TYPE_TIME, start_us),
    ADDRESS(src),
    ADDRESS(dst),
    FLOW("src_port", TYPE_U16, src_port),
    FLOW("dst_port", TYPE_U16, dst_port),
    FLOW("proto", TYPE_U8, proto),
    FLOW("state", TYPE_U8, state),
    FLOW("tcp_out", TYPE_U8, tcp_out),
    FLOW("tcp_in", TYPE_U8, tcp_in),
    FLOW("quality", TYPE_U8, quality),
    FLOW_TEXT(app),
    FLOW("duration_us", TYPE_COUNT, duration_us),
    FLOW("flow_bytes_out", TYPE_COUNT, bytes_out),
    FLOW("flow_bytes_in", TYPE_COUNT, bytes_in),
    FLOW("flow_packets_out", TYPE_COUNT, packets_out),
    FLOW("flow_packets_in", TYPE_COUNT, packets_in),
#include "features.def"
    VERDICT(score, TYPE_DOUBLE),
    VERDICT(p, TYPE_DOUBLE),
    VERDICT(detector, TYPE_TEXT),
    VERDICT(flags, TYPE_U32),
};

#define FIELDS (sizeof fields / sizeof *fields)

/* ---- state ---- */

struct buffer {
    void *at; /* aligned; NULL as long as there is nothing in it */
    size_t used, size;
};

enum { SET, VALUES, BYTES, BUFFERS }; /* of a column */

struct column_block {
    struct buffer buffer[BUFFERS];
    int64_t nulls;
    const void *shown[BUFFERS]; /* what an ArrowArray points to */
};

struct eddy_frame {
    struct column_block *column[FIELDS];
    size_t rows;
    size_t text_max; /* bytes of a column: offsets are int32 */
    uint64_t lost;   /* rows left out; then an export fails for good */
    const char
        *full; /* the column of text that had no room for the first of them; NULL: no memory */
};

/* ---- buffers ---- */

/* Room for `more` bytes after what is used. */
static bool reserve(struct buffer *b, size_t more)
{
    size_t need, size = b->size == 0 ? FIRST : b->size;
    if (more <= b->size - b->used)
        return true;
    if (__builtin_add_overflow(b->used, more, &need))
        return false;
    while (size < need)
        if (__builtin_mul_overflow(size, 2U, &size))
            return false;
    void *larger = NULL;
    if (posix_memalign(&larger, ALIGNMENT, size) != 0)
        return false;
    if (b->used > 0)
        memcpy(larger, b->at, b->used);
    free(b->at);
    b->at = larger;
    b->size = size;
    return true;
}

static void append(struct buffer *b, const void *bytes, size_t length)
{
    memcpy((char *)b->at + b->used, bytes, length);
    b->used += length;
}

static void column_free(struct column_block *column)
{
    for (size_t i = 0; column != NULL && i < BUFFERS; i++)
        free(column->buffer[i].at);
    free(column);
}

static void columns_free(struct column_block **columns)
{
    for (size_t i = 0; i < FIELDS; i++)
        column_free(columns[i]);
}

/* All or nothing. */
static bool columns_new(struct column_block **out)
{
    bool fine = true;
    for (size_t i = 0; i < FIELDS; i++) {
        out[i] = calloc(1, sizeof *out[i]);
        fine = fine && out[i] != NULL;
    }
    if (!fine)
        columns_free(out);
    return fine;
}

/* ---- rows ---- */

/* A row's value in a column, before anything is added. */
struct value {
    const void *at;
    size_t length; /* of a text */
    bool set;      /* of a count */
    char address[46];
};

static void value_of(const struct field *field, const eddy_flow *flow, const double *columns,
                     const eddy_verdict *verdict, struct value *out)
{
    const char *from = field->source == FROM_COLUMNS   ? (const char *)columns
                       : field->source == FROM_VERDICT ? (const char *)verdict
                                                       : (const char *)flow;
    out->at = from + field->at;
    out->length = 0;
    out->set = true;
    if (field->source == FROM_ADDRESS)
        out->at = eddy_address_text(out->at, out->address);
    else if (field->type == TYPE_TEXT && field->size == 0)
        memcpy(&out->at, from + field->at, sizeof out->at);
    else if (field->type == TYPE_COUNT)
        out->set = *(const uint64_t *)out->at != EDDY_UNSET;
    if (field->type == TYPE_TEXT)
        out->length = field->size == 0 ? strlen(out->at) : strnlen(out->at, field->size);
}

/* NULL, or the column that has no room; *full: because its text is too long. */
static const struct field *make_room(eddy_frame *f, const struct value *values, bool *full)
{
    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];
        struct buffer *b = f->column[i]->buffer;
        *full = field->type == TYPE_TEXT && values[i].length > f->text_max - b[BYTES].used;
        if (*full || !reserve(&b[VALUES], 2 * types[field->type].width) ||
            (field->type == TYPE_COUNT && !reserve(&b[SET], 1)) ||
            (field->type == TYPE_TEXT && !reserve(&b[BYTES], values[i].length)))
            return field;
    }
    return NULL;
}

/* Sensors' texts are kept as they came; Arrow's are UTF-8. */
static void tidy(char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        size_t n = text_utf8(text + i, length - i);
        if (n == 0)
            text[i] = '?';
        i += n == 0 ? 1 : n;
    }
}

static void add_text(struct column_block *column, const struct value *value)
{
    static const int32_t zero = 0;
    struct buffer *begins = &column->buffer[VALUES], *bytes = &column->buffer[BYTES];
    if (begins->used == 0)
        append(begins, &zero, sizeof zero);
    if (value->length > 0) {
        append(bytes, value->at, value->length);
        tidy((char *)bytes->at + bytes->used - value->length, value->length);
    }
    int32_t end = (int32_t)bytes->used; /* at most text_max */
    append(begins, &end, sizeof end);
}

static void add_set(struct column_block *column, size_t row, bool set)
{
    static const uint8_t zero = 0;
    struct buffer *bits = &column->buffer[SET];
    if (row % 8 == 0)
        append(bits, &zero, 1);
    if (set)
        ((uint8_t *)bits->at)[row / 8] |= (uint8_t)(1U << row % 8);
    column->nulls += !set;
}

void eddy_frame_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                       void *frame)
{
    eddy_frame *f = frame;
    struct value values[FIELDS];
    bool full;
    for (size_t i = 0; i < FIELDS; i++)
        value_of(&fields[i], flow, columns, verdict, &values[i]);
    const struct field *wanting = f->lost > 0 ? &fields[0] : make_room(f, values, &full);
    if (wanting != NULL) {
        if (f->lost == 0 && full)
            f->full = wanting->name;
        f->lost++;
        return;
    }
    for (size_t i = 0; i < FIELDS; i++) {
        struct column_block *column = f->column[i];
        if (fields[i].type == TYPE_TEXT)
            add_text(column, &values[i]);
        else
            append(&column->buffer[VALUES], values[i].at, types[fields[i].type].width);
        if (fields[i].type == TYPE_COUNT)
            add_set(column, f->rows, values[i].set);
    }
    f->rows++;
}

/* ---- export ---- */

/* What a parent's private_data is: its children, and room to point to them. */
struct schema_room {
    struct ArrowSchema child[FIELDS];
    struct ArrowSchema *children[FIELDS];
};

struct array_room {
    struct ArrowArray child[FIELDS];
    struct ArrowArray *children[FIELDS];
    const void *buffers[1];
};

static void schema_release(struct ArrowSchema *schema)
{
    for (int64_t i = 0; i < schema->n_children; i++)
        if (schema->children[i]->release != NULL)
            schema->children[i]->release(schema->children[i]);
    free(schema->private_data);
    schema->release = NULL;
}

static void array_release(struct ArrowArray *array)
{
    for (int64_t i = 0; i < array->n_children; i++)
        if (array->children[i]->release != NULL)
            array->children[i]->release(array->children[i]);
    free(array->private_data);
    array->release = NULL;
}

static void array_child_release(struct ArrowArray *array)
{
    column_free(array->private_data);
    array->release = NULL;
}

static void show_schema(struct schema_room *room, struct ArrowSchema *out)
{
    for (size_t i = 0; i < FIELDS; i++) {
        room->child[i] =
            (struct ArrowSchema){.format = types[fields[i].type].format,
                                 .name = fields[i].name,
                                 .flags = fields[i].type == TYPE_COUNT ? ARROW_FLAG_NULLABLE : 0,
                                 .release = schema_release};
        room->children[i] = &room->child[i];
    }
    *out = (struct ArrowSchema){.format = "+s",
                                .name = "",
                                .n_children = FIELDS,
                                .children = room->children,
                                .release = schema_release,
                                .private_data = room};
}

static void show_column(struct column_block *column, enum type type, size_t rows,
                        struct ArrowArray *out)
{
    /* For columns without rows: also then there is one offset, 0. */
    static const _Alignas(ALIGNMENT) uint8_t nothing[ALIGNMENT];
    for (size_t i = 0; i < BUFFERS; i++)
        column->shown[i] = column->buffer[i].at == NULL ? nothing : column->buffer[i].at;
    if (column->nulls == 0)
        column->shown[SET] = NULL;
    *out = (struct ArrowArray){.length = (int64_t)rows,
                               .null_count = column->nulls,
                               .n_buffers = type == TYPE_TEXT ? 3 : 2,
                               .buffers = column->shown,
                               .release = array_child_release,
                               .private_data = column};
}

static void show_array(const eddy_frame *f, struct array_room *room, struct ArrowArray *out)
{
    for (size_t i = 0; i < FIELDS; i++) {
        show_column(f->column[i], fields[i].type, f->rows, &room->child[i]);
        room->children[i] = &room->child[i];
    }
    room->buffers[0] = NULL; /* every row is set */
    *out = (struct ArrowArray){.length = (int64_t)f->rows,
                               .n_buffers = 1,
                               .n_children = FIELDS,
                               .buffers = room->buffers,
                               .children = room->children,
                               .release = array_release,
                               .private_data = room};
}

static int check_lost(const eddy_frame *f, eddy_error *err)
{
    if (f->lost == 0)
        return EDDY_OK;
    if (f->full != NULL)
        return error_set(err, EDDY_EUSAGE,
                         "%llu rows were left out: column %s has no room for more text than %zu "
                         "bytes; export more often",
                         (unsigned long long)f->lost, f->full, f->text_max);
    return error_set(err, EDDY_ENOMEM, "%llu rows were left out: out of memory",
                     (unsigned long long)f->lost);
}

int eddy_frame_export(eddy_frame *f, struct ArrowSchema *schema, struct ArrowArray *array,
                      eddy_error *err)
{
    int status = check_lost(f, err);
    if (status != EDDY_OK)
        return status;
    struct column_block *fresh[FIELDS];
    struct schema_room *schema_room = malloc(sizeof *schema_room);
    struct array_room *array_room = malloc(sizeof *array_room);
    if (schema_room == NULL || array_room == NULL || !columns_new(fresh)) {
        free(schema_room);
        free(array_room);
        return error_nomem(err);
    }
    show_schema(schema_room, schema);
    show_array(f, array_room, array);
    memcpy(f->column, fresh, sizeof fresh);
    f->rows = 0;
    return EDDY_OK;
}

/* ---- life ---- */

int frame_new(size_t text_max, eddy_frame **out, eddy_error *err)
{
    eddy_frame *f = calloc(1, sizeof *f);
    if (f == NULL || !columns_new(f->column)) {
        free(f);
        return error_nomem(err);
    }
    f->text_max = text_max;
    *out = f;
    return EDDY_OK;
}

int eddy_frame_new(eddy_frame **out, eddy_error *err)
{
    return frame_new(INT32_MAX, out, err);
}

void eddy_frame_free(eddy_frame *f)
{
    if (f == NULL)
        return;
    columns_free(f->column);
    free(f);
}
