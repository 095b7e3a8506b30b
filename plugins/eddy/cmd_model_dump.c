/* SPDX-License-Identifier: MIT */
/* cmd_model_dump.c - eddy model dump: all of a model file as JSON, node by node as it is read, or
 * one tree for a person. */
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "json_write.h"
#include "model_view.h"
#include "progress.h"

static const char help[] =
    "Usage: eddy model dump [OPTION...] FILE.eddy\n"
    "All of a model as JSON: its metadata, columns, outputs, and the nodes of its trees with\n"
    "thresholds that read back as the same number. A row goes left where column <= threshold.\n\n"
    "      --tree N              only this tree, the first is 0: to be read\n"
    "      --json                with --tree: as JSON\n"
    "  -h, --help                this\n\n"
    "Exit status: 0, 1 if the file was refused, 2 for wrong usage.\n";

/* A node of the tree that is shown. */
struct shown_node {
    size_t column, left;
    size_t value; /* place of its first number in `values`, if it is a leaf */
    double threshold;
    uint32_t cover;
    bool leaf, missing_left;
};

struct dump {
    struct model_view view;
    bool json;
    size_t tree; /* SIZE_MAX: all */
    size_t last; /* tree that a node was of; SIZE_MAX: none yet */
    bool failed;
    struct shown_node *node;
    double *values;
    size_t nodes, node_room, value_count, value_room;
};

/* ---- JSON ---- */

/* A float's digits, or a double's, that read back as the same. */
static void put_threshold(const struct dump *dump, double threshold)
{
    printf(dump->view.info.threshold_bytes == 8 ? "%.17g" : "%.9g", threshold);
}

static int put_node(const eddy_model_node *node, void *user)
{
    struct dump *dump = user;
    if (dump->tree != SIZE_MAX && node->tree != dump->tree)
        return node->tree > dump->tree;
    if (node->tree != dump->last)
        printf("%s\n{\"tree\":%zu,\"nodes\":[", dump->last == SIZE_MAX ? "" : "]},", node->tree);
    printf("%s\n{\"node\":%zu", node->tree == dump->last ? "," : "", node->number);
    dump->last = node->tree;
    if (node->value == NULL) {
        printf(",\"column\":\"%s\",\"threshold\":", dump->view.column[node->column]);
        put_threshold(dump, node->threshold);
        printf(",\"missing\":\"%s\",\"left\":%zu,\"right\":%zu",
               node->missing_left ? "left" : "right", node->left, node->left + 1);
    }
    for (size_t i = 0; node->value != NULL && i < dump->view.info.sums; i++)
        printf("%s%.17g", i == 0 ? ",\"leaf\":[" : ",", node->value[i]);
    printf("%s,\"cover\":%" PRIu32 "}", node->value != NULL ? "]" : "", node->cover);
    return ferror(stdout) != 0;
}

static void put_list(struct json_writer *w, const char *key, const char *const *text, size_t count)
{
    json_put_key(w, key);
    json_put_open(w, '[');
    for (size_t i = 0; i < count; i++)
        json_put_text(w, text[i]);
    json_put_close(w, ']');
}

/* All but the trees, up to where they begin. */
static bool put_head(const struct model_view *view)
{
    const eddy_model_info *info = &view->info;
    struct json_writer w = {.max = (size_t)4 << 20};
    json_put_open(&w, '{');
    json_put_pair(&w, "file", view->path);
    json_put_pair(&w, "sha256", info->sha256);
    json_put_pair(&w, "name", info->name);
    json_put_pair(&w, "version", info->version);
    json_put_pair(&w, "kind", info->kind);
    json_put_key(&w, "threshold_bytes");
    json_put_count(&w, info->threshold_bytes);
    json_put_key(&w, "normaliser");
    json_put_number(&w, info->normaliser);
    put_list(&w, "columns", view->column, info->columns);
    put_list(&w, "outputs", info->output, info->outputs);
    if (info->benign < info->outputs) {
        put_list(&w, "techniques", info->technique, info->outputs);
        json_put_pair(&w, "benign", info->output[info->benign]);
        json_put_key(&w, "alert");
        json_put_number(&w, info->alert);
        json_put_key(&w, "weight");
        json_put_number(&w, info->weight);
    }
    if (info->base != NULL) {
        json_put_key(&w, "base");
        json_put_open(&w, '[');
        for (size_t i = 0; i < info->sums; i++)
            json_put_number(&w, info->base[i]);
        json_put_close(&w, ']');
    }
    json_put_key(&w, "metadata");
    json_put_json(&w, info->metadata);
    bool good = !w.failed;
    if (good)
        printf("%s,\n\"trees\":[", w.text);
    free(w.text);
    return good;
}

/* ---- one tree, to be read ---- */

static void *grow(void *array, size_t *room, size_t size)
{
    size_t more = *room > 0 ? *room * 2 : 256;
    void *grown = more < SIZE_MAX / 64 ? realloc(array, more * size) : NULL;
    if (grown != NULL)
        *room = more;
    return grown;
}

static int keep_node(const eddy_model_node *node, void *user)
{
    struct dump *dump = user;
    size_t sums = dump->view.info.sums;
    if (node->tree != dump->tree)
        return node->tree > dump->tree;
    struct shown_node *nodes = dump->node;
    if (dump->nodes == dump->node_room)
        nodes = grow(dump->node, &dump->node_room, sizeof *dump->node);
    double *values = dump->values;
    if (nodes != NULL)
        dump->node = nodes;
    while (nodes != NULL && values != NULL && dump->value_count + sums > dump->value_room) {
        values = grow(dump->values, &dump->value_room, sizeof *dump->values);
        dump->values = values != NULL ? values : dump->values;
    }
    dump->failed = nodes == NULL || values == NULL;
    if (dump->failed)
        return 1;
    dump->node[dump->nodes++] = (struct shown_node){.column = node->column,
                                                    .left = node->left,
                                                    .value = dump->value_count,
                                                    .threshold = node->threshold,
                                                    .cover = node->cover,
                                                    .leaf = node->value != NULL,
                                                    .missing_left = node->missing_left != 0};
    for (size_t i = 0; node->value != NULL && i < sums; i++)
        dump->values[dump->value_count++] = node->value[i];
    return 0;
}

static void indent(unsigned depth)
{
    while (depth-- > 0)
        printf("|   ");
    printf("|-- ");
}

/* What has a share or a weight, by its name. */
static void show_leaf(const struct dump *dump, const struct shown_node *node, unsigned depth)
{
    const eddy_model_info *info = &dump->view.info;
    const double *value = dump->values + node->value;
    indent(depth);
    bool first = true;
    for (size_t i = 0; i < info->sums; i++) {
        if (fabs(value[i]) <= 0.0 && info->sums > 1)
            continue;
        const char *name = info->sums == info->outputs ? info->output[i] : info->output[1];
        printf("%s%s %.6g", first ? "" : ", ", info->outputs > 1 ? name : "path", value[i]);
        first = false;
    }
    printf("  (%" PRIu32 ")\n", node->cover);
}

/* At most 255 deep: so the loader has made sure. */
static void show_node(const struct dump *dump, size_t number, unsigned depth)
{
    const struct shown_node *node = &dump->node[number];
    if (node->leaf) {
        show_leaf(dump, node, depth);
        return;
    }
    for (unsigned side = 0; side < 2; side++) {
        indent(depth);
        printf("%s %s ", dump->view.column[node->column], side == 0 ? "<=" : "> ");
        put_threshold(dump, node->threshold);
        printf("%s  (%" PRIu32 ")\n", (side == 0) == node->missing_left ? " or missing" : "",
               dump->node[node->left + side].cover);
        show_node(dump, node->left + side, depth + 1);
    }
}

/* ---- the command ---- */

static int finish(struct dump *dump, int status, const eddy_error *err)
{
    struct progress silent = {0};
    if (status < 0)
        complain(&silent, "%s", err->message);
    else if (dump->failed)
        complain(&silent, "out of memory");
    free(dump->node);
    free(dump->values);
    model_view_close(&dump->view);
    int written = finish_output();
    return status < 0 || dump->failed ? EXIT_FAULT : written;
}

static int run_dump(struct dump *dump, const char *path)
{
    eddy_error err = {0};
    if (!model_view_open(&dump->view, path))
        return EXIT_FAULT;
    if (dump->tree != SIZE_MAX && dump->tree >= dump->view.info.trees) {
        size_t trees = dump->view.info.trees;
        model_view_close(&dump->view);
        return usage_error("model dump", "--tree: it has the trees 0 to %zu", trees - 1);
    }
    int status;
    if (dump->json) {
        dump->failed = !put_head(&dump->view);
        status = dump->failed ? 0 : eddy_model_nodes(path, put_node, dump, &err);
        if (status >= 0 && !dump->failed)
            printf("]}]}\n");
        return finish(dump, status, &err);
    }
    dump->values = grow(NULL, &dump->value_room, sizeof *dump->values);
    dump->failed = dump->values == NULL;
    status = dump->failed ? 0 : eddy_model_nodes(path, keep_node, dump, &err);
    if (status >= 0 && !dump->failed) {
        printf("tree %zu of %zu, %zu nodes; in parentheses the training samples that came by\n",
               dump->tree, dump->view.info.trees, dump->nodes);
        show_node(dump, 0, 0);
    }
    return finish(dump, status, &err);
}

int cmd_model_dump(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"tree", required_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct dump dump = {.tree = SIZE_MAX, .last = SIZE_MAX};
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        char *end;
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == '?')
            return usage_option("model dump", argv);
        dump.json |= option == 'j';
        if (option != 't')
            continue;
        dump.tree = strtoul(optarg, &end, 10);
        if (optarg[0] < '0' || optarg[0] > '9' || *end != '\0' || dump.tree == SIZE_MAX)
            return usage_error("model dump", "--tree %s: not a number", optarg);
    }
    if (optind + 1 != argc)
        return usage_error("model dump", "one file, not %d", argc - optind);
    dump.json |= dump.tree == SIZE_MAX;
    return run_dump(&dump, argv[optind]);
}
