/* SPDX-License-Identifier: MIT */
/* show.c - one incident with all its evidence, for a person at a terminal. */
#include "show.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "found.h"
#include "progress.h"
#include "suppress.h"
#include "when.h"

#define LABEL "%-11s"

void state_text(const eddy_incident *incident, int64_t now_us, char buf[32])
{
    static const char *const names[] = {"new", "growing", "closed", "quiet"}; /* as in eddy.h */
    char age[WHEN_SIZE];
    int64_t quiet_us = now_us - incident->end_us;
    if (incident->state == EDDY_INCIDENT_CLOSED || quiet_us < 0)
        (void)snprintf(buf, 32, "%s", names[incident->state]);
    else
        (void)snprintf(buf, 32, "%s %.20s", names[incident->state], when_span(quiet_us, age));
}

static void put_text(const char *text)
{
    print_safely(text, strlen(text));
}

static void put_label(const char *label)
{
    printf(LABEL, label);
}

static void print_place(const char *label, const char *address, uint32_t asn, const char *country)
{
    put_label(label);
    put_text(address);
    if (asn != 0)
        printf("  AS%" PRIu32, asn);
    if (country[0] != '\0') {
        (void)fputs("  ", stdout);
        put_text(country);
    }
    (void)putchar('\n');
}

static void print_parties(const struct stored *stored)
{
    const eddy_incident *i = &stored->incident;
    char cell[CELL_SIZE];
    print_place("host", stored->host, i->host_asn, i->host_country);
    if (stored->peer[0] == '\0')
        return;
    put_peer(stored->peer, i->peer_port, i->proto, cell);
    print_place("peer", cell, i->peer_asn, i->peer_country);
}

static void print_course(const eddy_incident *i, int64_t now_us)
{
    char state[32], from[WHEN_SIZE], to[WHEN_SIZE], lasts[WHEN_SIZE], count[32];
    state_text(i, now_us, state);
    put_label("state");
    printf("%s", state);
    if (i->state != EDDY_INCIDENT_CLOSED && now_us > i->end_us)
        (void)fputs(" ago; nothing was told of it since", stdout);
    if (found_suppressed(i)) {
        (void)fputs("; suppressed by ", stdout);
        put_text(i->suppressed_by);
    } else if (i->withheld) {
        (void)fputs("; withheld by the budget", stdout);
    }
    (void)putchar('\n');
    put_label("time");
    printf("%s to %s UTC, for %s\n", when_text(i->start_us, from), when_text(i->end_us, to),
           when_span(i->end_us - i->start_us, lasts));
    put_label("flows");
    printf("%s\n", with_commas(i->flows, count));
    put_label("p");
    printf("%.2g\n", i->p);
    if (i->technique[0] == '\0')
        return;
    put_label("technique");
    put_text(i->technique);
    (void)fputs(" (MITRE ATT&CK)\n", stdout);
}

/* ---- why ---- */

static void put_number(double number, char cell[24])
{
    if (!isfinite(number))
        (void)snprintf(cell, 24, "-");
    else if (fabs(number) >= 1e5 && fabs(number) < 1e15)
        (void)snprintf(cell, 24, "%.0f", number);
    else
        (void)snprintf(cell, 24, "%.4g", number);
}

static void print_reasons(const eddy_incident *incident, bool against, size_t width)
{
    bool any = false;
    for (size_t i = 0; i < incident->reason_count; i++) {
        const eddy_reason *r = &incident->reasons[i];
        char value[24], usual[24];
        if ((r->share < 0) != against)
            continue;
        if (!any)
            printf("\n%-28s %14s %14s %7s\n", against ? "AGAINST IT" : "WHY", "ACTUAL", "USUAL",
                   "SHARE");
        any = true;
        put_number(r->value, value);
        put_number(r->usual, usual);
        size_t length = strlen(r->feature);
        print_safely(r->feature, length);
        printf("%*s %14s %14s %5.0f %%\n", length < 28 ? (int)(28 - length) : 0, "", value, usual,
               100 * r->share);
        print_wrapped(r->text, width);
    }
}

/* ---- activity ---- */

static bool terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < 3; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL;
    }
    return false;
}

static void print_activity(const eddy_incident *i)
{
    static const char *const blocks[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const ascii[] = {" ", ".", ":", "-", "=", "+", "*", "%", "#"};
    const char *const *bars = terminal_is_utf8() ? blocks : ascii;
    char step[WHEN_SIZE], from[WHEN_SIZE];
    uint32_t most = 0;
    for (size_t n = 0; n < i->activity_count; n++)
        most = i->activity[n] > most ? i->activity[n] : most;
    if (most == 0)
        return;
    put_label("\nactivity");
    (void)putchar('|');
    for (size_t n = 0; n < i->activity_count; n++)
        (void)fputs(bars[(UINT64_C(8) * i->activity[n] + most - 1) / most], stdout);
    printf("|\n" LABEL "flows in steps of %s from %s, at most %" PRIu32 "\n", "",
           when_span(i->activity_step_us, step), when_text(i->activity_start_us, from), most);
}

static void print_names(const eddy_incident *i)
{
    for (size_t n = 0; n < i->name_count; n++) {
        put_label(n == 0 ? "names" : "");
        put_text(i->names[n].kind);
        (void)putchar(' ');
        put_text(i->names[n].value);
        (void)putchar('\n');
    }
}

static void print_flow_ids(const eddy_incident *i)
{
    for (size_t n = 0; n < i->flow_id_count; n++) {
        if (n % 4 == 0)
            put_label(n == 0 ? "flow ids" : "\n           ");
        else
            (void)putchar(' ');
        put_text(i->flow_ids[n]);
    }
    if (i->flow_id_count > 0)
        (void)putchar('\n');
}

/* As one word of a shell. */
static void put_word(const char *text)
{
    static const char plain[] =
        "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-./:=+,@";
    if (text[0] != '\0' && strspn(text, plain) == strlen(text)) {
        (void)fputs(text, stdout);
        return;
    }
    (void)putchar('\'');
    for (;;) {
        size_t length = strcspn(text, "'");
        print_safely(text, length);
        text += length;
        if (*text == '\0')
            break;
        (void)fputs("'\\''", stdout);
        text++;
    }
    (void)putchar('\'');
}

static void put_source(const struct show_source *source)
{
    if (source->config != NULL) {
        (void)fputs(" -c ", stdout);
        put_word(source->config);
    }
    for (size_t i = 0; i < source->file_count; i++) {
        (void)fputs(" --in ", stdout);
        put_word(source->files[i]);
    }
    (void)putchar('\n');
}

static void print_next(const struct stored *stored, const struct show_source *source)
{
    const eddy_incident *i = &stored->incident;
    if (!found_suppressed(i)) {
        (void)fputs("\nTo silence this, and ", stdout);
        if (suppress_is_pair(stored)) {
            (void)fputs("only this,", stdout);
        } else {
            (void)fputs("all else that ", stdout);
            put_text(i->detector);
            printf(" finds about %s,", stored->host);
        }
        (void)fputs(" for 30 days:\n    eddy suppress add --from ", stdout);
        put_word(i->id);
        (void)fputs(" --expires 30d --owner YOU --why 'WHAT IT IS'", stdout);
        put_source(source);
    }
    (void)fputs("\nTo say what it was:\n    eddy mark ", stdout);
    put_word(i->id);
    (void)fputs(" benign|malicious", stdout);
    put_source(source);
}

static void print_mark(const struct note *mark)
{
    char text[512];
    if (mark == NULL)
        return;
    notes_mark_text(mark, text, sizeof text);
    put_label("marked");
    put_text(text);
    (void)putchar('\n');
}

void show_print(const struct stored *stored, const struct show_source *source,
                const struct note *mark, int64_t now_us, struct table_look look)
{
    const eddy_incident *i = &stored->incident;
    printf("%s %s incident ", severity_name(i->severity), "severity");
    put_text(i->id);
    (void)fputs(", found by ", stdout);
    put_text(i->detector);
    (void)fputs("\n\n", stdout);
    print_wrapped(i->summary, look.width);
    (void)putchar('\n');
    print_parties(stored);
    print_names(i);
    print_course(i, now_us);
    print_mark(mark);
    print_reasons(i, false, look.width);
    print_reasons(i, true, look.width);
    print_activity(i);
    print_flow_ids(i);
    print_next(stored, source);
}
