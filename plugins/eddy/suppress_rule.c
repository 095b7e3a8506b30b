/* SPDX-License-Identifier: MIT */
/* suppress_rule.c - a rule made from an incident and from words. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "suppress.h"
#include "when.h"

enum field { DETECTOR, ABOUT, SRC, DST, HOST, PORT, PROTO, ASN, COUNTRY, DIRECTION };

static const char *const names[SUPPRESS_FIELDS] = {
    "detector", "about", "src", "dst", "host", "port", "proto", "asn", "country", "direction"};

/* Which field the word names; SUPPRESS_FIELDS: none. */
static size_t field_of(const char *word)
{
    size_t i = 0, length = strcspn(word, "=");
    while (i < SUPPRESS_FIELDS && (word[length] != '=' || strlen(names[i]) != length ||
                                   strncmp(names[i], word, length) != 0))
        i++;
    return i;
}

bool suppress_is_field(const char *word)
{
    return field_of(word) < SUPPRESS_FIELDS;
}

bool suppress_is_unknown(const char *word)
{
    size_t length = strspn(word, "abcdefghijklmnopqrstuvwxyz_");
    return length > 0 && word[length] == '=' && access(word, F_OK) != 0;
}

static void set(struct suppress_fields *fields, enum field field, const char *value)
{
    (void)snprintf(fields->room[field], sizeof fields->room[field], "%s", value);
    fields->value[field] = fields->room[field];
}

bool suppress_is_pair(const struct stored *stored)
{
    /* What these find is between two ends. An incident of the others is about the host altogether,
     * even if it names a peer: of a scanner's targets, the one that was tried most. So is one of a
     * detector that this command does not know. */
    static const char *const pairs[] = {"beacon", "burst", "exfil", "iforest", "tail"};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        if (strcmp(stored->incident.detector, pairs[i]) == 0)
            return stored->peer[0] != '\0';
    return false;
}

/* What the incident is about: between host and peer if that is all, on the port if there is one;
 * else what the detector finds about the host. */
static void from_incident(const struct stored *stored, struct suppress_fields *out)
{
    const eddy_incident *incident = &stored->incident;
    char number[16];
    set(out, DETECTOR, incident->detector);
    if (!suppress_is_pair(stored)) {
        set(out, ABOUT, stored->host);
        return;
    }
    set(out, SRC, stored->host);
    set(out, DST, stored->peer);
    if (incident->peer_port == 0)
        return;
    (void)snprintf(number, sizeof number, "%u", (unsigned)incident->peer_port);
    set(out, PORT, number);
    if (incident->proto != 0)
        set(out, PROTO, said_proto(incident->proto, number));
}

void suppress_print(const struct suppress_fields *fields, char *out, size_t size)
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i < SUPPRESS_FIELDS && length < size; i++)
        if (fields->value[i] != NULL)
            length += (size_t)snprintf(out + length, size - length, "%s%s=%s",
                                       length > 0 ? " " : "", names[i], fields->value[i]);
}

void suppress_words(const struct stored *stored, char *out, size_t size)
{
    struct suppress_fields fields = {0};
    from_incident(stored, &fields);
    suppress_print(&fields, out, size);
}

bool suppress_is_placed(const struct suppress_fields *fields)
{
    static const enum field places[] = {ABOUT, SRC, DST, HOST, PORT, ASN, COUNTRY};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (fields->value[places[i]] != NULL)
            return true;
    return false;
}

static int find_incident(struct suppress *s, struct suppress_fields *out, int64_t *end_us)
{
    struct store store = {0};
    eddy_error err = {0};
    int status = said_incidents(&s->said, &store);
    const struct stored *stored = status == EXIT_FINE ? store_find(&store, s->from, &err) : NULL;
    if (stored != NULL) {
        from_incident(stored, out);
        *end_us = stored->incident.end_us;
        if (stored->incident.suppressed_by[0] != '\0')
            complain(&s->run.progress, "%s is suppressed already, by %s", stored->incident.id,
                     stored->incident.suppressed_by);
    } else if (status == EXIT_FINE) {
        complain(&s->run.progress, "%s", err.message);
        status = EXIT_FAULT;
    }
    store_done(&store);
    return status;
}

int suppress_fields(struct suppress *s, struct suppress_fields *out, int64_t *end_us)
{
    *out = (struct suppress_fields){0};
    *end_us = 0;
    int status = s->from != NULL ? find_incident(s, out, end_us) : EXIT_FINE;
    for (size_t i = 0; i < s->word_count && status == EXIT_FINE; i++) {
        const char *value = strchr(s->words[i], '=') + 1;
        out->value[field_of(s->words[i])] = strcmp(value, "any") == 0 ? NULL : value;
    }
    return status;
}

static int keep_id(const eddy_entry *entry, void *user)
{
    (void)snprintf(user, 24, "%s", entry->id);
    return 0;
}

/* The id that the library gives to a rule without one. */
static int find_id(struct suppress *s, const struct said_line *line, char id[24])
{
    char text[SAID_LINE + 1];
    eddy_error err = {0};
    if (!said_fits(line)) {
        complain(&s->run.progress, "the rule is longer than %d bytes", SAID_LINE - 1);
        return EXIT_USAGE;
    }
    (void)snprintf(text, sizeof text, "%s\n", line->text);
    if (eddy_said_check(EDDY_SUPPRESSIONS, "rule", text, keep_id, id, &err) == EDDY_OK)
        return EXIT_FINE;
    const char *message = err.message; /* "rule:1: ..." */
    if (strncmp(message, "rule:1: ", 8) == 0)
        message += 8;
    return usage_error("suppress", "%s", message);
}

/* Each value on its own, before a line is made of them. */
static int check_values(const struct suppress *s, const struct suppress_fields *fields)
{
    const char *const values[] = {s->owner, s->why, s->id, s->expires};
    static const char *const options[] = {"--owner", "--why", "--id", "--expires"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (values[i] != NULL && !said_clean(values[i]))
            return usage_error("suppress", "%s has a control character: %s", options[i], values[i]);
    for (size_t i = 0; i < SUPPRESS_FIELDS; i++)
        if (fields->value[i] != NULL && !said_clean(fields->value[i]))
            return usage_error("suppress", "%s has a control character: %s", names[i],
                               fields->value[i]);
    return EXIT_FINE;
}

/* The rule's time is that of flows, which are of today or of the past. */
static bool is_past(const char *expires)
{
    int64_t us;
    return expires[0] != '\0' && when_parse(expires, &us) && us <= (int64_t)time(NULL) * 1000000;
}

int suppress_line(struct suppress *s, const struct suppress_fields *fields, int64_t end_us,
                  struct said_line *out)
{
    struct said_line body = {0};
    char id[24] = "", expires[32] = "";
    int status = check_values(s, fields);
    if (status != EXIT_FINE)
        return status;
    for (size_t i = 0; i < SUPPRESS_FIELDS; i++)
        if (fields->value[i] != NULL)
            said_add(&body, names[i], fields->value[i]);
    if (s->expires != NULL && !said_expiry(s->expires, end_us, expires))
        return usage_error("suppress",
                           "--expires %s: neither a span such as 30d, nor a time such as "
                           "2026-12-31, nor never",
                           s->expires);
    if (is_past(expires))
        return usage_error("suppress", "--expires %s is past: such a rule hides nothing",
                           s->expires);
    if (expires[0] != '\0')
        said_add(&body, "expires", expires);
    if (s->owner != NULL)
        said_add(&body, "owner", s->owner);
    if (s->why != NULL)
        said_add(&body, "why", s->why);
    status = find_id(s, &body, id);
    if (status != EXIT_FINE)
        return status;
    *out = (struct said_line){0};
    said_add(out, "id", s->id != NULL ? s->id : id);
    if (out->length + 1 + body.length < sizeof out->text)
        out->length += (size_t)snprintf(out->text + out->length, sizeof out->text - out->length,
                                        " %s", body.text);
    return EXIT_FINE;
}
