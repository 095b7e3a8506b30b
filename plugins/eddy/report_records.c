/* SPDX-License-Identifier: MIT */
/* report_records.c - what the report was made from: records, settings, files. */
#include "report.h"
#include "report_html.h"

static void put_row(FILE *to, const char *name, const char *help, uint64_t count)
{
    html(to, "<tr><th scope=\"row\">");
    html_text(to, name, 60);
    html(to, "</th><td class=\"soft\">");
    html_text(to, help, 200);
    html(to, "</td><td class=\"num\">");
    html_count(to, count);
    html(to, "</td></tr>\n");
}

static void put_reasons(FILE *to, const struct run *run, bool rejected)
{
    for (size_t i = 0; i < run->reason_count; i++)
        if (run->reasons[i].rejected == rejected && run->reasons[i].count > 0)
            put_row(to, run->reasons[i].name, run->reasons[i].help, run->reasons[i].count);
}

static void put_counts(FILE *to, const struct run *run)
{
    html(to, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Records</th><th "
             "scope=\"col\"></th><th scope=\"col\" class=\"num\">Count</th></tr></thead><tbody>\n");
    put_row(to, "read", "", run->counts.read);
    put_row(to, "scored", "flows that were judged", run->counts.scored);
    put_row(to, "skipped", "of a kind that is not judged, by reason:", run->counts.skipped);
    put_reasons(to, run, false);
    put_row(to, "rejected", "could not be read or can't be true, by reason:", run->counts.rejected);
    put_reasons(to, run, true);
    put_row(to, "dropped", "there was no room for", run->counts.dropped);
    html(to, "</tbody></table></div>\n");
}

static void put_lines(FILE *to, const struct store *store)
{
    if (store->lines == 0)
        return;
    html(to, "<p>");
    html_count(to, store->lines);
    html(to, " lines of recorded incidents were read: ");
    html_count(to, store->others);
    html(to, " of other events, ");
    html_count(to, store->bad);
    html(to, " that could not be read.</p>\n");
}

static void put_settings(FILE *to, const struct report *r)
{
    if (r->run == NULL)
        return; /* what was in force when they were recorded is not known */
    if (r->setting_count == 0) {
        html(to, "<p>All settings had their initial values.</p>\n");
        return;
    }
    html(to, "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">Setting</th><th "
             "scope=\"col\">Value</th><th scope=\"col\">Initially</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < r->setting_count; i++) {
        html(to, "<tr><th scope=\"row\"><code>");
        html_text(to, r->settings[i].key, 80);
        html(to, "</code></th><td>");
        html_text(to, r->settings[i].value, 200);
        html(to, "</td><td class=\"soft\">");
        html_text(to, r->settings[i].initial[0] != '\0' ? r->settings[i].initial : "–", 200);
        html(to, "</td></tr>\n");
    }
    html(to, "</tbody></table></div>\n");
}

void report_records(FILE *to, const struct report *r)
{
    html(to, "<section><h2>Records and settings</h2>\n");
    if (r->run != NULL)
        put_counts(to, r->run);
    put_lines(to, r->store);
    put_settings(to, r);
    html(to, "<p class=\"soft\">Made from");
    for (size_t i = 0; i < r->file_count; i++) {
        html(to, "%s <code>", i > 0 ? "," : "");
        html_text(to, r->files[i], 200);
        html(to, "</code>");
    }
    html(to, ".</p></section>\n");
}
