/* SPDX-License-Identifier: MIT */
/* promtext.c - metrics in the Prometheus text format 0.0.4.
 *
 * https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format */
#include "promtext.h"

#include <stdbool.h>
#include <string.h>

struct promtext promtext_over(struct text *text)
{
    return (struct promtext){.text = text};
}

/* HELP escapes a backslash and a newline; label values a double quote as well. What is not UTF-8
 * would make Prometheus refuse the whole text. */
static void add_escaped(struct text *text, const char *string, bool is_label)
{
    size_t length = strlen(string);
    for (size_t i = 0; i < length;) {
        size_t n = text_utf8(string + i, length - i);
        if (n == 0) {
            text_add(text, "\xEF\xBF\xBD"); /* U+FFFD */
            n = 1;
        } else if (string[i] == '\n') {
            text_add(text, "\\n");
        } else {
            if (string[i] == '\\' || (is_label && string[i] == '"'))
                text_char(text, '\\');
            text_bytes(text, string + i, n);
        }
        i += n;
    }
}

void promtext_label(struct text *labels, const char *name, const char *value)
{
    if (labels->length > 0)
        text_char(labels, ',');
    text_add(labels, name);
    text_add(labels, "=\"");
    add_escaped(labels, value, true);
    text_char(labels, '"');
}

static void add_head(struct promtext *promtext, const eddy_metric *metric)
{
    struct text *text = promtext->text;
    text_add(text, "# HELP ");
    text_add(text, metric->name);
    text_char(text, ' ');
    add_escaped(text, metric->help, false);
    text_add(text, "\n# TYPE ");
    text_add(text, metric->name);
    text_add(text, metric->kind == EDDY_COUNTER ? " counter\n" : " gauge\n");
    struct text name = text_over(promtext->name, sizeof promtext->name);
    text_add(&name, metric->name);
}

int promtext_metric(const eddy_metric *metric, void *user)
{
    struct promtext *promtext = user;
    struct text *text = promtext->text;
    if (strcmp(promtext->name, metric->name) != 0)
        add_head(promtext, metric);
    text_add(text, metric->name);
    if (metric->labels[0] != '\0') {
        text_char(text, '{');
        text_add(text, metric->labels);
        text_char(text, '}');
    }
    text_char(text, ' ');
    text_number(text, metric->value);
    text_char(text, '\n');
    return 0;
}
