/* SPDX-License-Identifier: MIT */
/* store.c - incidents read back from lines of JSON, each in its last state. */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gz.h"
#include "say.h"
#include "store_line.h"

#define LINE_MAX_BYTES ((size_t)1 << 20) /* of a line; no output writes a longer one */
#define TOLD_IDS       10                /* that an ambiguous one may mean */
#define TOLD_BAD       3                 /* bad lines of a file that are told one by one */

void store_done(struct store *store)
{
    for (size_t i = 0; i < store->count; i++)
        stored_done(&store->incidents[i]);
    free(store->incidents);
    free(store->slots);
    store_reader_free(store->reader);
    *store = (struct store){0};
}

/* ---- by id ---- */

/* FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/ */
static size_t hash_of(const char *id)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32);
}

/* The slot of an id: taken by it, or free. There is always a free one. */
static uint32_t *slot_of(const struct store *store, const char *id)
{
    size_t at = hash_of(id) & (store->slot_count - 1);
    while (store->slots[at] != 0 &&
           strcmp(store->incidents[store->slots[at] - 1].incident.id, id) != 0)
        at = (at + 1) & (store->slot_count - 1);
    return &store->slots[at];
}

static void fill_slots(struct store *store)
{
    memset(store->slots, 0, store->slot_count * sizeof *store->slots);
    for (size_t i = 0; i < store->count; i++)
        *slot_of(store, store->incidents[i].incident.id) = (uint32_t)(i + 1);
}

/* At most half of the slots are taken. */
static bool make_room(struct store *store)
{
    if (store->reader == NULL && (store->reader = store_reader_new()) == NULL)
        return false;
    if (store->count < store->room)
        return true;
    size_t room = store->room > 0 ? 2 * store->room : 256;
    struct stored *incidents = realloc(store->incidents, room * sizeof *incidents);
    if (incidents == NULL)
        return false;
    store->incidents = incidents;
    uint32_t *slots = realloc(store->slots, 2 * room * sizeof *slots);
    if (slots == NULL)
        return false;
    store->slots = slots;
    store->slot_count = 2 * room;
    store->room = room;
    fill_slots(store);
    return true;
}

/* Evidence is part of a struct that moves when there are more of them. */
static void remember(struct store *store, struct stored *fresh)
{
    uint32_t *slot = slot_of(store, fresh->incident.id);
    if (*slot == 0) {
        store->incidents[store->count++] = *fresh;
        *slot = (uint32_t)store->count;
    } else {
        struct stored *before = &store->incidents[*slot - 1];
        fresh->told = before->told;
        stored_done(before);
        *before = *fresh;
    }
    store->incidents[*slot - 1].told++;
}

static int add(struct store *store, const char *line, size_t length, eddy_error *err)
{
    struct stored fresh;
    if (!make_room(store))
        return fault(err, EDDY_ENOMEM, "out of memory");
    int status = store_line_read(store->reader, line, length, &fresh, err);
    if (status == 1)
        remember(store, &fresh);
    return status;
}

/* Once no more are added. */
static void point_to_evidence(struct store *store)
{
    for (size_t i = 0; i < store->count; i++) {
        struct stored *stored = &store->incidents[i];
        stored->incident.evidence = stored->evidence.count > 0 ? &stored->evidence : NULL;
    }
}

int store_add(struct store *store, const char *line, size_t length, eddy_error *err)
{
    eddy_error own;
    int status = add(store, line, length, err != NULL ? err : &own);
    if (status == 0)
        return fault(err, EDDY_EINPUT, "not an incident: its event_type is not \"eddy\"");
    point_to_evidence(store);
    return status < 0 ? status : EDDY_OK;
}

/* ---- files ---- */

struct source {
    struct store *store;
    const char *path;
    int fd;
    struct gz *gz;        /* NULL: as it is */
    char *line;           /* LINE_MAX_BYTES and a NUL */
    size_t length;        /* of what there is of a line */
    bool too_long;        /* its rest is passed over */
    uint64_t number, bad; /* lines; bad ones */
};

static void bad_line(struct source *s, const char *problem)
{
    char message[512];
    s->store->bad++;
    if (++s->bad > TOLD_BAD || s->store->complain == NULL)
        return;
    (void)snprintf(message, sizeof message, "%s:%" PRIu64 ": %s", s->path, s->number, problem);
    s->store->complain(message, s->store->user);
}

/* Is it one JSON object, by its ends? Cheap, for logs have millions of lines that are not ours. */
static bool looks_whole(const char *line, size_t length)
{
    return line[0] == '{' && line[length - 1] == '}';
}

static int take_line(struct source *s, eddy_error *err)
{
    size_t length = s->length;
    s->length = 0;
    s->number++;
    s->store->lines++;
    s->line[length] = '\0';
    while (length > 0 && strchr(" \t\r", s->line[length - 1]) != NULL &&
           s->line[length - 1] != '\0')
        s->line[--length] = '\0';
    if (s->too_long)
        bad_line(s, "longer than 1 MiB");
    else if (strlen(s->line) != length)
        bad_line(s, "has NUL bytes in it: perhaps left by a crash");
    else if (length == 0)
        s->store->others++;
    else if (!looks_whole(s->line, length))
        bad_line(s, "not an object of JSON, or cut");
    else if (strstr(s->line, "\"eddy\"") == NULL)
        s->store->others++;
    else {
        int status = add(s->store, s->line, length, err);
        if (status == EDDY_ENOMEM)
            return status;
        if (status < 0)
            bad_line(s, err->message);
        s->store->others += status == 0;
    }
    s->too_long = false;
    return EDDY_OK;
}

static int take_bytes(struct source *s, const char *bytes, size_t length, eddy_error *err)
{
    while (length > 0) {
        const char *newline = memchr(bytes, '\n', length);
        size_t part = newline != NULL ? (size_t)(newline - bytes) : length;
        if (part > LINE_MAX_BYTES - s->length)
            s->too_long = true;
        else
            memcpy(s->line + s->length, bytes, part);
        s->length = s->too_long ? 0 : s->length + part;
        if (newline == NULL)
            return EDDY_OK;
        int status = take_line(s, err);
        if (status != EDDY_OK)
            return status;
        bytes += part + 1;
        length -= part + 1;
    }
    return EDDY_OK;
}

static int read_all(struct source *s, eddy_error *err)
{
    char piece[65536];
    for (;;) {
        bool cut = false;
        ssize_t n = s->gz != NULL ? gz_read(s->gz, piece, sizeof piece, &cut)
                                  : read(s->fd, piece, sizeof piece);
        if (n < 0 && s->gz == NULL && errno == EINTR)
            continue;
        if (n < 0)
            return fault(err, EDDY_EIO, "%s: %s", s->path,
                         s->gz != NULL ? "damaged compression" : strerror(errno));
        if (n == 0 && cut)
            return fault(err, EDDY_EIO, "%s: the compressed file is cut short", s->path);
        if (n == 0)
            return s->length > 0 || s->too_long ? take_line(s, err) : EDDY_OK;
        int status = take_bytes(s, piece, (size_t)n, err);
        if (status != EDDY_OK)
            return status;
    }
}

/* zlib reads what is not compressed as it is; a pipe is read without it. */
static int read_open(struct store *store, const char *path, int fd, eddy_error *err)
{
    struct source s = {.store = store, .path = path, .fd = fd};
    struct stat info;
    if (fstat(fd, &info) == 0 && S_ISDIR(info.st_mode))
        return fault(err, EDDY_EIO, "%s: is a directory", path);
    s.line = malloc(LINE_MAX_BYTES + 1);
    if (s.line == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    s.gz = lseek(fd, 0, SEEK_CUR) == 0 ? gz_open(fd) : NULL;
    int status = read_all(&s, err);
    if (s.bad > TOLD_BAD && store->complain != NULL) {
        char message[512];
        (void)snprintf(message, sizeof message, "%s: %" PRIu64 " more lines like that", path,
                       s.bad - TOLD_BAD);
        store->complain(message, store->user);
    }
    gz_close(s.gz);
    free(s.line);
    point_to_evidence(store);
    return status;
}

int store_read(struct store *store, const char *path, eddy_error *err)
{
    eddy_error own;
    if (err == NULL)
        err = &own;
    if (strcmp(path, "-") == 0)
        return read_open(store, "stdin", STDIN_FILENO, err);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return fault(err, EDDY_EIO, "%s: %s", path, strerror(errno));
    int status = read_open(store, path, fd, err);
    (void)close(fd); /* read only */
    return status;
}

int store_read_history(struct store *store, const char *path, eddy_error *err)
{
    char older[4096];
    int length = snprintf(older, sizeof older, "%s.1", path);
    if (length < (int)sizeof older && access(older, F_OK) == 0) {
        int status = store_read(store, older, err);
        if (status != EDDY_OK)
            return status;
    }
    return store_read(store, path, err);
}

/* ---- asking ---- */

static int compare(const void *a, const void *b)
{
    const struct stored *x = a, *y = b;
    if (x->incident.end_us != y->incident.end_us)
        return x->incident.end_us > y->incident.end_us ? -1 : 1;
    return strcmp(x->incident.id, y->incident.id);
}

void store_sort(struct store *store)
{
    if (store->count < 2)
        return;
    qsort(store->incidents, store->count, sizeof *store->incidents, compare);
    fill_slots(store);
    point_to_evidence(store);
}

/* As many of them as there is room for, TOLD_IDS at most. */
static void tell_candidates(const struct store *store, const char *id, size_t count,
                            eddy_error *err)
{
    char list[180] = "";
    size_t used = 0, told = 0;
    for (size_t i = 0; i < store->count && told < TOLD_IDS; i++) {
        const char *candidate = store->incidents[i].incident.id;
        if (strncmp(candidate, id, strlen(id)) != 0)
            continue;
        int length = snprintf(list + used, sizeof list - used, " %s", candidate);
        if (length < 0 || used + (size_t)length >= sizeof list) {
            list[used] = '\0';
            break;
        }
        used += (size_t)length;
        told++;
    }
    (void)fault(err, EDDY_EUSAGE, "%zu ids begin with %.20s:%s%s", count, id, list,
                told < count ? " ..." : "");
}

const struct stored *store_find(const struct store *store, const char *id, eddy_error *err)
{
    const struct stored *found = NULL;
    size_t length = strlen(id), count = 0;
    for (size_t i = 0; i < store->count && length > 0; i++) {
        const struct stored *stored = &store->incidents[i];
        if (strncmp(stored->incident.id, id, length) != 0)
            continue;
        if (stored->incident.id[length] == '\0')
            return stored;
        found = stored;
        count++;
    }
    if (count == 1)
        return found;
    if (count > 1)
        tell_candidates(store, id, count, err);
    else
        (void)fault(err, EDDY_EUSAGE, "no incident has the id %.100s", id);
    return NULL;
}
