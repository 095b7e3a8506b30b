/* SPDX-License-Identifier: MIT */
/* cmd_mark.c - eddy mark: says of an incident that it was benign or malicious. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmd.h"
#include "mark_export.h"
#include "said.h"
#include "said_file.h"
#include "suppress.h"

static const char help[] =
    "Usage: eddy mark INCIDENT benign|malicious|none [--why TEXT] [--by WHO] [OPTION...]\n"
    "       eddy mark --list\n"
    "       eddy mark --export LOG...\n"
    "Says what an incident was. The file of marks is feedback.path; a sensor that runs acts on a "
    "change\n"
    "within a second.\n"
    "  benign     the detector takes what it found there as usual, for that host (and peer) and "
    "reason\n"
    "             alone; clearly more of it is an incident again. Fades with feedback.half_life.\n"
    "  malicious  nothing is learned from it\n"
    "  none       takes the mark back; the last mark of an incident counts\n"
    "INCIDENT is an id, or the beginning of one. --list shows the file; what a later mark of the "
    "same\n"
    "incident replaced stands behind a #. --export prints id,label,family of every flow of "
    "LOG\n"
    "that belongs to a marked incident (label 1 is malicious, family the detector), to train "
    "with.\n\n"
    "      --in FILE             where the incidents are: JSON lines; may be repeated. Not given:\n"
    "                            history.path\n"
    "      --why TEXT            how you know\n"
    "      --by WHO              who says so; else $SUDO_USER or $USER\n"
    "      --file FILE           the file of marks, instead of feedback.path\n"
    "      --json                --list: as JSON\n" RUN_HELP "  -h, --help                this\n\n"
    "Without -c, settings are those of /etc/eddy/eddy.conf, if there is one.\n"
    "Exit status: 0, 1 if an operation failed, 2 for wrong usage.\n";

struct mark_command {
    struct run run;
    struct said said;
    const char *why, *by;
    bool list, export, json;
    char **words;
    int word_count;
};

static int fault(struct mark_command *m, const char *message)
{
    complain(&m->run.progress, "%s", message);
    return EXIT_FAULT;
}

/* ---- marking ---- */

static const char *author(const struct mark_command *m)
{
    const char *name = m->by != NULL ? m->by : getenv("SUDO_USER");
    if (name == NULL || name[0] == '\0')
        name = getenv("USER");
    return name != NULL && name[0] != '\0' ? name : "unknown";
}

/* All that the sensor needs, so that the mark outlives the history. */
static void describe(struct said_line *line, const struct stored *stored)
{
    const eddy_incident *incident = &stored->incident;
    char score[32], proto[16];
    said_add(line, "detector", incident->detector);
    said_add(line, "host", stored->host);
    if (suppress_is_pair(stored)) {
        said_add(line, "peer", stored->peer);
        if (incident->peer_port != 0)
            said_add_number(line, "port", incident->peer_port);
        if (incident->proto != 0)
            said_add(line, "proto", said_proto(incident->proto, proto));
    }
    if (incident->reason_count > 0 && incident->reasons[0].feature[0] != '\0')
        said_add(line, "reason", incident->reasons[0].feature);
    (void)snprintf(score, sizeof score, "%.6g", fmin(incident->score, 300.0));
    said_add(line, "score", score);
    said_add_time(line, "start", incident->start_us);
    said_add_time(line, "end", incident->end_us + 999999); /* whole seconds: rounded up */
    said_add_number(line, "flows", incident->flows);
}

static void compose(const struct mark_command *m, const struct stored *stored, const char *verdict,
                    struct said_line *line)
{
    int64_t now_us = (int64_t)time(NULL) * 1000000, end_us = stored->incident.end_us;
    *line = (struct said_line){0};
    said_add(line, "incident", stored->incident.id);
    said_add(line, "verdict", verdict);
    if (strcmp(verdict, "none") != 0)
        describe(line, stored);
    said_add_time(line, "marked", now_us > end_us ? now_us : end_us);
    said_add(line, "by", author(m));
    if (m->why != NULL)
        said_add(line, "why", m->why);
}

static int append(struct mark_command *m, const char *path, const struct said_line *line)
{
    struct said_file file;
    eddy_error err = {0};
    if (said_file_open(&file, path, true, &err) != EDDY_OK)
        return fault(m, err.message);
    char *text = said_append(file.text, line);
    int status = EXIT_FINE;
    if (text == NULL || !said_fits(line))
        status = fault(m, text == NULL ? "out of memory" : "the mark is too long");
    else if (eddy_said_check(EDDY_MARKS, file.path, text, NULL, NULL, &err) != EDDY_OK ||
             said_file_replace(&file, text, &err) != EDDY_OK)
        status = fault(m, err.message);
    free(text);
    said_file_close(&file);
    return status;
}

static int mark(struct mark_command *m)
{
    char path[4096], about[160];
    struct said_line line;
    struct store store = {0};
    eddy_error err = {0};
    if (m->word_count != 2)
        return usage_error("mark", "needs INCIDENT and benign, malicious or none");
    const char *id = m->words[0], *verdict = m->words[1];
    if (strcmp(verdict, "benign") != 0 && strcmp(verdict, "malicious") != 0 &&
        strcmp(verdict, "none") != 0)
        return usage_error("mark", "%s: not benign, malicious or none", verdict);
    if (m->why != NULL && !said_clean(m->why))
        return usage_error("mark", "--why has a control character: %s", m->why);
    if (!said_clean(author(m)))
        return usage_error("mark", "the name of who says so has a control character: %s",
                           author(m));
    int status = said_path(&m->said, "feedback.path", path, sizeof path);
    if (status == EXIT_FINE)
        status = said_incidents(&m->said, &store);
    const struct stored *stored = status == EXIT_FINE ? store_find(&store, id, &err) : NULL;
    if (status == EXIT_FINE && stored == NULL)
        status = fault(m, err.message);
    if (status == EXIT_FINE) {
        compose(m, stored, verdict, &line);
        status = append(m, path, &line);
    }
    if (status == EXIT_FINE) {
        printf("Marked %s in %s: %s (%s).\n", verdict, path, stored->incident.id,
               said_about(stored, about));
        status = finish_output();
    }
    store_done(&store);
    return status;
}

/* ---- the file ---- */

struct listing {
    bool json;
    size_t count;
    const char *path, *text;
};

/* Is there a later line about the same incident? */
struct later {
    const eddy_entry *than;
    bool found;
};

static int look_later(const eddy_entry *entry, void *user)
{
    struct later *later = user;
    later->found = later->found ||
                   (entry->line > later->than->line && strcmp(entry->id, later->than->id) == 0);
    return 0;
}

static bool is_superseded(const struct listing *l, const eddy_entry *entry)
{
    struct later later = {.than = entry};
    eddy_error err = {0};
    (void)eddy_said_check(EDDY_MARKS, l->path, l->text, look_later, &later, &err);
    return later.found;
}

static int list_entry(const eddy_entry *entry, void *user)
{
    struct listing *l = user;
    bool superseded = is_superseded(l, entry);
    if (!l->json) {
        printf("%s%s\n", superseded ? "# superseded: " : "", entry->text);
    } else {
        printf("%s\n{\"line\":%u,\"superseded\":%s", l->count > 0 ? "," : "", entry->line,
               superseded ? "true" : "false");
        for (size_t i = 0; i < entry->word_count; i++) {
            printf(",\"%s\":", entry->words[i].key);
            said_json(entry->words[i].value);
        }
        (void)putchar('}');
    }
    l->count++;
    return 0;
}

static int list_text(struct mark_command *m, const char *path, const char *text)
{
    struct listing listing = {.json = m->json, .path = path, .text = text};
    eddy_error err = {0};
    if (eddy_said_check(EDDY_MARKS, path, text, NULL, NULL, &err) != EDDY_OK)
        return fault(m, err.message);
    if (m->json)
        (void)putchar('[');
    (void)eddy_said_check(EDDY_MARKS, path, text, list_entry, &listing, &err);
    if (m->json)
        (void)puts("]");
    else if (listing.count == 0)
        printf("No marks in %s.\n", path);
    return finish_output();
}

static int with_file(struct mark_command *m)
{
    char path[4096], *text = NULL;
    eddy_error err = {0};
    if (m->export && m->word_count == 0)
        return usage_error("mark", "--export needs the LOGs that have the flows");
    if (m->list && m->word_count > 0)
        return usage_error("mark", "--list takes nothing, not '%s'", m->words[0]);
    int status = said_path(&m->said, "feedback.path", path, sizeof path);
    if (status != EXIT_FINE)
        return status;
    if (said_file_read(path, &text, &err) != EDDY_OK)
        return fault(m, err.message);
    m->run.files = m->words;
    m->run.file_count = (size_t)m->word_count;
    status = m->export ? mark_export(&m->run, path, text) : list_text(m, path, text);
    free(text);
    return status;
}

/* ---- the command ---- */

enum long_option { LONG_IN = 256, LONG_WHY, LONG_BY, LONG_FILE, LONG_LIST, LONG_EXPORT, LONG_JSON };

static const struct option options[] = {RUN_LONG,
                                        {"in", required_argument, NULL, LONG_IN},
                                        {"why", required_argument, NULL, LONG_WHY},
                                        {"by", required_argument, NULL, LONG_BY},
                                        {"file", required_argument, NULL, LONG_FILE},
                                        {"list", no_argument, NULL, LONG_LIST},
                                        {"export", no_argument, NULL, LONG_EXPORT},
                                        {"json", no_argument, NULL, LONG_JSON},
                                        {0}};

static bool take_option(struct mark_command *m, int option, char *value)
{
    switch (option) {
    case LONG_IN:
        m->said.in[m->said.in_count++] = value;
        return true;
    case LONG_WHY:
        m->why = value;
        return true;
    case LONG_BY:
        m->by = value;
        return true;
    case LONG_FILE:
        m->said.file = value;
        return true;
    case LONG_LIST:
        m->list = true;
        return true;
    case LONG_EXPORT:
        m->export = true;
        return true;
    case LONG_JSON:
        m->json = true;
        return true;
    default:
        return run_option(&m->run, option, value);
    }
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse(struct mark_command *m, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, RUN_SHORT, options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (!take_option(m, option, optarg))
            return usage_option("mark", argv);
    }
    if (m->list && m->export)
        return usage_error("mark", "--list or --export, not both");
    m->words = argv + optind;
    m->word_count = argc - optind;
    return -1;
}

int cmd_mark(int argc, char **argv)
{
    struct mark_command m = {0};
    m.said.in = calloc((size_t)argc + 1, sizeof *m.said.in);
    if (m.said.in == NULL || !run_init(&m.run, "mark", argc + EXPORT_SETTINGS)) {
        complain(&m.run.progress, "out of memory");
        free(m.said.in);
        return EXIT_FAULT;
    }
    int status = parse(&m, argc, argv);
    if (status < 0) {
        said_default_config(&m.run);
        m.said.run = &m.run;
        status = m.list || m.export ? with_file(&m) : mark(&m);
    }
    run_done(&m.run);
    free(m.said.in);
    return status;
}
