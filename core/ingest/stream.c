/* SPDX-License-Identifier: MIT */
/* stream.c - the first step: decompress, cut into lines, recognise the format, decode. */
#include "stream.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "decompress.h"
#include "json.h"
#include "lines.h"
#include "util/arena.h"
#include "util/error.h"
#include "util/text.h"

/* ---- Settings ----------------------------------------------------------- */

static const struct option options[] = {
    {"max_line", OPTION_BYTES, offsetof(struct ingest_conf, max_line), "1M", 4096, 16777216,
     "Longest line that is read; a longer one is rejected as line_too_long."},
    {"link_header", OPTION_BYTES, offsetof(struct ingest_conf, link_header), "14", 0, 64,
     "Bytes in front of IP that Suricata counts with each packet: 14 on Ethernet, 16 on Linux's "
     "\"any\", 0 on tunnels; VLAN tags are known."},
    {"context", OPTION_FLAG, offsetof(struct ingest_conf, context), "on", 0, 0,
     "Read DNS, TLS and HTTP records, whose names join the evidence; off skips them unread."},
    {.type = OPTION_END},
};

const struct part ingest_part = {
    .name = "ingest",
    .help = "Reading logs.",
    .conf_size = sizeof(struct ingest_conf),
    .options = options,
};

/* ---- State -------------------------------------------------------------- */

enum { UNKNOWN = -1 };

struct stream {
    struct ingest_conf conf;
    struct decompress *decompress;
    struct lines lines;
    struct arena scratch;  /* empty before each record */
    int named;             /* index into registry_inputs of the format asked for, or UNKNOWN */
    int input;             /* of the present one, or UNKNOWN */
    unsigned char *states; /* of all inputs: a format that comes back still has its header */
    size_t states_size;
    uint64_t skip;
    eddy_flow flow;
    struct context context;
    stream_record_fn *each; /* of the call in progress */
    void *user;
};

static size_t aligned(size_t size)
{
    return (size + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
}

static void *state_of(const struct stream *s, int input)
{
    size_t offset = 0;
    for (int i = 0; i < input; i++)
        offset += aligned(registry_inputs[i]->state_size);
    return s->states + offset;
}

static void open_inputs(struct stream *s)
{
    memset(s->states, 0, s->states_size);
    for (int i = 0; registry_inputs[i] != NULL; i++) {
        if (registry_inputs[i]->open != NULL)
            registry_inputs[i]->open(state_of(s, i), &s->conf);
    }
}

/* ---- One line ----------------------------------------------------------- */

/* The first input but `except` that knows the line, or UNKNOWN. */
static int recognised(const char *line, size_t length, int except)
{
    for (int i = 0; registry_inputs[i] != NULL; i++) {
        if (i != except && registry_inputs[i]->recognise(line, length))
            return i;
    }
    return UNKNOWN;
}

static enum reason decode(struct stream *s, const char *line, size_t length)
{
    arena_reset(&s->scratch);
    context_begin(&s->context);
    return registry_inputs[s->input]->decode(state_of(s, s->input), &s->scratch, line, length,
                                             &s->flow, s->conf.context ? &s->context : NULL);
}

/* A log may change its format: Zeek is started again with other settings, files are joined. */
static enum reason read_line(struct stream *s, const char *line, size_t length)
{
    if (s->input == UNKNOWN)
        s->input = recognised(line, length, UNKNOWN);
    if (s->input == UNKNOWN)
        return REASON_unknown_format;
    enum reason reason = decode(s, line, length);
    if (reason == REASON_NONE || reason_table[reason].result == REASON_SKIPPED ||
        s->named != UNKNOWN || registry_inputs[s->input]->recognise(line, length))
        return reason;
    int other = recognised(line, length, s->input);
    if (other == UNKNOWN)
        return reason;
    s->input = other;
    return decode(s, line, length);
}

static void skip_line(struct stream *s, const char *line, size_t length)
{
    if (length > 0 && line[0] == '#')
        (void)read_line(s, line, length);
    else if (s->input == UNKNOWN)
        s->input = recognised(line, length, UNKNOWN);
}

static bool is_blank(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (line[i] != ' ' && line[i] != '\t' && line[i] != '\r')
            return false;
    }
    return true;
}

static void report(const struct stream *s, enum reason reason, const struct line *line)
{
    struct stream_record record = {
        .reason = reason,
        .line = line->text,
        .length = line->length,
        .offset = line->offset,
    };
    s->each(s->user, &record);
}

static void take_line(void *user, const struct line *line)
{
    struct stream *s = user;
    const char *text = line->text;
    size_t length = line->length;
    if (line->offset == 0 && length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3; /* a byte order mark, left by an editor */
        length -= 3;
    }
    if (line->offset < s->skip) {
        if (!line->too_long)
            skip_line(s, text, length);
        return;
    }
    if (line->too_long) {
        report(s, REASON_line_too_long, line);
        return;
    }
    if (is_blank(text, length)) {
        report(s, REASON_blank, line);
        return;
    }
    enum reason reason = read_line(s, text, length);
    if (reason != REASON_NONE && !reason_is_context(reason)) {
        report(s, reason, line);
        return;
    }
    struct stream_record record = {
        reason,     &s->flow,     reason == REASON_NONE ? NULL : &s->context,
        line->text, line->length, line->offset};
    s->each(s->user, &record);
}

/* ---- The stream --------------------------------------------------------- */

static void take_bytes(void *user, const char *bytes, size_t length)
{
    struct stream *s = user;
    lines_feed(&s->lines, bytes, length, take_line, s);
}

/* The line in which the damage lies is lost with what follows. */
static void report_damage(struct stream *s)
{
    struct line nothing = {.text = "", .offset = s->lines.offset};
    report(s, REASON_bad_stream, &nothing);
    lines_reset(&s->lines);
}

int stream_feed(struct stream *s, const void *bytes, size_t length, stream_record_fn *each,
                void *user)
{
    s->each = each;
    s->user = user;
    int status = decompress_feed(s->decompress, bytes, length, take_bytes, s);
    if (status != EDDY_OK)
        report_damage(s);
    return status;
}

int stream_end(struct stream *s, stream_record_fn *each, void *user)
{
    s->each = each;
    s->user = user;
    int status = decompress_end(s->decompress, take_bytes, s);
    if (status != EDDY_OK)
        report_damage(s);
    lines_end(&s->lines, take_line, s);
    s->input = s->named;
    s->skip = 0;
    open_inputs(s);
    return status;
}

void stream_skip(struct stream *s, uint64_t bytes)
{
    s->skip = bytes;
}

const char *stream_format(const struct stream *s)
{
    return s->input == UNKNOWN ? "" : registry_inputs[s->input]->part.name;
}

/* ---- Birth and death ---------------------------------------------------- */

static int find_format(const char *format, int *out, eddy_error *err)
{
    char names[128];
    struct text known = text_over(names, sizeof names);
    *out = UNKNOWN;
    if (format == NULL)
        return EDDY_OK;
    for (int i = 0; registry_inputs[i] != NULL; i++) {
        const char *name = registry_inputs[i]->part.name;
        if (strcmp(name, format) == 0) {
            *out = i;
            return EDDY_OK;
        }
        text_add(&known, i > 0 ? ", " : "");
        text_add(&known, name);
    }
    return error_set(err, EDDY_ECONFIG, "unknown format '%s': expected one of %s", format, names);
}

int stream_new(const struct ingest_conf *conf, const char *format, struct stream **out,
               eddy_error *err)
{
    int named;
    int status = find_format(format, &named, err);
    if (status != EDDY_OK)
        return status;
    struct stream *s = calloc(1, sizeof *s);
    if (s == NULL)
        return error_nomem(err);
    s->conf = *conf;
    s->named = s->input = named;
    for (int i = 0; registry_inputs[i] != NULL; i++)
        s->states_size += aligned(registry_inputs[i]->state_size);
    s->states = calloc(1, s->states_size + 1);
    if (s->states == NULL || decompress_new(&s->decompress) != EDDY_OK ||
        lines_init(&s->lines, (size_t)conf->max_line) != EDDY_OK ||
        arena_init(&s->scratch, json_scratch_size((size_t)conf->max_line)) != EDDY_OK) {
        stream_free(s);
        return error_nomem(err);
    }
    open_inputs(s);
    *out = s;
    return EDDY_OK;
}

void stream_free(struct stream *s)
{
    if (s == NULL)
        return;
    arena_done(&s->scratch);
    lines_done(&s->lines);
    decompress_free(s->decompress);
    free(s->states);
    free(s);
}
