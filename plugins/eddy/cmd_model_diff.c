/* SPDX-License-Identifier: MIT */
/* cmd_model_diff.c - eddy model diff: in what two model files differ: what is said of them, their
 * columns, classes, trees, and their answers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "model_diff.h"
#include "table.h"

static const char help[] =
    "Usage: eddy model diff [OPTION...] A.eddy B.eddy\n"
    "In what two models differ: metadata, columns, classes, trees, and the answers to each "
    "other's\n"
    "golden rows; with --on also to the flows of logs. A challenger may be looked at so before a\n"
    "sensor runs it.\n\n"
    "      --on LOG              compare their answers to these flows; may be repeated\n"
    "      --json                as JSON\n" RUN_HELP "  -h, --help                this\n\n"
    "Exit status: 0 if they are the same, 1 if they differ, 2 if something failed.\n";

#define EXIT_DIFFER  1
#define EXIT_TROUBLE 2
#define TOPIC_MOST   24 /* lines; --json has all */

/* ---- telling ---- */

void diff_topic(struct diff *diff, const char *topic)
{
    if (!diff->json && diff->in_topic > TOPIC_MOST)
        printf("  ... and %zu more: --json has all\n", diff->in_topic - TOPIC_MOST);
    diff->topic = topic;
    diff->in_topic = 0;
}

void diff_tell(struct diff *diff, const char *where, const char *a, const char *b)
{
    diff->told++;
    diff->in_topic++;
    if (diff->json) {
        json_put_open(&diff->w, '{');
        json_put_pair(&diff->w, "topic", diff->topic);
        json_put_pair(&diff->w, "where", where);
        json_put_key(&diff->w, "a");
        json_put_json(&diff->w, a != NULL ? a : "null");
        json_put_key(&diff->w, "b");
        json_put_json(&diff->w, b != NULL ? b : "null");
        json_put_close(&diff->w, '}');
        return;
    }
    if (diff->in_topic > TOPIC_MOST)
        return;
    if (diff->printed == NULL || strcmp(diff->printed, diff->topic) != 0)
        printf("%s\n", diff->topic);
    diff->printed = diff->topic;
    printf("  ");
    print_safely(where, strlen(where));
    printf("%*s", strlen(where) < 30 ? (int)(30 - strlen(where)) : 1, "");
    print_safely(a != NULL ? a : "-", strlen(a != NULL ? a : "-"));
    printf("  ->  ");
    print_safely(b != NULL ? b : "-", strlen(b != NULL ? b : "-"));
    (void)putchar('\n');
}

static void tell_text(struct diff *diff, const char *where, const char *a, const char *b)
{
    char both[2][200];
    const char *text[] = {a, b};
    for (size_t i = 0; i < 2; i++) { /* names of columns and classes: printable */
        struct json_writer w = {.max = 1024};
        if (text[i] == NULL)
            continue;
        json_put_text(&w, text[i]);
        (void)snprintf(both[i], sizeof both[i], "%s", w.failed ? "null" : w.text);
        free(w.text);
    }
    diff_tell(diff, where, a != NULL ? both[0] : NULL, b != NULL ? both[1] : NULL);
}

static void tell_number(struct diff *diff, const char *where, double a, double b)
{
    char both[2][40];
    if (a >= b && a <= b)
        return;
    (void)snprintf(both[0], sizeof both[0], "%.9g", a);
    (void)snprintf(both[1], sizeof both[1], "%.9g", b);
    if (strcmp(both[0], both[1]) == 0) { /* then all digits are needed */
        (void)snprintf(both[0], sizeof both[0], "%.17g", a);
        (void)snprintf(both[1], sizeof both[1], "%.17g", b);
    }
    diff_tell(diff, where, both[0], both[1]);
}

/* ---- metadata ---- */

static void compare_values(struct diff *diff, const char *path, const struct json_value *a,
                           const struct json_value *b);

static bool is_container(const struct json_value *value)
{
    return json_is(value, JSON_OBJECT) || json_is(value, JSON_ARRAY);
}

/* Pairs of `of`, one side: those that the other side lacks, and on the first side all. */
static void compare_pairs(struct diff *diff, const char *path, const struct json_value *of,
                          const struct json_value *other, bool first)
{
    char below[200];
    const struct json_value *key = json_first(of);
    for (uint32_t i = 0; key != NULL && i < of->length; i++, key = json_behind(key + 1)) {
        const char *name = json_text(key);
        const struct json_value *there = name == NULL ? NULL : json_find(other, name);
        (void)snprintf(below, sizeof below, "%s.%s", path, name != NULL ? name : "?");
        if (first)
            compare_values(diff, below, key + 1, there);
        else if (there == NULL)
            compare_values(diff, below, NULL, key + 1);
    }
}

static void compare_arrays(struct diff *diff, const char *path, const struct json_value *a,
                           const struct json_value *b)
{
    char below[200];
    uint32_t in_a = a != NULL ? a->length : 0, in_b = b != NULL ? b->length : 0;
    const struct json_value *x = json_first(a), *y = json_first(b);
    for (uint32_t i = 0; i < in_a || i < in_b; i++) {
        (void)snprintf(below, sizeof below, "%s[%u]", path, (unsigned)i);
        compare_values(diff, below, i < in_a ? x : NULL, i < in_b ? y : NULL);
        x = i < in_a ? json_behind(x) : NULL;
        y = i < in_b ? json_behind(y) : NULL;
    }
}

static void compare_values(struct diff *diff, const char *path, const struct json_value *a,
                           const struct json_value *b)
{
    char left[400], right[400];
    if (is_container(a) && is_container(b) && a->kind != b->kind) {
        compare_values(diff, path, a, NULL);
        compare_values(diff, path, NULL, b);
        return;
    }
    const struct json_value *either = is_container(a) ? a : b;
    if (is_container(either) && (a == NULL || b == NULL || a->kind == b->kind)) {
        if (either->kind == JSON_OBJECT)
            compare_pairs(diff, path, a, b, true), compare_pairs(diff, path, b, a, false);
        else
            compare_arrays(diff, path, a, b);
        return;
    }
    if (a != NULL)
        (void)json_scalar(a, left, sizeof left);
    if (b != NULL)
        (void)json_scalar(b, right, sizeof right);
    if (a == NULL || b == NULL || strcmp(left, right) != 0)
        diff_tell(diff, path, a != NULL ? left : NULL, b != NULL ? right : NULL);
}

/* Columns and classes are compared as the model has them. */
static void compare_metadata(struct diff *diff)
{
    const struct json_value *whole[] = {json_tree_root(diff->a.metadata),
                                        json_tree_root(diff->b.metadata)};
    for (unsigned side = 0; side < 2; side++) {
        const struct json_value *key = json_first(whole[side]);
        for (uint32_t i = 0; i < whole[side]->length; i++, key = json_behind(key + 1)) {
            const char *name = json_text(key);
            if (name == NULL || strcmp(name, "features") == 0 || strcmp(name, "classes") == 0)
                continue;
            const struct json_value *there = json_find(whole[1 - side], name);
            diff_topic(diff, "metadata"); /* each key has its lines */
            if (side == 0)
                compare_values(diff, name, key + 1, there);
            else if (there == NULL)
                compare_values(diff, name, NULL, key + 1);
        }
    }
}

/* ---- columns, classes ---- */

static size_t place_of(const char *name, const char *const *of, size_t count)
{
    size_t at = 0;
    while (at < count && strcmp(of[at], name) != 0)
        at++;
    return at;
}

static void compare_names(struct diff *diff, const char *const *a, size_t in_a,
                          const char *const *b, size_t in_b)
{
    bool same = in_a == in_b;
    for (size_t i = 0; i < in_a; i++) {
        if (place_of(a[i], b, in_b) == in_b) {
            tell_text(diff, "only in A", a[i], NULL);
            same = false;
        }
    }
    for (size_t i = 0; i < in_b; i++) {
        if (place_of(b[i], a, in_a) == in_a) {
            tell_text(diff, "only in B", NULL, b[i]);
            same = false;
        }
    }
    for (size_t i = 0; i < in_a && same; i++) {
        if (strcmp(a[i], b[i]) != 0) {
            tell_text(diff, "in another order from", a[i], b[i]);
            return;
        }
    }
}

static void compare_heads(struct diff *diff)
{
    const eddy_model_info *a = &diff->a.info, *b = &diff->b.info;
    diff_topic(diff, "columns");
    compare_names(diff, diff->a.column, a->columns, diff->b.column, b->columns);
    diff_topic(diff, "answers");
    compare_names(diff, a->output, a->outputs, b->output, b->outputs);
    for (size_t i = 0; i < a->outputs; i++) {
        size_t there = place_of(a->output[i], b->output, b->outputs);
        if (there < b->outputs && strcmp(a->technique[i], b->technique[there]) != 0)
            tell_text(diff, a->output[i], a->technique[i], b->technique[there]);
    }
    diff_topic(diff, "use");
    if (strcmp(a->kind, b->kind) != 0)
        tell_text(diff, "kind", a->kind, b->kind);
    bool classes = a->benign < a->outputs && b->benign < b->outputs;
    if (classes && strcmp(a->output[a->benign], b->output[b->benign]) != 0)
        tell_text(diff, "no attack", a->output[a->benign], b->output[b->benign]);
    tell_number(diff, "alert", a->alert, b->alert);
    tell_number(diff, "weight", a->weight, b->weight);
    tell_number(diff, "threshold_bytes", (double)a->threshold_bytes, (double)b->threshold_bytes);
    tell_number(diff, "normaliser", a->normaliser, b->normaliser);
    for (size_t i = 0; a->base != NULL && b->base != NULL && i < a->sums && a->sums == b->sums; i++)
        tell_number(diff, "base", a->base[i], b->base[i]);
}

/* ---- trees ---- */

#define TREES 1024 /* at most, of a model */

/* What is counted of a model's trees; equal trees have equal hashes. */
struct shape {
    const struct model_view *view;
    size_t nodes, leaves;
    uint64_t hash[TREES];
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < length; i++) /* FNV-1a, 64 bits */
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static int count_node(const eddy_model_node *node, void *user)
{
    struct shape *shape = user;
    if (node->tree >= TREES)
        return 1;
    uint64_t *hash = &shape->hash[node->tree];
    shape->nodes++;
    shape->leaves += node->value != NULL;
    if (node->value != NULL) {
        *hash = mix(*hash, node->value, shape->view->info.sums * sizeof *node->value);
        return 0;
    }
    const char *column = shape->view->column[node->column];
    *hash = mix(*hash, column, strlen(column) + 1);
    *hash = mix(*hash, &node->threshold, sizeof node->threshold);
    *hash = mix(*hash, &node->left, sizeof node->left);
    *hash = mix(*hash, &node->missing_left, sizeof node->missing_left);
    return 0;
}

static int compare_trees(struct diff *diff)
{
    struct shape a = {.view = &diff->a}, b = {.view = &diff->b};
    struct progress silent = {0};
    eddy_error err = {0};
    int status = eddy_model_nodes(diff->a.path, count_node, &a, &err);
    if (status == EDDY_OK)
        status = eddy_model_nodes(diff->b.path, count_node, &b, &err);
    if (status < 0) {
        complain(&silent, "%s", err.message);
        return EXIT_TROUBLE;
    }
    size_t trees[] = {diff->a.info.trees, diff->b.info.trees}, same = 0, both;
    both = trees[0] < trees[1] ? trees[0] : trees[1];
    for (size_t i = 0; i < both; i++)
        same += a.hash[i] == b.hash[i];
    diff_topic(diff, "trees");
    tell_number(diff, "trees", (double)trees[0], (double)trees[1]);
    tell_number(diff, "nodes", (double)a.nodes, (double)b.nodes);
    tell_number(diff, "leaves", (double)a.leaves, (double)b.leaves);
    if (same < trees[0] || same < trees[1]) {
        char both_texts[2][64];
        for (size_t i = 0; i < 2; i++)
            (void)snprintf(both_texts[i], sizeof both_texts[i], "\"%zu of %zu\"", same, trees[i]);
        diff_tell(diff, "trees that are the same", both_texts[0], both_texts[1]);
    }
    return 0;
}

/* ---- the command ---- */

static int print_same(struct diff *diff)
{
    if (diff->json)
        printf("{\"same\":true,\"differences\":[]}\n");
    else
        printf("the same file\n");
    return finish_output() == EXIT_FINE ? EXIT_FINE : EXIT_TROUBLE;
}

static int compare(struct diff *diff, struct run *run)
{
    if (strcmp(diff->a.info.sha256, diff->b.info.sha256) == 0 && run->file_count == 0)
        return print_same(diff);
    diff->w = (struct json_writer){.max = (size_t)64 << 20};
    json_put_open(&diff->w, '{');
    json_put_key(&diff->w, "differences");
    json_put_open(&diff->w, '[');
    compare_metadata(diff);
    compare_heads(diff);
    int status = compare_trees(diff);
    diff_topic(diff, "");
    json_put_close(&diff->w, ']');
    if (status == 0)
        status = diff_answers(diff, run) == EXIT_FINE ? 0 : EXIT_TROUBLE;
    json_put_key(&diff->w, "same");
    json_put_truth(&diff->w, diff->told == 0);
    json_put_close(&diff->w, '}');
    if (diff->json && status == 0)
        status = diff->w.failed ? EXIT_TROUBLE : (puts(diff->w.text), 0);
    free(diff->w.text);
    if (finish_output() != EXIT_FINE)
        status = EXIT_TROUBLE;
    return status != 0 ? status : diff->told > 0 ? EXIT_DIFFER : EXIT_FINE;
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse_options(struct diff *diff, struct run *run, int argc, char **argv)
{
    static const struct option options[] = {
        RUN_LONG, {"on", required_argument, NULL, 256}, {"json", no_argument, NULL, 257}, {0}};
    int option;
    while ((option = getopt_long(argc, argv, RUN_SHORT, options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == 256)
            run->files[run->file_count++] = optarg;
        else if (option == 257)
            diff->json = true;
        else if (!run_option(run, option, optarg))
            return usage_option("model diff", argv);
    }
    if (argc - optind != 2)
        return usage_error("model diff", "two files, not %d", argc - optind);
    return -1;
}

int cmd_model_diff(int argc, char **argv)
{
    struct diff diff = {0};
    struct run run;
    char **logs = calloc((size_t)argc, sizeof *logs);
    if (!run_init(&run, "model diff", argc) || logs == NULL) {
        complain(&run.progress, "out of memory");
        free(logs);
        return EXIT_TROUBLE;
    }
    run.files = logs;
    int status = parse_options(&diff, &run, argc, argv);
    if (status < 0) {
        bool open = model_view_open(&diff.a, argv[optind]);
        open = model_view_open(&diff.b, argv[optind + 1]) && open;
        status = open ? compare(&diff, &run) : EXIT_TROUBLE;
        model_view_close(&diff.a);
        model_view_close(&diff.b);
    }
    run_done(&run);
    free(logs);
    return status;
}
