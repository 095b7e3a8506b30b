/* SPDX-License-Identifier: MIT */
/* cmd_options.c - eddy options: every setting, from the declarations of the parts. */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "eddy.h"
#include "host_options.h"

static const char help[] =
    "Usage: eddy options [--conf | --man] [SECTION]\n"
    "Every setting with its initial value, what may be written, and what it means.\n\n"
    "      --conf                as an eddy.conf with everything commented out\n"
    "      --man                 as a part of a man page (mdoc)\n"
    "  -h, --help                this\n";

struct options {
    const char *wanted; /* a section, or NULL for all */
    bool conf, man;
    char section[64]; /* of the setting before */
    int shown;
};

/* The value's lines, each with `before` in front: a list may have several entries. */
static void print_entries(const char *before, const char *value)
{
    do {
        size_t length = strcspn(value, "\n");
        printf("%s%.*s\n", before, (int)length, value);
        value += length;
    } while (*value++ == '\n');
}

/* ---- mdoc(7) ---- */

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

/* The beginning of the text, such that it is no request, macro or escape. Returns the rest. */
static const char *put_roff(const char *text)
{
    if (text[0] == '.' && text[1] == ' ' && is_upper(text[2])) {
        (void)fputs(".\n\\&", stdout); /* a sentence begins a line, for the space before it */
        return text + 2;
    }
    if (text[0] == '(' && text[1] == ')')
        (void)fputs("\\&(", stdout); /* else mandoc takes it for a function */
    else if (*text == '\\')
        (void)fputs("\\e", stdout);
    else if (*text == '"')
        (void)fputs("\\(dq", stdout);
    else if (*text == '-')
        (void)fputs("\\-", stdout);
    else if (*text == '\n') /* between the entries of a list */
        (void)fputs(", ", stdout);
    else
        (void)putchar(*text);
    return text + 1;
}

static void print_roff(const char *text)
{
    (void)fputs("\\&", stdout);
    while (*text != '\0')
        text = put_roff(text);
}

static void man_section(struct options *o, const eddy_option *option, const char *section)
{
    printf("%s.Ss [%s]\\&\n", o->shown > 0 ? ".El\n" : "", section);
    print_roff(option->section);
    (void)fputs("\n.Bl -tag -width Ds\n", stdout);
    (void)snprintf(o->section, sizeof o->section, "%s", section);
}

static void man_setting(const eddy_option *option)
{
    printf(".It Cm %s No = ", option->key);
    if (option->initial[0] == '\0') {
        (void)fputs("Pq nothing", stdout);
    } else {
        (void)fputs("Ar \"", stdout);
        print_roff(option->initial);
        (void)putchar('"');
    }
    (void)putchar('\n');
    print_roff(option->help);
    (void)fputs("\n.Pq ", stdout);
    (void)putchar('"');
    print_roff(option->range);
    (void)fputs("\"\n", stdout);
}

/* ---- for the terminal, and as eddy.conf ---- */

static void print_section(struct options *o, const eddy_option *option, const char *section)
{
    if (o->shown > 0)
        (void)putchar('\n');
    if (o->conf)
        printf("# %s\n[%s]\n", option->section, section);
    else
        printf("[%s] %s\n", section, option->section);
    (void)snprintf(o->section, sizeof o->section, "%s", section);
}

static void print_setting(const struct options *o, const eddy_option *option, const char *name)
{
    char before[96];
    if (o->conf) {
        printf("# %s (%s)\n", option->help, option->range);
        (void)snprintf(before, sizeof before, "#%s = ", name);
    } else {
        (void)snprintf(before, sizeof before, "  %s = ", option->key);
    }
    print_entries(before, option->initial);
    if (!o->conf)
        printf("      %s (%s)\n", option->help, option->range);
}

static int print_option(const eddy_option *option, void *user)
{
    struct options *o = user;
    char section[64];
    size_t length = strcspn(option->key, ".");
    (void)snprintf(section, sizeof section, "%.*s", (int)length, option->key);
    if (o->wanted != NULL && strcmp(o->wanted, section) != 0)
        return 0;
    bool begins = strcmp(o->section, section) != 0;
    if (begins)
        (o->man ? man_section : print_section)(o, option, section);
    if (o->man)
        man_setting(option);
    else
        print_setting(o, option, option->key + length + 1);
    o->shown++;
    return 0;
}

static int print_all(struct options *o)
{
    eddy_config *config = eddy_config_new();
    if (config == NULL || host_options_declare(config, NULL) != EDDY_OK) {
        (void)fputs("eddy: out of memory\n", stderr);
        eddy_config_free(config);
        return EXIT_FAULT;
    }
    (void)eddy_config_options(config, print_option, o);
    eddy_config_free(config);
    if (o->shown == 0)
        return usage_error("options", "no such section: %s", o->wanted);
    if (o->man)
        (void)fputs(".El\n", stdout);
    return finish_output();
}

int cmd_options(int argc, char **argv)
{
    static const struct option options[] = {{"conf", no_argument, NULL, 'c'},
                                            {"man", no_argument, NULL, 'm'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    struct options o = {0};
    int option;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option != 'c' && option != 'm')
            return usage_option("options", argv);
        *(option == 'c' ? &o.conf : &o.man) = true;
    }
    if (argc - optind > 1)
        return usage_error("options", "takes one section");
    o.wanted = argv[optind]; /* NULL if there is none */
    return print_all(&o);
}
