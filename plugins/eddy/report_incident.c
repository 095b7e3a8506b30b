/* SPDX-License-Identifier: MIT */
/* report_incident.c - the section of one incident: sentence, plots, reasons, what to do. */
#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "report.h"
#include "report_html.h"
#include "report_plot.h"
#include "suppress.h"
#include "table.h"
#include "when.h"

/* Three small bars, as many of them filled as it is grave: not told by colour alone. */
void report_severity(FILE *to, int severity)
{
    html(to, "<span class=\"sev s%d\"><svg viewBox=\"0 0 14 12\" aria-hidden=\"true\">", severity);
    for (int i = 1; i <= 3; i++)
        html(to, "<rect class=\"%s\" x=\"%d.5\" y=\"%d.5\" width=\"3\" height=\"%d\"/>",
             i <= severity ? "on" : "off", 5 * (i - 1), 11 - 3 * i - 1, 3 * i);
    html(to, "</svg>%s</span>", severity_name(severity));
}

void report_peer(FILE *to, const struct stored *stored)
{
    char cell[CELL_SIZE];
    put_peer(stored->peer, stored->incident.peer_port, stored->incident.proto, cell);
    html_text(to, stored->peer[0] != '\0' ? cell : "–", 0);
}

/* ---- the technique ---- */

static const char *technique_name(const char *technique)
{
    /* https://attack.mitre.org/techniques/enterprise/ */
    static const char *const names[][2] = {
        {"T1018", "Remote System Discovery"},
        {"T1021", "Remote Services"},
        {"T1030", "Data Transfer Size Limits"},
        {"T1041", "Exfiltration Over C2 Channel"},
        {"T1046", "Network Service Discovery"},
        {"T1048", "Exfiltration Over Alternative Protocol"},
        {"T1071", "Application Layer Protocol"},
        {"T1071.004", "Application Layer Protocol: DNS"},
        {"T1110", "Brute Force"},
        {"T1498", "Network Denial of Service"},
        {"T1499", "Endpoint Denial of Service"},
        {"T1567", "Exfiltration Over Web Service"},
        {"T1571", "Non-Standard Port"},
        {"T1572", "Protocol Tunneling"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i][0], technique) == 0)
            return names[i][1];
    return NULL;
}

/* "T1071" or "T1071.004": only then it becomes part of an address. */
static bool is_technique(const char *text)
{
    static const char form[] = "T0000.000";
    size_t length = strlen(text);
    if (length != 5 && length != 9)
        return false;
    for (size_t i = 0; i < length; i++)
        if (form[i] == '0' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    return true;
}

static void put_technique(FILE *to, const char *technique)
{
    const char *name = technique_name(technique);
    if (technique[0] == '\0')
        return;
    html(to, "<dt>Technique</dt><dd>");
    if (is_technique(technique))
        html(to,
             "<a rel=\"noreferrer\" href=\"https://attack.mitre.org/techniques/%.5s%s%s/\">%s</a>",
             technique, technique[5] == '.' ? "/" : "", technique[5] == '.' ? technique + 6 : "",
             technique);
    else
        html_text(to, technique, 20);
    html(to, "%s%s</dd>", name != NULL ? " " : "", name != NULL ? name : "");
}

/* ---- the column beside ---- */

static void put_place(FILE *to, uint32_t asn, const char *country)
{
    if (asn != 0)
        html(to, " <small>AS%" PRIu32 "</small>", asn);
    if (country[0] != '\0') {
        html(to, " <small>");
        html_text(to, country, 8);
        html(to, "</small>");
    }
}

static void put_facts(FILE *to, const struct stored *stored)
{
    static const char *const states[] = {"new", "growing", "closed", "quiet"}; /* as in eddy.h */
    const eddy_incident *i = &stored->incident;
    char span[WHEN_SIZE];
    html(to, "<dl class=\"facts\"><dt>Host</dt><dd><b>%s</b>", stored->host);
    put_place(to, i->host_asn, i->host_country);
    if (stored->peer[0] != '\0') {
        html(to, "</dd><dt>Peer</dt><dd>");
        report_peer(to, stored);
        put_place(to, i->peer_asn, i->peer_country);
    }
    html(to, "</dd><dt>From</dt><dd>");
    html_time(to, i->start_us);
    html(to, "</dd><dt>Lasts</dt><dd>%s, %s</dd><dt>Flows</dt><dd>",
         when_span(i->end_us - i->start_us, span), states[i->state]);
    html_count(to, i->flows);
    html(to, "</dd><dt><i>p</i></dt><dd>%.2g</dd>", i->p);
    put_technique(to, i->technique);
    html(to, "<dt>Id</dt><dd><code>");
    html_text(to, i->id, 40);
    html(to, "</code></dd></dl>\n");
}

/* ---- reasons ---- */

static void put_share(FILE *to, double share)
{
    double part = fmin(fabs(share), 1) * 48;
    html(to,
         "<td class=\"num\"><svg class=\"share\" viewBox=\"0 0 50 8\" aria-hidden=\"true\"><rect "
         "class=\"rail\" x=\"1\" y=\"3\" width=\"48\" height=\"2\"/><rect class=\"%s\" x=\"1\" "
         "y=\"1\" width=\"%.1f\" height=\"6\"/></svg><span>%.0f&nbsp;%%</span></td></tr>\n",
         share < 0 ? "off" : "on", part, 100 * share + 0.0);
}

static void put_reason(FILE *to, const eddy_reason *r)
{
    html(to, "<tr%s><th scope=\"row\">", r->share < 0 ? " class=\"against\"" : "");
    html_text(to, r->text[0] != '\0' ? r->text : r->feature, 200);
    html(to, "<br><code>");
    html_text(to, r->feature, 60);
    html(to, "</code>%s</th><td class=\"num\">", r->share < 0 ? " speaks against it" : "");
    void (*put)(FILE * to, double number) =
        strstr(r->feature, "bytes") != NULL ? html_bytes : html_number;
    put(to, r->value);
    html(to, "</td><td class=\"num\">");
    put(to, r->usual);
    html(to, "</td>");
    put_share(to, r->share);
}

static void put_reasons(FILE *to, const eddy_incident *i)
{
    if (i->reason_count == 0)
        return;
    html(to, "<div class=\"scroll\"><table class=\"reasons\"><thead><tr><th scope=\"col\">Why</th>"
             "<th scope=\"col\" class=\"num\">Actual</th><th scope=\"col\" class=\"num\">Usual</th>"
             "<th scope=\"col\" class=\"num\">Share of evidence</th></tr></thead><tbody>\n");
    for (int against = 0; against < 2; against++)
        for (size_t n = 0; n < i->reason_count; n++)
            if ((i->reasons[n].share < 0) == against)
                put_reason(to, &i->reasons[n]);
    html(to, "</tbody></table></div>\n");
}

static void put_names(FILE *to, const eddy_incident *i)
{
    if (i->name_count == 0)
        return;
    html(to, "<p class=\"names\">Seen beside the flows:");
    for (size_t n = 0; n < i->name_count; n++) {
        html(to, "%s ", n > 0 ? "," : "");
        html_text(to, i->names[n].kind, 20);
        html(to, " <code>");
        html_text(to, i->names[n].value, 100);
        html(to, "</code>");
    }
    html(to, "</p>\n");
}

static void put_flows(FILE *to, const eddy_incident *i)
{
    if (i->flow_id_count == 0)
        return;
    html(to, "<details><summary>Some of its flows, by the sensor’s ids</summary><p>");
    for (size_t n = 0; n < i->flow_id_count; n++) {
        html(to, "%s<code>", n > 0 ? " " : "");
        html_text(to, i->flow_ids[n], 64);
        html(to, "</code>");
    }
    html(to, "</p></details>\n");
}

/* By words, for an incident of a log that was scored for the page is in no history. Only what a
 * shell takes as it is. */
static void put_next(FILE *to, const struct stored *stored)
{
    char words[512];
    suppress_words(stored, words, sizeof words);
    if (strspn(words, "0123456789abcdefghijklmnopqrstuvwxyz_.:= ") != strlen(words))
        return;
    html(to,
         "<p class=\"next\">To silence %s: <code>eddy suppress add %s --expires 30d --owner YOU "
         "--why 'WHAT IT IS'</code></p>\n",
         suppress_is_pair(stored) ? "exactly this" : "all that its detector finds about this host",
         words);
}

void report_incident(FILE *to, const struct report *r, const struct stored *stored, size_t number)
{
    const eddy_incident *i = &stored->incident;
    html(to, "<article id=\"i%zu\"><header>", number);
    report_severity(to, i->severity);
    html(to, "<h3>");
    html_text(to, i->detector, 40);
    html(to, " <span>%s</span></h3>", stored->host);
    report_mark(to, r, stored);
    html(to, "</header>\n");
    put_facts(to, stored);
    html(to, "<div class=\"body\"><p class=\"lead\">");
    html_text(to, i->summary, 1000);
    html(to, "</p>\n");
    if (i->evidence != NULL)
        (void)plot_evidence(to, i->evidence, number);
    (void)plot_activity(to, i, number);
    put_reasons(to, i);
    put_names(to, i);
    put_flows(to, i);
    put_next(to, stored);
    html(to, "</div></article>\n");
}
