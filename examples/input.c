/* SPDX-License-Identifier: MIT */
/* input.c - an input format to copy: flows as lines of CSV.
 *
 *     start,duration,src,src_port,dst,dst_port,proto,bytes_out,bytes_in
 *     1767322800.25,1.5,10.0.0.5,40000,203.0.113.9,443,6,1200,5000
 *
 * To make it a part of eddy: copy it to core/ingest/csv.c and add PART(ingest, csv) to
 * core/parts.def. It is then detected like the others, and known as format "csv". */
#include <string.h>

#include "part.h"
#include "util/addr.h"
#include "util/number.h"

enum column { START, DURATION, SRC, SRC_PORT, DST, DST_PORT, PROTO, BYTES_OUT, BYTES_IN, COLUMNS };

struct cell {
    const char *text;
    size_t length;
};

/* Bytes from logs are hostile: nothing here reads beyond `length`. */
static bool split(const char *line, size_t length, struct cell cells[COLUMNS])
{
    for (int i = 0; i < COLUMNS; i++) {
        const char *comma = memchr(line, ',', length);
        bool last = i == COLUMNS - 1;
        if ((comma == NULL) != last)
            return false;
        cells[i].text = line;
        cells[i].length = comma != NULL ? (size_t)(comma - line) : length;
        if (comma != NULL) {
            line = comma + 1;
            length -= cells[i].length + 1;
        }
    }
    return true;
}

/* Does this look like a line of this format? Must be strict: the first format to say yes wins. */
static bool csv_recognise(const char *line, size_t length)
{
    struct cell cells[COLUMNS];
    int64_t start_us;
    return split(line, length, cells) &&
           number_micros(cells[START].text, cells[START].length, &start_us);
}

static bool read_small(const struct cell *cell, uint64_t high, uint64_t *out)
{
    return number_unsigned(cell->text, cell->length, out) && *out <= high;
}

/* An empty count is one that the sensor did not report. */
static bool read_count(const struct cell *cell, uint64_t *out)
{
    *out = EDDY_UNSET;
    return cell->length == 0 || number_unsigned(cell->text, cell->length, out);
}

/* One line without its newline. Allocates nothing; `scratch` would be for what can't be done
 * without. The reasons are those of core/reasons.def. */
static enum reason csv_decode(void *state, struct arena *scratch, const char *line, size_t length,
                              eddy_flow *flow, struct context *context)
{
    struct cell cells[COLUMNS];
    uint64_t src_port, dst_port, proto;
    int64_t duration_us;
    (void)state;
    (void)scratch;
    (void)context; /* this format has nothing but flows */
    if (!split(line, length, cells))
        return REASON_wrong_columns;
    *flow = (eddy_flow){.size = sizeof *flow, .packets_out = EDDY_UNSET, .packets_in = EDDY_UNSET};
    if (!addr_parse(cells[SRC].text, cells[SRC].length, flow->src) ||
        !addr_parse(cells[DST].text, cells[DST].length, flow->dst) ||
        !read_small(&cells[SRC_PORT], UINT16_MAX, &src_port) ||
        !read_small(&cells[DST_PORT], UINT16_MAX, &dst_port))
        return REASON_bad_address;
    if (!number_micros(cells[START].text, cells[START].length, &flow->start_us) ||
        !number_micros(cells[DURATION].text, cells[DURATION].length, &duration_us) ||
        duration_us < 0 || !read_small(&cells[PROTO], UINT8_MAX, &proto) ||
        !read_count(&cells[BYTES_OUT], &flow->bytes_out) ||
        !read_count(&cells[BYTES_IN], &flow->bytes_in))
        return REASON_bad_number;
    flow->src_port = (uint16_t)src_port;
    flow->dst_port = (uint16_t)dst_port;
    flow->proto = (uint8_t)proto;
    flow->duration_us = (uint64_t)duration_us;
    flow->state = flow->bytes_in == 0 ? EDDY_CONN_ATTEMPT : EDDY_CONN_CLOSED;
    return REASON_NONE;
}

const struct input ingest_csv = {
    .part = {.name = "csv", .help = "Flows as lines of comma-separated values."},
    .recognise = csv_recognise,
    .decode = csv_decode,
};
