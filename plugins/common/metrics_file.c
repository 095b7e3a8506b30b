/* SPDX-License-Identifier: MIT */
/* metrics_file.c - what became of records, as a *.prom file, for a host that has no engine. */
#include "metrics_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#define TEXT_SIZE   4096
#define SENSOR_SIZE 256

struct metrics_file {
    struct metrics_file_options with;
    char path[PATH_MAX], unfinished[PATH_MAX + 4];
    char input[64];
    char sensor[SENSOR_SIZE]; /* `sensor="...",`, or empty */
    bool failed;              /* it was told that the file can't be written */
    pthread_t thread;
    pthread_mutex_t lock; /* guards `stop` */
    pthread_cond_t changed;
    bool stop;
};

/* ---- the text ---- */

struct text {
    const struct metrics_file *file;
    size_t length;
    char bytes[TEXT_SIZE];
};

static void add(struct text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(t->bytes + t->length, sizeof t->bytes - t->length, format, arguments);
    va_end(arguments);
    if (length > 0 && (size_t)length < sizeof t->bytes - t->length)
        t->length += (size_t)length; /* all of it has room: the parts are bounded */
}

/* Names and help are the library's: the same series as those of an instance that scores. */
static int add_metric(const eddy_metric *metric, void *user)
{
    struct text *t = user;
    const struct metrics_file *f = t->file;
    bool build = strcmp(metric->name, "eddy_build_info") == 0;
    if (!build && strcmp(metric->name, "eddy_input_records_total") != 0)
        return 0;
    add(t, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help, metric->name,
        metric->kind == EDDY_COUNTER ? "counter" : "gauge");
    if (build) {
        add(t, "%s{%sversion=\"%s\"} 1\n", metric->name, f->sensor, eddy_version());
        return 0;
    }
    eddy_counts counts;
    f->with.read(&counts, f->with.user);
    const struct {
        const char *result;
        uint64_t count;
    } samples[] = {
        {"sent", counts.scored}, {"skipped", counts.skipped}, {"dropped", counts.dropped}};
    for (size_t i = 0; i < sizeof samples / sizeof *samples; i++)
        add(t, "%s{%sinput=\"%s\",result=\"%s\"} %llu\n", metric->name, f->sensor, f->input,
            samples[i].result, (unsigned long long)samples[i].count);
    return 0;
}

/* `sensor="...",`, with what the format wants escaped. */
static int make_label(const char *sensor, char *out, eddy_error *err)
{
    size_t length = 0;
    char value[SENSOR_SIZE] = "";
    for (const char *c = sensor; *c != '\0'; c++) {
        if (length + strlen("sensor=\"\",") + 3 > sizeof value)
            return fault(err, EDDY_ECONFIG, "textfile.sensor = '%.40s...': too long", sensor);
        if (*c == '"' || *c == '\\')
            value[length++] = '\\';
        value[length++] = *c;
    }
    value[length] = '\0';
    *out = '\0';
    if (length > 0)
        (void)snprintf(out, SENSOR_SIZE, "sensor=\"%.200s\",", value);
    return EDDY_OK;
}

/* ---- the file ---- */

static void write_file(struct metrics_file *f)
{
    struct text t = {.file = f};
    (void)eddy_metrics(add_metric, &t); /* add_metric() never ends the visit */
    int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int fd = open(f->unfinished, flags, 0644);
    bool good = fd >= 0;
    int problem = errno;
    if (good) {
        errno = ENOSPC; /* of a write that is cut */
        good = write(fd, t.bytes, t.length) == (ssize_t)t.length && fchmod(fd, 0644) == 0;
        problem = errno;
        if (close(fd) != 0 && good) {
            good = false;
            problem = errno;
        }
        if (good && rename(f->unfinished, f->path) != 0) {
            good = false;
            problem = errno;
        }
        if (!good)
            (void)unlink(f->unfinished); /* the file of the last interval stays */
    }
    if (!good && !f->failed)
        say(f->with.say, LOG_ERR, "textfile: %s: %s", f->path, strerror(problem));
    f->failed = !good;
}

/* False: it is time to end. */
static bool wait_an_interval(struct metrics_file *f)
{
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* can't fail with this clock */
    until.tv_sec += (time_t)(f->with.interval_ms / 1000);
    until.tv_nsec += (long)(f->with.interval_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&f->lock);
    while (!f->stop && pthread_cond_timedwait(&f->changed, &f->lock, &until) != ETIMEDOUT)
        ;
    bool go_on = !f->stop;
    pthread_mutex_unlock(&f->lock);
    return go_on;
}

static void *run(void *user)
{
    struct metrics_file *f = user;
    (void)prctl(PR_SET_NAME, "eddy-metrics");
    do
        write_file(f);
    while (wait_an_interval(f));
    return NULL;
}

/* ---- life ---- */

int metrics_file_check(const char *path, eddy_error *err)
{
    char folder[PATH_MAX] = ".";
    size_t length = strlen(path);
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    if (length >= sizeof folder)
        return fault(err, EDDY_ECONFIG, "textfile.path = '%.100s...': too long", path);
    if (strlen(name) < strlen("x.prom") || strcmp(path + length - strlen(".prom"), ".prom") != 0)
        return fault(err, EDDY_ECONFIG, "textfile.path = '%.100s': does not end in name.prom",
                     path);
    if (slash != NULL) {
        memcpy(folder, path, (size_t)(name - path));
        folder[name - path] = '\0';
    }
    if (access(folder, W_OK | X_OK) != 0)
        return fault(err, EDDY_EIO, "%.200s: %s", folder, strerror(errno));
    return EDDY_OK;
}

static int start(struct metrics_file *f, eddy_error *err)
{
    pthread_condattr_t monotonic; /* a wall clock that is set back would stop the rounds */
    sigset_t all, before;         /* signals are the host's: none may land on our thread */
    (void)pthread_mutex_init(&f->lock, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&f->changed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int reason = pthread_create(&f->thread, NULL, run, f);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return reason == 0 ? EDDY_OK
                       : fault(err, EDDY_EIO, "can't start a thread: %s", strerror(reason));
}

int metrics_file_new(const struct metrics_file_options *options, struct metrics_file **out,
                     eddy_error *err)
{
    struct metrics_file *f = calloc(1, sizeof *f);
    if (f == NULL)
        return fault(err, EDDY_ENOMEM, "out of memory");
    f->with = *options;
    int status = metrics_file_check(options->path, err);
    if (status == EDDY_OK)
        status = make_label(options->sensor, f->sensor, err);
    if (status == EDDY_OK) {
        (void)snprintf(f->path, sizeof f->path, "%s", options->path);
        (void)snprintf(f->unfinished, sizeof f->unfinished, "%s.tmp", f->path);
        (void)snprintf(f->input, sizeof f->input, "%s", options->input);
        status = start(f, err);
    }
    if (status < 0)
        free(f);
    else
        *out = f;
    return status;
}

void metrics_file_free(struct metrics_file *f)
{
    if (f == NULL)
        return;
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_signal(&f->changed);
    pthread_mutex_unlock(&f->lock);
    (void)pthread_join(f->thread, NULL); /* can't fail: it is ours and running */
    write_file(f);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->changed);
    free(f);
}
