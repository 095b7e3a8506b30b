/* SPDX-License-Identifier: MIT */
/* fuzz_model.c - any bytes as a model file; each also with the length, SHA-256, fingerprint and
 * golden rows that it ought to have, or nothing would come past them. Mutations are of one section,
 * and the table then has its length. */
#include "fuzz.h"

#include <math.h>

#include "model/model_read.h"
#include "model/schema.h"

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed);

#define HEADER 64

static void put(uint8_t *at, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static uint64_t number_at(const uint8_t *at, unsigned size)
{
    struct wire wire = wire_over(at, size);
    return wire_number(&wire, size);
}

/* ---- what holds of every model that is loaded ---- */

struct asked {
    const struct model *model;
    uint64_t nodes;
};

static int on_node(const eddy_model_node *node, void *user)
{
    struct asked *asked = user;
    const struct forest *forest = &asked->model->forest;
    promise(node->tree < forest->trees);
    promise(node->value != NULL || (node->column < forest->width && isfinite(node->threshold) &&
                                    node->left > node->number));
    asked->nodes++;
    return 0;
}

static int on_golden(const double *row, void *user)
{
    const struct asked *asked = user;
    float own[FOREST_COLUMNS + 1];
    model_own_row(asked->model, row, own);
    promise(!isnan(model_score(asked->model, own)));
    return 0;
}

static void ask(const struct model *model, const double *row)
{
    float own[FOREST_COLUMNS + 1];
    double answer[FOREST_OUTPUTS], credit[FOREST_COLUMNS], sum = 0.0;
    model_own_row(model, row, own);
    model_answer(model, own, answer);
    for (uint32_t i = 0; i < model_outputs(model); i++) {
        promise(answer[i] >= 0.0 && answer[i] <= 1.0 + 1e-5);
        sum += answer[i];
    }
    promise(model->classes == NULL || fabs(sum - 1.0) < 1e-5);
    double score = model_score(model, own);
    promise(score >= -1e-5 && score <= 1.0 + 1e-5);
    promise(isfinite(heldout_surprise(&model->heldout, score)));
    if (model->kind == MODEL_ISOLATION)
        forest_credit(&model->forest, own, credit);
}

/* Rows out of the file's own bytes, which are thresholds now and then, and odd ones. */
static void check_model(const struct model_file *file, const uint8_t *bytes, size_t size)
{
    const double odd[] = {NAN, INFINITY, -INFINITY, -0.0, 5e-324, 1e300};
    double row[FOREST_COLUMNS];
    struct asked asked = {.model = &file->model};
    for (size_t i = 0; i < 8; i++) {
        for (size_t column = 0; column < FOREST_COLUMNS; column++) {
            size_t at = (i * 977 + column * 131) % (size - 8);
            memcpy(&row[column], bytes + at, sizeof row[column]);
            if ((i + column) % 4 == 0)
                row[column] = odd[(i + column) / 4 % 6];
        }
        ask(&file->model, row);
    }
    promise(model_file_nodes(file, bytes, size, on_node, &asked) == 0 && asked.nodes > 0);
    promise(model_file_golden(file, bytes, size, on_golden, &asked) == 0);
}

static void parse(const uint8_t *bytes, size_t size)
{
    struct model_file *file = NULL;
    enum model_fault fault;
    eddy_error err = {0};
    int status = model_file_parse(bytes, size, &file, &fault, &err);
    promise((status == EDDY_OK) == (fault == MODEL_FINE));
    promise(status == EDDY_OK || (err.code == status && err.message[0] != '\0'));
    if (status != EDDY_OK)
        return;
    promise(file->name[0] != '\0');
    check_model(file, bytes, size);
    model_file_free(file);
}

/* ---- forging ---- */

static void seal(uint8_t *bytes, size_t size)
{
    memcpy(bytes, MODEL_MAGIC, 8);
    put(bytes + 8, MODEL_MAJOR, 2);
    put(bytes + 16, size, 8);
    put(bytes + 56, 0, 8);
    promise(sha256_of(bytes + HEADER, size - HEADER, bytes + 24));
}

/* That of the columns that are named, if they are ours. */
static void set_fingerprint(struct wire feat)
{
    uint8_t column[FOREST_COLUMNS], digest[SHA256_SIZE];
    uint32_t width = wire_u32(&feat);
    (void)wire_u32(&feat);
    const uint8_t *at = wire_bytes(&feat, SHA256_SIZE);
    for (uint32_t i = 0; i < width && width < FOREST_COLUMNS; i++) {
        const uint8_t *length = wire_bytes(&feat, 1);
        const uint8_t *name = length == NULL ? NULL : wire_bytes(&feat, *length);
        enum column found;
        if (name == NULL || !schema_find((const char *)name, *length, &found))
            return;
        column[i] = (uint8_t)found;
    }
    if (at == NULL || width == 0 || width >= FOREST_COLUMNS ||
        !schema_fingerprint(column, width, digest))
        return;
    uint8_t *own = NULL; /* the bytes are ours, though a wire only reads */
    memcpy(&own, &at, sizeof own);
    memcpy(own, digest, sizeof digest);
}

/* What the rows come to. */
static void set_golden(const struct model *model, struct wire gold)
{
    double row[FOREST_COLUMNS], sums[FOREST_OUTPUTS];
    float own[FOREST_COLUMNS + 1];
    uint32_t rows = wire_u32(&gold), width = wire_u32(&gold);
    for (uint32_t i = 0; i < rows && width == model->forest.width; i++) {
        for (uint32_t column = 0; column < width; column++)
            row[column] = wire_f64(&gold);
        const uint8_t *at = wire_bytes(&gold, model->forest.outputs * sizeof *sums);
        if (at == NULL)
            return;
        model_own_row(model, row, own);
        model_sums(model, own, sums);
        uint8_t *to = NULL;
        memcpy(&to, &at, sizeof to);
        memcpy(to, sums, model->forest.outputs * sizeof *sums);
    }
}

/* Header, fingerprint and golden rows, as far as the rest lets it. */
static void forge(uint8_t *bytes, size_t size)
{
    eddy_error err = {0};
    struct model_read read = {.err = &err, .file = calloc(1, sizeof *read.file)};
    promise(read.file != NULL);
    seal(bytes, size);
    if (model_read_begin(&read, bytes, size) == EDDY_OK) {
        set_fingerprint(read.section[FEAT]);
        if (model_read_body(&read) == EDDY_OK)
            set_golden(&read.file->model, read.section[GOLD]);
        seal(bytes, size);
    }
    model_file_free(read.file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    parse(data, size);
    if (size < HEADER)
        return 0;
    uint8_t *forged = malloc(size);
    promise(forged != NULL);
    memcpy(forged, data, size);
    forge(forged, size);
    parse(forged, size);
    free(forged);
    return 0;
}

/* ---- mutation of one section ---- */

/* Where the body of section `number` begins; 0 if the table makes no sense. */
static size_t section_at(const uint8_t *data, size_t size, size_t count, size_t number)
{
    size_t at = HEADER + count * 16;
    for (size_t i = 0; i <= number && at <= size; i++) {
        uint64_t length = number_at(data + HEADER + i * 16 + 8, 8);
        if (length > size - at)
            return 0;
        if (i == number)
            return at;
        at += (size_t)(length + 7) / 8 * 8;
    }
    return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned seed)
{
    size_t count = size >= HEADER ? (size_t)number_at(data + 12, 4) : 0;
    if (seed % 8 == 0 || count == 0 || count > 16 || size < HEADER + count * 16)
        return LLVMFuzzerMutate(data, size, most);
    size_t number = seed / 8 % count, at = section_at(data, size, count, number);
    uint8_t *entry = data + HEADER + number * 16;
    size_t length = at == 0 ? 0 : (size_t)number_at(entry + 8, 8), padded = (length + 7) / 8 * 8;
    if (at == 0 || padded > size - at)
        return LLVMFuzzerMutate(data, size, most);
    size_t rest = size - at - padded, room = most - size + padded;
    uint8_t *body = calloc(1, room + 8), *behind = malloc(rest + 1);
    promise(body != NULL && behind != NULL);
    memcpy(body, data + at, length);
    memcpy(behind, data + at + padded, rest);
    size_t mutated = LLVMFuzzerMutate(body, length, room / 8 * 8);
    memset(body + mutated, 0, room + 8 - mutated);
    padded = (mutated + 7) / 8 * 8;
    memcpy(data + at, body, padded);
    memcpy(data + at + padded, behind, rest);
    put(entry + 8, mutated, 8);
    free(body);
    free(behind);
    return at + padded + rest;
}
