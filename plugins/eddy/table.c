/* SPDX-License-Identifier: MIT */
/* table.c - incidents for a person at a terminal.
 *
 *     SEVERITY  P        DETECTOR  HOST      PEER               START (UTC)       LASTS  FLOWS  ID
 *     high      1.2e-09  beacon    10.0.0.5  203.0.113.9:443/tcp  2026-01-02 03:04  2h      64
 * 7cdc0a 10.0.0.5 calls 203.0.113.9 every 600 s, 64 times
 *
 * Incidents of a history have their state after the severity, and their mark if any has one.
 * Where the terminal is too narrow, the least needed columns go. */
#include "table.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define INDENT 4
#define GAP    2

enum column { SEVERITY, STATE, MARK, P, DETECTOR, HOST, PEER, START, LASTS, FLOWS, ID, COLUMNS };

/* In which order columns go when there is no room; the others stay. */
static const enum column droppable[] = {LASTS, FLOWS, START, PEER, STATE, MARK};

static const char *const titles[COLUMNS] = {"SEVERITY", "STATE", "MARK", "P",
                                            "DETECTOR", "HOST",  "PEER", "START (UTC)",
                                            "LASTS",    "FLOWS", "ID"};

struct layout {
    size_t id_length;
    size_t width[COLUMNS]; /* 0: the column is not shown */
    struct table_look look;
};

struct table_look table_look(void)
{
    struct table_look look = {.width = 100};
    struct winsize window;
    const char *columns = getenv("COLUMNS"), *no_colour = getenv("NO_COLOR"),
               *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO) == 1;
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0)
        look.width = window.ws_col;
    else if (columns != NULL && strtoul(columns, NULL, 10) > 0)
        look.width = strtoul(columns, NULL, 10);
    look.width = look.width < 40 ? 40 : look.width > 1000 ? 1000 : look.width;
    look.colours = terminal && (no_colour == NULL || *no_colour == '\0') && term != NULL &&
                   strcmp(term, "dumb") != 0;
    return look;
}

const char *severity_name(int severity)
{
    return severity == EDDY_HIGH ? "high" : severity == EDDY_MEDIUM ? "medium" : "low";
}

static const char *colour_of(int severity)
{
    return severity == EDDY_HIGH ? "\033[1;31m" : severity == EDDY_MEDIUM ? "\033[33m" : "";
}

static void put_time(int64_t us, char cell[CELL_SIZE])
{
    time_t seconds = (time_t)(us / 1000000);
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL || strftime(cell, CELL_SIZE, "%Y-%m-%d %H:%M", &utc) == 0)
        (void)snprintf(cell, CELL_SIZE, "?");
}

static void put_lasts(int64_t us, char cell[CELL_SIZE])
{
    int64_t s = us / 1000000;
    if (s < 120)
        (void)snprintf(cell, CELL_SIZE, "%" PRId64 "s", s);
    else if (s < 7200)
        (void)snprintf(cell, CELL_SIZE, "%" PRId64 "m", s / 60);
    else if (s < 172800)
        (void)snprintf(cell, CELL_SIZE, "%" PRId64 "h", s / 3600);
    else
        (void)snprintf(cell, CELL_SIZE, "%" PRId64 "d", s / 86400);
}

void put_peer(const char *peer, unsigned peer_port, unsigned ip_proto, char cell[CELL_SIZE])
{
    char port[16] = "";
    const char *proto = ip_proto == 6 ? "/tcp" : ip_proto == 17 ? "/udp" : "";
    if (peer_port != 0)
        (void)snprintf(port, sizeof port, ":%u%s", peer_port, proto);
    bool brackets = *port != '\0' && strchr(peer, ':') != NULL;
    if (peer[0] == '\0')
        (void)snprintf(cell, CELL_SIZE, "-");
    else
        (void)snprintf(cell, CELL_SIZE, brackets ? "[%s]%s" : "%s%s", peer, port);
}

static void put_cell(const struct layout *layout, const struct incident_line *line,
                     enum column column, char cell[CELL_SIZE])
{
    switch (column) {
    case ID:
        (void)snprintf(cell, CELL_SIZE, "%.*s", (int)layout->id_length, line->id);
        break;
    case MARK:
        (void)snprintf(cell, CELL_SIZE, "%s", line->mark);
        break;
    case SEVERITY:
        (void)snprintf(cell, CELL_SIZE, "%s%s", severity_name(line->severity),
                       line->withheld     ? " *"
                       : line->suppressed ? " -"
                                          : "");
        break;
    case STATE:
        (void)snprintf(cell, CELL_SIZE, "%s", line->state);
        break;
    case P:
        (void)snprintf(cell, CELL_SIZE, "%.2g", line->p);
        break;
    case DETECTOR:
        (void)snprintf(cell, CELL_SIZE, "%s", line->detector);
        break;
    case HOST:
        (void)snprintf(cell, CELL_SIZE, "%s", line->host);
        break;
    case PEER:
        put_peer(line->peer, line->peer_port, line->proto, cell);
        break;
    case START:
        put_time(line->start_us, cell);
        break;
    case LASTS:
        put_lasts(line->end_us - line->start_us, cell);
        break;
    default:
        (void)snprintf(cell, CELL_SIZE, "%" PRIu64, line->flows);
        break;
    }
}

static size_t total_width(const struct layout *layout)
{
    size_t total = 0;
    for (int c = 0; c < COLUMNS; c++) {
        if (layout->width[c] > 0)
            total += layout->width[c] + (total > 0 ? GAP : 0);
    }
    return total;
}

static struct layout make_layout(const struct found *found, struct table_look look,
                                 size_t id_length)
{
    struct layout layout = {.look = look, .id_length = id_length};
    bool any_peer = false, any_state = false, any_mark = false;
    for (size_t i = 0; i < found->count; i++) {
        any_peer = any_peer || found->lines[i].peer[0] != '\0';
        any_state = any_state || found->lines[i].state[0] != '\0';
        any_mark = any_mark || found->lines[i].mark[0] != '\0';
    }
    for (int c = 0; c < COLUMNS; c++) {
        layout.width[c] = strlen(titles[c]);
        for (size_t i = 0; i < found->count; i++) {
            char cell[CELL_SIZE];
            put_cell(&layout, &found->lines[i], (enum column)c, cell);
            if (strlen(cell) > layout.width[c])
                layout.width[c] = strlen(cell);
        }
    }
    if (!any_peer)
        layout.width[PEER] = 0;
    if (!any_state)
        layout.width[STATE] = 0;
    if (!any_mark)
        layout.width[MARK] = 0;
    for (size_t i = 0; i < sizeof droppable / sizeof *droppable; i++) {
        if (total_width(&layout) > look.width)
            layout.width[droppable[i]] = 0;
    }
    return layout;
}

void print_safely(const char *text, size_t length)
{
    const unsigned char *at = (const unsigned char *)text;
    for (size_t i = 0; i < length; i++) {
        bool c1 = at[i] == 0xC2 && i + 1 < length && at[i + 1] >= 0x80 && at[i + 1] < 0xA0;
        (void)putchar(at[i] < 0x20 || at[i] == 0x7F || c1 ? '?' : text[i]);
        i += c1;
    }
}

void print_wrapped(const char *text, size_t width)
{
    size_t room = width - INDENT;
    while (*text != '\0') {
        size_t length = strlen(text);
        if (length > room) {
            length = room;
            while (length > 0 && text[length] != ' ')
                length--;
            if (length == 0) /* one long word */
                length = room;
        }
        printf("%*s", INDENT, "");
        print_safely(text, length);
        (void)putchar('\n');
        text += length;
        text += strspn(text, " ");
    }
}

static void print_cell(const struct layout *layout, enum column column, const char *cell)
{
    size_t width = layout->width[column];
    if (width == 0)
        return;
    if (column > 0)
        printf("%*s", GAP, "");
    size_t length = strlen(cell), pad = length < width ? width - length : 0;
    if (column == FLOWS)
        printf("%*s", (int)pad, "");
    print_safely(cell, length);
    if (column != FLOWS && column != ID) /* the last one */
        printf("%*s", (int)pad, "");
}

static void print_line(const struct layout *layout, const struct incident_line *line)
{
    const char *colour = layout->look.colours ? colour_of(line->severity) : "";
    for (int c = 0; c < COLUMNS; c++) {
        char cell[CELL_SIZE];
        put_cell(layout, line, (enum column)c, cell);
        if (c == SEVERITY)
            (void)fputs(colour, stdout);
        print_cell(layout, (enum column)c, cell);
        if (c == SEVERITY && *colour != '\0')
            (void)fputs("\033[0m", stdout);
    }
    (void)putchar('\n');
    print_wrapped(line->summary, layout->look.width);
}

static size_t id_length_of(const struct found *found)
{
    const char **ids = calloc(found->count, sizeof *ids);
    if (ids == NULL)
        return 2 * sizeof(uint64_t); /* more than enough */
    for (size_t i = 0; i < found->count; i++)
        ids[i] = found->lines[i].id;
    size_t length = found_id_length(ids, found->count);
    free(ids);
    return length;
}

void table_print(const struct found *found, struct table_look look)
{
    if (found->count == 0)
        return;
    size_t id_length = found->id_length > 0 ? found->id_length : id_length_of(found);
    struct layout layout = make_layout(found, look, id_length);
    for (int c = 0; c < COLUMNS; c++)
        print_cell(&layout, (enum column)c, titles[c]);
    (void)putchar('\n');
    for (size_t i = 0; i < found->count; i++)
        print_line(&layout, &found->lines[i]);
    (void)putchar('\n');
}
