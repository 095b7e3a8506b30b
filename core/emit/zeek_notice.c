/* SPDX-License-Identifier: MIT */
/* zeek_notice.c - incidents as a table that Zeek reads back and makes notices of.
 *
 * Zeek's Input framework takes a file's last line as a whole one even if its newline is still to
 * come, and a stream it has open never notices a truncation or another file under the name. So
 * nothing is ever appended: the table is replaced by rename, as Zeek's own intelligence framework
 * wants it (mode REREAD). Zeek reads it again when inode or whole second of change differ, so each
 * table is dated at least a second after the one before. plugins/zeek/README.md has the rest. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "emit.h"
#include "part.h"
#include "util/error.h"
#include "util/io.h"
#include "util/text.h"

struct zeek_notice_conf {
    const char *path;
    uint64_t keep;
};

#define KEEP_MAX    10000
#define ROW_MAX     8192      /* with its newline; reasons and flow ids are few */
#define WAITING_MAX (1 << 20) /* bytes of rows that wait for a disk that is full */

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct zeek_notice_conf, path), "", 0, 0,
     "Table of incidents for Zeek's package eddy, which makes notices of them; empty: none."},
    {"keep", OPTION_COUNT, offsetof(struct zeek_notice_conf, keep), "1000", 1, KEEP_MAX,
     "Rows kept in the table: three or more for each incident."},
    {0}};

/* The fields of Eddy::Incident in plugins/zeek/scripts/notices.zeek; a test compares them. The last
 * one is never empty: old readers of Zeek drop an empty field at the end of a line. */
static const char header[] =
    "#fields\tserial\tid\tstate\tdetector\tseverity\thost\tpeer\tpeer_port\tproto\ttechnique\tstart"
    "\tend\tflows\tp\tscore\tsummary\treasons\tuids\n"
    "#types\tcount\tstring\tstring\tstring\tstring\taddr\taddr\tcount\tstring\tstring\ttime"
    "\ttime\tcount\tdouble\tdouble\tstring\tvector[string]\tvector[string]\n";

struct zeek_notice {
    char *path;
    char *unfinished; /* path with ".tmp" */
    uint64_t keep;
    uint64_t serial; /* of the last row */
    char *rows;      /* not in the table yet */
    size_t length, room;
};

static bool zeek_notice_wanted(const void *conf)
{
    const struct zeek_notice_conf *c = conf;
    return c->path[0] != '\0';
}

static int io_error(const char *path, eddy_error *err)
{
    return error_set(err, EDDY_EIO, "%s: %s", path, strerror(errno));
}

/* ---- a row ---- */

/* The words that mean "unset" and "empty" are escaped at their first byte, as Zeek does it. */
static void add_text(struct text *row, const char *value, char separator)
{
    bool reserved = strcmp(value, "-") == 0 || strcmp(value, "(empty)") == 0;
    for (const char *p = value; *p != '\0'; p++) {
        unsigned char byte = (unsigned char)*p;
        if (byte < 0x20 || byte == 0x7F || byte == '\\' || *p == separator ||
            (reserved && p == value))
            text_format(row, "\\x%02x", (unsigned)byte);
        else
            text_char(row, *p);
    }
}

static void field_text(struct text *row, const char *value)
{
    text_char(row, '\t');
    add_text(row, value, '\t');
}

static void field_count(struct text *row, uint64_t value)
{
    text_format(row, "\t%" PRIu64, value);
}

static void field_number(struct text *row, double value)
{
    text_char(row, '\t');
    text_digits(row, value, 6);
}

static void field_time(struct text *row, int64_t us)
{
    uint64_t magnitude = us < 0 ? -(uint64_t)us : (uint64_t)us;
    text_format(row, "\t%s%" PRIu64 ".%06" PRIu64, us < 0 ? "-" : "", magnitude / 1000000,
                magnitude % 1000000);
}

static void field_address(struct text *row, const uint8_t address[16])
{
    static const uint8_t none[16];
    char buf[46];
    text_char(row, '\t');
    text_add(row, memcmp(address, none, sizeof none) == 0 ? "-" : eddy_address_text(address, buf));
}

/* Zeek's names; others are the number. */
static void field_proto(struct text *row, uint8_t proto)
{
    switch (proto) {
    case 1:
    case 58: /* Zeek says "icmp" for both */
        text_add(row, "\ticmp");
        break;
    case 6:
        text_add(row, "\ttcp");
        break;
    case 17:
        text_add(row, "\tudp");
        break;
    default:
        field_count(row, proto);
    }
}

/* One element more of a vector; an empty one says nothing. */
static void add_element(struct text *row, size_t *count, const char *value)
{
    if (*value == '\0')
        return;
    text_char(row, (*count)++ == 0 ? '\t' : ',');
    add_text(row, value, ',');
}

static void add_row(struct text *row, uint64_t serial, const eddy_incident *incident)
{
    text_format(row, "%" PRIu64, serial);
    field_text(row, incident->id);
    field_text(row, emit_state(incident->state));
    field_text(row, incident->detector);
    field_text(row, emit_severity(incident->severity));
    field_address(row, incident->host);
    field_address(row, incident->peer);
    if (incident->peer_port == 0)
        text_add(row, "\t-");
    else
        field_count(row, incident->peer_port);
    field_proto(row, incident->proto);
    field_text(row, incident->technique);
    field_time(row, incident->start_us);
    field_time(row, incident->end_us);
    field_count(row, incident->flows);
    field_number(row, incident->p);
    field_number(row, incident->score);
    field_text(row, incident->summary);
    size_t reasons = 0, uids = 0;
    for (size_t i = 0; i < incident->reason_count; i++)
        add_element(row, &reasons, incident->reasons[i].text);
    if (reasons == 0)
        text_add(row, "\t(empty)");
    for (size_t i = 0; i < incident->flow_id_count; i++)
        add_element(row, &uids, incident->flow_ids[i]);
    if (uids == 0)
        text_add(row, "\t(empty)");
    text_char(row, '\n');
}

/* Microseconds since 1970, or one more than the last: grows over restarts, also if the table was
 * removed meanwhile. Zeek remembers the last one it has seen. */
static uint64_t next_serial(const struct zeek_notice *z)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* can't fail with this clock */
    uint64_t us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
    return us > z->serial ? us : z->serial + 1;
}

static int zeek_notice_incident(void *state, const eddy_incident *incident, eddy_error *err)
{
    struct zeek_notice *z = state;
    if (incident->withheld)
        return EDDY_OK;
    if (z->room - z->length < ROW_MAX) {
        size_t room = z->length + 4 * (size_t)ROW_MAX;
        char *grown = room <= WAITING_MAX ? realloc(z->rows, room) : NULL;
        if (grown == NULL)
            return error_set(err, EDDY_EIO,
                             "%s: can't be written, too many incidents wait: one lost", z->path);
        z->rows = grown;
        z->room = room;
    }
    struct text row = text_over(z->rows + z->length, ROW_MAX);
    uint64_t serial = next_serial(z);
    add_row(&row, serial, incident);
    if (!text_fits(&row))
        return error_set(err, EDDY_EIO, "%s: an incident of %zu bytes", z->path, row.length);
    z->serial = serial;
    z->length += row.length;
    return EDDY_OK;
}

/* ---- the table ---- */

struct table {
    char *text; /* given; the rows begin after the header */
    size_t length;
    time_t changed; /* 0: there is none */
};

/* Reads what is there. A table of another version of eddy, or a damaged one, counts as empty; what
 * is no table of ours at all is never replaced. */
static int read_text(const struct zeek_notice *z, int fd, struct table *out, eddy_error *err)
{
    static const char mark[] = "#fields\tserial\t";
    struct stat info;
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
        return error_set(err, EDDY_EIO, "%s: not a regular file", z->path);
    out->changed = info.st_mtime;
    size_t size = (size_t)info.st_size;
    if (size > sizeof header + (size_t)KEEP_MAX * ROW_MAX)
        return error_set(err, EDDY_EIO, "%s: too large for a table of incidents", z->path);
    out->text = malloc(size + 1);
    if (out->text == NULL)
        return error_nomem(err);
    ssize_t got = io_read(fd, out->text, size);
    if (got < 0)
        return io_error(z->path, err);
    if (got > 0 && ((size_t)got < sizeof mark || memcmp(out->text, mark, sizeof mark - 1) != 0))
        return error_set(err, EDDY_EIO, "%s: not a table of incidents, remove it first", z->path);
    if ((size_t)got >= sizeof header - 1 && memcmp(out->text, header, sizeof header - 1) == 0 &&
        out->text[got - 1] == '\n')
        out->length = (size_t)got;
    return EDDY_OK;
}

static int read_table(const struct zeek_notice *z, struct table *out, eddy_error *err)
{
    *out = (struct table){0};
    int fd = open(z->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return EDDY_OK;
    if (fd < 0 && errno == ELOOP)
        return error_set(err, EDDY_EIO, "%s: is a symbolic link", z->path);
    if (fd < 0)
        return io_error(z->path, err);
    int status = read_text(z, fd, out, err);
    (void)close(fd); /* read only */
    if (status != EDDY_OK)
        free(out->text);
    return status;
}

/* Where the last `count` rows of a text begin that ends in a newline. */
static size_t last_rows(const char *text, size_t length, uint64_t count)
{
    while (length > 0) {
        size_t row = length - 1;
        while (row > 0 && text[row - 1] != '\n')
            row--;
        if (count-- == 0)
            return length;
        length = row;
    }
    return 0;
}

static size_t count_rows(const char *text, size_t length)
{
    size_t rows = 0;
    for (size_t i = 0; i < length; i++)
        rows += text[i] == '\n';
    return rows;
}

/* Zeek compares whole seconds: the new table is later than the old one by one at least. */
static bool date_after(int fd, time_t changed)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return false;
    if (info.st_mtime > changed)
        return true;
    struct timespec times[2] = {{.tv_sec = changed + 1}, {.tv_sec = changed + 1}};
    return futimens(fd, times) == 0;
}

static bool write_table(int fd, const struct zeek_notice *z, const struct table *old)
{
    size_t head = sizeof header - 1;
    uint64_t new_rows = count_rows(z->rows, z->length);
    if (!io_write(fd, header, head))
        return false;
    if (old->length > head && new_rows < z->keep) {
        const char *rows = old->text + head;
        size_t begin = last_rows(rows, old->length - head, z->keep - new_rows);
        if (!io_write(fd, rows + begin, old->length - head - begin))
            return false;
    }
    size_t begin = last_rows(z->rows, z->length, z->keep);
    return io_write(fd, z->rows + begin, z->length - begin) && date_after(fd, old->changed) &&
           fdatasync(fd) == 0;
}

/* Replaces the table by one with the rows that wait at its end. */
static int replace(struct zeek_notice *z, const struct table *old, eddy_error *err)
{
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(z->unfinished, flags, 0640);
    if (fd < 0)
        return io_error(z->unfinished, err);
    bool written = write_table(fd, z, old);
    int problem = written ? 0 : errno;
    if (close(fd) != 0 && written) {
        written = false;
        problem = errno;
    }
    if (written && rename(z->unfinished, z->path) == 0) {
        z->length = 0;
        return EDDY_OK;
    }
    if (written)
        problem = errno;
    (void)unlink(z->unfinished); /* the table of before stays, and the rows wait */
    errno = problem;
    return io_error(z->path, err);
}

static int zeek_notice_flush(void *state, eddy_error *err)
{
    struct zeek_notice *z = state;
    struct table old;
    if (z->length == 0)
        return EDDY_OK;
    int status = read_table(z, &old, err);
    if (status != EDDY_OK)
        return status;
    status = replace(z, &old, err);
    free(old.text);
    return status;
}

static void zeek_notice_close(void *state)
{
    struct zeek_notice *z = state;
    if (z->path != NULL)
        (void)zeek_notice_flush(z, NULL); /* tried at each round, and told then */
    free(z->rows);
    free(z->unfinished);
    free(z->path);
    *z = (struct zeek_notice){0};
}

/* Makes an empty table if there is none, so that Zeek finds one and an unwritable directory is told
 * at the start. */
static int begin_table(struct zeek_notice *z, eddy_error *err)
{
    struct table old;
    int status = read_table(z, &old, err);
    if (status != EDDY_OK)
        return status;
    size_t head = sizeof header - 1;
    if (old.length > head) {
        size_t last = last_rows(old.text, old.length, 1);
        old.text[old.length - 1] = '\0';
        (void)text_to_count(old.text + last, &z->serial); /* else the clock's */
    }
    if (old.length == 0)
        status = replace(z, &old, err);
    free(old.text);
    return status;
}

static int zeek_notice_open(void *state, const void *conf, eddy_error *err)
{
    const struct zeek_notice_conf *c = conf;
    struct zeek_notice *z = state;
    size_t size = strlen(c->path) + sizeof ".tmp";
    z->keep = c->keep;
    z->path = strdup(c->path);
    z->unfinished = malloc(size);
    int status = EDDY_OK;
    if (z->path == NULL || z->unfinished == NULL) {
        status = error_nomem(err);
    } else {
        struct text name = text_over(z->unfinished, size);
        text_add(&name, c->path);
        text_add(&name, ".tmp");
        status = begin_table(z, err);
    }
    if (status != EDDY_OK)
        zeek_notice_close(z);
    return status;
}

const struct output emit_zeek_notice = {
    .part = {.name = "zeek_notice",
             .help = "Incidents as a table that Zeek reads back and makes notices of.",
             .conf_size = sizeof(struct zeek_notice_conf),
             .options = options},
    .state_size = sizeof(struct zeek_notice),
    .wanted = zeek_notice_wanted,
    .open = zeek_notice_open,
    .incident = zeek_notice_incident,
    .flush = zeek_notice_flush,
    .close = zeek_notice_close,
};
