/* SPDX-License-Identifier: MIT */
/* report.c - incidents as one page of HTML: its parts in their order. */
#include "report.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "progress.h"
#include "report_html.h"
#include "report_style.h"
#include "report_timeline.h"
#include "table.h"
#include "when.h"

#define TOP_HOSTS 10
#define TOP_FILES 5

/* ---- the head ---- */

struct span {
    int64_t start_us, end_us;
};

static struct span span_of(const struct report *r)
{
    struct span span = {INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < r->store->count; i++) {
        const eddy_incident *incident = &r->store->incidents[i].incident;
        span.start_us = incident->start_us < span.start_us ? incident->start_us : span.start_us;
        span.end_us = incident->end_us > span.end_us ? incident->end_us : span.end_us;
    }
    return span;
}

static size_t count_severity(const struct report *r, int severity)
{
    size_t count = 0;
    for (size_t i = 0; i < r->sent_count; i++)
        count += r->sent[i]->incident.severity == severity;
    return count;
}

static void put_head(FILE *to)
{
    html(to, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
             "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
             "<meta name=\"color-scheme\" content=\"light dark\">\n"
             "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
             "style-src 'unsafe-inline'\">\n"
             "<meta name=\"referrer\" content=\"no-referrer\">\n"
             "<title>eddy report</title>\n<style>\n");
    for (size_t i = 0; i < sizeof report_style / sizeof *report_style; i++)
        (void)fputs(report_style[i], to);
    html(to, "</style>\n</head>\n<body>\n");
}

static const char *plural(size_t count, const char *one, const char *more)
{
    return count == 1 ? one : more;
}

static void put_counted(FILE *to, uint64_t count, const char *one, const char *more)
{
    html_count(to, count);
    html(to, " %s", plural(count, one, more));
}

/* By their last names; all of each is at the end of the page. */
static void put_files(FILE *to, const struct report *r)
{
    for (size_t i = 0; i < r->file_count && i < TOP_FILES; i++) {
        const char *slash = strrchr(r->files[i], '/');
        bool input = strcmp(r->files[i], "-") == 0;
        html(to, "%s", i > 0 ? ", " : "");
        html_text(to, input ? "standard input" : slash != NULL ? slash + 1 : r->files[i], 80);
    }
    if (r->file_count > TOP_FILES)
        html(to, " and %zu more", r->file_count - TOP_FILES);
}

/* "Two hosts ..." in a sentence or two: what one would say on the telephone. */
static void put_abstract(FILE *to, const struct report *r, size_t hosts)
{
    struct span span = span_of(r);
    char lasts[WHEN_SIZE];
    html(to, "<p class=\"abstract\">");
    if (r->run != NULL) {
        put_counted(to, r->run->counts.scored, "flow", "flows");
        html(to, " of ");
        put_counted(to, r->run->hosts, "host", "hosts");
        html(to, " were scored. ");
    }
    if (r->sent_count == 0) {
        html(to, "No incident was reported");
    } else {
        put_counted(to, r->sent_count, "incident", "incidents");
        html(to, " about ");
        put_counted(to, hosts, "host", "hosts");
        html(to, " %s reported", plural(r->sent_count, "was", "were"));
    }
    if (r->withheld_count > 0)
        html(to, "; %zu withheld by the daily budget %s listed below", r->withheld_count,
             plural(r->withheld_count, "is", "are"));
    if (r->suppressed_count > 0)
        html(to, "; %zu suppressed by rules %s listed below", r->suppressed_count,
             plural(r->suppressed_count, "is", "are"));
    html(to, ".");
    if (r->store->count > 0) {
        html(to, " All evidence lies between ");
        html_time(to, span.start_us);
        html(to, " and ");
        html_time(to, span.end_us);
        html(to, " UTC, %s.", when_span(span.end_us - span.start_us, lasts));
    }
    html(to, "</p>\n");
}

static void put_figure(FILE *to, const char *name, uint64_t count, const char *note)
{
    html(to, "<div><dt>%s</dt><dd>", name);
    html_count(to, count);
    html(to, "<small>%s</small></dd></div>\n", note);
}

static void put_figures(FILE *to, const struct report *r, size_t hosts)
{
    char note[96];
    html(to, "<dl class=\"figures\">\n");
    (void)snprintf(note, sizeof note, "%zu high, %zu medium, %zu low", count_severity(r, EDDY_HIGH),
                   count_severity(r, EDDY_MEDIUM), count_severity(r, EDDY_LOW));
    put_figure(to, "Incidents", r->sent_count, note);
    put_figure(to, "Hosts", hosts, "that they are about");
    if (r->withheld_count > 0)
        put_figure(to, "Withheld", r->withheld_count, "over the daily budget");
    if (r->suppressed_count > 0)
        put_figure(to, "Suppressed", r->suppressed_count, "covered by a rule");
    if (r->run != NULL)
        put_figure(to, "Flows scored", r->run->counts.scored, "");
    html(to, "</dl>\n");
}

/* ---- hosts ---- */

struct host {
    const struct stored *gravest; /* its most unusual incident */
    size_t incidents;
    uint64_t flows;
    int severity;
};

static int by_address(const void *a, const void *b)
{
    const struct stored *const *x = a, *const *y = b;
    return strcmp((*x)->host, (*y)->host);
}

static int by_gravity(const void *a, const void *b)
{
    const struct host *x = a, *y = b;
    if (x->severity != y->severity)
        return y->severity - x->severity;
    if (x->incidents != y->incidents)
        return x->incidents > y->incidents ? -1 : 1;
    if (x->gravest->incident.p != y->gravest->incident.p)
        return x->gravest->incident.p < y->gravest->incident.p ? -1 : 1;
    return strcmp(x->gravest->host, y->gravest->host);
}

/* Given: an array of hosts, the gravest first. NULL when out of memory. */
static struct host *hosts_of(const struct report *r, size_t *out_count)
{
    struct host *hosts = calloc(r->sent_count + 1, sizeof *hosts);
    const struct stored **sorted = calloc(r->sent_count + 1, sizeof *sorted);
    size_t count = 0;
    if (hosts == NULL || sorted == NULL) {
        free(hosts);
        free(sorted);
        return NULL;
    }
    for (size_t i = 0; i < r->sent_count; i++)
        sorted[i] = r->sent[i];
    qsort(sorted, r->sent_count, sizeof *sorted, by_address);
    for (size_t i = 0; i < r->sent_count; i++) {
        const eddy_incident *incident = &sorted[i]->incident;
        if (count == 0 || strcmp(hosts[count - 1].gravest->host, sorted[i]->host) != 0)
            hosts[count++] = (struct host){.gravest = sorted[i]};
        struct host *host = &hosts[count - 1];
        host->incidents++;
        host->flows += incident->flows;
        host->severity = incident->severity > host->severity ? incident->severity : host->severity;
        if (incident->p < host->gravest->incident.p)
            host->gravest = sorted[i];
    }
    free(sorted);
    qsort(hosts, count, sizeof *hosts, by_gravity);
    *out_count = count;
    return hosts;
}

static void put_hosts(FILE *to, const struct host *hosts, size_t count)
{
    if (count == 0)
        return;
    html(to, "<section><h2>Hosts</h2>\n<div class=\"scroll\"><table class=\"hosts\"><thead><tr><th "
             "scope=\"col\">"
             "Host</th><th scope=\"col\">Gravest</th><th scope=\"col\" class=\"num\">Incidents</th>"
             "<th scope=\"col\" class=\"num\">Flows</th><th scope=\"col\">Most unusual</th></tr>"
             "</thead><tbody>\n");
    for (size_t i = 0; i < count && i < TOP_HOSTS; i++) {
        html(to, "<tr><th scope=\"row\" class=\"nowrap\"><b>%s</b></th><td>",
             hosts[i].gravest->host);
        report_severity(to, hosts[i].severity);
        html(to, "</td><td class=\"num\">%zu</td><td class=\"num\">", hosts[i].incidents);
        html_count(to, hosts[i].flows);
        html(to, "</td><td>");
        html_text(to, hosts[i].gravest->incident.summary, 240);
        html(to, "</td></tr>\n");
    }
    html(to, "</tbody></table></div>\n");
    if (count > TOP_HOSTS)
        html(to, "<p class=\"soft\">The first %d of %zu.</p>\n", TOP_HOSTS, count);
    html(to, "</section>\n");
}

/* ---- incidents ---- */

static void put_incidents(FILE *to, const struct report *r)
{
    if (r->sent_count == 0)
        return;
    html(to, "<section><h2>Incidents, the most unusual first</h2>\n");
    for (size_t i = 0; i < r->sent_count && i < REPORT_SECTIONS; i++)
        report_incident(to, r, r->sent[i], i);
    if (r->sent_count > REPORT_SECTIONS) {
        html(to, "<h3>%zu more</h3>\n", r->sent_count - REPORT_SECTIONS);
        report_table(to, r, r->sent + REPORT_SECTIONS, r->sent_count - REPORT_SECTIONS,
                     REPORT_SENT);
    }
    html(to, "</section>\n");
}

static void put_held(FILE *to, const struct report *r)
{
    if (r->withheld_count + r->suppressed_count == 0)
        return;
    html(to, "<section><h2>Held back</h2>\n");
    if (r->withheld_count > 0) {
        html(to, "<details class=\"held\"><summary>%zu withheld: over the daily budget</summary>\n",
             r->withheld_count);
        report_table(to, r, r->withheld, r->withheld_count, REPORT_WITHHELD);
        html(to, "<p class=\"soft\">To be told of more each day, raise "
                 "<code>decide.max_incidents_per_day</code>.</p></details>\n");
    }
    if (r->suppressed_count > 0) {
        html(to, "<details class=\"held\"><summary>%zu suppressed: covered by a rule</summary>\n",
             r->suppressed_count);
        report_table(to, r, r->suppressed, r->suppressed_count, REPORT_SUPPRESSED);
        html(to, "</details>\n");
    }
    html(to, "</section>\n");
}

/* ---- the timeline: those sent, then those held back, as far as there is room ---- */

static bool put_timeline(FILE *to, const struct report *r)
{
    const struct stored **all = calloc(r->store->count + 1, sizeof *all);
    size_t count = 0, linked = r->sent_count < REPORT_SECTIONS ? r->sent_count : REPORT_SECTIONS;
    if (all == NULL)
        return false;
    for (size_t i = 0; i < r->sent_count; i++)
        all[count++] = r->sent[i];
    for (size_t i = 0; i < r->withheld_count; i++)
        all[count++] = r->withheld[i];
    for (size_t i = 0; i < r->suppressed_count; i++)
        all[count++] = r->suppressed[i];
    bool done = true;
    if (count > 0) {
        html(to, "<section><h2>Timeline</h2>\n");
        done = plot_timeline(to, all, count, linked);
        html(to, "<p class=\"swipe\">Swipe sideways to see all of a wide plot or table.</p>");
        html(to, "<p class=\"soft\">Times are UTC. The taller a bar, the graver; dashed ones were "
                 "held back.");
        if (count > TIMELINE_MAX)
            html(to, " The first %d of %zu are drawn.", TIMELINE_MAX, count);
        html(to, "</p></section>\n");
    }
    free(all);
    return done;
}

bool report_write(FILE *to, const struct report *r)
{
    size_t host_count = 0;
    struct host *hosts = hosts_of(r, &host_count);
    if (hosts == NULL)
        return false;
    put_head(to);
    html(to, "<header><p class=\"kicker\">eddy %s, of ", eddy_version());
    put_files(to, r);
    html(to, "</p>\n<h1>What was unusual on the network</h1>\n");
    put_abstract(to, r, host_count);
    put_figures(to, r, host_count);
    html(to, "</header>\n<main>\n");
    bool done = put_timeline(to, r);
    put_hosts(to, hosts, host_count);
    put_incidents(to, r);
    put_held(to, r);
    report_records(to, r);
    html(to, "</main>\n<footer>eddy %s", eddy_version());
    if (r->made_us != 0) {
        html(to, ", ");
        html_time(to, r->made_us);
        html(to, " UTC");
    }
    html(
        to,
        ". <i>p</i> is how often something this unusual would be seen by chance, corrected for how "
        "much was looked at. This page needs no network.</footer>\n</body>\n</html>\n");
    free(hosts);
    return done;
}
