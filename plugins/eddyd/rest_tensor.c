/* SPDX-License-Identifier: MIT */
/* rest_tensor.c - tensors of the Open Inference Protocol, as JSON or as bytes behind it. */
#include "rest_tensor.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names of columns ---- */

struct features {
    const char *names[TENSOR_COLUMNS_MAX];
    size_t count;
};

static int note(const eddy_feature *feature, void *user)
{
    struct features *f = user;
    if (f->count < TENSOR_COLUMNS_MAX)
        f->names[f->count++] = feature->name;
    return 0;
}

void columns_of(const eddy_model_info *info, struct columns *out)
{
    struct features all = {.count = 0};
    (void)eddy_features(note, &all); /* note() never stops it */
    out->count = info->columns;
    for (size_t i = 0; i < info->columns; i++)
        out->names[i] = info->column[i] < all.count ? all.names[info->column[i]] : "";
}

/* ---- one tensor ---- */

enum { DIMENSIONS = 2 };

struct tensor {
    const char *name;
    bool is_float;
    size_t shape[DIMENSIONS];
    size_t dimensions;
    size_t count;                  /* of values */
    const struct json_value *data; /* NULL: they are bytes */
    const char *bytes;
};

struct reading {
    const char *bytes; /* not taken by a tensor yet */
    size_t left;
    size_t max_rows;
    eddy_error *err;
};

__attribute__((format(printf, 3, 4))) static unsigned
refuse(const struct reading *r, unsigned status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(r->err->message, sizeof r->err->message, format, arguments);
    va_end(arguments);
    r->err->code = EDDY_EINPUT;
    return status;
}

static unsigned read_shape(const struct reading *r, const struct json_value *shape,
                           struct tensor *t)
{
    if (!json_is(shape, JSON_ARRAY) || shape->length == 0 || shape->length > DIMENSIONS)
        return refuse(r, STATUS_BAD, "tensor '%s': shape: not [n] or [n, columns]", t->name);
    t->dimensions = shape->length;
    t->count = 1;
    const struct json_value *at = json_first(shape);
    for (size_t i = 0; i < t->dimensions; i++, at = json_behind(at)) {
        if (!json_is(at, JSON_NUMBER) || !(at->is.number >= 0) || at->is.number > 1e9 ||
            at->is.number != floor(at->is.number))
            return refuse(r, STATUS_BAD, "tensor '%s': shape: not whole numbers", t->name);
        t->shape[i] = (size_t)at->is.number;
        t->count *= t->shape[i]; /* at most 1e18 */
    }
    if (t->shape[0] > r->max_rows)
        return refuse(r, STATUS_TOO_LARGE, "%zu rows, more than the %zu of rest.max_batch",
                      t->shape[0], r->max_rows);
    return STATUS_OK;
}

/* Its bytes are the next of those behind the JSON. */
static unsigned take_bytes(struct reading *r, const struct json_value *size, struct tensor *t)
{
    size_t needed = t->count * (t->is_float ? sizeof(float) : sizeof(double));
    if (!json_is(size, JSON_NUMBER) || size->is.number != (double)needed)
        return refuse(r, STATUS_BAD,
                      "tensor '%s': binary_data_size: not the %zu bytes of its shape", t->name,
                      needed);
    if (needed > r->left)
        return refuse(r, STATUS_BAD, "tensor '%s': %zu bytes of it are missing", t->name,
                      needed - r->left);
    t->bytes = r->bytes;
    r->bytes += needed;
    r->left -= needed;
    return STATUS_OK;
}

/* Everything but the values. */
static unsigned read_tensor(struct reading *r, const struct json_value *input, struct tensor *t)
{
    *t = (struct tensor){.name = json_find_text(input, "name")};
    if (t->name == NULL)
        return refuse(r, STATUS_BAD, "inputs: a tensor without name");
    const char *type = json_find_text(input, "datatype");
    t->is_float = type != NULL && strcmp(type, "FP32") == 0;
    if (!t->is_float && (type == NULL || strcmp(type, "FP64") != 0))
        return refuse(r, STATUS_BAD, "tensor '%.64s': datatype %.32s: only FP32 and FP64 are taken",
                      t->name, type != NULL ? type : "is missing");
    unsigned status = read_shape(r, json_find(input, "shape"), t);
    if (status != STATUS_OK)
        return status;
    const struct json_value *size = json_find(json_find(input, "parameters"), "binary_data_size");
    t->data = json_find(input, "data");
    if (size != NULL && t->data == NULL)
        return take_bytes(r, size, t);
    if (size != NULL || !json_is(t->data, JSON_ARRAY))
        return refuse(r, STATUS_BAD, "tensor '%.64s': data: not an array", t->name);
    return STATUS_OK;
}

/* Row by row, whether the arrays are nested or not: their values lie behind each other. */
static unsigned copy_json(const struct reading *r, const struct tensor *t, double *out)
{
    size_t count = 0;
    for (size_t i = 1; i < t->data->is.span; i++) {
        const struct json_value *value = t->data + i;
        if (value->kind == JSON_ARRAY)
            continue;
        if (value->kind != JSON_NUMBER && value->kind != JSON_NULL)
            return refuse(r, STATUS_BAD, "tensor '%.64s': data: not numbers", t->name);
        if (count < t->count) {
            double number = value->kind == JSON_NULL ? NAN : value->is.number;
            out[count] = t->is_float ? (double)(float)number : number;
        }
        count++;
    }
    if (count != t->count)
        return refuse(r, STATUS_BAD, "tensor '%.64s': %zu values, its shape is for %zu", t->name,
                      count, t->count);
    return STATUS_OK;
}

/* Little-endian, by the protocol. */
static void copy_bytes(const struct tensor *t, double *out)
{
    const unsigned char *at = (const unsigned char *)t->bytes;
    size_t size = t->is_float ? sizeof(float) : sizeof(double);
    for (size_t i = 0; i < t->count; i++, at += size) {
        uint64_t bits = 0;
        for (size_t b = size; b-- > 0;)
            bits = bits << 8 | at[b];
        uint32_t half = (uint32_t)bits;
        float single;
        memcpy(&single, &half, sizeof single);
        if (t->is_float)
            out[i] = (double)single;
        else
            memcpy(&out[i], &bits, sizeof out[i]);
    }
}

static unsigned copy(const struct reading *r, const struct tensor *t, double *out)
{
    if (t->data != NULL)
        return copy_json(r, t, out);
    copy_bytes(t, out);
    return STATUS_OK;
}

/* ---- all tensors ---- */

static size_t find_column(const struct columns *columns, const char *name)
{
    size_t i = 0;
    while (i < columns->count && strcmp(columns->names[i], name) != 0)
        i++;
    return i;
}

static unsigned make_rows(const struct reading *r, size_t count, struct rows *rows)
{
    rows->count = count;
    rows->values = malloc((count > 0 ? count : 1) * rows->columns * sizeof *rows->values);
    return rows->values != NULL ? STATUS_OK : refuse(r, STATUS_FAILED, "out of memory");
}

static unsigned put_column(struct reading *r, const struct tensor *t, struct rows *rows,
                           size_t column)
{
    double *values = malloc((t->count > 0 ? t->count : 1) * sizeof *values);
    if (values == NULL)
        return refuse(r, STATUS_FAILED, "out of memory");
    unsigned status = copy(r, t, values);
    for (size_t i = 0; i < t->count && status == STATUS_OK; i++)
        rows->values[i * rows->columns + column] = values[i];
    free(values);
    return status;
}

/* One tensor for each column, in any order. */
static unsigned read_columns(struct reading *r, const struct json_value *inputs,
                             const struct columns *columns, struct rows *rows)
{
    bool seen[TENSOR_COLUMNS_MAX] = {false};
    const struct json_value *at = json_first(inputs);
    for (uint32_t i = 0; i < inputs->length; i++, at = json_behind(at)) {
        struct tensor t;
        unsigned status = read_tensor(r, at, &t);
        if (status != STATUS_OK)
            return status;
        size_t column = find_column(columns, t.name);
        if (column == columns->count || seen[column])
            return refuse(r, STATUS_BAD, "tensor '%.64s': %s", t.name,
                          column == columns->count ? "the model has no such column" : "twice");
        if (t.dimensions == 2 && t.shape[1] != 1)
            return refuse(r, STATUS_BAD, "tensor '%.64s': shape: not [n] or [n, 1]", t.name);
        seen[column] = true;
        if (i == 0)
            status = make_rows(r, t.shape[0], rows);
        if (status == STATUS_OK && t.shape[0] != rows->count)
            status = refuse(r, STATUS_BAD, "tensor '%.64s': %zu rows, the one before has %zu",
                            t.name, t.shape[0], rows->count);
        if (status == STATUS_OK)
            status = put_column(r, &t, rows, column);
        if (status != STATUS_OK)
            return status;
    }
    if (inputs->length == columns->count)
        return STATUS_OK;
    return refuse(r, STATUS_BAD, "%u of the model's %zu columns are missing",
                  (unsigned)(columns->count - inputs->length), columns->count);
}

/* One tensor with all columns. */
static unsigned read_matrix(struct reading *r, const struct tensor *t,
                            const struct columns *columns, struct rows *rows)
{
    if (t->dimensions != 2 || t->shape[1] != columns->count)
        return refuse(r, STATUS_BAD, "tensor '%.64s': shape: not [n, %zu]", t->name,
                      columns->count);
    unsigned status = make_rows(r, t->shape[0], rows);
    return status != STATUS_OK ? status : copy(r, t, rows->values);
}

static unsigned read_all(struct reading *r, const struct json_value *inputs,
                         const struct columns *columns, struct rows *rows)
{
    struct tensor first;
    if (!json_is(inputs, JSON_ARRAY) || inputs->length == 0)
        return refuse(r, STATUS_BAD, "inputs: not an array of tensors");
    struct reading trial = *r;
    unsigned status = read_tensor(&trial, json_first(inputs), &first);
    if (status != STATUS_OK)
        return status;
    bool is_column = find_column(columns, first.name) < columns->count;
    if (inputs->length == 1 && !is_column) {
        status = read_matrix(r, &first, columns, rows);
        r->left = trial.left;
    } else {
        status = read_columns(r, inputs, columns, rows);
    }
    if (status == STATUS_OK && r->left > 0)
        return refuse(r, STATUS_BAD, "%zu bytes belong to no tensor", r->left);
    return status;
}

unsigned tensors_read(const struct json_value *inputs, const struct columns *columns,
                      size_t max_rows, const char *bytes, size_t length, struct rows *out,
                      eddy_error *err)
{
    struct reading r = {.bytes = bytes, .left = length, .max_rows = max_rows, .err = err};
    struct rows rows = {.columns = columns->count};
    unsigned status = read_all(&r, inputs, columns, &rows);
    if (status != STATUS_OK)
        free(rows.values);
    else
        *out = rows;
    return status;
}
