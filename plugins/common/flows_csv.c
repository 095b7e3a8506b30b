/* SPDX-License-Identifier: MIT */
/* flows_csv.c - every scored flow as a CSV line: id,score,p,detector. */
#include "flows_csv.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

#define PIECE   (64 * 1024)        /* written when so much is collected */
#define BUFFER  (16 * 1024 * 1024) /* kept while the disk is full */
#define ROW_MAX 256                /* an id of 40 bytes quoted, two numbers, a detector name */

struct flows_csv {
    int fd;
    char *path;
    size_t used, size; /* of the buffer */
    char *buffer;
    uint64_t lost;
    bool failing; /* the last attempt to write */
};

static int open_path(const char *path, eddy_error *err)
{
    if (strcmp(path, "-") == 0) {
        int copy = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
        return copy >= 0 ? copy : fault(err, EDDY_EIO, "standard output: %s", strerror(errno));
    }
    int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0640);
    if (fd < 0)
        return fault(err, EDDY_EIO, "%s: %s", path,
                     errno == ELOOP ? "is a symlink, which is not followed" : strerror(errno));
    return fd;
}

/* The header, if the file is new (or no file); a line end, if a kill has cut the last line. */
static void begin(struct flows_csv *f)
{
    static const char header[] = "id,score,p,detector\n";
    struct stat st;
    char last = '\n';
    if (fstat(f->fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        if (pread(f->fd, &last, 1, st.st_size - 1) == 1 && last != '\n')
            f->buffer[f->used++] = '\n';
        return;
    }
    memcpy(f->buffer + f->used, header, sizeof header - 1);
    f->used += sizeof header - 1;
}

int flows_csv_open(const char *path, struct flows_csv **out, eddy_error *err)
{
    int fd = open_path(path, err);
    if (fd < 0)
        return fd;
    struct flows_csv *f = calloc(1, sizeof *f);
    char *copy = strdup(path);
    char *buffer = malloc(2 * PIECE);
    if (f == NULL || copy == NULL || buffer == NULL) {
        (void)close(fd); /* nothing written */
        free(f);
        free(copy);
        free(buffer);
        return fault(err, EDDY_ENOMEM, "out of memory");
    }
    *f = (struct flows_csv){.fd = fd, .path = copy, .buffer = buffer, .size = 2 * PIECE};
    begin(f);
    *out = f;
    return EDDY_OK;
}

/* Appends the id, quoted if it has what would end a field. */
static size_t put_id(char *to, const char *id)
{
    size_t length = strnlen(id, sizeof((eddy_flow *)0)->id);
    size_t n = 0;
    bool quote = false;
    for (size_t i = 0; i < length && !quote; i++)
        quote = id[i] == ',' || id[i] == '"' || id[i] == '\r' || id[i] == '\n';
    if (!quote) {
        memcpy(to, id, length);
        return length;
    }
    to[n++] = '"';
    for (size_t i = 0; i < length; i++) {
        if (id[i] == '"')
            to[n++] = '"';
        to[n++] = id[i];
    }
    to[n++] = '"';
    return n;
}

/* Appends a number of 1e-4 to below 1e6 with six significant digits, as %g does but without its
 * cost, which is as much as scoring a flow. Returns 0 for other numbers. */
static size_t put_digits(char *to, double number)
{
    static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    if (!(number >= 1e-4 && number < 999999.5))
        return 0;
    int scale = 9; /* digits after the point, if there are to be six in all */
    while (scale > 0 && number * ten[scale] >= 999999.5)
        scale--;
    uint32_t digits = (uint32_t)(number * ten[scale] + 0.5);
    for (; scale > 0 && digits % 10 == 0; scale--)
        digits /= 10;
    char reversed[16];
    size_t n = 0;
    for (int i = 0; digits > 0 || i <= scale; i++, digits /= 10) {
        if (i == scale && scale > 0)
            reversed[n++] = '.';
        reversed[n++] = (char)('0' + digits % 10);
    }
    for (size_t i = 0; i < n; i++)
        to[i] = reversed[n - 1 - i];
    return n;
}

/* Appends `,number`; nothing after the comma if it is none. A host's locale may write a decimal
 * comma, which a CSV cannot have. */
static size_t put_number(char *to, double number)
{
    to[0] = ',';
    if (isnan(number))
        return 1;
    if (number == 0 || number == 1) { /* most flows are quite usual: score 0, p 1 */
        to[1] = number == 0 ? '0' : '1';
        return 2;
    }
    size_t quick = put_digits(to + 1, number);
    if (quick > 0)
        return quick + 1;
    int length = snprintf(to + 1, 32, "%.6g", number);
    for (int i = 1; i <= length; i++)
        if (strchr("0123456789+-einf", to[i]) == NULL)
            to[i] = '.';
    return (size_t)length + 1;
}

static int make_room(struct flows_csv *f)
{
    if (f->size - f->used >= ROW_MAX)
        return EDDY_OK;
    size_t size = f->size * 2;
    char *grown = size <= BUFFER ? realloc(f->buffer, size) : NULL;
    if (grown == NULL)
        return EDDY_EIO;
    f->buffer = grown;
    f->size = size;
    return EDDY_OK;
}

int flows_csv_add(struct flows_csv *f, const eddy_flow *flow, const eddy_verdict *verdict)
{
    if (f->used >= PIECE)
        (void)flows_csv_flush(f, NULL); /* told by the next explicit flush */
    if (make_room(f) != EDDY_OK) {
        f->lost++;
        return EDDY_EIO;
    }
    char *line = f->buffer + f->used;
    size_t n = put_id(line, flow->id);
    n += put_number(line + n, verdict->score);
    n += put_number(line + n, verdict->p);
    const char *detector = verdict->detector != NULL ? verdict->detector : "";
    size_t length = strnlen(detector, 64);
    line[n++] = ',';
    memcpy(line + n, detector, length);
    n += length;
    line[n++] = '\n';
    f->used += n;
    return EDDY_OK;
}

static const char *name_of(const struct flows_csv *f)
{
    return strcmp(f->path, "-") == 0 ? "standard output" : f->path;
}

int flows_csv_flush(struct flows_csv *f, eddy_error *err)
{
    size_t done = 0;
    int status = EDDY_OK;
    while (done < f->used && status == EDDY_OK) {
        ssize_t wrote = write(f->fd, f->buffer + done, f->used - done);
        if (wrote >= 0)
            done += (size_t)wrote;
        else if (errno != EINTR)
            status = fault(err, EDDY_EIO, "%s: %s", name_of(f), strerror(errno));
    }
    memmove(f->buffer, f->buffer + done, f->used - done);
    f->used -= done;
    f->failing = status < 0;
    return status;
}

static void place_of(const struct flows_csv *f, struct flows_csv_place *out)
{
    struct stat st;
    *out = (struct flows_csv_place){0};
    if (fstat(f->fd, &st) != 0 || !S_ISREG(st.st_mode))
        return;
    *out = (struct flows_csv_place){.regular = 1,
                                    .dev = (uint64_t)st.st_dev,
                                    .ino = (uint64_t)st.st_ino,
                                    .length = (uint64_t)st.st_size};
}

int flows_csv_sync(struct flows_csv *f, struct flows_csv_place *out, eddy_error *err)
{
    int status = flows_csv_flush(f, err);
    if (status < 0)
        return status;
    struct flows_csv_place place;
    place_of(f, &place);
    if (place.regular && fdatasync(f->fd) != 0)
        return fault(err, EDDY_EIO, "%s: %s", name_of(f), strerror(errno));
    *out = place;
    return EDDY_OK;
}

int flows_csv_rewind(struct flows_csv *f, const struct flows_csv_place *to, eddy_error *err)
{
    struct flows_csv_place now;
    place_of(f, &now);
    if (!now.regular || !to->regular || now.dev != to->dev || now.ino != to->ino ||
        now.length < to->length)
        return 0;
    f->used = 0; /* at most what begin() put there */
    if (ftruncate(f->fd, (off_t)to->length) != 0)
        return fault(err, EDDY_EIO, "%s: %s", name_of(f), strerror(errno));
    if (to->length == 0)
        begin(f);
    return 1;
}

int flows_csv_reopen(struct flows_csv *f, eddy_error *err)
{
    struct flows_csv_place now;
    struct stat st;
    place_of(f, &now);
    if (!now.regular || (stat(f->path, &st) == 0 && (uint64_t)st.st_dev == now.dev &&
                         (uint64_t)st.st_ino == now.ino))
        return EDDY_OK;
    int status = flows_csv_flush(f, err);
    if (status < 0)
        return status;
    int fd = open_path(f->path, err);
    if (fd < 0)
        return fd;
    if (close(f->fd) != 0) {
        (void)close(fd);
        f->fd = -1;
        return fault(err, EDDY_EIO, "%s: %s", name_of(f), strerror(errno));
    }
    f->fd = fd;
    begin(f);
    return EDDY_OK;
}

bool flows_csv_failing(const struct flows_csv *f)
{
    return f->failing;
}

uint64_t flows_csv_lost(const struct flows_csv *f)
{
    return f->lost;
}

int flows_csv_close(struct flows_csv *f, eddy_error *err)
{
    if (f == NULL)
        return EDDY_OK;
    int status = flows_csv_flush(f, err);
    if (close(f->fd) != 0 && status == EDDY_OK)
        status = fault(err, EDDY_EIO, "%s: %s", name_of(f), strerror(errno));
    free(f->path);
    free(f->buffer);
    free(f);
    return status;
}
