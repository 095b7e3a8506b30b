/* SPDX-License-Identifier: MIT */
/* incident.c - an incident as one line of JSON; README.md has every field. */
#include <inttypes.h>
#include <limits.h>
#include <math.h>

#include "eddy.h"
#include "emit.h"
#include "util/text.h"

/* The year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
 * Own arithmetic, for gmtime_r() may read /etc/localtime and takes a lock. After
 * https://howardhinnant.github.io/date_algorithms.html#civil_from_days */
static void date_of(int64_t days, int64_t *year, unsigned *month, unsigned *day)
{
    days += 719468; /* from 0000-03-01 */
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    unsigned day_of_era = (unsigned)(days - era * 146097);
    unsigned year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    unsigned day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100); /* from 1 March */
    unsigned m = (5 * day_of_year + 2) / 153;
    *day = day_of_year - (153 * m + 2) / 5 + 1;
    *month = m < 10 ? m + 3 : m - 9;
    *year = (int64_t)year_of_era + era * 400 + (*month <= 2);
}

/* As Suricata writes it: "2026-01-02T03:04:05.123456+0000". */
static void add_time(struct text *text, int64_t us)
{
    int64_t day_us = INT64_C(86400000000);
    int64_t days = us / day_us - (us % day_us < 0);
    int64_t rest = us - days * day_us;
    int64_t year;
    unsigned month, day;
    date_of(days, &year, &month, &day);
    int64_t seconds = rest / 1000000;
    text_format(text, "\"%04" PRId64 "-%02u-%02uT%02d:%02d:%02d.%06d+0000\"", year, month, day,
                (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60),
                (int)(rest % 1000000));
}

/* Whole numbers in full, others with 6 digits: more would be noise, and would depend on the CPU's
 * last bit. */
static void add_number(struct text *text, double number)
{
    if (!isfinite(number))
        text_add(text, "null");
    else if (number == floor(number) && fabs(number) < 9007199254740992.0 /* 2^53 */)
        text_format(text, "%" PRId64, (int64_t)number);
    else
        text_digits(text, number, 6);
}

static void key(struct text *text, const char *name)
{
    text_add(text, text->length > 1 ? ",\"" : "\"");
    text_add(text, name);
    text_add(text, "\":");
}

/* An empty text is left out. */
static void key_text(struct text *text, const char *name, const char *value)
{
    if (value == NULL || value[0] == '\0')
        return;
    key(text, name);
    text_json(text, value);
}

/* Zero is left out. */
static void key_count(struct text *text, const char *name, uint64_t value)
{
    if (value == 0)
        return;
    key(text, name);
    text_format(text, "%" PRIu64, value);
}

static void key_number(struct text *text, const char *name, double value)
{
    key(text, name);
    add_number(text, value);
}

static void key_time(struct text *text, const char *name, int64_t us)
{
    key(text, name);
    add_time(text, us);
}

static void key_address(struct text *text, const char *name, const uint8_t address[16])
{
    char buf[46];
    key(text, name);
    text_json(text, eddy_address_text(address, buf));
}

static bool is_zero(const uint8_t address[16])
{
    uint8_t any = 0;
    for (int i = 0; i < 16; i++)
        any |= address[i];
    return any == 0;
}

/* Names as in Suricata's `proto`; others are the number. */
static void key_proto(struct text *text, uint8_t proto)
{
    char number[4];
    struct text digits = text_over(number, sizeof number);
    text_format(&digits, "%u", (unsigned)proto);
    const char *name = number;
    switch (proto) {
    case 1:
        name = "ICMP";
        break;
    case 6:
        name = "TCP";
        break;
    case 17:
        name = "UDP";
        break;
    case 58:
        name = "IPv6-ICMP";
        break;
    case 132:
        name = "SCTP";
        break;
    default:
        break;
    }
    key_text(text, "proto", name);
}

static void add_reason(struct text *text, const eddy_reason *reason)
{
    text_add(text, "{\"feature\":");
    text_json(text, reason->feature);
    key_text(text, "text", reason->text);
    key_number(text, "value", reason->value);
    if (isfinite(reason->usual))
        key_number(text, "usual", reason->usual);
    key_number(text, "share", reason->share);
    text_char(text, '}');
}

static void add_parties(struct text *text, const eddy_incident *incident)
{
    key_address(text, "host", incident->host);
    key_text(text, "host_country", incident->host_country);
    key_count(text, "host_asn", incident->host_asn);
    if (!is_zero(incident->peer)) {
        key_address(text, "peer", incident->peer);
        key_count(text, "peer_port", incident->peer_port);
    }
    key_proto(text, incident->proto);
    if (!is_zero(incident->peer)) {
        key_text(text, "peer_country", incident->peer_country);
        key_count(text, "peer_asn", incident->peer_asn);
    }
}

static void add_lists(struct text *text, const eddy_incident *incident)
{
    key(text, "reasons");
    text_char(text, '[');
    for (size_t i = 0; i < incident->reason_count; i++) {
        if (i > 0)
            text_char(text, ',');
        add_reason(text, &incident->reasons[i]);
    }
    text_char(text, ']');
    key(text, "flow_ids");
    text_char(text, '[');
    for (size_t i = 0; i < incident->flow_id_count; i++) {
        if (i > 0)
            text_char(text, ',');
        text_json(text, incident->flow_ids[i]);
    }
    text_char(text, ']');
}

static void add_names(struct text *text, const eddy_incident *incident)
{
    key(text, "names");
    text_char(text, '[');
    for (size_t i = 0; i < incident->name_count; i++) {
        text_add(text, i > 0 ? ",{\"kind\":" : "{\"kind\":");
        text_json(text, incident->names[i].kind);
        key_text(text, "value", incident->names[i].value);
        text_char(text, '}');
    }
    text_char(text, ']');
}

static void add_evidence(struct text *text, const eddy_evidence *evidence)
{
    key(text, "evidence");
    text_add(text, "{\"kind\":");
    text_json(text, evidence->kind);
    key_text(text, "x", evidence->x_name);
    key_text(text, "y", evidence->y_name);
    if (isfinite(evidence->mark))
        key_number(text, "mark", evidence->mark);
    key(text, "points");
    text_char(text, '[');
    for (size_t i = 0; i < evidence->count; i++) {
        text_add(text, i > 0 ? ",[" : "[");
        add_number(text, (double)evidence->x[i]);
        text_char(text, ',');
        add_number(text, (double)evidence->y[i]);
        text_char(text, ']');
    }
    text_add(text, "]}");
}

static void add_activity(struct text *text, const eddy_incident *incident)
{
    key(text, "activity");
    text_add(text, "{\"start\":");
    add_time(text, incident->activity_start_us);
    key_number(text, "step", (double)incident->activity_step_us * 1e-6);
    key(text, "flows");
    text_char(text, '[');
    for (size_t i = 0; i < incident->activity_count; i++)
        text_format(text, i > 0 ? ",%" PRIu32 : "%" PRIu32, incident->activity[i]);
    text_add(text, "]}");
}

int eddy_incident_json(const eddy_incident *incident, char *buf, size_t size)
{
    struct text text = text_over(buf, size);
    text_char(&text, '{');
    key_time(&text, "timestamp", incident->end_us);
    key_text(&text, "event_type", "eddy");
    key_text(&text, "incident_id", incident->id);
    key_text(&text, "state", emit_state(incident->state));
    key_text(&text, "detector", incident->detector);
    key_text(&text, "severity", emit_severity(incident->severity));
    key_number(&text, "p", incident->p);
    key_number(&text, "score", incident->score);
    add_parties(&text, incident);
    key_text(&text, "technique", incident->technique);
    key_time(&text, "start", incident->start_us);
    key_time(&text, "end", incident->end_us);
    key(&text, "flows");
    text_format(&text, "%" PRIu64, incident->flows);
    key(&text, "withheld");
    text_add(&text, incident->withheld ? "true" : "false");
    if (incident->suppressed_by != NULL && incident->suppressed_by[0] != '\0')
        key_text(&text, "suppressed_by", incident->suppressed_by);
    key_text(&text, "summary", incident->summary);
    add_lists(&text, incident);
    if (incident->name_count > 0)
        add_names(&text, incident);
    if (incident->evidence != NULL)
        add_evidence(&text, incident->evidence);
    if (incident->activity_count > 0)
        add_activity(&text, incident);
    text_char(&text, '}');
    return text.length < INT_MAX ? (int)text.length : INT_MAX;
}
