/* SPDX-License-Identifier: MIT */
/* jsonl.c - incidents as lines of JSON in a file, for whatever reads eve.json.
 *
 * A line is written whole or not at all, also on a full disk. Rotation needs no signal: before each
 * round of incidents the path is compared with what is open. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "part.h"
#include "util/error.h"

struct jsonl_conf {
    const char *path;
    bool withheld;
};

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct jsonl_conf, path), "", 0, 0,
     "File that incidents are appended to, one line of JSON each; empty: none."},
    {"withheld", OPTION_FLAG, offsetof(struct jsonl_conf, withheld), "off", 0, 0,
     "Whether incidents that the budget withholds are written too, with \"withheld\":true."},
    {0}};

#define LINE_SIZE 16384     /* almost every incident */
#define LINE_MAX  (1 << 20) /* none is longer: reasons and flow ids are few */

struct jsonl {
    char *path;
    bool withheld;
    bool checked; /* in this round: is the path still what is open? */
    int fd;       /* -1: none */
};

static bool jsonl_wanted(const void *conf)
{
    const struct jsonl_conf *c = conf;
    return c->path[0] != '\0';
}

static int io_error(const struct jsonl *jsonl, eddy_error *err)
{
    return error_set(err, EDDY_EIO, "%s: %s", jsonl->path, strerror(errno));
}

static void close_file(struct jsonl *jsonl)
{
    if (jsonl->fd >= 0)
        (void)close(jsonl->fd); /* each write was checked */
    jsonl->fd = -1;
}

/* Writes all, or leaves the file as it was and sets errno. */
static bool append(int fd, const char *bytes, size_t length)
{
    size_t done = 0;
    while (done < length) {
        ssize_t n = write(fd, bytes + done, length - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            break;
        done += (size_t)n;
    }
    if (done == length)
        return true;
    int problem = errno;
    off_t end = lseek(fd, 0, SEEK_CUR); /* after what this process wrote last */
    struct stat info;
    if (done > 0 && end >= (off_t)done && fstat(fd, &info) == 0 && info.st_size == end)
        (void)!ftruncate(fd, end - (off_t)done); /* the next line then begins after a cut one */
    errno = problem;
    return false;
}

/* Whoever wrote last may have died in mid-line: ours must not be glued to it. */
static bool end_last_line(int fd)
{
    char last = '\n';
    off_t end = lseek(fd, 0, SEEK_END);
    if (end > 0 && pread(fd, &last, 1, end - 1) != 1)
        return false;
    return last == '\n' || append(fd, "\n", 1);
}

static int open_file(struct jsonl *jsonl, eddy_error *err)
{
    /* O_NONBLOCK: opening a FIFO must not wait for its reader. */
    int flags = O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    struct stat info;
    jsonl->fd = open(jsonl->path, flags, 0640);
    if (jsonl->fd < 0 && errno == ELOOP)
        return error_set(err, EDDY_EIO, "%s: is a symbolic link", jsonl->path);
    if (jsonl->fd < 0)
        return io_error(jsonl, err);
    int status = EDDY_OK;
    if (fstat(jsonl->fd, &info) != 0 || !S_ISREG(info.st_mode))
        status = error_set(err, EDDY_EIO, "%s: not a regular file", jsonl->path);
    else if (!end_last_line(jsonl->fd))
        status = io_error(jsonl, err);
    if (status != EDDY_OK)
        close_file(jsonl);
    return status;
}

/* Was the file renamed or removed since it was opened? */
static bool was_rotated(const struct jsonl *jsonl)
{
    struct stat ours, named;
    return fstat(jsonl->fd, &ours) != 0 || lstat(jsonl->path, &named) != 0 ||
           ours.st_dev != named.st_dev || ours.st_ino != named.st_ino;
}

static int jsonl_open(void *state, const void *conf, eddy_error *err)
{
    const struct jsonl_conf *c = conf;
    struct jsonl *jsonl = state;
    jsonl->fd = -1;
    jsonl->withheld = c->withheld;
    jsonl->path = strdup(c->path);
    if (jsonl->path == NULL)
        return error_nomem(err);
    int status = open_file(jsonl, err);
    if (status != EDDY_OK) {
        free(jsonl->path);
        jsonl->path = NULL;
    }
    return status;
}

static int write_line(struct jsonl *jsonl, char *line, size_t length, eddy_error *err)
{
    line[length] = '\n'; /* in the place of the NUL */
    return append(jsonl->fd, line, length + 1) ? EDDY_OK : io_error(jsonl, err);
}

/* Finds the file that the path names now; opens it if it is another, or none is open. */
static int check_file(struct jsonl *jsonl, eddy_error *err)
{
    if (jsonl->fd >= 0 && !jsonl->checked && was_rotated(jsonl))
        close_file(jsonl);
    jsonl->checked = true;
    return jsonl->fd >= 0 ? EDDY_OK : open_file(jsonl, err);
}

static int jsonl_incident(void *state, const eddy_incident *incident, eddy_error *err)
{
    struct jsonl *jsonl = state;
    if (incident->withheld && !jsonl->withheld)
        return EDDY_OK;
    int status = check_file(jsonl, err);
    if (status != EDDY_OK)
        return status;
    char line[LINE_SIZE];
    int length = eddy_incident_json(incident, line, sizeof line);
    if ((size_t)length < sizeof line)
        return write_line(jsonl, line, (size_t)length, err);
    if (length >= LINE_MAX)
        return error_set(err, EDDY_EIO, "%s: an incident of %d bytes", jsonl->path, length);
    char *longer = malloc((size_t)length + 1);
    if (longer == NULL)
        return error_nomem(err);
    (void)eddy_incident_json(incident, longer, (size_t)length + 1);
    status = write_line(jsonl, longer, (size_t)length, err);
    free(longer);
    return status;
}

static int jsonl_flush(void *state, eddy_error *err)
{
    struct jsonl *jsonl = state;
    (void)err;
    jsonl->checked = false; /* the next round looks again */
    return EDDY_OK;
}

static void jsonl_close(void *state)
{
    struct jsonl *jsonl = state;
    close_file(jsonl);
    free(jsonl->path);
    jsonl->path = NULL;
}

const struct output emit_jsonl = {
    .part = {.name = "jsonl",
             .help = "Incidents as lines of JSON in a file.",
             .conf_size = sizeof(struct jsonl_conf),
             .options = options},
    .state_size = sizeof(struct jsonl),
    .wanted = jsonl_wanted,
    .open = jsonl_open,
    .incident = jsonl_incident,
    .flush = jsonl_flush,
    .close = jsonl_close,
};
