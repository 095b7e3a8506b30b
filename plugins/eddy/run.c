/* SPDX-License-Identifier: MIT */
/* run.c - logs through an engine: what `eddy score` and `eddy features` have in common.
 *
 * Several files are one stream of time, in the order given. One that can't be read does not stop
 * the others. */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd.h"
#include "host_options.h"
#include "said_check.h"

#define PIECE_SIZE ((size_t)256 * 1024)

#define LEVEL_WARNING 4 /* of syslog(3); a lower one is worse */

/* ---- The command line ---- */

bool run_init(struct run *run, const char *command, int argc)
{
    *run = (struct run){.command = command};
    run->settings = calloc((size_t)argc + 1, sizeof *run->settings);
    return run->settings != NULL;
}

void run_done(struct run *run)
{
    free(run->settings);
    run->settings = NULL;
}

bool run_option(struct run *run, int option, char *value)
{
    switch (option) {
    case 'c':
        run->config_path = value;
        return true;
    case 's':
        run->settings[run->setting_count++] = value;
        return true;
    case 'f':
        run->format = value;
        return true;
    case 'q':
        run->quiet = true;
        return true;
    default:
        return false;
    }
}

/* ---- Settings ---- */

static int apply_setting(struct run *run, eddy_config *config, const char *setting)
{
    char key[128];
    eddy_error err = {0};
    const char *equals = strchr(setting, '=');
    if (equals == NULL || (size_t)(equals - setting) >= sizeof key)
        return usage_error(run->command, "-s %s: not section.name=value", setting);
    (void)snprintf(key, sizeof key, "%.*s", (int)(equals - setting), setting);
    if (eddy_config_set(config, key, equals + 1, &err) != EDDY_OK)
        return usage_error(run->command, "-s %s", err.message);
    return EXIT_FINE;
}

static int make_config(struct run *run, enum run_use use, eddy_config *config)
{
    eddy_error err = {0};
    if (host_options_declare(config, &err) != EDDY_OK) { /* the daemon's are in the same file */
        complain(&run->progress, "%s", err.message);
        return EXIT_FAULT;
    }
    if (run->config_path != NULL && eddy_config_load(config, run->config_path, &err) != EDDY_OK) {
        complain(&run->progress, "%s", err.message);
        return EXIT_FAULT;
    }
    /* The history is what the sensor saw: looking at old logs adds nothing to it, unless -s says
     * so. */
    if (use == RUN_LOGS && eddy_config_set(config, "history.path", "", &err) != EDDY_OK) {
        complain(&run->progress, "%s", err.message);
        return EXIT_FAULT;
    }
    for (size_t i = 0; i < run->setting_count; i++) {
        int status = apply_setting(run, config, run->settings[i]);
        if (status != EXIT_FINE)
            return status;
    }
    /* One thread, so that a file's incidents are ours as soon as it is read. */
    if (eddy_config_set(config, "engine.thread", "off", &err) != EDDY_OK) {
        complain(&run->progress, "%s", err.message);
        return EXIT_FAULT;
    }
    return EXIT_FINE;
}

int run_config(struct run *run, enum run_use use, eddy_config **out)
{
    eddy_config *config = eddy_config_new();
    if (config == NULL) {
        complain(&run->progress, "out of memory");
        return EXIT_FAULT;
    }
    int status = make_config(run, use, config);
    if (status != EXIT_FINE) {
        eddy_config_free(config);
        return status;
    }
    *out = config;
    return EXIT_FINE;
}

/* ---- Hooks ---- */

static void on_scored(const eddy_flow *flow, const double *columns, const eddy_verdict *verdict,
                      void *user)
{
    struct run *run = user;
    if (!run->learning)
        run->scored(flow, columns, verdict, run->user);
}

static void on_incident(const eddy_incident *incident, void *user)
{
    struct run *run = user;
    if (!run->learning)
        run->incident(incident, run->user);
}

static void on_log(int level, const char *message, void *user)
{
    struct run *run = user;
    if (run->learning && level == LEVEL_WARNING)
        return; /* of a record; the second pass will meet it again */
    if (run->loudest != 0 && level > run->loudest)
        return;
    if (level <= LEVEL_WARNING || !run->quiet)
        complain(&run->progress, "%s", message);
}

/* ---- Files ---- */

/* What fails while learning fails again in the second pass, and is said then. */
static void fail(struct run *run, const char *path, const char *problem)
{
    if (run->learning)
        return;
    complain(&run->progress, "%s: %s", path, problem);
    run->failed = true;
}

static int add_reason(const char *reason, const char *help, uint64_t count, int rejected,
                      void *user)
{
    struct run *run = user;
    size_t i = 0;
    while (i < run->reason_count && strcmp(run->reasons[i].name, reason) != 0)
        i++;
    if (i == RUN_REASONS)
        return 0;
    if (i == run->reason_count) {
        run->reason_count++;
        run->reasons[i].rejected = rejected != 0;
        (void)snprintf(run->reasons[i].name, sizeof run->reasons[i].name, "%s", reason);
        (void)snprintf(run->reasons[i].help, sizeof run->reasons[i].help, "%s", help);
    }
    run->reasons[i].count += count;
    return 0;
}

/* Lines that say nothing either way. */
static int count_idle(const char *reason, const char *help, uint64_t count, int rejected,
                      void *user)
{
    uint64_t *idle = user;
    (void)help;
    (void)rejected;
    if (strcmp(reason, "blank") == 0 || strcmp(reason, "header") == 0)
        *idle += count;
    return 0;
}

/* The same for records whose names are read: of a log that holds nothing else all is of use. */
static int count_named(const char *reason, const char *help, uint64_t count, int rejected,
                       void *user)
{
    uint64_t *named = user;
    const char *end = strstr(reason, "_context");
    (void)help;
    (void)rejected;
    if (end != NULL && strcmp(end, "_context") == 0)
        *named += count;
    return 0;
}

/* Adds what became of one file's records. A file with records and nothing but rejected ones is no
 * log of ours. */
static void count_file(struct run *run, const char *path, const eddy_worker *worker)
{
    eddy_counts counts;
    uint64_t idle = 0, named = 0;
    eddy_worker_counts(worker, &counts);
    run->counts.read += counts.read;
    if (run->file_done != NULL)
        run->file_done(path, counts.scored, run->user);
    run->counts.scored += counts.scored;
    run->counts.skipped += counts.skipped;
    run->counts.rejected += counts.rejected;
    (void)eddy_worker_rejects(worker, add_reason, run);
    (void)eddy_worker_rejects(worker, count_idle, &idle);
    (void)eddy_worker_rejects(worker, count_named, &named);
    if (counts.rejected > 0 && counts.scored == 0 && counts.skipped == idle)
        fail(run, path, "not one record in it could be scored; the reasons are above");
    else if (counts.scored == 0 && counts.skipped > idle && named == 0)
        complain(
            &run->progress,
            "%s: no flows in it: Suricata's eve-log must have the type flow; of Zeek's logs it "
            "is conn.log",
            path);
}

/* One file on its way through an engine. */
struct source {
    const char *path;
    int fd;
    eddy_engine *engine;
    eddy_worker *worker;
    char *piece; /* PIECE_SIZE bytes */
};

/* Reads the file to its end. False if that was cut short, and it was said. */
static bool feed_all(struct run *run, const struct source *source)
{
    for (;;) {
        ssize_t n = read(source->fd, source->piece, PIECE_SIZE);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            fail(run, source->path, strerror(errno));
            return false;
        }
        if (n == 0)
            return true;
        int flows = eddy_worker_feed(source->worker, source->piece, (size_t)n);
        if (flows < 0) {
            fail(run, source->path, eddy_strerror(flows));
            return false;
        }
        progress_add(&run->progress, (uint64_t)n, (uint64_t)flows);
        (void)eddy_engine_tick(source->engine); /* what fails is counted: see check_outputs */
        if (!run->learning && run->go_on != NULL && !run->go_on(run->user)) {
            run->stopped = true;
            return false;
        }
    }
}

static void feed_source(struct run *run, struct source *source, const char *name)
{
    eddy_error err = {0};
    int status = eddy_worker_new(source->engine, name, run->format, &source->worker, &err);
    if (status == EDDY_ECONFIG) { /* the format: no file will do */
        (void)usage_error(run->command, "-f: %s", err.message);
        run->misused = run->stopped = true;
        return;
    }
    if (status != EDDY_OK) {
        fail(run, source->path, err.message);
        return;
    }
    bool whole = feed_all(run, source);
    int flows =
        run->stopped ? 0 : eddy_worker_end(source->worker); /* a last line without newline */
    if (flows < 0 && whole)
        fail(run, source->path, eddy_strerror(flows));
    if (!run->learning)
        count_file(run, source->path, source->worker);
    eddy_worker_free(source->worker);
}

static void feed_files(struct run *run, eddy_engine *engine, char *piece)
{
    for (size_t i = 0; i < run->file_count && !run->stopped; i++) {
        struct source source = {.path = run->files[i], .engine = engine, .piece = piece};
        if (strcmp(source.path, "-") == 0) {
            feed_source(run, &source, "stdin"); /* descriptor 0 */
            continue;
        }
        source.fd = open(source.path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (source.fd < 0) {
            fail(run, source.path, strerror(errno));
            continue;
        }
        feed_source(run, &source, source.path);
        (void)close(source.fd); /* read only */
    }
}

static bool begin(struct run *run, eddy_engine *engine, eddy_pass pass)
{
    run->learning = false;
    int status = eddy_engine_begin(engine, pass);
    if (status < 0) {
        fail(run, "engine", eddy_strerror(status));
        return false;
    }
    run->learning = pass == EDDY_PASS_LEARN;
    run->progress.label = run->learning ? "learning" : "scoring";
    return true;
}

struct outcome {
    uint64_t hosts, unwritten;
};

static int read_metric(const eddy_metric *metric, void *user)
{
    struct outcome *outcome = user;
    if (strcmp(metric->name, "eddy_hosts_tracked") == 0)
        outcome->hosts += (uint64_t)metric->value;
    if (strcmp(metric->name, "eddy_output_errors_total") == 0 ||
        strcmp(metric->name, "eddy_output_dropped_total") == 0)
        outcome->unwritten += (uint64_t)metric->value;
    return 0;
}

/* The outputs of the configuration ([jsonl] and others): the library has logged why. */
static void check_outputs(struct run *run, eddy_engine *engine)
{
    struct outcome outcome = {0};
    char count[32];
    (void)eddy_engine_metrics(engine, read_metric, &outcome);
    run->hosts = outcome.hosts;
    if (outcome.unwritten == 0)
        return;
    complain(&run->progress,
             "%s incidents or metrics could not be written to the configured outputs",
             with_commas(outcome.unwritten, count));
    run->failed = true;
}

static void feed_engine(struct run *run, eddy_engine *engine, char *piece)
{
    if (run->two_pass) {
        if (!begin(run, engine, EDDY_PASS_LEARN))
            return;
        feed_files(run, engine, piece);
        if (!begin(run, engine, EDDY_PASS_SCORE))
            return;
    }
    feed_files(run, engine, piece);
    (void)eddy_engine_end(engine);
    (void)eddy_engine_tick(engine);
    if (run->done != NULL && !run->stopped)
        run->done(engine, run->user);
    check_outputs(run, engine);
    if (run->ended != NULL)
        run->ended(engine, run->user);
    progress_clear(&run->progress);
}

/* Looks at the files before any is read: how much there is, and whether it can be read twice. */
static int look_ahead(struct run *run)
{
    uint64_t total = 0;
    bool known = true;
    for (size_t i = 0; i < run->file_count; i++) {
        struct stat info;
        bool is_input = strcmp(run->files[i], "-") == 0;
        bool found = (is_input ? fstat(STDIN_FILENO, &info) : stat(run->files[i], &info)) == 0;
        if (run->two_pass &&
            (is_input || (found && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode))))
            return usage_error(run->command, "%s: --two-pass reads twice, which needs a file",
                               is_input ? "standard input" : run->files[i]);
        if (found && S_ISREG(info.st_mode))
            total += (uint64_t)info.st_size;
        else if (found)
            known = false;
    }
    progress_begin(&run->progress, !run->quiet, known ? total * (run->two_pass ? 2 : 1) : 0);
    return EXIT_FINE;
}

static int run_engine(struct run *run, const eddy_config *config)
{
    eddy_error err = {0};
    eddy_engine *engine;
    eddy_hooks hooks = {.size = sizeof hooks,
                        .user = run,
                        .scored = run->scored != NULL ? on_scored : NULL,
                        .incident = run->incident != NULL ? on_incident : NULL,
                        .log = on_log};
    char *piece = aligned_alloc(4096, PIECE_SIZE); /* whole pages: read(2) copies faster */
    if (piece == NULL) {
        complain(&run->progress, "out of memory");
        return EXIT_FAULT;
    }
    if (eddy_engine_new(config, &hooks, &engine, &err) != EDDY_OK) {
        complain(&run->progress, "%s", err.message);
        free(piece);
        return EXIT_FAULT;
    }
    feed_engine(run, engine, piece);
    eddy_engine_free(engine);
    free(piece);
    return run->misused ? EXIT_USAGE : run->failed ? EXIT_FAULT : EXIT_FINE;
}

int run_files(struct run *run)
{
    if (run->file_count == 0)
        return usage_error(run->command, "no file given (- is standard input)");
    int status = look_ahead(run);
    if (status != EXIT_FINE)
        return status;
    eddy_config *config;
    status = run_config(run, RUN_LOGS, &config);
    if (status != EXIT_FINE)
        return status;
    /* An engine starts without a faulty file of rules; here, somebody is waiting for the result. */
    eddy_error err = {0};
    if (said_check(config, &err) == EDDY_OK) {
        if (run->configured != NULL)
            run->configured(config, run->user);
        status = run_engine(run, config);
    } else {
        complain(&run->progress, "%s; nothing was scored", err.message);
        status = EXIT_FAULT;
    }
    eddy_config_free(config);
    return status;
}
