/* SPDX-License-Identifier: MIT */
/* history.c - everything that was decided, for `eddy incidents`, `eddy report` and those who look
 * back: incidents in all their states, also the withheld and suppressed ones.
 *
 *     history.jsonl    up to history.max_bytes, then renamed to
 *     history.jsonl.1  which replaces the one of before
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "emit/line_file.h"
#include "part.h"
#include "util/error.h"

struct history_conf {
    const char *path;
    uint64_t max_bytes;
};

static const struct option options[] = {
    {"path", OPTION_TEXT, offsetof(struct history_conf, path), "", 0, 0,
     "File for every incident in every state, also withheld and suppressed ones; empty: none."},
    {"max_bytes", OPTION_BYTES, offsetof(struct history_conf, max_bytes), "64M", 65536,
     1099511627776, "Size at which the file becomes PATH.1, in place of the PATH.1 of before."},
    {0}};

struct history {
    struct line_file file;
    char *older; /* PATH.1 */
    uint64_t max_bytes;
};

static bool history_wanted(const void *conf)
{
    const struct history_conf *c = conf;
    return c->path[0] != '\0';
}

static int history_open(void *state, const void *conf, eddy_error *err)
{
    const struct history_conf *c = conf;
    struct history *history = state;
    size_t size = strlen(c->path) + sizeof ".1";
    history->max_bytes = c->max_bytes;
    history->older = malloc(size);
    if (history->older == NULL)
        return error_nomem(err);
    (void)snprintf(history->older, size, "%s.1", c->path);
    int status = line_file_open(&history->file, c->path, err);
    if (status != EDDY_OK) {
        free(history->older);
        history->older = NULL;
    }
    return status;
}

/* The next line makes a new file, for its path no longer names the one that is open. */
static int turn_over(const struct history *history, eddy_error *err)
{
    struct stat info;
    if (fstat(history->file.fd, &info) != 0 || (uint64_t)info.st_size < history->max_bytes)
        return EDDY_OK;
    if (line_file_rotated(&history->file)) /* another process did it: there is a new one */
        return EDDY_OK;
    if (rename(history->file.path, history->older) == 0 || errno == ENOENT)
        return EDDY_OK;
    return error_set(err, EDDY_EIO, "%s: %s", history->older, strerror(errno));
}

static int history_incident(void *state, const eddy_incident *incident, eddy_error *err)
{
    struct history *history = state;
    return line_file_add(&history->file, incident, err);
}

/* Between two rounds, so that a file is too large by a round at most. */
static int history_flush(void *state, eddy_error *err)
{
    struct history *history = state;
    line_file_look(&history->file);
    return history->file.fd >= 0 ? turn_over(history, err) : EDDY_OK;
}

static void history_close(void *state)
{
    struct history *history = state;
    line_file_close(&history->file);
    free(history->older);
    history->older = NULL;
}

const struct output emit_history = {
    .part = {.name = "history",
             .help = "Everything that was decided, for eddy incidents and eddy report.",
             .conf_size = sizeof(struct history_conf),
             .options = options},
    .state_size = sizeof(struct history),
    .wanted = history_wanted,
    .open = history_open,
    .incident = history_incident,
    .flush = history_flush,
    .close = history_close,
};
