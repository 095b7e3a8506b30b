/* SPDX-License-Identifier: MIT */
/* follow_bench.h - a log in a scratch directory and a follower on it, for tests of following. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "fake_worker.h"

#include "../../plugins/common/follow.c"
#include "../../plugins/common/follow_part.c"
#include "../../plugins/common/follow_state.c"
#include "../../plugins/common/generation.c"
#include "../../plugins/common/gz.c"
#include "../../plugins/common/places.c"
#include "../../plugins/common/say.c"
#include "../../plugins/common/siblings.c"

struct bench {
    char folder[64];
    char log[96];
    struct fake_worker worker;
    struct follow *follow;
    struct follow_state saved;
    int messages;
    char last_message[1024];
    struct say say;
};

static inline void count_message(int level, const char *message, void *user)
{
    struct bench *b = user;
    (void)level;
    b->messages++;
    (void)snprintf(b->last_message, sizeof b->last_message, "%s", message);
}

static inline int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    (void)snprintf(b->folder, sizeof b->folder, "/tmp/eddy-follow-XXXXXX");
    assert_non_null(mkdtemp(b->folder));
    (void)snprintf(b->log, sizeof b->log, "%s/conn.log", b->folder);
    b->say = (struct say){.line = count_message, .user = b};
    *state = b;
    return 0;
}

static inline int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int teardown(void **state)
{
    struct bench *b = *state;
    follow_free(b->follow);
    (void)nftw(b->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(b->worker.lines);
    free(b);
    return 0;
}

static inline const char *in_folder(struct bench *b, const char *name)
{
    static char path[4][256];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(path[next], sizeof path[next], "%s/%s", b->folder, name);
    return path[next];
}

static inline void put(const char *path, int flags, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(close(fd), 0);
}

static inline void append(struct bench *b, const char *text)
{
    put(b->log, O_APPEND, text);
}

/* gzip(1): the same content, the same time, the plain file gone. */
static inline void gzip(const char *path)
{
    char packed[300];
    char text[8192];
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    int fd = open(path, O_RDONLY);
    ssize_t length = read(fd, text, sizeof text);
    assert_true(fd >= 0 && length >= 0);
    (void)close(fd);
    (void)snprintf(packed, sizeof packed, "%s.gz", path);
    gzFile to = gzopen(packed, "wb");
    assert_int_equal(gzwrite(to, text, (unsigned)length), length);
    assert_int_equal(gzclose(to), Z_OK);
    struct timespec times[2] = {st.st_atim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, packed, times, 0), 0);
    assert_int_equal(unlink(path), 0);
}

/* File times have the clock's tick of a few ms: parts of these tests are written faster. */
static inline void written_at(const char *path, int seconds)
{
    struct timespec times[2] = {{.tv_sec = 1900000000 + seconds}, {.tv_sec = 1900000000 + seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static inline void begin(struct bench *b, const struct follow_state *state, int skip_existing)
{
    struct follow_options options = {
        .path = b->log, .skip_existing = skip_existing != 0, .say = &b->say};
    assert_int_equal(follow_new((eddy_worker *)&b->worker, &options, state, &b->follow, NULL), 0);
}

static inline void run(struct bench *b)
{
    int idle = 0;
    while (idle < 3) /* a change of part may need a second look */
        idle = follow_turn(b->follow) > 0 ? 0 : idle + 1;
}

/* kill -9: the worker loses what it has of a line; what was scored since is not undone here. */
static inline void stop(struct bench *b)
{
    assert_non_null(follow_state(b->follow));
    b->saved = *follow_state(b->follow);
    follow_free(b->follow);
    b->follow = NULL;
    b->worker.partial_used = 0;
    b->worker.started = 0;
    b->worker.skip = 0;
}

static inline void restart(struct bench *b)
{
    begin(b, &b->saved, 0);
    run(b);
}

static inline void assert_lines(struct bench *b, const char *expected)
{
    assert_string_equal(b->worker.lines == NULL ? "" : b->worker.lines, expected);
}

static inline void make_generations(struct bench *b, int from, int to)
{
    for (int i = from; i <= to; i++) {
        char line[32];
        char name[64];
        (void)snprintf(line, sizeof line, "line %d\n", i);
        (void)snprintf(name, sizeof name, "conn.2026-01-01-00-00-%02d.log", i);
        append(b, line);
        written_at(b->log, i);
        if (i < to)
            assert_int_equal(rename(b->log, in_folder(b, name)), 0);
    }
}
