/* SPDX-License-Identifier: MIT */
/* follow_part.c - the part of a log that is being read: taken, kept in mind, finished. */
#include "follow_part.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

void follow_complain(struct follow *f, int error)
{
    if (error == f->complaint)
        return;
    f->complaint = error;
    if (error == ENOENT)
        say(&f->log, LOG_NOTICE, "%s: not there yet, waiting for it", f->path);
    else if (error == EINVAL)
        say(&f->log, LOG_ERR, "%s: not a regular file (a directory, FIFO or device): not read",
            f->path);
    else
        say(&f->log, LOG_ERR, "%s: %s", f->path, strerror(error));
}

void follow_keep_state(struct follow *f)
{
    f->state.reading = f->now.fd >= 0;
    f->state.dev = f->now.dev;
    f->state.ino = f->now.ino;
    f->state.print = f->now.print;
    if (f->now.fd < 0)
        return;
    int64_t mtime_ns = generation_mtime_ns(&f->now);
    if (mtime_ns > f->state.newest_ns)
        f->state.newest_ns = mtime_ns;
}

void follow_drop_part(struct follow *f)
{
    generation_close(&f->now);
    f->superseded = false;
    follow_keep_state(f);
}

void follow_take_part(struct follow *f, struct generation *g, int place, const char *name,
                      uint64_t offset)
{
    follow_drop_part(f);
    f->now = *g;
    if (f->home >= 0)
        (void)close(f->home); /* read only */
    f->home = fcntl(place, F_DUPFD_CLOEXEC, 0);
    f->refused = false;
    f->complaint = 0;
    f->skip = 0;
    size_t length = strlen(name);
    memcpy(f->name, name, length < sizeof f->name ? length + 1 : 0);
    f->state.offset = offset;
    if (offset > 0) {
        /* A Zeek log must be read from its top: its rows mean nothing without the header. */
        if (g->kind == GENERATION_GZIP || generation_first_byte(g) == '#') {
            f->skip = offset;
            (void)eddy_worker_skip(f->worker, offset);
        } else {
            f->now.offset = offset;
        }
    }
    follow_keep_state(f);
}

void follow_finish_part(struct follow *f)
{
    (void)eddy_worker_end(f->worker);
    follow_keep_state(f);
    generation_settle(&f->now);
    follow_state_finish(&f->state, f->now.print);
    f->stats.finished++;
    follow_drop_part(f);
}
