/* SPDX-License-Identifier: MIT */
/* zeek_json.c - Zeek's conn.log and those that name what it is about as JSON lines: dotted,
 * underscored and nested ids, `_path`. */
#include <string.h>

#include "json.h"
#include "part.h"
#include "zeek.h"

/* ---- Fields ------------------------------------------------------------- */

enum {
    KEY_ID = JSON_TOP + 1, /* "id": {"orig_h": ...}, as shippers write it */
    KEY_PATH,
    KEY_FIELD /* + an enum zeek_field */
};

struct record {
    struct zeek_conn conn;
    enum zeek_log log; /* by `_path`; UNKNOWN: there is none */
};

static unsigned find_key(unsigned inside, const char *text, size_t length)
{
    enum zeek_field field = ZEEK_NONE;
    if (inside == KEY_ID) {
        field = zeek_id_field(text, length);
    } else if (inside == JSON_TOP) {
        if (length == 2 && memcmp(text, "id", 2) == 0)
            return KEY_ID;
        if ((length == 5 && memcmp(text, "_path", 5) == 0) ||
            (length == 7 && memcmp(text, "@stream", 7) == 0)) /* the same, from some shippers */
            return KEY_PATH;
        field = zeek_field(text, length);
    }
    return field == ZEEK_NONE ? JSON_UNWANTED : KEY_FIELD + field;
}

static void take_value(void *user, unsigned key, const char *text, size_t length)
{
    struct record *record = user;
    if (key > KEY_FIELD) {
        zeek_set(&record->conn, (enum zeek_field)(key - KEY_FIELD), text, length);
    } else if (key == KEY_PATH && record->log == ZEEK_LOG_UNKNOWN) {
        record->log = zeek_log_named(text, length);
    }
}

/* ---- One line ----------------------------------------------------------- */

static bool recognise(const char *line, size_t length)
{
    struct json_string value;
    return json_is_object(line, length) &&
           (json_peek(line, length, JSON_KEY("\"ts\"", 0), &value) != JSON_ABSENT ||
            json_peek(line, length, JSON_KEY("\"_path\"", 5), &value) != JSON_ABSENT);
}

static enum reason decode(void *state, struct arena *scratch, const char *line, size_t length,
                          eddy_flow *flow, struct context *context)
{
    static const struct json_format format = {.key = find_key, .value = take_value};
    (void)state;
    if (!json_is_object(line, length))
        return json_not_object(line, length);
    struct json_string path = {0};
    enum json_peek peek = json_peek(line, length, JSON_KEY("\"_path\"", 5), &path);
    if (peek == JSON_FOUND &&
        !zeek_log_wanted(zeek_log_named(path.text, path.length), context != NULL))
        return REASON_other_event; /* most of a combined stream; not read further */
    struct record record = {.conn = zeek_begin(flow, context)};
    enum reason reason = json_read(scratch, line, length, &format, &record);
    if (reason != REASON_NONE)
        return reason;
    if ((record.conn.seen & ZEEK_BIT(ZEEK_TS)) == 0 && record.log == ZEEK_LOG_UNKNOWN)
        return REASON_unknown_format; /* every log of Zeek has a time or a path */
    enum zeek_log log =
        record.log == ZEEK_LOG_UNKNOWN ? zeek_log_with(record.conn.seen) : record.log;
    if (!zeek_log_wanted(log, context != NULL))
        return REASON_other_event;
    return log == ZEEK_LOG_CONN ? zeek_finish(&record.conn)
                                : zeek_finish_context(&record.conn, log);
}

const struct input ingest_zeek_json = {
    .part = {.name = "zeek-json",
             .help =
                 "Zeek's conn.log as JSON lines, and the names in dns, ssl, quic and http.log."},
    .recognise = recognise,
    .decode = decode,
};
