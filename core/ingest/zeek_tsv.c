/* SPDX-License-Identifier: MIT */
/* zeek_tsv.c - Zeek's conn.log and those that name what it is about, as its ASCII writer writes
 * them; the header says what is where. */
#include <string.h>

#include "part.h"
#include "util/arena.h"
#include "util/number.h"
#include "zeek.h"

/* ---- State: what the header says ---------------------------------------- */

enum {
    COLUMNS_MAX = 512, /* conn.log has about 22; packages add a few each */
    MARK_MAX = 32      /* bytes of a word such as "(empty)" */
};

struct mark {
    char text[MARK_MAX];
    uint8_t length;
};

enum header {
    HEADER_NONE = 0, /* nothing usable seen */
    HEADER_CONN,     /* rows are connections */
    HEADER_OTHER     /* rows are of another log, which may have names */
};

struct header_state {
    bool started;   /* the values below are set */
    uint8_t kind;   /* enum header */
    uint8_t path;   /* enum zeek_log, by #path; UNKNOWN if there is none */
    uint8_t fields; /* enum zeek_log, by #fields */
    char separator, set_separator;
    struct mark empty, unset;
    uint16_t columns;
    uint8_t field[COLUMNS_MAX]; /* enum zeek_field of each column */
};

/* As Zeek has them if nothing else is said. */
static void start_header(struct header_state *h)
{
    *h = (struct header_state){
        .started = true,
        .separator = '\t',
        .set_separator = ',',
        .empty = {"(empty)", 7},
        .unset = {"-", 1},
    };
}

/* ---- Text --------------------------------------------------------------- */

static bool same(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

/* Undoes Zeek's escapes (\x09, \\) into `out`, cut to `size`; returns the length. */
static size_t unescape(const char *text, size_t length, char *out, size_t size)
{
    size_t used = 0;
    for (size_t i = 0; i < length && used < size; i++) {
        uint8_t byte;
        out[used] = text[i];
        if (text[i] == '\\' && length - i >= 4 && text[i + 1] == 'x' &&
            number_hex_byte(text + i + 2, 2, &byte)) {
            out[used] = (char)byte;
            i += 3;
        } else if (text[i] == '\\' && length - i >= 2 && text[i + 1] == '\\') {
            i++;
        }
        used++;
    }
    return used;
}

static void set_mark(struct mark *mark, const char *text, size_t length)
{
    mark->length = (uint8_t)unescape(text, length, mark->text, sizeof mark->text);
}

static bool is_mark(const struct mark *mark, const char *text, size_t length)
{
    return length == mark->length && memcmp(text, mark->text, length) == 0;
}

/* ---- Header ------------------------------------------------------------- */

static void read_fields(struct header_state *h, const char *at, const char *end)
{
    const unsigned needed = ZEEK_BIT(ZEEK_TS) | ZEEK_BIT(ZEEK_ORIG_H) | ZEEK_BIT(ZEEK_RESP_H);
    unsigned found = 0;
    h->kind = HEADER_NONE;
    h->columns = 0;
    for (;;) {
        const char *stop = memchr(at, h->separator, (size_t)(end - at));
        if (h->columns == COLUMNS_MAX)
            return;
        enum zeek_field field = zeek_field(at, (size_t)((stop != NULL ? stop : end) - at));
        if ((found & ZEEK_BIT(field)) != 0)
            field = ZEEK_NONE; /* a second column of the same name */
        found |= field == ZEEK_NONE ? 0 : ZEEK_BIT(field);
        h->field[h->columns++] = (uint8_t)field;
        if (stop == NULL)
            break;
        at = stop + 1;
    }
    h->fields = (uint8_t)zeek_log_with(found);
    if (h->fields != ZEEK_LOG_CONN)
        h->kind = HEADER_OTHER;
    else
        h->kind = (found & needed) == needed ? HEADER_CONN : HEADER_NONE;
}

/* One line that begins with #: a name, a separator, a value. */
static void read_header(struct header_state *h, const char *line, size_t length)
{
    static const char first[] = "#separator ";
    const char *end = line + length;
    if (length >= sizeof first && memcmp(line, first, sizeof first - 1) == 0) {
        start_header(h); /* whatever came before, a new header begins here */
        (void)unescape(line + sizeof first - 1, length - (sizeof first - 1), &h->separator, 1);
        return;
    }
    if (!h->started)
        start_header(h);
    const char *value = memchr(line, h->separator, length);
    if (value == NULL)
        return;
    size_t name = (size_t)(value++ - line), size = (size_t)(end - value);
    if (same(line, name, "#set_separator"))
        (void)unescape(value, size, &h->set_separator, 1);
    else if (same(line, name, "#empty_field"))
        set_mark(&h->empty, value, size);
    else if (same(line, name, "#unset_field"))
        set_mark(&h->unset, value, size);
    else if (same(line, name, "#path"))
        h->path = (uint8_t)zeek_log_named(value, size);
    else if (same(line, name, "#fields"))
        read_fields(h, value, end);
    /* #types says nothing that the names do not; #open and #close only when. */
}

/* ---- One line ----------------------------------------------------------- */

static void take_column(const struct header_state *h, struct zeek_conn *conn, enum zeek_field field,
                        const char *text, size_t length)
{
    char plain[1024]; /* as much as a DNS name can be with all its bytes escaped */
    if (field == ZEEK_NONE || is_mark(&h->unset, text, length) || is_mark(&h->empty, text, length))
        return;
    if (memchr(text, '\\', length) != NULL) {
        length = unescape(text, length, plain, sizeof plain);
        text = plain;
    }
    zeek_set(conn, field, text, length);
}

/* The members of a vector or set. */
static void take_members(const struct header_state *h, struct zeek_conn *conn,
                         enum zeek_field field, const char *text, size_t length)
{
    for (const char *end = text + length; text < end;) {
        const char *stop = memchr(text, h->set_separator, (size_t)(end - text));
        if (stop == NULL)
            stop = end;
        take_column(h, conn, field, text, (size_t)(stop - text));
        text = stop + 1;
    }
}

/* What log the rows are of, by their path if it has a name, else by their columns. */
static enum zeek_log log_of(const struct header_state *h)
{
    bool named = h->path != ZEEK_LOG_UNKNOWN && h->path != ZEEK_LOG_CONN;
    return (enum zeek_log)(named ? h->path : h->fields);
}

static enum reason read_row(const struct header_state *h, const char *line, size_t length,
                            eddy_flow *flow, struct context *context)
{
    struct zeek_conn conn = zeek_begin(flow, context);
    enum zeek_log log = log_of(h);
    conn.set_separator = h->set_separator;
    const char *at = line, *end = line + length;
    for (unsigned i = 0; i < h->columns; i++) {
        const char *stop = memchr(at, h->separator, (size_t)(end - at));
        bool last = i + 1u == h->columns;
        if ((stop == NULL) != last)
            return REASON_wrong_columns;
        if (stop == NULL)
            stop = end;
        enum zeek_field field = (enum zeek_field)h->field[i];
        if (field == ZEEK_ANSWERS)
            take_members(h, &conn, field, at, (size_t)(stop - at));
        else
            take_column(h, &conn, field, at, (size_t)(stop - at));
        at = last ? end : stop + 1;
    }
    return log == ZEEK_LOG_CONN ? zeek_finish(&conn) : zeek_finish_context(&conn, log);
}

static enum reason decode(void *state, struct arena *scratch, const char *line, size_t length,
                          eddy_flow *flow, struct context *context)
{
    struct header_state *h = state;
    (void)scratch;
    if (memchr(line, '\0', length) != NULL)
        return REASON_bad_utf8;
    if (length > 0 && line[0] == '#') { /* Zeek escapes a # that begins a row */
        read_header(h, line, length);
        return REASON_header;
    }
    if (h->kind == HEADER_NONE)
        return REASON_no_header;
    if (!zeek_log_wanted(log_of(h), context != NULL)) {
        bool one = memchr(line, h->separator, length) == NULL;
        return one && h->columns > 1 ? REASON_wrong_columns : REASON_other_event;
    }
    return read_row(h, line, length, flow, context);
}

/* Does it look like a row: a time with six decimals, and some columns after it? */
static bool is_row(const char *line, size_t length)
{
    const char *tab = memchr(line, '\t', length);
    int64_t time;
    unsigned tabs = 0;
    if (tab == NULL || tab - line < 8 || tab[-7] != '.' ||
        !number_micros(line, (size_t)(tab - line), &time))
        return false;
    for (size_t i = 0; i < length; i++)
        tabs += line[i] == '\t';
    return tabs >= 6; /* time, uid, the four of the id, protocol */
}

static bool recognise(const char *line, size_t length)
{
    static const char *const tags[] = {"#separator ",  "#set_separator", "#empty_field",
                                       "#unset_field", "#path",          "#open",
                                       "#fields",      "#types",         "#close"};
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        if (length > strlen(tags[i]) && memcmp(line, tags[i], strlen(tags[i])) == 0)
            return true;
    }
    return is_row(line, length);
}

const struct input ingest_zeek_tsv = {
    .part =
        {.name = "zeek-tsv",
         .help =
             "Zeek's conn.log as tab separated columns, and names in dns, ssl, quic, http.log."},
    .state_size = sizeof(struct header_state),
    .recognise = recognise,
    .decode = decode,
};
