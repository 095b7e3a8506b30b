/* SPDX-License-Identifier: MIT */
/* siblings.c - finds the rotated parts of a log and puts them in the order they were written. */
#include "siblings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "generation.h"

#define SCAN_ATTEMPTS 5
#define TICK_NS       10000000 /* of file times: a jiffy, at 100 Hz */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Files that other programs have not finished, or that are no logs. */
static bool unfinished(const char *name)
{
    static const char *const ends[] = {".tmp", ".part", ".swp", ".lock", "~", ".zst"};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (ends_with(name, ends[i]))
            return true;
    return false;
}

bool siblings_match(const char *base, const char *name)
{
    if (strcmp(base, name) == 0)
        return true;
    if (unfinished(name))
        return false;
    size_t whole = strlen(base);
    if (strncmp(name, base, whole) == 0) /* eve.json.1, conn.log-20260101.gz */
        return strchr(".-_", name[whole]) != NULL;
    const char *dot = strrchr(base, '.');
    if (dot == NULL || dot == base)
        return false;
    size_t stem = (size_t)(dot - base);
    if (strncmp(name, base, stem) != 0 || strchr(".-_", name[stem]) == NULL || name[stem] == '\0')
        return false;
    /* conn.2026-01-01-00-00-00.log, conn__2026..log: a digit must follow, else it is another
     * log (conn-summary, conn_long). */
    const char *middle = name + stem + strspn(name + stem, ".-_");
    if (!is_digit(*middle))
        return false;
    if (ends_with(middle, dot))
        return true;
    size_t length = strlen(middle);
    size_t extension = strlen(dot);
    return length > extension + 3 && ends_with(middle, ".gz") &&
           strncmp(middle + length - 3 - extension, dot, extension) == 0;
}

/* numbers at the end of NAME.1, NAME.10: the larger one is older; else 0 */
static long rotation_number(const char *name)
{
    size_t length = strlen(name);
    if (ends_with(name, ".gz"))
        length -= 3;
    size_t start = length;
    while (start > 0 && is_digit(name[start - 1]))
        start--;
    if (start == length || length - start > 4 || start == 0 || name[start - 1] != '.')
        return 0;
    return strtol(name + start, NULL, 10);
}

static int older_first(const void *a, const void *b)
{
    const struct sibling *x = a;
    const struct sibling *y = b;
    if (x->live != y->live)
        return x->live ? 1 : -1;
    if (x->mtime_ns != y->mtime_ns)
        return x->mtime_ns < y->mtime_ns ? -1 : 1;
    long m = rotation_number(x->name);
    long n = rotation_number(y->name);
    if (m > 0 && n > 0 && m != n)
        return m > n ? -1 : 1;
    return strcmp(x->name, y->name);
}

/* Takes one directory entry if it is a part. Returns 0, or -1 for lack of memory. */
static int add_entry(struct siblings *s, int dir, int place, const char *base, const char *name,
                     int64_t since_ns)
{
    bool live = place == 0 && strcmp(base, name) == 0;
    struct stat st;
    /* Only the followed path itself may be a symlink: that is how the administrator named it. */
    if (fstatat(dir, name, &st, live ? 0 : AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
        return 0;
    if (!live && (st.st_size == 0 || stat_mtime_ns(&st) < since_ns))
        return 0;
    if (s->count == SIBLINGS_MAX) { /* keep the newest: the history of years is not needed */
        qsort(s->list, s->count, sizeof *s->list, older_first);
        memmove(s->list, s->list + SIBLINGS_MAX / 2, SIBLINGS_MAX / 2 * sizeof *s->list);
        s->count = SIBLINGS_MAX / 2;
    }
    if ((s->count & (s->count - 1)) == 0) { /* grows by doubling: 1, 2, 4, ... */
        struct sibling *grown =
            realloc(s->list, (s->count == 0 ? 1 : s->count * 2) * sizeof *s->list);
        if (grown == NULL)
            return -1;
        s->list = grown;
    }
    struct sibling *entry = &s->list[s->count++];
    *entry = (struct sibling){.place = place,
                              .live = live,
                              .mtime_ns = stat_mtime_ns(&st),
                              .dev = (uint64_t)st.st_dev,
                              .ino = (uint64_t)st.st_ino,
                              .size = (uint64_t)st.st_size};
    memcpy(entry->name, name, strlen(name) + 1); /* d_name has at most NAME_MAX bytes */
    return 0;
}

/* conn.log.gz beside conn.log: gzip has not finished it (it unlinks the plain file then). */
static bool half_compressed(int dir, const char *name)
{
    char plain[NAME_MAX + 1];
    size_t length = strlen(name);
    if (!ends_with(name, ".gz") || length > NAME_MAX)
        return false;
    memcpy(plain, name, length - 3);
    plain[length - 3] = '\0';
    return faccessat(dir, plain, F_OK, 0) == 0;
}

static int scan_place(struct siblings *s, int dir, int place, const char *base, int64_t since_ns)
{
    int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (own < 0)
        return -1;
    DIR *d = fdopendir(own);
    if (d == NULL) {
        (void)close(own);
        return -1;
    }
    int status = 0;
    const struct dirent *entry;
    while (status == 0 && (entry = readdir(d)) != NULL)
        if (siblings_match(base, entry->d_name) &&
            (strcmp(base, entry->d_name) == 0 || !half_compressed(dir, entry->d_name)))
            status = add_entry(s, dir, place, base, entry->d_name, since_ns);
    (void)closedir(d);
    return status;
}

/* When entries of these directories last changed, summed; and which file is live. */
static int64_t pulse(const int *places, size_t count, const char *base)
{
    uint64_t sum = 0;
    struct stat st;
    for (size_t i = 0; i < count; i++)
        if (fstat(places[i], &st) == 0)
            sum += (uint64_t)stat_mtime_ns(&st);
    if (fstatat(places[0], base, &st, 0) == 0)
        sum += (uint64_t)st.st_ino * 0x9e3779b97f4a7c15u; /* 2^64 / golden ratio: spreads */
    return (int64_t)sum;
}

/* Did an entry change so lately that a change right now could leave the same time? Kernels stamp
 * with a tick of up to 10 ms. */
static bool fresh(const int *places, size_t count)
{
    struct timespec now;
    struct stat st;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    for (size_t i = 0; i < count; i++)
        if (fstat(places[i], &st) == 0 && now_ns - stat_mtime_ns(&st) < TICK_NS &&
            stat_mtime_ns(&st) <= now_ns) /* a server's clock may be ahead */
            return true;
    return false;
}

/* What look() says beside -1 (errno): */
enum { LOOK_CHANGED, LOOK_FRESH, LOOK_GOOD };

/* One look at all directories. Nothing changed meanwhile (as far as file times can tell)? */
static int look(const int *places, size_t place_count, const char *base, int64_t since_ns,
                struct siblings *s)
{
    int64_t before = pulse(places, place_count, base);
    bool young = fresh(places, place_count);
    for (size_t i = 0; i < place_count; i++)
        if (places[i] >= 0 && scan_place(s, places[i], (int)i, base, since_ns) != 0)
            return -1;
    if (pulse(places, place_count, base) != before)
        return LOOK_CHANGED;
    return young ? LOOK_FRESH : LOOK_GOOD;
}

int siblings_scan(const int *places, size_t place_count, const char *base, int64_t since_ns,
                  struct siblings *out)
{
    /* readdir() may miss a file that is renamed meanwhile: look until nothing changes. A directory
     * that never rests must do with less: then a part may be found late, at the next rotation. */
    for (int attempt = 0; attempt < SCAN_ATTEMPTS; attempt++) {
        struct siblings s = {0};
        int status = look(places, place_count, base, since_ns, &s);
        if (status == LOOK_GOOD || (status == LOOK_FRESH && attempt == SCAN_ATTEMPTS - 1)) {
            if (s.count > 1)
                qsort(s.list, s.count, sizeof *s.list, older_first);
            *out = s;
            return 0;
        }
        siblings_free(&s);
        if (status < 0)
            return -1;
        const struct timespec tick = {.tv_nsec = TICK_NS};
        (void)nanosleep(&tick, NULL); /* woken early by a signal is fine */
    }
    errno = EAGAIN;
    return -1;
}

void siblings_free(struct siblings *s)
{
    free(s->list);
    *s = (struct siblings){0};
}

int sibling_open(const int *places, const struct sibling *s, struct generation *out)
{
    struct generation g;
    if (generation_open(places[s->place], s->name, s->live ? 0 : O_NOFOLLOW, &g) != 0)
        return errno == ENOENT || errno == ELOOP ? -1 : 0;
    if (g.dev != s->dev || g.ino != s->ino) {
        generation_close(&g);
        return -1;
    }
    *out = g;
    return 1;
}
