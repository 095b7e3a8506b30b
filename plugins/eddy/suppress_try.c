/* SPDX-License-Identifier: MIT */
/* suppress_try.c - what suppressions would have done: logs are scored without them and with them.
 */
#include "suppress_try.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "said.h"
#include "when.h"

#define LEVEL_ERROR   3 /* of syslog(3) */
#define LEVEL_WARNING 4

/* ---- the rules ---- */

static struct tried_rule *rule_named(struct trial *t, const char *id)
{
    for (size_t i = 0; i < t->rule_count; i++)
        if (strcmp(t->rules[i].id, id) == 0)
            return &t->rules[i];
    return NULL;
}

static bool is_single(const char *network)
{
    const char *bits = strchr(network, '/');
    return bits == NULL || strcmp(bits, strchr(network, ':') != NULL ? "/128" : "/32") == 0;
}

/* What one detector finds about one host (or sent by it): whatever such a rule hides, every other
 * host and every other detector still tells. */
static bool is_bounded(const eddy_entry *entry)
{
    bool detector = false, host = false;
    for (size_t i = 0; i < entry->word_count; i++) {
        const char *key = entry->words[i].key;
        detector = detector || strcmp(key, "detector") == 0;
        host = host || ((strcmp(key, "about") == 0 || strcmp(key, "src") == 0) &&
                        is_single(entry->words[i].value));
    }
    return detector && host;
}

static int add_rule(const eddy_entry *entry, void *user)
{
    struct trial *t = user;
    struct tried_rule *larger = realloc(t->rules, (t->rule_count + 1) * sizeof *larger);
    if (larger == NULL)
        return EDDY_ENOMEM;
    t->rules = larger;
    struct tried_rule *rule = &t->rules[t->rule_count];
    *rule = (struct tried_rule){
        .text = strdup(entry->text), .tried = true, .bounded = is_bounded(entry)};
    if (rule->text == NULL)
        return EDDY_ENOMEM;
    (void)snprintf(rule->id, sizeof rule->id, "%s", entry->id);
    t->rule_count++;
    return 0;
}

static int note_old_rule(const eddy_entry *entry, void *user)
{
    struct tried_rule *rule = rule_named(user, entry->id);
    if (rule != NULL)
        rule->tried = false;
    return 0;
}

static int read_rules(struct trial *t)
{
    eddy_error err = {0};
    int status = eddy_said_check(EDDY_SUPPRESSIONS, "rule", t->after, add_rule, t, &err);
    if (status == EDDY_OK)
        status = eddy_said_check(EDDY_SUPPRESSIONS, "rule", t->before, note_old_rule, t, &err);
    if (status == EDDY_OK)
        return EXIT_FINE;
    complain(&t->run->progress, "%s", err.message[0] != '\0' ? err.message : "out of memory");
    return EXIT_FAULT;
}

/* ---- the runs ---- */

static int take_counts(const eddy_rule *rule, void *user)
{
    struct tried_rule *tried = rule_named(user, rule->id);
    if (tried != NULL) {
        tried->flows = rule->flows;
        tried->hits = rule->hits;
    }
    return 0;
}

static void on_end(eddy_engine *engine, void *user)
{
    struct trial *t = user;
    if (t->run->incident != NULL && t->with.keep_suppressed)
        (void)eddy_engine_rules(engine, take_counts, t, &t->matched);
}

static void on_incident(const eddy_incident *incident, void *user)
{
    struct trial *t = user;
    found_add(incident, t->with.keep_suppressed ? &t->with : &t->without);
}

static bool write_rules(const char *path, int fd, const char *text, struct run *run)
{
    size_t length = strlen(text);
    if (fd >= 0 && write(fd, text, length) == (ssize_t)length)
        return true;
    complain(&run->progress, "%s: %s", path, strerror(errno));
    return false;
}

/* Scores the files with the rules of `text`. */
static int run_with(struct trial *t, const char *text)
{
    const char *directory = getenv("TMPDIR");
    char path[4096], setting[4200];
    (void)snprintf(path, sizeof path, "%s/eddy-rules-XXXXXX",
                   directory != NULL ? directory : "/tmp");
    int fd = mkstemp(path), status = EXIT_FAULT;
    struct run *run = t->run;
    size_t settings = run->setting_count;
    if (write_rules(path, fd, text, run)) {
        (void)snprintf(setting, sizeof setting, "suppress.path=%s", path);
        const char *more[] = {
            setting,          "suppress.count_all=on", "jsonl.path=",       "history.path=",
            "textfile.path=", "zeek_notice.path=",     "syslog.enabled=off"};
        for (size_t i = 0; i < sizeof more / sizeof *more; i++)
            run->settings[run->setting_count++] = more[i];
        run->counts = (eddy_counts){0};
        run->reason_count = 0;
        status = run_files(run);
        run->setting_count = settings;
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path);
    }
    return status;
}

/* ---- what has come of it ---- */

static bool is_same(const struct incident_line *a, const struct incident_line *b)
{
    return strcmp(a->host, b->host) == 0 && strcmp(a->detector, b->detector) == 0 &&
           a->start_us <= b->end_us && b->start_us <= a->end_us;
}

static void credit(struct trial *t, const struct incident_line *line)
{
    static const char key[] = "\"suppressed_by\":\"";
    const char *at = strstr(line->json, key);
    char id[24];
    if (at == NULL)
        return;
    at += sizeof key - 1;
    (void)snprintf(id, sizeof id, "%.*s", (int)strcspn(at, "\""), at);
    struct tried_rule *rule = rule_named(t, id);
    if (rule != NULL)
        rule->hidden++;
}

/* Hidden: there is no such incident any more but a suppressed one. */
static int compare(struct trial *t)
{
    found_sort(&t->without);
    t->hidden = calloc(t->without.count + 1, sizeof *t->hidden);
    if (t->hidden == NULL)
        return EXIT_FAULT;
    for (size_t i = 0; i < t->without.count; i++) {
        const struct incident_line *line = &t->without.lines[i], *by = NULL;
        bool still = false;
        for (size_t k = 0; k < t->with.count; k++) {
            const struct incident_line *other = &t->with.lines[k];
            if (!is_same(line, other))
                continue;
            still = still || !other->suppressed;
            by = other->suppressed ? other : by;
        }
        t->hidden[i] = by != NULL && !still;
        if (t->hidden[i])
            credit(t, by);
    }
    return EXIT_FINE;
}

int suppress_try(struct trial *t)
{
    struct run *run = t->run;
    run->incident = on_incident;
    run->ended = on_end;
    run->user = t;
    t->without.keep_withheld = true;
    int status = read_rules(t);
    if (status != EXIT_FINE)
        return status;
    run->loudest = LEVEL_ERROR; /* the second run will say the rest */
    status = run_with(t, t->before);
    if (status != EXIT_FINE)
        return status;
    t->with.keep_withheld = t->with.keep_suppressed = true;
    run->loudest = LEVEL_WARNING;
    status = run_with(t, t->after);
    t->scored = run->counts.scored;
    if (status != EXIT_FINE)
        return status;
    if (!t->with.out_of_memory && !t->without.out_of_memory)
        status = compare(t);
    if (t->hidden == NULL) {
        complain(&run->progress, "out of memory");
        return EXIT_FAULT;
    }
    return status;
}

static double share_of(const struct trial *t, uint64_t flows)
{
    return t->scored == 0 ? 0.0 : (double)flows / (double)t->scored;
}

const struct tried_rule *trial_too_wide(const struct trial *t, double max_share)
{
    const struct tried_rule *widest = NULL;
    for (size_t i = 0; i < t->rule_count; i++)
        if (t->rules[i].tried && !t->rules[i].bounded &&
            share_of(t, t->rules[i].flows) > max_share &&
            (widest == NULL || t->rules[i].flows > widest->flows))
            widest = &t->rules[i];
    return widest;
}

void trial_done(struct trial *t)
{
    for (size_t i = 0; i < t->rule_count; i++)
        free(t->rules[i].text);
    free(t->rules);
    free(t->hidden);
    found_done(&t->without);
    found_done(&t->with);
}

/* ---- printing ---- */

static void count_hidden(const struct trial *t, uint64_t *sent, uint64_t *withheld)
{
    *sent = *withheld = 0;
    for (size_t i = 0; i < t->without.count; i++)
        if (t->hidden[i])
            (*(t->without.lines[i].withheld ? withheld : sent))++;
}

static void print_incident(const struct incident_line *line)
{
    char when[WHEN_SIZE];
    printf("    %s  %s  %s  %s%s%s", line->id, when_text(line->start_us, when), line->detector,
           line->host, line->peer[0] != '\0' ? " -> " : "", line->peer);
    if (line->peer_port != 0)
        printf(" port %u", (unsigned)line->peer_port);
    printf(", %" PRIu64 " flows%s\n", line->flows, line->withheld ? " (withheld)" : "");
}

static const char *incidents_text(uint64_t count, char buf[32])
{
    (void)snprintf(buf, 32, "%" PRIu64 " incidents", count);
    return buf;
}

void trial_print(const struct trial *t)
{
    char a[32], b[32], c[32];
    uint64_t sent, withheld;
    for (size_t i = 0; i < t->rule_count; i++) {
        const struct tried_rule *rule = &t->rules[i];
        if (!rule->tried)
            continue;
        if (strncmp(rule->text, "id=", 3) != 0)
            printf("id=%s ", rule->id);
        printf("%s\n    matches %s of %s flows (%.2f %%), hides %s\n", rule->text,
               with_commas(rule->flows, a), with_commas(t->scored, b),
               100.0 * share_of(t, rule->flows),
               rule->hidden == 0   ? "no incident"
               : rule->hidden == 1 ? "1 incident"
                                   : incidents_text(rule->hidden, c));
    }
    count_hidden(t, &sent, &withheld);
    printf("Would have hidden %s of %s incidents that were sent", with_commas(sent, a),
           with_commas(t->without.shown, b));
    if (t->without.withheld > 0)
        printf(", %s of %s that the budget withheld", with_commas(withheld, a),
               with_commas(t->without.withheld, b));
    (void)fputs(sent + withheld > 0 ? ":\n" : ".\n", stdout);
    for (size_t i = 0; i < t->without.count; i++)
        if (t->hidden[i])
            print_incident(&t->without.lines[i]);
}

void trial_print_json(const struct trial *t)
{
    const char *comma = "";
    printf("{\"flows\":%" PRIu64 ",\"matched\":%" PRIu64 ",\"rules\":[", t->scored, t->matched);
    for (size_t i = 0; i < t->rule_count; i++) {
        const struct tried_rule *rule = &t->rules[i];
        if (!rule->tried)
            continue;
        printf("%s{\"id\":", comma);
        said_json(rule->id);
        (void)fputs(",\"rule\":", stdout);
        said_json(rule->text);
        printf(",\"flows\":%" PRIu64 ",\"share\":%.6g,\"findings\":%" PRIu64 ",\"hidden\":%" PRIu64
               "}",
               rule->flows, share_of(t, rule->flows), rule->hits, rule->hidden);
        comma = ",";
    }
    printf("],\"sent\":%" PRIu64 ",\"withheld\":%" PRIu64 ",\"hidden\":[", t->without.shown,
           t->without.withheld);
    comma = "";
    for (size_t i = 0; i < t->without.count; i++) {
        if (!t->hidden[i])
            continue;
        printf("%s%s", comma, t->without.lines[i].json);
        comma = ",";
    }
    (void)puts("]}");
}
