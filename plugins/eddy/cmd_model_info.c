/* SPDX-License-Identifier: MIT */
/* cmd_model_info.c - eddy model info: where models come from, as JSON or for a person at a
 * terminal. */
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "model_view.h"
#include "progress.h"
#include "table.h"
#include "when.h"

static const char help[] =
    "Usage: eddy model info [OPTION...] FILE.eddy...\n"
    "Where models come from, what they were trained on, what they answer. Each file is checked as\n"
    "the sensor does before it uses one.\n\n"
    "      --json                one line of JSON for each, as when the output is no terminal\n"
    "      --table               to be read, as on a terminal\n"
    "  -h, --help                this\n\n"
    "Exit status: 0, 1 if a file was refused, 2 for wrong usage.\n";

/* ---- words in lines of a width, below each other behind a label ---- */

#define INDENT 18

struct lines {
    size_t width, at;
};

static void begin(struct lines *lines, const char *label)
{
    printf("  ");
    size_t length = strlen(label) < 40 ? strlen(label) : 40;
    print_safely(label, length);
    printf("%*s", length + 2 < INDENT ? (int)(INDENT - length - 2) : 2, "");
    lines->at = length + 4 < INDENT ? INDENT : length + 4;
}

static void word(struct lines *lines, const char *text, const char *behind)
{
    size_t length = strlen(text) + strlen(behind);
    if (lines->at > INDENT && lines->at + length > lines->width) {
        printf("\n%*s", INDENT, "");
        lines->at = INDENT;
    }
    print_safely(text, strlen(text));
    (void)fputs(behind, stdout);
    (void)putchar(' ');
    lines->at += length + 1;
}

static void end(void)
{
    (void)putchar('\n');
}

/* ---- metadata, whatever is in it ---- */

static void put_value(struct lines *lines, const char *name, const struct json_value *value);

static void put_members(struct lines *lines, const char *name, const struct json_value *value)
{
    char path[160];
    bool named = value->kind == JSON_OBJECT;
    const struct json_value *at = json_first(value);
    for (uint32_t i = 0; i < value->length; i++) {
        const struct json_value *own = named ? at + 1 : at;
        const char *key = named ? json_text(at) : NULL;
        (void)snprintf(path, sizeof path, "%s%s%s", name, named && name[0] != '\0' ? "." : "",
                       !named        ? ""
                       : key != NULL ? key
                                     : "?");
        put_value(lines, path, own);
        if (!named && own->kind == JSON_OBJECT && i + 1 < value->length) {
            printf("\n%*s", INDENT, ""); /* objects of a list are below each other */
            lines->at = INDENT;
        }
        at = json_behind(own);
    }
}

static void put_value(struct lines *lines, const char *name, const struct json_value *value)
{
    char buf[240], text[480];
    if (json_first(value) != NULL) {
        put_members(lines, name, value);
        return;
    }
    const char *string = json_text(value);
    (void)snprintf(text, sizeof text, "%s%s%s", name, name[0] != '\0' ? "=" : "",
                   string != NULL ? string : json_scalar(value, buf, sizeof buf));
    word(lines, text, "");
}

/* Said elsewhere, or of use to programs only. */
static bool is_passed_over(const char *key)
{
    static const char *const keys[] = {"schema_version",
                                       "name",
                                       "version",
                                       "trained_us",
                                       "created_s",
                                       "features",
                                       "classes",
                                       "thresholds",
                                       "features_sha256",
                                       "params",
                                       "feature_schema_sha256",
                                       "baseline_distribution"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i], key) == 0)
            return true;
    return false;
}

static void put_metadata(struct lines *lines, const struct json_value *root)
{
    const struct json_value *key = json_first(root);
    for (uint32_t i = 0; i < root->length; i++, key = json_behind(key + 1)) {
        const char *name = json_text(key);
        if (name == NULL || is_passed_over(name))
            continue;
        begin(lines, name);
        put_value(lines, "", key + 1);
        end();
    }
}

/* ---- the file ---- */

static void put_head(struct lines *lines, const struct model_view *view)
{
    const eddy_model_info *info = &view->info;
    char number[32], text[160];
    struct stat file = {0};
    (void)stat(view->path, &file);
    print_safely(info->name, strlen(info->name));
    (void)putchar(' ');
    print_safely(info->version, strlen(info->version));
    (void)putchar('\n');
    begin(lines, "file");
    word(lines, view->path, ",");
    (void)snprintf(text, sizeof text, "%s bytes", with_commas((uint64_t)file.st_size, number));
    word(lines, text, "");
    end();
    begin(lines, "sha256");
    word(lines, info->sha256, "");
    end();
    begin(lines, "trees");
    (void)snprintf(text, sizeof text, "%zu, kind '%s', thresholds are %s", info->trees, info->kind,
                   info->threshold_bytes == 8 ? "doubles" : "floats");
    word(lines, text, "");
    end();
}

static void put_time(struct lines *lines, const struct model_view *view, const char *key,
                     const char *label, double unit_us)
{
    char when[WHEN_SIZE];
    const struct json_value *value = model_view_meta(view, key);
    if (!json_is(value, JSON_NUMBER) ||
        !(value->is.number > 0 && value->is.number < 9e18 / unit_us))
        return;
    begin(lines, label);
    word(lines, when_text((int64_t)(value->is.number * unit_us), when), " UTC");
    end();
}

static void put_answers(struct lines *lines, const struct model_view *view)
{
    const eddy_model_info *info = &view->info;
    char text[160];
    begin(lines, "features");
    for (size_t i = 0; i < info->columns; i++)
        word(lines, view->column[i], i + 1 < info->columns ? "," : "");
    end();
    begin(lines, "answers");
    for (size_t i = 0; i < info->outputs; i++) {
        (void)snprintf(text, sizeof text, "%s%s%s", info->output[i],
                       i == info->benign               ? " (no attack)"
                       : info->technique[i][0] != '\0' ? " "
                                                       : "",
                       i == info->benign ? "" : info->technique[i]);
        word(lines, text, i + 1 < info->outputs ? "," : "");
    }
    end();
    if (info->benign >= info->outputs)
        return;
    begin(lines, "alert");
    (void)snprintf(text, sizeof text, "from a score of %.9g on; its rate is worth %.9g flows",
                   info->alert, info->weight);
    word(lines, text, "");
    end();
}

static bool print_table(const char *path)
{
    struct model_view view;
    struct lines lines = {.width = table_look().width};
    if (!model_view_open(&view, path))
        return false;
    put_head(&lines, &view);
    put_time(&lines, &view, "trained_us", "trained up to", 1.0);
    put_time(&lines, &view, "created_s", "created", 1e6);
    put_answers(&lines, &view);
    put_metadata(&lines, json_tree_root(view.metadata));
    model_view_close(&view);
    return true;
}

static bool print_json(const char *path)
{
    eddy_error err = {0};
    struct progress silent = {0};
    char small[1];
    int length = eddy_model_check(path, small, sizeof small, &err);
    char *text = length < 0 ? NULL : malloc((size_t)length + 1);
    if (text != NULL)
        length = eddy_model_check(path, text, (size_t)length + 1, &err);
    if (length < 0)
        complain(&silent, "%s", err.message);
    else if (text == NULL)
        complain(&silent, "out of memory");
    else
        (void)puts(text);
    bool good = length >= 0 && text != NULL;
    free(text);
    return good;
}

int cmd_model_info(int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"table", no_argument, NULL, 't'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    bool table = isatty(STDOUT_FILENO) == 1, good = true;
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == '?')
            return usage_option("model info", argv);
        table = option == 't';
    }
    if (optind == argc)
        return usage_error("model info", "no file given");
    for (int i = optind; i < argc; i++) {
        if (table && i > optind)
            (void)putchar('\n');
        good = (table ? print_table(argv[i]) : print_json(argv[i])) && good;
    }
    int written = finish_output();
    return good ? written : EXIT_FAULT;
}
