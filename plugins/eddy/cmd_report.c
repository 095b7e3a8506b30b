/* SPDX-License-Identifier: MIT */
/* cmd_report.c - eddy report: logs or recorded incidents as one page of HTML. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "found.h"
#include "gz.h"
#include "out_file.h"
#include "report.h"
#include "run.h"
#include "store.h"

#define LOOK_SIZE 65536 /* of a file, to find out what it is */

struct make {
    struct run run;
    struct store store;
    struct report report;
    struct notes marks, rules;
    struct report_setting *settings;
    char **logs; /* those of the files that are to be scored */
    const char *path;
    bool stamp, out_of_memory;
};

static const char help[] =
    "Usage: eddy report [OPTION...] FILE... -o REPORT.html\n"
    "One page of HTML that needs nothing else: timeline, hosts, each incident with its evidence,\n"
    "what was withheld and suppressed, what became of the records. A FILE is a log, which is "
    "scored\n"
    "as by eddy score, or one with recorded incidents (history.path, jsonl.path), whose first\n"
    "record has \"event_type\":\"eddy\". The same files give the same page.\n\n"
    "  -o, --output FILE         - is standard output\n"
    "      --stamp               say in the page when it was made\n"
    "      --two-pass            learn from all logs first, then score them (forensics)\n" RUN_HELP
    "  -h, --help                this\n\n"
    "Exit status: 0, 1 if an input or operation failed, 2 for wrong usage.\n";

/* ---- what the files are ---- */

static bool starts_with_incident(char *text, size_t length)
{
    text[length] = '\0';
    text += strspn(text, " \t\r\n");
    text[strcspn(text, "\n")] = '\0';
    return text[0] == '{' && (strstr(text, "\"event_type\":\"eddy\"") != NULL ||
                              strstr(text, "\"event_type\": \"eddy\"") != NULL);
}

/* What can't be read is a log: scoring it says why. Nothing but a plain file can be looked at and
 * read again. */
static bool is_recorded(const char *path)
{
    static const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    struct stat info;
    char *text = malloc(LOOK_SIZE + 1);
    int fd = strcmp(path, "-") == 0 ? -1 : open(path, flags);
    bool recorded = false, cut;
    if (text != NULL && fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode)) {
        struct gz *gz = gz_open(fd);
        ssize_t length = gz != NULL ? gz_read(gz, text, LOOK_SIZE, &cut) : -1;
        recorded = length > 0 && starts_with_incident(text, (size_t)length);
        gz_close(gz);
    }
    if (fd >= 0)
        (void)close(fd); /* read only */
    free(text);
    return recorded;
}

static void complain_of_line(const char *message, void *user)
{
    struct make *make = user;
    complain(&make->run.progress, "%s", message);
}

/* ---- the run ---- */

static void on_incident(const eddy_incident *incident, void *user)
{
    struct make *make = user;
    if (incident->state != EDDY_INCIDENT_CLOSED)
        return; /* each is, at the end */
    int length = eddy_incident_json(incident, NULL, 0);
    char *json = malloc((size_t)length + 1);
    if (json != NULL)
        (void)eddy_incident_json(incident, json, (size_t)length + 1);
    if (json == NULL || store_add(&make->store, json, (size_t)length, NULL) != EDDY_OK)
        make->out_of_memory = true;
    free(json);
}

struct collector {
    struct make *make;
    const eddy_config *config;
};

static int add_setting(const eddy_option *option, void *user)
{
    struct collector *c = user;
    const char *value = eddy_config_value(c->config, option->key);
    size_t count = c->make->report.setting_count;
    if (value == NULL || strcmp(value, option->initial) == 0 ||
        strcmp(option->key, "engine.thread") == 0) /* that one is ours: see run.c */
        return 0;
    struct report_setting *more =
        realloc(c->make->settings, (count + 1) * sizeof *c->make->settings);
    if (more == NULL) {
        c->make->out_of_memory = true;
        return 1;
    }
    c->make->settings = more;
    more[count] =
        (struct report_setting){strdup(option->key), strdup(value), strdup(option->initial)};
    c->make->report.setting_count++;
    bool whole =
        more[count].key != NULL && more[count].value != NULL && more[count].initial != NULL;
    c->make->out_of_memory = c->make->out_of_memory || !whole;
    return !whole;
}

static void on_config(const eddy_config *config, void *user)
{
    struct collector c = {user, config};
    (void)eddy_config_options(config, add_setting, &c);
}

/* ---- the page ---- */

/* The most unusual first, as eddy score lists them. */
static int compare(const void *a, const void *b)
{
    const struct stored *x = *(const struct stored *const *)a,
                        *y = *(const struct stored *const *)b;
    if (x->incident.p != y->incident.p)
        return x->incident.p < y->incident.p ? -1 : 1;
    if (x->incident.severity != y->incident.severity)
        return y->incident.severity - x->incident.severity;
    if (x->incident.start_us != y->incident.start_us)
        return x->incident.start_us < y->incident.start_us ? -1 : 1;
    return strcmp(x->incident.id, y->incident.id);
}

/* Three lists in one array: sent, withheld, suppressed. NULL when out of memory. */
static const struct stored **sort_out(struct report *r, const struct store *store)
{
    const struct stored **lists = calloc(3 * (store->count + 1), sizeof *lists);
    if (lists == NULL)
        return NULL;
    r->store = store;
    r->sent = lists;
    r->withheld = lists + store->count + 1;
    r->suppressed = lists + 2 * (store->count + 1);
    for (size_t i = 0; i < store->count; i++) {
        const struct stored *stored = &store->incidents[i];
        if (found_suppressed(&stored->incident))
            r->suppressed[r->suppressed_count++] = stored;
        else if (stored->incident.withheld)
            r->withheld[r->withheld_count++] = stored;
        else
            r->sent[r->sent_count++] = stored;
    }
    qsort(r->sent, r->sent_count, sizeof *lists, compare);
    qsort(r->withheld, r->withheld_count, sizeof *lists, compare);
    qsort(r->suppressed, r->suppressed_count, sizeof *lists, compare);
    return lists;
}

static int complain_of(struct make *make, const eddy_error *err)
{
    complain(&make->run.progress, "%s", err->message);
    return EXIT_FAULT;
}

static int fail(struct make *make, const char *path, const char *problem)
{
    complain(&make->run.progress, "%s: %s", path, problem);
    return EXIT_FAULT;
}

static int write_file(struct make *make)
{
    struct out_file out;
    eddy_error err = {0};
    if (out_file_begin(&out, make->path, &err) != EDDY_OK)
        return complain_of(make, &err);
    FILE *to = fopen(out.part, "w");
    bool whole = to != NULL && report_write(to, &make->report);
    int problem = errno;
    errno = 0;
    bool failed = to == NULL || ferror(to) != 0;
    if (to != NULL && fclose(to) != 0)
        failed = true;
    if (to != NULL)
        problem = errno != 0 ? errno : EIO;
    if (out_file_end(&out, whole && !failed, &err) != EDDY_OK)
        return complain_of(make, &err);
    if (whole && !failed)
        return EXIT_FINE;
    return fail(make, make->path, failed ? strerror(problem) : "out of memory");
}

/* Without them there is a report all the same. */
static void read_notes(struct make *make)
{
    static const char *const names[] = {"rules", "marks"}; /* by eddy_said */
    struct notes *const notes[] = {&make->rules, &make->marks};
    for (int which = EDDY_SUPPRESSIONS; which <= EDDY_MARKS; which++) {
        eddy_error err = {0};
        if (notes_of_config(notes[which], (eddy_said)which, make->run.config_path, &err) != EDDY_OK)
            complain(&make->run.progress, "%s are not shown: %s", names[which], err.message);
    }
    make->report.marks = &make->marks;
    make->report.rules = &make->rules;
}

static int write_page(struct make *make)
{
    const struct stored **lists = sort_out(&make->report, &make->store);
    if (lists == NULL || make->out_of_memory) {
        free(lists);
        return fail(make, make->path, "out of memory");
    }
    make->report.settings = make->settings;
    read_notes(make);
    if (make->stamp)
        make->report.made_us = (int64_t)time(NULL) * 1000000;
    int status = EXIT_FINE;
    if (strcmp(make->path, "-") != 0)
        status = write_file(make);
    else if (!report_write(stdout, &make->report))
        status = fail(make, "standard output", "out of memory");
    else
        status = finish_output();
    free(lists);
    return status;
}

/* ---- the command ---- */

static int read_all(struct make *make, char **files, size_t count)
{
    int status = EXIT_FINE;
    eddy_error err = {0};
    size_t logs = 0;
    make->store.complain = complain_of_line;
    make->store.user = make;
    for (size_t i = 0; i < count; i++) {
        if (!is_recorded(files[i]))
            make->logs[logs++] = files[i];
        else if (store_read(&make->store, files[i], &err) != EDDY_OK)
            status = fail(make, "recorded incidents", err.message);
    }
    if (logs == 0)
        return status;
    make->run.files = make->logs;
    make->run.file_count = logs;
    make->run.incident = on_incident;
    make->run.configured = on_config;
    make->run.user = make;
    make->report.run = &make->run;
    int scored = run_files(&make->run);
    return scored != EXIT_FINE ? scored : status;
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse_options(struct make *make, int argc, char **argv)
{
    static const struct option options[] = {RUN_LONG,
                                            {"output", required_argument, NULL, 'o'},
                                            {"two-pass", no_argument, NULL, 256},
                                            {"stamp", no_argument, NULL, 257},
                                            {0}};
    int option;
    while ((option = getopt_long(argc, argv, RUN_SHORT "o:", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == 'o')
            make->path = optarg;
        else if (option == 256)
            make->run.two_pass = true;
        else if (option == 257)
            make->stamp = true;
        else if (!run_option(&make->run, option, optarg))
            return usage_option("report", argv);
    }
    if (optind == argc)
        return usage_error("report", "no file given (- is standard input)");
    if (make->path == NULL)
        return usage_error("report", "-o says where the page goes");
    return -1;
}

static int run_report(struct make *make, int argc, char **argv)
{
    int status = parse_options(make, argc, argv);
    if (status >= 0)
        return status;
    make->report.files = argv + optind;
    make->report.file_count = (size_t)(argc - optind);
    status = read_all(make, argv + optind, make->report.file_count);
    if (status == EXIT_USAGE)
        return status;
    if (status != EXIT_FINE && make->store.lines == 0 && make->run.counts.read == 0) {
        complain(&make->run.progress, "nothing could be read: there is no report");
        return status;
    }
    int written = write_page(make);
    return status != EXIT_FINE ? status : written;
}

int cmd_report(int argc, char **argv)
{
    struct make *make = calloc(1, sizeof *make);
    char **logs = calloc((size_t)argc + 1, sizeof *logs);
    int status = EXIT_FAULT;
    if (make != NULL && logs != NULL && run_init(&make->run, "report", argc)) {
        make->logs = logs;
        status = run_report(make, argc, argv);
        for (size_t i = 0; i < make->report.setting_count; i++) {
            free(make->settings[i].key);
            free(make->settings[i].value);
            free(make->settings[i].initial);
        }
        free(make->settings);
        notes_done(&make->marks);
        notes_done(&make->rules);
        store_done(&make->store);
        run_done(&make->run);
    } else {
        (void)fputs("eddy: out of memory\n", stderr);
    }
    free(logs);
    free(make);
    return status;
}
