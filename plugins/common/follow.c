/* SPDX-License-Identifier: MIT */
/* follow.c - reads a growing log into a worker: through rotations, truncations and restarts.
 *
 * A log is a row of generations, oldest first. The open one is read until its end *and* until
 * a newer one has bytes in it: then no writer will add to it. README.md has the promises. */
#include "follow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "follow_part.h"
#include "places.h"
#include "siblings.h"

/* A gzip file that ends in its middle and was not touched for so long is broken, not unfinished. */
#define CUT_PATIENCE_S   10
#define MARKS_MAX        64    /* existing parts taken as read at the very first start */
#define HELD_PATIENCE_MS 10000 /* a part that may be another log's holds back newer ones */
#define ABSENT_PAUSE_MS  10000 /* between looks into the archives, without a directory */
#define VAIN_PAUSE_MS    500   /* between looks into the archives in vain, while there is no log */
#define TURN_STEPS       64    /* changes of part in one turn, before other inputs have theirs */

/* ---- choosing the next part ---- */

/* Opens all places. While the directory of the path is missing, only now and then: there may be
 * many parts in the archives. */
static bool open_places(struct follow *f, struct places *out)
{
    if (f->absent_due_ms > clock_ms() && access(f->folder, R_OK | X_OK) != 0)
        return false;
    places_open(f->folder, f->home, f->archive, out);
    f->absent_due_ms = out->fd[0] < 0 ? clock_ms() + ABSENT_PAUSE_MS : 0;
    return true;
}

/* At the very first start: rotated parts that are there already are history, not input. */
static void first_look(struct follow *f, const struct places *p)
{
    struct siblings siblings;
    if (siblings_scan(p->fd, p->count, f->base, INT64_MIN, &siblings) != 0)
        return;
    f->state.newest_ns = 1; /* looked: whatever appears from now on is new */
    size_t first = siblings.count > MARKS_MAX ? siblings.count - MARKS_MAX : 0;
    for (size_t i = first; i < siblings.count; i++) {
        const struct sibling *s = &siblings.list[i];
        struct generation g;
        if (generation_open(p->fd[s->place], s->name, s->live ? 0 : O_NOFOLLOW, &g) != 0)
            continue;
        if (s->mtime_ns > f->state.newest_ns)
            f->state.newest_ns = s->mtime_ns;
        if (s->live && f->skip_existing && g.kind == GENERATION_PLAIN) {
            follow_take_part(f, &g, p->fd[s->place], s->name, generation_last_line(&g));
            continue;
        }
        if (!s->live || f->skip_existing)
            follow_state_finish(&f->state, g.print);
        generation_close(&g);
    }
    siblings_free(&siblings);
}

/* Opens a sibling if it is none of those already read, nor the current one. Returns 1, 0 if it is,
 * -1 if it is not what the scan saw any more, or can't be told yet; PART_HELD if it may be that of
 * another log. */
static int open_new(struct follow *f, const struct places *p, const struct sibling *s,
                    struct generation *out)
{
    if (f->now.fd >= 0 && s->dev == f->now.dev && s->ino == f->now.ino)
        return 0;
    struct generation g;
    int status = sibling_open(p->fd, s, &g);
    if (status != 1) {
        if (status == 0)
            follow_complain(f, errno);
        return status;
    }
    bool same = f->now.fd >= 0 && g.print.length > 0 && g.print.length == f->now.print.length &&
                g.print.hash == f->now.print.hash;
    if (same || follow_state_finished(&f->state, g.print))
        status = 0;
    else if (g.cut && time(NULL) - generation_mtime_ns(&g) / 1000000000 < CUT_PATIENCE_S)
        status = -1; /* the beginning of a gzip file, which can't be told from others yet */
    else if (!s->live)
        status = follow_family_free(f->family, &f->state, &g);
    if (status == 1)
        *out = g;
    else
        generation_close(&g);
    return status;
}

/* A part may be the one that another log was reading, and that one can't look for it. For a while
 * the search ends here; then it goes on, and the part is left to the other one. */
static bool held_back(struct follow *f, const char *name)
{
    if (f->held_since_ms == 0)
        f->held_since_ms = clock_ms();
    if (clock_ms() - f->held_since_ms < HELD_PATIENCE_MS)
        return true;
    if (!f->held_told)
        say(&f->log, LOG_WARNING,
            "%s: %s is left to another log, which can't look for what it was reading", f->path,
            name);
    f->held_told = true;
    return false;
}

/* Finds the oldest part that is newer than what was read. With `take` it becomes the current
 * one; without, only tells whether there is one with bytes in it. */
static bool find_next(struct follow *f, const struct places *p, bool take)
{
    struct siblings siblings;
    if (siblings_scan(p->fd, p->count, f->base, f->state.newest_ns - FOLLOW_SLACK_NS, &siblings) !=
        0)
        return false;
    int found = 0;
    bool held = false;
    /* A part that is renamed or compressed this moment ends the search: to go on to the next
     * one would be to leave it out. */
    for (size_t i = 0; i < siblings.count && found == 0; i++) {
        const struct sibling *s = &siblings.list[i];
        struct generation g;
        if (!take && s->size == 0)
            continue;
        found = open_new(f, p, s, &g);
        if (found == PART_HELD) {
            held = true;
            found = held_back(f, s->name) ? -1 : 0;
        }
        if (found > 0 && take)
            follow_take_part(f, &g, p->fd[s->place], s->name, 0);
        else if (found > 0)
            generation_close(&g);
    }
    siblings_free(&siblings);
    if (!held)
        f->held_since_ms = 0;
    return found > 0;
}

/* Between two logs nothing is at the path, and the archives may have many parts: they are looked at
 * now and then, but at once when there is a new log. */
static bool looked_in_vain(const struct follow *f, bool there)
{
    return !there && *f->archive != '\0' && clock_ms() < f->vain_until_ms;
}

/* No part is open: opens the next one. */
static bool begin_next(struct follow *f)
{
    struct stat st;
    bool there = stat(f->path, &st) == 0;
    if (!there)
        follow_complain(f, errno);
    else if (!S_ISREG(st.st_mode))
        follow_complain(f, EINVAL);
    struct places places;
    if (looked_in_vain(f, there) || !open_places(f, &places))
        return false;
    if (f->state.newest_ns == 0 && places.fd[0] >= 0)
        first_look(f, &places);
    bool found = f->now.fd >= 0 || (f->state.newest_ns != 0 && find_next(f, &places, true));
    places_close(&places);
    f->vain_until_ms = found ? 0 : clock_ms() + VAIN_PAUSE_MS;
    return found;
}

/* Is there a newer part with bytes in it? While the path leads to the current one, no. */
static bool newer_exists(struct follow *f)
{
    struct stat st;
    bool there = stat(f->path, &st) == 0;
    if (looked_in_vain(f, there) ||
        (there && (uint64_t)st.st_dev == f->now.dev && (uint64_t)st.st_ino == f->now.ino))
        return false;
    struct places places;
    places_open(f->folder, f->home, f->archive, &places);
    /* A directory that was moved takes its writer along: what others archive meanwhile is not
     * newer. */
    bool found = places.fd[0] >= 0 && find_next(f, &places, false);
    places_close(&places);
    f->vain_until_ms = found ? 0 : clock_ms() + VAIN_PAUSE_MS;
    return found;
}

/* The part is in no place that can be looked into. false: it is gone for good. */
static bool may_come_back(struct follow *f)
{
    if (f->absent_due_ms == 0)
        return false;
    if (!f->absent_told)
        say(&f->log, LOG_WARNING,
            "%s: its directory is missing, and the part read up to byte %llu is in no archive: "
            "waiting for it",
            f->path, (unsigned long long)f->state.offset);
    f->absent_told = true;
    return true;
}

/* After a restart: goes on where the checkpoint was taken. Returns 1; 0 if the part is nowhere but
 * may come back, -1 if that can't be told now. */
static int resume(struct follow *f)
{
    struct places places;
    if (!open_places(f, &places))
        return -1;
    struct generation g;
    struct sibling where;
    struct follow_want want = {.size = f->state.offset};
    int found = follow_state_find(&f->state, &places, f->base, &want, &g, &where);
    if (found > 0)
        follow_take_part(f, &g, places.fd[where.place], where.name, f->state.offset);
    places_close(&places);
    if (found < 0 || (found == 0 && may_come_back(f)))
        return found;
    f->resuming = false;
    f->absent_told = false;
    if (found == 0) {
        if (f->state.offset > 0) {
            f->stats.gaps++;
            say(&f->log, LOG_WARNING,
                "%s: the part read up to byte %llu at the last stop is gone or was rewritten: what "
                "followed in it is lost",
                f->path, (unsigned long long)f->state.offset);
        }
        follow_state_finish(&f->state, f->state.print);
        follow_drop_part(f);
    }
    return 1;
}

static bool look_for_part(struct follow *f)
{
    f->absent_due_ms = 0; /* now */
    return !f->resuming || resume(f) >= 0;
}

/* ---- what can happen to the current part ---- */

/* Reads on in a copy that was made before the truncation (copytruncate): it has what we had not
 * read yet. The worker keeps the beginning of a line that it has already. */
static bool read_on_in_copy(struct follow *f)
{
    struct places places;
    places_open(f->folder, f->home, f->archive, &places);
    uint64_t fed = f->now.offset;
    uint64_t skip = f->skip;
    struct generation g;
    struct sibling where;
    struct follow_want want = {.size = fed + 1, .copy = true};
    bool found = follow_state_find(&f->state, &places, f->base, &want, &g, &where) > 0;
    while (found && g.kind == GENERATION_GZIP && g.offset < fed) {
        uint64_t left = fed - g.offset;
        if (generation_read(&g, f->piece, left < FOLLOW_PIECE ? left : FOLLOW_PIECE) <= 0) {
            generation_close(&g);
            found = false;
        }
    }
    if (found) {
        uint64_t line = f->state.offset;
        follow_take_part(f, &g, places.fd[where.place], where.name, 0);
        f->now.offset = fed;
        f->state.offset = line;
        f->skip = skip;
    }
    places_close(&places);
    return found;
}

/* The file was truncated or rewritten in place. */
static void restarted(struct follow *f)
{
    f->stats.restarts++;
    say(&f->log, LOG_NOTICE, "%s: truncated or rewritten in place, reading it from its start",
        f->path);
    if (read_on_in_copy(f))
        return;
    (void)eddy_worker_end(f->worker);
    follow_state_finish(&f->state, f->now.print);
    generation_restart(&f->now);
    f->refused = false;
    f->superseded = false;
    f->state.offset = 0;
    follow_keep_state(f);
}

/* At the end of the current part. true: something changed, go on. */
static bool at_end(struct follow *f)
{
    switch (f->now.kind) {
    case GENERATION_GZIP:
        if (f->now.cut) {
            if (time(NULL) - generation_mtime_ns(&f->now) / 1000000000 < CUT_PATIENCE_S)
                return false;
            f->stats.gaps++;
            say(&f->log, LOG_WARNING, "%s: compressed file %s ends too early", f->path, f->name);
        }
        break;
    case GENERATION_OPAQUE:
        break;
    case GENERATION_PLAIN:
    case GENERATION_UNKNOWN:
        /* Seen a newer one: whatever was written here was written before, so read once more. */
        if (!f->superseded) {
            f->superseded = newer_exists(f);
            return f->superseded;
        }
        break;
    }
    follow_finish_part(f);
    return true;
}

static void failed(struct follow *f, int error)
{
    f->stats.gaps++;
    say(&f->log, LOG_ERR, "%s: reading %s at byte %llu: %s", f->path, f->name,
        (unsigned long long)f->now.offset,
        error == EBADMSG ? "damaged compressed data, the rest of it is lost" : strerror(error));
    if (error == EBADMSG)
        follow_finish_part(f);
    else { /* ESTALE and the like: the file may come back under the same name */
        (void)eddy_worker_end(f->worker);
        generation_close(&f->now);
        f->resuming = true;
    }
}

static void feed(struct follow *f, size_t length)
{
    int status = eddy_worker_feed(f->worker, f->piece, length);
    if (status < 0 && !f->refused) {
        f->refused = true;
        say(&f->log, LOG_ERR, "%s: %s: %s", f->path, f->name, eddy_strerror(status));
    }
    f->stats.bytes += length;
    size_t end = length;
    while (end > 0 && f->piece[end - 1] != '\n')
        end--;
    uint64_t line = f->now.offset - length + end;
    if (end > 0 && line > f->state.offset) /* not while what was read earlier is skipped */
        f->state.offset = line;
    follow_keep_state(f);
}

size_t follow_turn(struct follow *f)
{
    for (int step = 0; step < TURN_STEPS; step++) {
        if (f->resuming && resume(f) <= 0)
            return 0;
        if (f->now.fd < 0 && !begin_next(f))
            return 0;
        ssize_t got = generation_read(&f->now, f->piece, sizeof f->piece);
        if (got > 0) {
            feed(f, (size_t)got);
            return (size_t)got;
        }
        if (got == GENERATION_CHANGED)
            restarted(f);
        else if (got < 0) {
            failed(f, errno);
            return 0;
        } else if (!at_end(f))
            return 0;
    }
    return 0;
}

/* ---- life ---- */

int follow_check(const char *path, eddy_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return fault(err, EDDY_EIO, "%s: not a regular file%s", path,
                     S_ISDIR(st.st_mode)    ? " but a directory: name the log in it"
                     : S_ISFIFO(st.st_mode) ? " but a FIFO: a log that is written through one is "
                                              "lost when its reader stops; use a file or a socket"
                                            : "");
    return EDDY_OK;
}

int follow_new(eddy_worker *worker, const struct follow_options *options,
               const struct follow_state *state, struct follow **out, eddy_error *err)
{
    int status = follow_check(options->path, err);
    if (status < 0)
        return status;
    struct follow *f = calloc(1, sizeof *f);
    if (f == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    f->worker = worker;
    f->log = options->say != NULL ? *options->say : (struct say){0};
    f->now.fd = -1;
    f->home = -1;
    f->skip_existing = options->skip_existing;
    f->path = strdup(options->path);
    f->archive = strdup(options->archive != NULL ? options->archive : "");
    f->folder = strdup(options->path);
    if (f->path == NULL || f->archive == NULL || f->folder == NULL) {
        follow_free(f);
        return fault(err, EDDY_ENOMEM, "out of memory");
    }
    char *slash = strrchr(f->folder, '/');
    f->base = f->path + (slash == NULL ? 0 : slash - f->folder + 1);
    if (slash == NULL)
        memcpy(f->folder, ".", *f->folder == '\0' ? 1 : 2);
    else
        slash[slash == f->folder ? 1 : 0] = '\0';
    if (*f->base == '\0' || strlen(f->base) > NAME_MAX) {
        follow_free(f);
        return fault(err, EDDY_EIO, "'%s': not the name of a file", options->path);
    }
    if (state != NULL) {
        f->state = *state;
        f->resuming = state->reading;
    } else {
        /* Now, not at the first turn: a checkpoint taken before anything was read must know which
         * parts are history, else a kill soon after makes history of new ones. */
        struct places places;
        places_open(f->folder, f->home, f->archive, &places);
        if (places.fd[0] >= 0)
            first_look(f, &places);
        places_close(&places);
    }
    f->family = options->family;
    follow_family_join(f->family,
                       (struct follow_member){
                           .state = &f->state, .now = &f->now, .look = look_for_part, .follow = f});
    *out = f;
    return EDDY_OK;
}

void follow_free(struct follow *f)
{
    if (f == NULL)
        return;
    follow_family_leave(f->family, &f->state);
    follow_drop_part(f);
    if (f->home >= 0)
        (void)close(f->home); /* read only */
    free(f->path);
    free(f->folder);
    free(f->archive);
    free(f);
}

const struct follow_state *follow_state(const struct follow *f)
{
    if (f->now.fd >= 0 && f->now.kind == GENERATION_OPAQUE && f->now.offset > 0)
        return NULL;
    return &f->state;
}

void follow_stats(const struct follow *f, struct follow_stats *out)
{
    *out = f->stats;
    out->reading = f->now.fd >= 0;
    out->unresolved = f->resuming;
    if (f->now.fd < 0 || f->now.kind == GENERATION_GZIP)
        return;
    uint64_t size = generation_size(&f->now);
    out->lag = size > f->now.offset ? size - f->now.offset : 0;
}
