/* SPDX-License-Identifier: MIT */
/* files.c - watches the two files that people write and reads them again when they change. */
#include "vet/files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "util/error.h"
#include "util/io.h"
#include "vet/marks.h"
#include "vet/rules.h"

/* Times of files advance with the kernel's tick (at most 10 ms on Linux) or, on some network file
 * systems, once in 2 s: a file changed more recently than that may change again unseen. */
#define SETTLES_S 3

enum look {
    LOOK_SAME,
    LOOK_CHANGED, /* there is text to be read */
    LOOK_EMPTY,   /* no file, or none any more: nothing is said */
    LOOK_FAILED   /* what was said before stays */
};

struct content {
    char *text;
    size_t length;
    struct stat info;
    eddy_error err;
};

static bool is_recent(const struct timespec *modified)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now); /* can't fail with this clock */
    return now.tv_sec - modified->tv_sec < SETTLES_S;
}

static bool is_same(const struct vet_file *file, const struct stat *info)
{
    return file->present && !file->unsettled && file->device == info->st_dev &&
           file->inode == info->st_ino && file->size == info->st_size &&
           file->modified.tv_sec == info->st_mtim.tv_sec &&
           file->modified.tv_nsec == info->st_mtim.tv_nsec;
}

static void stamp(struct vet_file *file, const struct stat *info)
{
    file->device = info->st_dev;
    file->inode = info->st_ino;
    file->size = info->st_size;
    file->modified = info->st_mtim;
    file->unsettled = is_recent(&info->st_mtim);
}

/* Non-blocking, for it might have become a FIFO since it was looked at. */
static int read_whole(const char *path, struct content *out)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return error_set(&out->err, EDDY_EIO, "%s: %s", path, strerror(errno));
    bool known = fstat(fd, &out->info) == 0 && S_ISREG(out->info.st_mode);
    out->text = malloc(ENTRIES_FILE + 1);
    ssize_t length = known && out->text != NULL ? io_read(fd, out->text, ENTRIES_FILE + 1) : 0;
    int problem = errno;
    (void)close(fd); /* read only */
    if (out->text == NULL)
        return error_nomem(&out->err);
    if (!known)
        return error_set(&out->err, EDDY_EIO, "%s: not a regular file", path);
    if (length < 0)
        return error_set(&out->err, EDDY_EIO, "%s: %s", path, strerror(problem));
    out->length = (size_t)length;
    return EDDY_OK;
}

static uint64_t hash_of(const struct content *content)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (size_t i = 0; i < content->length; i++)
        hash = (hash ^ (uint8_t)content->text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* Of a trouble that lasts, only the beginning is said. */
static enum look trouble(struct vet_file *file)
{
    bool said = file->troubled;
    file->troubled = true;
    return said ? LOOK_SAME : LOOK_FAILED;
}

static enum look look_in_vain(struct vet_file *file, int problem, bool moved, struct content *out)
{
    if (problem == ENOENT && !file->present)
        return moved ? LOOK_EMPTY : LOOK_SAME;
    (void)error_set(&out->err, EDDY_EIO, problem == ENOENT ? "%s has vanished%.0s" : "%s: %s",
                    file->path, strerror(problem));
    return trouble(file);
}

static enum look look_at(struct vet_file *file, const char *path, struct content *out)
{
    bool moved = file->path == NULL || strcmp(file->path, path) != 0;
    struct stat info;
    if (moved) {
        char *copy = strdup(path);
        if (copy == NULL)
            return LOOK_SAME; /* and again in the next round */
        free(file->path);
        *file = (struct vet_file){.path = copy};
    }
    if (path[0] == '\0')
        return moved ? LOOK_EMPTY : LOOK_SAME;
    if (stat(path, &info) != 0)
        return look_in_vain(file, errno, moved, out);
    if (is_same(file, &info) && !file->troubled)
        return LOOK_SAME;
    if (read_whole(path, out) != EDDY_OK)
        return trouble(file);
    uint64_t content = hash_of(out);
    bool again = file->present && content == file->content;
    stamp(file, &out->info);
    file->present = true;
    file->troubled = false;
    file->content = content;
    return again ? LOOK_SAME : LOOK_CHANGED;
}

/* ---- what is made of them ---- */

/* `before`: something is in force. */
static void say_failed(struct log *log, const char *what, const eddy_error *err, bool before)
{
    if (before)
        log_line(log, LOG_LEVEL_ERROR, "%s: %s; what was in force before stays", what,
                 err->message);
    else
        log_line(log, LOG_LEVEL_ERROR, "running WITHOUT %s: %s", what, err->message);
}

static void say_missing(struct log *log, const char *what, const char *path)
{
    if (path[0] != '\0')
        log_line(log, LOG_LEVEL_NOTICE, "%s: %s does not exist yet: there are none", what, path);
}

static void warn_of_means(struct log *log, const struct rules *rules, const struct vet_means *means)
{
    if (rules->need_asn && !means->asn)
        log_line(log, LOG_LEVEL_WARNING,
                 "suppressions: a rule names an asn, but geoip.asn is not set: it never matches");
    if (rules->need_country && !means->country)
        log_line(log, LOG_LEVEL_WARNING,
                 "suppressions: a rule names a country, but geoip.country "
                 "is not set: it never matches");
}

static enum look read_rules(const struct content *content, const char *path,
                            const struct vet_state *now, struct rules **out, eddy_error *err)
{
    struct entries entries = {.name = path, .text = content->text, .length = content->length};
    struct rules *rules;
    if (rules_new(&entries, &rules, err) != EDDY_OK)
        return LOOK_FAILED;
    if (rules_trace(rules, now->rules, err) != EDDY_OK) {
        rules_free(rules);
        return LOOK_FAILED;
    }
    *out = rules;
    return LOOK_CHANGED;
}

static void look_at_rules(struct vet_file *file, const char *path, const struct vet_means *means,
                          const struct vet_state *now, struct log *log, struct vet_news *out)
{
    struct content content = {0};
    enum look look = look_at(file, path, &content);
    if (look == LOOK_CHANGED)
        look = read_rules(&content, path, now, &out->rules, &content.err);
    if (look == LOOK_CHANGED) {
        log_line(log, LOG_LEVEL_NOTICE, "suppressions: %zu in %s", out->rules->count, path);
        warn_of_means(log, out->rules, means);
    }
    if (look == LOOK_EMPTY)
        say_missing(log, "suppressions", path);
    if (look == LOOK_FAILED)
        say_failed(log, "suppressions", &content.err, now->rules != NULL);
    out->rules_changed = look == LOOK_CHANGED || look == LOOK_EMPTY;
    out->suppressions.loaded = look == LOOK_CHANGED;
    out->suppressions.failed = look == LOOK_FAILED;
    free(content.text);
}

static void look_at_marks(struct vet_file *file, const char *path, const struct vet_state *now,
                          struct log *log, struct vet_news *out)
{
    struct content content = {0};
    enum look look = look_at(file, path, &content);
    if (look == LOOK_CHANGED) {
        struct entries entries = {.name = path, .text = content.text, .length = content.length};
        if (marks_new(&entries, &out->marks, &content.err) != EDDY_OK)
            look = LOOK_FAILED;
    }
    if (look == LOOK_CHANGED)
        log_line(log, LOG_LEVEL_NOTICE, "marks: %zu benign, %zu malicious in %s",
                 out->marks->benign, out->marks->malicious, path);
    if (look == LOOK_EMPTY)
        say_missing(log, "marks", path);
    if (look == LOOK_FAILED)
        say_failed(log, "marks", &content.err, now->marks != NULL);
    out->marks_changed = look == LOOK_CHANGED || look == LOOK_EMPTY;
    out->feedback.loaded = look == LOOK_CHANGED;
    out->feedback.failed = look == LOOK_FAILED;
    free(content.text);
}

bool vet_files_look(struct vet_files *files, const struct vet_conf *conf,
                    const struct vet_means *means, const struct vet_state *now, struct log *log,
                    struct vet_news *out)
{
    *out = (struct vet_news){0};
    look_at_rules(&files->suppressions, conf->suppress->path, means, now, log, out);
    look_at_marks(&files->feedback, conf->feedback->path, now, log, out);
    return out->rules_changed || out->marks_changed || out->suppressions.failed > 0 ||
           out->feedback.failed > 0;
}

void vet_publish(struct vet_state *s, const struct vet_news *news)
{
    if (news->rules_changed) {
        if (news->rules != NULL)
            rules_inherit(news->rules, s->rules);
        rules_free(s->rules);
        s->rules = news->rules;
    }
    if (news->marks_changed) {
        marks_free(s->marks);
        s->marks = news->marks;
    }
    s->suppressions.loaded += news->suppressions.loaded;
    s->suppressions.failed += news->suppressions.failed;
    s->feedback.loaded += news->feedback.loaded;
    s->feedback.failed += news->feedback.failed;
}

void vet_files_done(struct vet_files *files)
{
    free(files->suppressions.path);
    free(files->feedback.path);
}
