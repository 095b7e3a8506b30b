/* SPDX-License-Identifier: MIT */
/* store_line.c - one line of JSON as an incident: core/emit/incident.c backwards.
 *
 * What is read is put together in a struct store_reader, of fixed size. Text goes into `words`,
 * which is as long as the line: no text is longer than its JSON. Then the lists are copied into one
 * block of the size they need. */
#include "store_line.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json_visit.h"
#include "store_field.h"
#include "when.h"

/* More than eddy writes; what is beyond is left out. */
enum { REASONS = 16, NAMES = 32, FLOW_IDS = 64, POINTS = 512, ACTIVITY = 256, DEPTH = 4 };

/* Where in the object a value is. */
enum place {
    NOWHERE, /* in something that is not known */
    TOP,
    IN_REASONS,
    IN_REASON,
    IN_NAMES,
    IN_NAME,
    IN_FLOW_IDS,
    IN_EVIDENCE,
    IN_POINTS,
    IN_POINT,
    IN_ACTIVITY,
    IN_ACTIVITY_FLOWS
};

struct store_reader {
    enum place stack[DEPTH]; /* the places around; the last is where it is */
    size_t depth, unknown;   /* `unknown`: levels inside of something not known */
    char key[24];            /* "" if too long: none of ours is */
    const char *problem;     /* static; the first thing that is wrong */
    char *words;
    size_t word_length;
    bool is_incident;
    struct stored out;
    eddy_reason reasons[REASONS];
    eddy_name names[NAMES];
    const char *flow_ids[FLOW_IDS];
    float point[2], x[POINTS], y[POINTS];
    size_t coordinates; /* of the point that is being read */
    uint32_t activity[ACTIVITY];
};

struct store_reader *store_reader_new(void)
{
    return calloc(1, sizeof(struct store_reader));
}

void store_reader_free(struct store_reader *reader)
{
    free(reader);
}

void stored_done(struct stored *stored)
{
    free(stored->words);
    free(stored->lists);
    free(stored->own);
}

static enum place place_of(const struct store_reader *r)
{
    return r->unknown > 0 || r->depth == 0 ? NOWHERE : r->stack[r->depth - 1];
}

static bool at_key(const struct store_reader *r, const char *key)
{
    return strcmp(r->key, key) == 0;
}

/* NULL: there is none. */
static void blame(struct store_reader *r, const char *problem)
{
    if (r->problem == NULL)
        r->problem = problem;
}

/* ---- values ---- */

/* There is room: see above. A NUL inside ends the text. */
static const char *keep(struct store_reader *r, const char *text, size_t length)
{
    char *word = r->words + r->word_length;
    memcpy(word, text, length);
    word[length] = '\0';
    r->word_length += length + 1;
    return word;
}

static void reason_number(struct store_reader *r, double number)
{
    eddy_reason *reason = &r->reasons[r->out.incident.reason_count];
    if (at_key(r, "value"))
        reason->value = number;
    else if (at_key(r, "usual"))
        reason->usual = number;
    else if (at_key(r, "share") && isfinite(number))
        reason->share = number;
}

static void activity_number(struct store_reader *r, double seconds)
{
    if (at_key(r, "step") && seconds > 0 && seconds < 1e9)
        r->out.incident.activity_step_us = (int64_t)(seconds * 1e6);
}

static void put_number(struct store_reader *r, double number)
{
    eddy_incident *i = &r->out.incident;
    switch (place_of(r)) {
    case TOP:
        stored_set_number(&r->out, r->key, number);
        break;
    case IN_REASON:
        reason_number(r, number);
        break;
    case IN_EVIDENCE:
        if (at_key(r, "mark"))
            r->out.evidence.mark = number;
        break;
    case IN_POINT:
        if (r->coordinates < 2)
            r->point[r->coordinates++] = fabs(number) < 1e30 ? (float)number : NAN;
        break;
    case IN_ACTIVITY:
        activity_number(r, number);
        break;
    case IN_ACTIVITY_FLOWS:
        if (i->activity_count < ACTIVITY)
            r->activity[i->activity_count++] = (uint32_t)stored_count(number, UINT32_MAX);
        break;
    default:
        break;
    }
}

/* ---- what json_visit() calls; they return whether to go on ---- */

static int on_null(void *user)
{
    put_number(user, NAN);
    return 1;
}

static int on_flag(void *user, int flag)
{
    struct store_reader *r = user;
    if (place_of(r) == TOP && at_key(r, "withheld"))
        r->out.incident.withheld = flag != 0;
    return 1;
}

/* The decimal point is a point: the program never calls setlocale(). */
static int on_number(void *user, const char *text, size_t length)
{
    char number[64];
    if (length < sizeof number) {
        memcpy(number, text, length);
        number[length] = '\0';
        put_number(user, strtod(number, NULL));
    } else {
        blame(user, "a number of more than 63 digits");
    }
    return 1;
}

static int on_text(void *user, const char *text, size_t length)
{
    struct store_reader *r = user;
    eddy_incident *i = &r->out.incident;
    enum place place = place_of(r);
    if (place == NOWHERE)
        return 1;
    const char *word = keep(r, text, length);
    eddy_reason *reason = &r->reasons[i->reason_count];
    eddy_name *name = &r->names[i->name_count];
    if (place == TOP && at_key(r, "event_type"))
        r->is_incident = strcmp(word, "eddy") == 0;
    else if (place == TOP)
        blame(r, stored_set_text(&r->out, r->key, word));
    else if (place == IN_REASON && at_key(r, "feature"))
        reason->feature = word;
    else if (place == IN_REASON && at_key(r, "text"))
        reason->text = word;
    else if (place == IN_NAME && at_key(r, "kind"))
        name->kind = word;
    else if (place == IN_NAME && at_key(r, "value"))
        name->value = word;
    else if (place == IN_FLOW_IDS && i->flow_id_count < FLOW_IDS)
        r->flow_ids[i->flow_id_count++] = word;
    else if (place == IN_EVIDENCE && at_key(r, "kind"))
        r->out.evidence.kind = word;
    else if (place == IN_EVIDENCE && at_key(r, "x"))
        r->out.evidence.x_name = word;
    else if (place == IN_EVIDENCE && at_key(r, "y"))
        r->out.evidence.y_name = word;
    else if (place == IN_ACTIVITY && at_key(r, "start"))
        blame(r, when_parse(word, &i->activity_start_us) ? NULL : "activity starts at no time");
    return 1;
}

static int on_key(void *user, const char *text, size_t length)
{
    struct store_reader *r = user;
    bool fits = length < sizeof r->key;
    memcpy(r->key, text, fits ? length : 0);
    r->key[fits ? length : 0] = '\0';
    return 1;
}

/* Where the list or object that begins here leads. */
static enum place place_inside(const struct store_reader *r, bool list)
{
    switch (place_of(r)) {
    case TOP:
        if (list)
            return at_key(r, "reasons")    ? IN_REASONS
                   : at_key(r, "names")    ? IN_NAMES
                   : at_key(r, "flow_ids") ? IN_FLOW_IDS
                                           : NOWHERE;
        return at_key(r, "evidence") ? IN_EVIDENCE : at_key(r, "activity") ? IN_ACTIVITY : NOWHERE;
    case IN_REASONS:
        return !list && r->out.incident.reason_count < REASONS - 1 ? IN_REASON : NOWHERE;
    case IN_NAMES:
        return !list && r->out.incident.name_count < NAMES - 1 ? IN_NAME : NOWHERE;
    case IN_EVIDENCE:
        return list && at_key(r, "points") ? IN_POINTS : NOWHERE;
    case IN_POINTS:
        return list ? IN_POINT : NOWHERE;
    case IN_ACTIVITY:
        return list && at_key(r, "flows") ? IN_ACTIVITY_FLOWS : NOWHERE;
    default:
        return NOWHERE;
    }
}

static int begin(struct store_reader *r, bool list)
{
    enum place inside = r->depth == 0 ? (list ? NOWHERE : TOP) : place_inside(r, list);
    if (inside == NOWHERE || r->depth == DEPTH || r->unknown > 0) {
        r->unknown++;
        return 1;
    }
    if (inside == IN_REASON)
        r->reasons[r->out.incident.reason_count] =
            (eddy_reason){.feature = "", .text = "", .value = NAN, .usual = NAN};
    else if (inside == IN_NAME)
        r->names[r->out.incident.name_count] = (eddy_name){.kind = "", .value = ""};
    else if (inside == IN_POINT)
        r->coordinates = 0;
    r->stack[r->depth++] = inside;
    return 1;
}

static int end(struct store_reader *r)
{
    if (r->unknown > 0) {
        r->unknown--;
        return 1;
    }
    enum place left = r->stack[--r->depth];
    size_t at = r->out.evidence.count;
    if (left == IN_REASON) {
        r->out.incident.reason_count++;
    } else if (left == IN_NAME) {
        r->out.incident.name_count++;
    } else if (left == IN_POINT && r->coordinates == 2 && at < POINTS) {
        r->x[at] = r->point[0];
        r->y[at] = r->point[1];
        r->out.evidence.count++;
    }
    return 1;
}

static int on_object(void *user)
{
    return begin(user, false);
}

static int on_list(void *user)
{
    return begin(user, true);
}

static int on_end(void *user)
{
    return end(user);
}

/* ---- the line ---- */

static void *add_list(char **at, const void *from, size_t size)
{
    void *to = *at;
    memcpy(to, from, size);
    *at += size;
    return to;
}

/* In falling order of alignment. */
static bool copy_lists(struct store_reader *r)
{
    eddy_incident *i = &r->out.incident;
    eddy_evidence *e = &r->out.evidence;
    size_t reasons = i->reason_count * sizeof *r->reasons, names = i->name_count * sizeof *r->names,
           ids = i->flow_id_count * sizeof *r->flow_ids, points = e->count * sizeof *r->x,
           activity = i->activity_count * sizeof *r->activity;
    char *at = malloc(reasons + names + ids + 2 * points + activity + 1);
    if (at == NULL)
        return false;
    r->out.lists = at;
    i->reasons = add_list(&at, r->reasons, reasons);
    i->names = add_list(&at, r->names, names);
    i->flow_ids = add_list(&at, r->flow_ids, ids);
    e->x = add_list(&at, r->x, points);
    e->y = add_list(&at, r->y, points);
    i->activity = add_list(&at, r->activity, activity);
    return true;
}

static int parse(struct store_reader *r, const char *line, size_t length, eddy_error *err)
{
    static const struct json_visitor visitor = {.null = on_null,
                                                .boolean = on_flag,
                                                .number = on_number,
                                                .string = on_text,
                                                .object = on_object,
                                                .key = on_key,
                                                .array = on_list,
                                                .end = on_end};
    int status = json_visit(line, length, &visitor, r, err);
    if (status == EDDY_EINPUT)
        *err = (eddy_error){EDDY_EINPUT, "not JSON, or not all of it"};
    return status;
}

static void reader_reset(struct store_reader *r, char *words)
{
    r->depth = r->unknown = r->word_length = 0;
    r->key[0] = '\0';
    r->problem = NULL;
    r->words = words;
    r->is_incident = false;
    r->out = (struct stored){.words = words, .evidence = {.kind = "", .x_name = "", .y_name = ""}};
    r->out.evidence.mark = NAN;
    r->out.incident = (eddy_incident){.id = "",
                                      .detector = "",
                                      .technique = "",
                                      .host_country = "",
                                      .peer_country = "",
                                      .summary = "",
                                      .suppressed_by = "",
                                      .start_us = STORED_NEVER,
                                      .end_us = STORED_NEVER,
                                      .p = NAN,
                                      .score = NAN};
}

int store_line_read(struct store_reader *r, const char *line, size_t length, struct stored *out,
                    eddy_error *err)
{
    char *words = malloc(length + 1);
    char *json = malloc(length + 1);
    int status = EDDY_ENOMEM;
    *err = (eddy_error){EDDY_ENOMEM, "out of memory"};
    if (words == NULL || json == NULL)
        goto fail;
    reader_reset(r, words);
    status = parse(r, line, length, err);
    if (status != EDDY_OK || !r->is_incident)
        goto fail;
    blame(r, stored_check(&r->out));
    if (r->problem != NULL) {
        status = EDDY_EINPUT;
        err->code = status;
        (void)snprintf(err->message, sizeof err->message, "%s", r->problem);
        goto fail;
    }
    if (!copy_lists(r)) {
        status = EDDY_ENOMEM;
        goto fail;
    }
    memcpy(json, line, length);
    json[length] = '\0';
    r->out.own = json;
    r->out.json = json;
    *out = r->out;
    return 1;
fail:
    free(words);
    free(json);
    return status;
}
