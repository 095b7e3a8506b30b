/* SPDX-License-Identifier: MIT */
/* cmd_incidents.c - eddy incidents: what was decided over time, and all that is known of one. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "filter.h"
#include "found.h"
#include "history_path.h"
#include "notes.h"
#include "progress.h"
#include "show.h"
#include "store.h"
#include "table.h"
#include "when.h"

struct incidents {
    struct store store;
    struct filter filter;
    struct notes marks;
    const char *config_path, *at;
    uint64_t limit; /* 0: none */
    bool table, quiet;
    int status;
    struct progress silent; /* what complain() wants */
};

static const char help[] =
    "Usage: eddy incidents [OPTION...] [FILE...]\n"
    "       eddy incidents [OPTION...] show ID [FILE...]\n"
    "The incidents of a history, each in its last state, the latest first: a table on a terminal,\n"
    "else their lines of JSON. FILE is what history.path or jsonl.path names, or any log with "
    "such\n"
    "lines in it, plain or gzip'ed; - is standard input. Without one, it is the history.path of\n"
    "eddy.conf. show tells all of one incident; the beginning of its id is enough.\n\n"
    "      --since, --until TIME what has flows after or before: 30m, 24h, 7d ago, or a time,\n"
    "                            2026-01-02 or 2026-01-02T03:04:05\n"
    "      --at TIME             the now that ages and spans are counted from\n"
    "      --host ADDRESS[/BITS] host or peer\n"
    "      --detector NAME\n"
    "      --severity low|medium|high  this or graver\n"
    "      --state new|growing|quiet|closed\n"
    "      --withheld[=only]     those that the daily budget withholds, too (*), or only those\n"
    "      --suppressed[=only]   those that suppressions cover, too (-), or only those\n"
    "  -n, --limit N             at most N, the latest\n"
    "  -o, --output table|json\n"
    "  -c, --config FILE         the eddy.conf to find the history by\n"
    "  -q, --quiet               no notes, only errors\n"
    "  -h, --help                this\n\n"
    "Exit status: 0, 1 if a file could not be read or there is no such incident, 2 for wrong\n"
    "usage.\n";

static void say(const char *message, void *user)
{
    struct incidents *in = user;
    complain(&in->silent, "%s", message);
}

/* ---- reading ---- */

static void failed(struct incidents *in, const eddy_error *err)
{
    complain(&in->silent, "%s", err->message);
    in->status = EXIT_FAULT;
}

static void read_files(struct incidents *in, char **files, int count)
{
    eddy_error err = {0};
    char path[4096];
    in->store.complain = say;
    in->store.user = in;
    for (int i = 0; i < count; i++)
        if (store_read(&in->store, files[i], &err) != EDDY_OK)
            failed(in, &err);
    if (count > 0)
        return;
    if (history_path(in->config_path, path, sizeof path, &err) != EDDY_OK) {
        failed(in, &err);
        complain(&in->silent, "where is the history? Name its FILE, or an eddy.conf by -c");
    } else if (store_read_history(&in->store, path, &err) != EDDY_OK) {
        failed(in, &err);
    }
}

/* Without them the incidents are still worth to be seen. */
static void read_marks(struct incidents *in)
{
    eddy_error err = {0};
    if (in->table && notes_of_config(&in->marks, EDDY_MARKS, in->config_path, &err) != EDDY_OK)
        complain(&in->silent, "marks are not shown: %s", err.message);
}

/* ---- listing ---- */

static bool wanted(struct incidents *in, const struct stored *stored, uint64_t *listed)
{
    if (!filter_takes(&in->filter, stored) || (in->limit > 0 && *listed >= in->limit))
        return false;
    (*listed)++;
    return true;
}

/* How many the filter would take if it also took these. */
static uint64_t count_left_out(const struct incidents *in, bool suppressed)
{
    struct filter filter = in->filter;
    uint64_t count = 0;
    if ((suppressed ? filter.suppressed : filter.withheld) != WANT_NOT)
        return 0;
    filter.withheld = suppressed ? WANT_NOT : WANT_ONLY;
    filter.suppressed = suppressed ? WANT_ONLY : WANT_NOT;
    for (size_t i = 0; i < in->store.count; i++)
        count += filter_takes(&filter, &in->store.incidents[i]);
    return count;
}

/* Told apart from all that the history has: what is shown must be enough for `show`. */
static size_t id_length(const struct store *store)
{
    const char **ids = calloc(store->count + 1, sizeof *ids);
    if (ids == NULL)
        return 0;
    for (size_t i = 0; i < store->count; i++)
        ids[i] = store->incidents[i].incident.id;
    size_t length = found_id_length(ids, store->count);
    free(ids);
    return length;
}

static void put_incident(struct incidents *in, struct found *found, const struct stored *stored)
{
    char state[32];
    size_t before = found->count;
    const struct note *mark = notes_find(&in->marks, stored->incident.id);
    state_text(&stored->incident, in->filter.now_us, state);
    found_put(found, &stored->incident, state);
    if (mark != NULL && found->count > before)
        (void)snprintf(found->lines[before].mark, sizeof found->lines[before].mark, "%.11s",
                       mark->verdict);
}

static void print_hint(const char *id, size_t length)
{
    if (isatty(STDOUT_FILENO) == 1) {
        (void)fputs("Why: eddy incidents show ", stdout);
        print_safely(id, strlen(id) < length ? strlen(id) : length);
        (void)putchar('\n');
    }
}

static void print_notes(const struct incidents *in, uint64_t listed, uint64_t taken)
{
    char a[32], b[32], latest[WHEN_SIZE];
    uint64_t withheld = count_left_out(in, false), suppressed = count_left_out(in, true);
    printf("%s %s", with_commas(listed, a), listed == 1 ? "incident" : "incidents");
    if (listed < taken)
        printf(" of %s", with_commas(taken, b));
    if (withheld > 0)
        printf(", %s more withheld (--withheld)", with_commas(withheld, b));
    if (suppressed > 0)
        printf(", %s suppressed (--suppressed)", with_commas(suppressed, b));
    (void)fputs(".\n", stdout);
    if (taken == 0 && in->store.count > 0)
        printf("The latest of all %s ended at %s.\n", with_commas(in->store.count, a),
               when_text(in->store.incidents[0].incident.end_us, latest));
}

static int list(struct incidents *in)
{
    struct found found = {.id_length = in->table ? id_length(&in->store) : 0};
    uint64_t listed = 0, taken = 0;
    store_sort(&in->store);
    for (size_t i = 0; i < in->store.count && !ferror(stdout); i++) {
        const struct stored *stored = &in->store.incidents[i];
        taken += filter_takes(&in->filter, stored);
        if (!wanted(in, stored, &listed))
            continue;
        if (in->table)
            put_incident(in, &found, stored);
        else
            (void)puts(stored->json);
    }
    if (found.out_of_memory) {
        complain(&in->silent, "out of memory: some incidents are missing");
        in->status = EXIT_FAULT;
    }
    if (in->table)
        table_print(&found, table_look());
    if (in->table && !in->quiet)
        print_notes(in, listed, taken);
    if (in->table && !in->quiet && found.count > 0)
        print_hint(found.lines[0].id, found.id_length);
    found_done(&found);
    return finish_output();
}

static int show(struct incidents *in, const char *id, const struct show_source *source)
{
    eddy_error err = {0};
    const struct stored *stored = store_find(&in->store, id, &err);
    if (stored == NULL) {
        failed(in, &err);
        return EXIT_FAULT;
    }
    if (in->table)
        show_print(stored, source, notes_find(&in->marks, stored->incident.id), in->filter.now_us,
                   table_look());
    else
        (void)puts(stored->json);
    return finish_output();
}

/* ---- the command ---- */

enum long_option {
    LONG_SINCE = 256,
    LONG_UNTIL,
    LONG_AT,
    LONG_HOST,
    LONG_DETECTOR,
    LONG_SEVERITY,
    LONG_STATE,
    LONG_WITHHELD,
    LONG_SUPPRESSED
};

static const struct option options[] = {{"since", required_argument, NULL, LONG_SINCE},
                                        {"until", required_argument, NULL, LONG_UNTIL},
                                        {"at", required_argument, NULL, LONG_AT},
                                        {"host", required_argument, NULL, LONG_HOST},
                                        {"detector", required_argument, NULL, LONG_DETECTOR},
                                        {"severity", required_argument, NULL, LONG_SEVERITY},
                                        {"state", required_argument, NULL, LONG_STATE},
                                        {"withheld", optional_argument, NULL, LONG_WITHHELD},
                                        {"suppressed", optional_argument, NULL, LONG_SUPPRESSED},
                                        {"limit", required_argument, NULL, 'n'},
                                        {"output", required_argument, NULL, 'o'},
                                        {"config", required_argument, NULL, 'c'},
                                        {"quiet", no_argument, NULL, 'q'},
                                        {"help", no_argument, NULL, 'h'},
                                        {0}};

static bool parse_want(const char *value, enum want *out)
{
    *out = value == NULL ? WANT_TOO : WANT_ONLY;
    return value == NULL || strcmp(value, "only") == 0;
}

static bool parse_limit(const char *value, uint64_t *out)
{
    size_t digits = strspn(value, "0123456789");
    *out = strtoul(value, NULL, 10);
    return digits > 0 && digits < 10 && value[digits] == '\0' && *out > 0;
}

static bool parse_output(const char *value, bool *table)
{
    *table = strcmp(value, "table") == 0;
    return *table || strcmp(value, "json") == 0;
}

/* False if the value makes no sense. */
static bool take_option(struct incidents *in, int option, const char *value)
{
    struct filter *filter = &in->filter;
    switch (option) {
    case LONG_SINCE:
        filter->since = value;
        return true;
    case LONG_UNTIL:
        filter->until = value;
        return true;
    case LONG_AT:
        return when_parse(value, &filter->now_us);
    case LONG_HOST:
        return filter_net(filter, value);
    case LONG_DETECTOR:
        return filter_detector(filter, value);
    case LONG_SEVERITY:
        return filter_severity(filter, value);
    case LONG_STATE:
        return filter_state(filter, value);
    case LONG_WITHHELD:
        return parse_want(value, &filter->withheld);
    case LONG_SUPPRESSED:
        return parse_want(value, &filter->suppressed);
    case 'n':
        return parse_limit(value, &in->limit);
    case 'o':
        return parse_output(value, &in->table);
    case 'c':
        in->config_path = value;
        return true;
    default:
        in->quiet = true;
        return true;
    }
}

static const char *option_name(int option)
{
    for (const struct option *o = options; o->name != NULL; o++)
        if (o->val == option)
            return o->name;
    return "?";
}

/* What an option takes, but for times of --since and --until. */
static const char *allowed(int option)
{
    switch (option) {
    case LONG_AT:
        return "a time such as 2026-01-02T03:04:05";
    case LONG_HOST:
        return "an address or a network, 10.0.0.0/8";
    case LONG_DETECTOR:
        return "one of " FILTER_DETECTORS;
    case LONG_SEVERITY:
        return "low, medium or high";
    case LONG_STATE:
        return "new, growing, quiet or closed";
    case 'n':
        return "a number from 1 to 999999999";
    case 'o':
        return "table or json";
    default: /* --withheld=, --suppressed= */
        return "only";
    }
}

/* Returns an exit status to end with, or -1 to go on. */
static int parse_options(struct incidents *in, int argc, char **argv)
{
    int option;
    while ((option = getopt_long(argc, argv, "n:o:c:qh", options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return finish_output();
        }
        if (option == '?')
            return usage_option("incidents", argv);
        if (!take_option(in, option, optarg))
            return usage_error("incidents", "--%s %s: not %s", option_name(option), optarg,
                               allowed(option));
    }
    const char *problem = filter_times(&in->filter);
    if (problem != NULL)
        return usage_error("incidents", "%s", problem);
    return -1;
}

int cmd_incidents(int argc, char **argv)
{
    struct incidents in = {.filter = FILTER_ALL, .table = isatty(STDOUT_FILENO) == 1};
    in.filter.now_us = (int64_t)time(NULL) * 1000000;
    int status = parse_options(&in, argc, argv);
    if (status >= 0)
        return status;
    char **words = argv + optind;
    int count = argc - optind;
    const char *id = count > 0 && strcmp(words[0], "show") == 0 ? words[count > 1] : NULL;
    if (id != NULL && count < 2)
        return usage_error("incidents", "show needs the id of an incident");
    words += id != NULL ? 2 : 0;
    count -= id != NULL ? 2 : 0;
    read_files(&in, words, count);
    read_marks(&in);
    struct show_source source = {in.config_path, words, (size_t)count};
    if (in.store.count > 0 || in.status == EXIT_FINE)
        status = id != NULL ? show(&in, id, &source) : list(&in);
    store_done(&in.store);
    notes_done(&in.marks);
    return status > 0 ? status : in.status;
}
