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
#include "promtext.h"
#include "util/error.h"
#include "util/io.h"
#include "util/text.h"

#define LABEL_SIZE 256

struct textfile_conf {
    const char *path;
    const char *sensor;
};

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct textfile_conf, path), "", 0, 0,
     "File that metrics are written to, replaced as a whole; its name ends in .prom; empty: none."},
    {"sensor", OPTION_TEXT, offsetof(struct textfile_conf, sensor), "", 0, 0,
     "Value of a label sensor that all metrics in the file get, where one node_exporter serves the "
     "files of several; empty: no label."},
    {0}};

struct textfile {
    char *path;
    char *unfinished;       /* path with ".tmp": the collector reads only *.prom */
    char label[LABEL_SIZE]; /* sensor="...", or empty */
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
    struct text label = text_over(textfile->label, sizeof textfile->label);
    if (c->sensor[0] != '\0')
        promtext_label(&label, "sensor", c->sensor);
    if (!text_fits(&label))
        return error_set(err, EDDY_ECONFIG, "textfile.sensor = '%.40s...': too long", c->sensor);
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

/* The text with the label in each sample, first of its labels. What is returned is freed. */
static char *add_label(const char *label, const char *samples, size_t length, size_t *labelled)
{
    size_t lines = 1;
    for (size_t i = 0; i < length; i++)
        lines += samples[i] == '\n';
    size_t size = length + lines * (strlen(label) + strlen("{}")) + 1;
    char *bytes = malloc(size);
    if (bytes == NULL)
        return NULL;
    struct text text = text_over(bytes, size);
    const char *at = samples;
    const char *end = samples + length;
    while (at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        const char *next = newline != NULL ? newline + 1 : end;
        size_t name = *at == '#' ? 0 : strcspn(at, "{ \n"); /* the text ends with a newline */
        text_bytes(&text, at, name);
        if (name > 0)
            text_format(&text, at[name] == '{' ? "{%s," : "{%s}", label);
        at += name + (name > 0 && at[name] == '{');
        text_bytes(&text, at, (size_t)(next - at));
        at = next;
    }
    *labelled = text.length;
    return bytes;
}

static int write_file(const struct textfile *textfile, const char *text, size_t length,
                      eddy_error *err)
{
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(textfile->unfinished, flags, 0644);
    if (fd < 0)
        return error_set(err, EDDY_EIO, "%s: %s", textfile->unfinished, strerror(errno));
    /* The collector runs as another user, whatever our umask is. */
    bool written = io_write(fd, text, length) && fchmod(fd, 0644) == 0;
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

static int textfile_metrics(void *state, const char *text, size_t length, eddy_error *err)
{
    const struct textfile *textfile = state;
    if (textfile->label[0] == '\0')
        return write_file(textfile, text, length, err);
    size_t labelled;
    char *with_label = add_label(textfile->label, text, length, &labelled);
    if (with_label == NULL)
        return error_nomem(err);
    int status = write_file(textfile, with_label, labelled, err);
    free(with_label);
    return status;
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
