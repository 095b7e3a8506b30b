/* SPDX-License-Identifier: MIT */
/* report_table.c - incidents a line each, and how those held back are released. */
#include <ctype.h>
#include <string.h>

#include "report.h"
#include "report_html.h"
#include "when.h"

void report_mark(FILE *to, const struct report *r, const struct stored *stored)
{
    char text[512];
    const struct note *mark = r->marks != NULL ? notes_find(r->marks, stored->incident.id) : NULL;
    if (mark == NULL)
        return;
    notes_mark_text(mark, text, sizeof text);
    html(to, "<span class=\"mark\">marked ");
    html_text(to, text, 300);
    html(to, "</span>");
}

/* Is it one word of a shell, that begins no option? */
static bool is_word(const char *text)
{
    if (!isalnum((unsigned char)text[0]))
        return false;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && strchr("_.:-", *text) == NULL)
            return false;
    return true;
}

/* Whose the rule is, why and until when, if its file is known; and the word that takes it out. */
static void put_rule(FILE *to, const struct report *r, const char *id)
{
    char until[WHEN_SIZE];
    const struct note *rule = r->rules != NULL ? notes_find(r->rules, id) : NULL;
    html(to, "</td><td><code>");
    html_text(to, id, 40);
    html(to, "</code>");
    if (rule != NULL) {
        html(to, "<br><small>");
        html_text(to, rule->who, 60);
        html(to, "%s", rule->who[0] != '\0' && rule->why[0] != '\0' ? ": " : "");
        html_text(to, rule->why, 200);
        html(to, "%s%s</small>", rule->when_us == INT64_MAX ? "; never expires" : "; expires ",
             rule->when_us == INT64_MAX ? "" : when_text(rule->when_us, until));
    }
    if (is_word(id))
        html(to, "<br><code>eddy suppress remove %s</code>", id);
}

static void put_line(FILE *to, const struct report *r, const struct stored *stored,
                     enum report_kind kind)
{
    const eddy_incident *i = &stored->incident;
    html(to, "<tr><td>");
    report_severity(to, i->severity);
    html(to, "</td><td class=\"nowrap\">");
    html_time(to, i->start_us);
    html(to, "</td><td>");
    html_text(to, i->detector, 40);
    html(to, "</td><td class=\"num\">%.2g</td><td>", i->p);
    html_text(to, i->summary, 300);
    html(to, " ");
    report_mark(to, r, stored);
    html(to, "</td><td><code>");
    html_text(to, i->id, 16);
    html(to, "</code>");
    if (kind == REPORT_SUPPRESSED)
        put_rule(to, r, i->suppressed_by);
    html(to, "</td></tr>\n");
}

void report_table(FILE *to, const struct report *r, const struct stored *const *lines, size_t count,
                  enum report_kind kind)
{
    html(to,
         "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Severity</th><th "
         "scope=\"col\">Start (UTC)</th><th scope=\"col\">Detector</th><th scope=\"col\" "
         "class=\"num\"><i>p</i></th><th scope=\"col\">What</th><th scope=\"col\">Id</th>%s"
         "</tr></thead><tbody>\n",
         kind == REPORT_SUPPRESSED ? "<th scope=\"col\">Rule</th>" : "");
    for (size_t i = 0; i < count && i < REPORT_ROWS; i++)
        put_line(to, r, lines[i], kind);
    html(to, "</tbody></table></div>\n");
    if (count > REPORT_ROWS)
        html(to, "<p class=\"soft\">%zu more are not shown.</p>\n", count - REPORT_ROWS);
}
