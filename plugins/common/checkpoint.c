/* SPDX-License-Identifier: MIT */
/* checkpoint.c - where every input was, and how long the flows file, at one moment; on disk.
 *
 *     eddy-checkpoint 1
 *     flows REGULAR DEV INODE LENGTH
 *     input PATH                                 (%, space and control bytes as %XX)
 *     part READING DEV INODE HASH PRINT-LENGTH OFFSET NEWEST-NS
 *     done HASH PRINT-LENGTH                     (oldest first)
 *     sum HASH                                   (of all bytes before this line)
 *
 * Numbers are hexadecimal. The sum line makes every prefix and every changed byte invalid. */
#include "checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEADER     "eddy-checkpoint 1\n"
#define SIZE_LIMIT (CHECKPOINT_INPUTS_MAX * (FOLLOW_DONE_MAX * 32 + 3 * PATH_MAX + 256))

/* FNV-1a over everything; print_of() stops at PRINT_MAX. */
static uint64_t sum_of(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return hash;
}

int checkpoint_add(struct checkpoint *c, const char *path, const struct follow_state *state,
                   eddy_error *err)
{
    if (c->count == CHECKPOINT_INPUTS_MAX)
        return fault(err, EDDY_EUSAGE, "more than %d inputs", CHECKPOINT_INPUTS_MAX);
    struct checkpoint_input *grown = realloc(c->inputs, (c->count + 1) * sizeof *grown);
    if (grown == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    c->inputs = grown;
    char *copy = strdup(path);
    if (copy == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    c->inputs[c->count++] = (struct checkpoint_input){.path = copy, .state = *state};
    return EDDY_OK;
}

const struct follow_state *checkpoint_find(const struct checkpoint *c, const char *path)
{
    for (size_t i = 0; i < c->count; i++)
        if (strcmp(c->inputs[i].path, path) == 0)
            return &c->inputs[i].state;
    return NULL;
}

void checkpoint_done(struct checkpoint *c)
{
    for (size_t i = 0; i < c->count; i++)
        free(c->inputs[i].path);
    free(c->inputs);
    *c = (struct checkpoint){0};
}

/* ---- writing ---- */

static void write_input(FILE *to, const struct checkpoint_input *input)
{
    const struct follow_state *s = &input->state;
    fputs("input ", to);
    for (const char *p = input->path; *p != '\0'; p++) {
        unsigned char byte = (unsigned char)*p;
        if (byte <= ' ' || byte == '%' || byte == 0x7f)
            fprintf(to, "%%%02X", (unsigned)byte);
        else
            fputc(byte, to);
    }
    fprintf(to,
            "\npart %x %" PRIx64 " %" PRIx64 " %" PRIx64 " %" PRIx32 " %" PRIx64 " %" PRIx64 "\n",
            s->reading ? 1u : 0u, s->dev, s->ino, s->print.hash, s->print.length, s->offset,
            (uint64_t)s->newest_ns);
    size_t first = s->done_count > FOLLOW_DONE_MAX ? s->done_count - FOLLOW_DONE_MAX : 0;
    for (size_t i = first; i < s->done_count; i++) {
        const struct print *done = &s->done[i % FOLLOW_DONE_MAX];
        fprintf(to, "done %" PRIx64 " %" PRIx32 "\n", done->hash, done->length);
    }
}

/* The whole text; given to the caller to free. */
static int compose(const struct checkpoint *c, char **text, size_t *length, eddy_error *err)
{
    FILE *to = open_memstream(text, length);
    if (to == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    fprintf(to, HEADER "flows %x %" PRIx64 " %" PRIx64 " %" PRIx64 "\n", c->flows.regular ? 1u : 0u,
            c->flows.dev, c->flows.ino, c->flows.length);
    for (size_t i = 0; i < c->count; i++)
        write_input(to, &c->inputs[i]);
    if (fflush(to) == 0)
        fprintf(to, "sum %" PRIx64 "\n", sum_of(*text, *length));
    if (fclose(to) != 0) {
        free(*text);
        return fault(err, EDDY_ENOMEM, "out of memory");
    }
    return EDDY_OK;
}

/* `path` made whole or not at all; -1 with errno. */
static int write_file(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY, 0600);
    if (fd < 0)
        return -1;
    size_t done = 0;
    while (done < length) {
        ssize_t wrote = write(fd, text + done, length - done);
        if (wrote < 0 && errno != EINTR)
            goto fail;
        done += wrote > 0 ? (size_t)wrote : 0;
    }
    if (fdatasync(fd) != 0)
        goto fail;
    return close(fd);

fail : {
    int error = errno;
    (void)close(fd); /* the write failed already */
    (void)unlink(path);
    errno = error;
    return -1;
}
}

int checkpoint_save(const struct checkpoint *c, const char *path, uint64_t *sum, eddy_error *err)
{
    char tmp[PATH_MAX];
    char old[PATH_MAX];
    if (strlen(path) + 5 > sizeof tmp)
        return fault(err, EDDY_EIO, "%s: name too long", path);
    (void)snprintf(tmp, sizeof tmp, "%s.tmp", path);
    (void)snprintf(old, sizeof old, "%s.old", path);
    char *text = NULL;
    size_t length = 0;
    int status = compose(c, &text, &length, err);
    if (status < 0)
        return status;
    uint64_t now = sum_of(text, length);
    if (now == *sum) {
        free(text);
        return EDDY_OK;
    }
    if (write_file(tmp, text, length) != 0) {
        status = fault(err, EDDY_EIO, "%s: %s", tmp, strerror(errno));
        free(text);
        return status;
    }
    free(text);
    /* Two files, not two links to one: what damages one must not reach the other. Killed between
     * the renames we find PATH.old. Only what we wrote ourselves becomes it: what was there at the
     * start may be damaged. The directory is not synced: after a power cut the older checkpoint
     * may be back, which is as consistent. */
    if (*sum != 0 && rename(path, old) != 0 && errno != ENOENT) {
        status = fault(err, EDDY_EIO, "%s: %s", old, strerror(errno));
        (void)unlink(tmp);
        return status;
    }
    if (rename(tmp, path) != 0) {
        status = fault(err, EDDY_EIO, "%s: %s", path, strerror(errno));
        (void)unlink(tmp);
        return status;
    }
    *sum = now;
    return EDDY_OK;
}

/* ---- reading ---- */

static bool read_number(const char **p, uint64_t *out)
{
    while (**p == ' ')
        (*p)++;
    const char *start = *p;
    uint64_t value = 0;
    for (; **p != '\0' && **p != ' ' && **p != '\n'; (*p)++) {
        const char *digits = "0123456789abcdef";
        const char *at = strchr(digits, **p);
        if (at == NULL || *p - start == 16)
            return false;
        value = value * 16 + (uint64_t)(at - digits);
    }
    *out = value;
    return *p > start;
}

static bool read_numbers(const char *line, uint64_t *out, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!read_number(&line, &out[i]))
            return false;
    return *line == '\n';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_path(const char *line, char path[PATH_MAX])
{
    size_t n = 0;
    for (; *line != '\n' && *line != '\0' && n + 1 < PATH_MAX; line++) {
        char c = *line;
        if (c == '%') {
            int high = hex_digit(line[1]);
            int low = high < 0 ? -1 : hex_digit(line[2]);
            if (low <= 0 && high <= 0)
                return false;
            c = (char)(high * 16 + low);
            line += 2;
        }
        path[n++] = c;
    }
    path[n] = '\0';
    return *line == '\n' && n > 0;
}

static bool parse_line(struct checkpoint *c, const char *line)
{
    static const struct follow_state none;
    uint64_t v[7];
    char path[PATH_MAX];
    if (strncmp(line, "flows ", 6) == 0) {
        if (!read_numbers(line + 6, v, 4))
            return false;
        c->flows = (struct flows_csv_place){
            .regular = v[0] != 0, .dev = v[1], .ino = v[2], .length = v[3]};
        return true;
    }
    if (strncmp(line, "input ", 6) == 0)
        return read_path(line + 6, path) && checkpoint_add(c, path, &none, NULL) == EDDY_OK;
    if (c->count == 0)
        return false;
    struct follow_state *s = &c->inputs[c->count - 1].state;
    if (strncmp(line, "part ", 5) == 0) {
        if (!read_numbers(line + 5, v, 7) || v[4] > PRINT_MAX || v[6] > INT64_MAX)
            return false;
        s->reading = v[0] != 0;
        s->dev = v[1];
        s->ino = v[2];
        s->print = (struct print){.hash = v[3], .length = (uint32_t)v[4]};
        s->offset = v[5];
        s->newest_ns = (int64_t)v[6];
        return true;
    }
    if (strncmp(line, "done ", 5) != 0 || !read_numbers(line + 5, v, 2) || v[1] > PRINT_MAX ||
        s->done_count == FOLLOW_DONE_MAX)
        return false;
    s->done[s->done_count++] = (struct print){.hash = v[0], .length = (uint32_t)v[1]};
    return true;
}

static bool parse(const char *text, size_t length, struct checkpoint *out)
{
    static const char header[] = HEADER;
    if (length < sizeof header || strlen(text) != length || text[length - 1] != '\n' ||
        strncmp(text, header, sizeof header - 1) != 0)
        return false;
    size_t last = length - 1;
    while (last > 0 && text[last - 1] != '\n')
        last--;
    uint64_t sum;
    if (strncmp(text + last, "sum ", 4) != 0 || !read_numbers(text + last + 4, &sum, 1) ||
        sum != sum_of(text, last))
        return false;
    for (const char *line = text + sizeof header - 1; line < text + last;
         line = strchr(line, '\n') + 1)
        if (!parse_line(out, line))
            return false;
    return true;
}

/* 1, 0 if there is no such file, else an error. */
static int load_file(const char *path, struct checkpoint *out, eddy_error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return errno == ENOENT ? 0 : fault(err, EDDY_EINPUT, "%s: %s", path, strerror(errno));
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > SIZE_LIMIT) {
        (void)close(fd); /* read only */
        return fault(err, EDDY_EINPUT, "%s: not a checkpoint", path);
    }
    size_t size = (size_t)st.st_size;
    char *text = malloc(size + 1);
    ssize_t got = text != NULL ? pread(fd, text, size, 0) : -1;
    (void)close(fd); /* read only */
    if (got >= 0)
        text[got] = '\0';
    int status = 1;
    if (got != (ssize_t)size || !parse(text, size, out)) {
        checkpoint_done(out);
        status = fault(err, EDDY_EINPUT, "%s: torn or damaged", path);
    }
    free(text);
    return status;
}

int checkpoint_load(const char *path, struct checkpoint *out, eddy_error *err)
{
    *out = (struct checkpoint){0};
    int status = load_file(path, out, err);
    if (status == 1)
        return 1;
    char old[PATH_MAX];
    if (strlen(path) + 5 > sizeof old)
        return fault(err, EDDY_EINPUT, "%s: name too long", path);
    (void)snprintf(old, sizeof old, "%s.old", path);
    int older = load_file(old, out, status == 0 ? err : NULL);
    if (older == 1) {
        if (status == 0)
            (void)fault(err, EDDY_EINPUT, "%s: missing", path);
        return 2;
    }
    return status < 0 ? status : older;
}
