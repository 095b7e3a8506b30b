/* SPDX-License-Identifier: MIT */
/* rest_infer.c - inference by the Open Inference Protocol: rows in, what the model gives out. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "rest_tensor.h"

enum {
    DEPTH = 8,
    VALUES_MORE = 4096, /* values of a request beside those of its rows */
    ROWS_A_LOOK = 256   /* predicted between two looks at the clock */
};

/* Which outputs are wanted, and how. */
struct wanted {
    bool scores, labels; /* `scores` are probabilities of a model with classes */
    bool binary_scores, binary_labels;
};

struct job {
    const struct service *service;
    const struct request *request;
    struct answer *answer;
    const struct json_value *root; /* the request, an object */
    eddy_model_info info;
    struct wanted wanted;
    struct rows rows;
    double *out;
};

static bool asks_binary(const struct json_value *object, const char *key, bool else_what)
{
    const struct json_value *asked = json_find(json_find(object, "parameters"), key);
    return json_is(asked, JSON_BOOLEAN) ? asked->is.truth : else_what;
}

static bool read_output(struct job *j, const struct json_value *output, bool binary)
{
    const char *name = json_find_text(output, "name");
    bool classes = j->info.outputs > 1;
    binary = asks_binary(output, "binary_data", binary);
    if (name != NULL && strcmp(name, classes ? TENSOR_PROBABILITIES : TENSOR_SCORE) == 0) {
        j->wanted.scores = true;
        j->wanted.binary_scores = binary;
    } else if (name != NULL && classes && strcmp(name, TENSOR_LABEL) == 0) {
        j->wanted.labels = true;
        j->wanted.binary_labels = binary;
    } else {
        answer_error(j->answer, STATUS_BAD, "outputs: model %s has no output '%.64s'",
                     j->request->name, name != NULL ? name : "");
        return false;
    }
    return true;
}

static bool read_outputs(struct job *j)
{
    const struct json_value *outputs = json_find(j->root, "outputs");
    bool binary = asks_binary(j->root, "binary_data_output", false);
    bool classes = j->info.outputs > 1;
    if (outputs == NULL) {
        j->wanted = (struct wanted){true, classes, binary, binary};
        return true;
    }
    if (!json_is(outputs, JSON_ARRAY)) {
        answer_error(j->answer, STATUS_BAD, "outputs: not an array");
        return false;
    }
    const struct json_value *at = json_first(outputs);
    for (uint32_t i = 0; i < outputs->length; i++, at = json_behind(at))
        if (!read_output(j, at, binary))
            return false;
    return true;
}

/* ---- writing ---- */

/* The most probable class; the first of several, as scikit-learn and numpy have it. */
static const char *label_of(const struct job *j, size_t row)
{
    const double *p = j->out + row * j->info.outputs;
    size_t best = 0;
    for (size_t i = 1; i < j->info.outputs; i++)
        if (p[i] > p[best])
            best = i;
    return j->info.output[best];
}

static size_t label_bytes(const struct job *j)
{
    size_t bytes = 0;
    for (size_t i = 0; i < j->rows.count; i++)
        bytes += 4 + strlen(label_of(j, i));
    return bytes;
}

static void put_head(const struct job *j, struct json_writer *w, const char *name, const char *type,
                     size_t columns)
{
    json_put_open(w, '{');
    json_put_pair(w, "name", name);
    json_put_pair(w, "datatype", type);
    json_put_key(w, "shape");
    json_put_open(w, '[');
    json_put_count(w, j->rows.count);
    if (columns > 1)
        json_put_count(w, columns);
    json_put_close(w, ']');
}

static void put_binary_size(struct json_writer *w, size_t bytes)
{
    json_put_key(w, "parameters");
    json_put_open(w, '{');
    json_put_key(w, "binary_data_size");
    json_put_count(w, bytes);
    json_put_close(w, '}');
}

static void put_scores(const struct job *j, struct json_writer *w)
{
    size_t count = j->rows.count * j->info.outputs;
    put_head(j, w, j->info.outputs > 1 ? TENSOR_PROBABILITIES : TENSOR_SCORE, "FP64",
             j->info.outputs);
    if (j->wanted.binary_scores) {
        put_binary_size(w, count * sizeof *j->out);
    } else {
        json_put_key(w, "data");
        json_put_open(w, '[');
        for (size_t i = 0; i < count; i++)
            json_put_number(w, j->out[i]);
        json_put_close(w, ']');
    }
    json_put_close(w, '}');
}

static void put_labels(const struct job *j, struct json_writer *w)
{
    put_head(j, w, TENSOR_LABEL, "BYTES", 0);
    if (j->wanted.binary_labels) {
        put_binary_size(w, label_bytes(j));
    } else {
        json_put_key(w, "data");
        json_put_open(w, '[');
        for (size_t i = 0; i < j->rows.count; i++)
            json_put_text(w, label_of(j, i));
        json_put_close(w, ']');
    }
    json_put_close(w, '}');
}

/* What the client sent along, but for what was meant for us. */
static void put_parameters(const struct job *j, struct json_writer *w)
{
    const struct json_value *parameters = json_find(j->root, "parameters");
    const struct json_value *at = json_first(parameters);
    json_put_key(w, "parameters");
    json_put_open(w, '{');
    for (uint32_t i = 0; at != NULL && i < parameters->length; i++, at = json_behind(at + 1)) {
        const struct json_value *value = at + 1;
        const char *key = json_text(at);
        if (key == NULL || strcmp(key, "binary_data_output") == 0)
            continue;
        json_put_key(w, key);
        if (value->kind == JSON_STRING)
            json_put_string(w, value->is.text, value->length);
        else if (value->kind == JSON_NUMBER)
            json_put_number(w, value->is.number);
        else if (value->kind == JSON_BOOLEAN)
            json_put_truth(w, value->is.truth);
        else
            json_put_json(w, "null");
    }
    json_put_close(w, '}');
}

static void append_double(struct json_writer *w, double value)
{
    unsigned char bytes[8];
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(bits >> 8 * i);
    json_put_raw(w, bytes, sizeof bytes);
}

static void append_label(struct json_writer *w, const char *label)
{
    size_t length = strlen(label);
    unsigned char bytes[4];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(length >> 8 * i);
    json_put_raw(w, bytes, sizeof bytes);
    json_put_raw(w, label, length);
}

static void answer_outputs(const struct job *j)
{
    struct json_writer w = {.max = ANSWER_MAX};
    const struct json_value *id = json_find(j->root, "id");
    json_put_open(&w, '{');
    json_put_pair(&w, "model_name", j->request->name);
    json_put_pair(&w, "model_version", j->info.version);
    if (json_is(id, JSON_STRING)) {
        json_put_key(&w, "id");
        json_put_string(&w, id->is.text, id->length);
    }
    put_parameters(j, &w);
    json_put_key(&w, "outputs");
    json_put_open(&w, '[');
    if (j->wanted.scores)
        put_scores(j, &w);
    if (j->wanted.labels)
        put_labels(j, &w);
    json_put_close(&w, ']');
    json_put_close(&w, '}');
    size_t json_length = w.used;
    bool binary_scores = j->wanted.scores && j->wanted.binary_scores;
    bool binary_labels = j->wanted.labels && j->wanted.binary_labels;
    for (size_t i = 0; binary_scores && i < j->rows.count * j->info.outputs; i++)
        append_double(&w, j->out[i]);
    for (size_t i = 0; binary_labels && i < j->rows.count; i++)
        append_label(&w, label_of(j, i));
    answer_json(j->answer, STATUS_OK, &w);
    if (j->answer->status == STATUS_OK && (binary_scores || binary_labels)) {
        j->answer->json_length = json_length;
        j->answer->type = "application/octet-stream";
    }
}

/* ---- working ---- */

static bool predict(struct job *j, const eddy_model *model)
{
    size_t outputs = j->info.outputs;
    j->out = malloc((j->rows.count > 0 ? j->rows.count : 1) * outputs * sizeof *j->out);
    if (j->out == NULL) {
        answer_error(j->answer, STATUS_FAILED, "out of memory");
        return false;
    }
    for (size_t i = 0; i < j->rows.count; i += ROWS_A_LOOK) {
        size_t left = j->rows.count - i;
        if (clock_ms() >= j->request->deadline_ms) {
            answer_error(j->answer, STATUS_BUSY, "the time is over (rest.timeout)");
            return false;
        }
        eddy_model_predict(model, j->rows.values + i * j->rows.columns,
                           left < ROWS_A_LOOK ? left : ROWS_A_LOOK, j->out + i * outputs);
    }
    return true;
}

static void infer(struct job *j, const eddy_model *model)
{
    const struct request *q = j->request;
    struct columns columns;
    eddy_error err;
    columns_of(&j->info, &columns);
    unsigned status =
        tensors_read(json_find(j->root, "inputs"), &columns, j->service->conf->max_batch,
                     q->body + q->json_length, q->length - q->json_length, &j->rows, &err);
    if (status != STATUS_OK)
        answer_error(j->answer, status, "%s", err.message);
    else if (read_outputs(j) && predict(j, model))
        answer_outputs(j);
    free(j->rows.values);
    free(j->out);
}

/* What is checked of the request as a whole. */
static bool is_request(const struct json_value *root, struct answer *a)
{
    const struct json_value *id = json_find(root, "id");
    const struct json_value *parameters = json_find(root, "parameters");
    const char *fault = NULL;
    if (!json_is(root, JSON_OBJECT))
        fault = "the request has to be an object";
    else if (id != NULL && !json_is(id, JSON_STRING))
        fault = "id: not a string";
    else if (parameters != NULL && !json_is(parameters, JSON_OBJECT))
        fault = "parameters: not an object";
    if (fault != NULL)
        answer_error(a, STATUS_BAD, "%s", fault);
    return fault == NULL;
}

void serve_infer(const struct service *s, const struct request *q, struct answer *a)
{
    struct json_tree *tree;
    eddy_error err;
    if (q->json_length > q->length) {
        answer_error(a, STATUS_BAD, "Inference-Header-Content-Length: more than the body has");
        return;
    }
    struct served *served = v2_hold(s, q, a);
    if (served == NULL)
        return;
    struct job job = {.service = s, .request = q, .answer = a, .info = {.size = sizeof job.info}};
    eddy_model_describe(served_model(served), &job.info);
    struct json_limits limits = {
        .depth = DEPTH, .values = VALUES_MORE + s->conf->max_batch * (job.info.columns + 1)};
    if (json_tree_new(q->body, q->json_length, &limits, &tree, &err) < 0) {
        answer_error(a, STATUS_BAD, "%s", err.message);
    } else {
        job.root = json_tree_root(tree);
        if (is_request(job.root, a))
            infer(&job, served_model(served));
        json_tree_free(tree);
    }
    models_release(s->models, served);
}
