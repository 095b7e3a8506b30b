/* SPDX-License-Identifier: MIT */
/* textfile.c - metrics as a file, for the textfile collector of Prometheus' node_exporter.
 *
 * The file is replaced by rename, so that nobody reads half of one. It is written at every interval
 * even when nothing has changed: its age tells whether eddy is alive. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "part.h"
#include "util/error.h"
#include "util/text.h"

struct textfile_conf {
    const char *path;
};

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct textfile_conf, path), "", 0, 0,
     "File that metrics are written to, replaced as a whole; its name ends in .prom; empty: none."},
    {0}};

struct textfile {
    char *path;
    char *unfinished; /* path with ".tmp": the collector reads only *.prom */
};

static bool textfile_wanted(const void *conf)
{
    const struct textfile_conf *c = conf;
    return c->path[0] != '\0';
}

static void textfile_close(void *state)
{
    struct textfile *textfile = state;
    free(textfile->unfinished);
    free(textfile->path);
    *textfile = (struct textfile){0};
}

/* Is there a directory that we may write to? Told at the start, not at the first interval. */
static int check_directory(const char *path, eddy_error *err)
{
    char *directory = strdup(path);
    if (directory == NULL)
        return error_nomem(err);
    char *slash = strrchr(directory, '/');
    if (slash != NULL)
        slash[1] = '\0';
    const char *name = slash != NULL ? directory : ".";
    int status = EDDY_OK;
    if (access(name, W_OK | X_OK) != 0)
        status = error_set(err, EDDY_EIO, "%s: %s", name, strerror(errno));
    free(directory);
    return status;
}

static int textfile_open(void *state, const void *conf, eddy_error *err)
{
    const struct textfile_conf *c = conf;
    struct textfile *textfile = state;
    size_t length = strlen(c->path);
    if (length < strlen("x.prom") || strcmp(c->path + length - strlen(".prom"), ".prom") != 0 ||
        c->path[length - strlen("x.prom")] == '/')
        return error_set(err, EDDY_ECONFIG, "textfile.path = '%.100s': does not end in name.prom",
                         c->path);
    int status = check_directory(c->path, err);
    if (status != EDDY_OK)
        return status;
    size_t size = length + sizeof ".tmp";
    textfile->path = strdup(c->path);
    textfile->unfinished = malloc(size);
    if (textfile->path == NULL || textfile->unfinished == NULL) {
        textfile_close(textfile);
        return error_nomem(err);
    }
    struct text text = text_over(textfile->unfinished, size);
    text_add(&text, c->path);
    text_add(&text, ".tmp");
    return EDDY_OK;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        bytes += n;
        length -= (size_t)n;
    }
    return true;
}

static int textfile_metrics(void *state, const char *text, size_t length, eddy_error *err)
{
    const struct textfile *textfile = state;
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(textfile->unfinished, flags, 0644);
    if (fd < 0)
        return error_set(err, EDDY_EIO, "%s: %s", textfile->unfinished, strerror(errno));
    /* The collector runs as another user, whatever our umask is. */
    bool written = write_all(fd, text, length) && fchmod(fd, 0644) == 0;
    int problem = written ? 0 : errno;
    if (close(fd) != 0 && written) {
        written = false;
        problem = errno;
    }
    if (written && rename(textfile->unfinished, textfile->path) == 0)
        return EDDY_OK;
    if (written)
        problem = errno;
    (void)unlink(textfile->unfinished); /* the file of the last interval stays */
    return error_set(err, EDDY_EIO, "%s: %s", textfile->path, strerror(problem));
}

const struct output emit_textfile = {
    .part = {.name = "textfile",
             .help = "Metrics as a file for the textfile collector of node_exporter.",
             .conf_size = sizeof(struct textfile_conf),
             .options = options},
    .state_size = sizeof(struct textfile),
    .wanted = textfile_wanted,
    .open = textfile_open,
    .metrics = textfile_metrics,
    .close = textfile_close,
};
