/* SPDX-License-Identifier: MIT */
/* suppress_list.c - eddy suppress list: every rule, and what it has done by the history. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "cmd.h"
#include "said_file.h"
#include "suppress.h"
#include "when.h"

struct listing {
    struct suppress *s;
    struct store store;
    bool known; /* there is a history to count in */
    int64_t now_us;
    size_t count, expired, never;
    const char *comma; /* of JSON */
};

struct rule_use {
    uint64_t incidents, flows;
    int64_t last_us;
};

static struct rule_use use_of(const struct listing *l, const char *id)
{
    struct rule_use use = {0};
    for (size_t i = 0; i < l->store.count; i++) {
        const eddy_incident *incident = &l->store.incidents[i].incident;
        if (strcmp(incident->suppressed_by, id) != 0)
            continue;
        use.incidents++;
        use.flows += incident->flows;
        if (incident->end_us > use.last_us)
            use.last_us = incident->end_us;
    }
    return use;
}

static const char *word_of(const eddy_entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->word_count; i++)
        if (strcmp(entry->words[i].key, key) == 0)
            return entry->words[i].value;
    return "";
}

static void print_text(const struct listing *l, const eddy_entry *entry, const struct rule_use *use,
                       bool expired)
{
    char count[32], flows[32], when[WHEN_SIZE];
    printf("%s  %s", entry->id, expired ? "expired" : "active");
    if (entry->expires_us != INT64_MAX)
        printf(" %s %s", expired ? "since" : "until", when_text(entry->expires_us, when));
    if (!l->known)
        (void)fputs(", hits not known", stdout);
    else if (use->incidents == 0)
        (void)fputs(", never hit", stdout);
    else
        printf(", hid %s %s with %s flows, the last at %s", with_commas(use->incidents, count),
               use->incidents == 1 ? "incident" : "incidents", with_commas(use->flows, flows),
               when_text(use->last_us, when));
    (void)fputs("\n    ", stdout);
    const char *separator = "";
    for (size_t i = 0; i < entry->word_count; i++) {
        static const char *const shown_elsewhere[] = {"id", "expires", "owner", "why"};
        bool skip = false;
        for (size_t k = 0; k < 4; k++)
            skip = skip || strcmp(entry->words[i].key, shown_elsewhere[k]) == 0;
        if (!skip)
            printf("%s%s=%s", separator, entry->words[i].key, entry->words[i].value);
        separator = skip ? separator : " ";
    }
    const char *owner = word_of(entry, "owner"), *why = word_of(entry, "why");
    if (owner[0] != '\0' || why[0] != '\0')
        printf("\n    %s%s%s", owner, owner[0] != '\0' && why[0] != '\0' ? ": " : "", why);
    (void)putchar('\n');
}

static void print_json(struct listing *l, const eddy_entry *entry, const struct rule_use *use,
                       bool expired)
{
    printf("%s\n{\"id\":", l->comma);
    l->comma = ",";
    said_json(entry->id);
    printf(",\"line\":%u,\"state\":\"%s\"", entry->line, expired ? "expired" : "active");
    for (size_t i = 0; i < entry->word_count; i++) {
        if (strcmp(entry->words[i].key, "id") == 0)
            continue;
        printf(",\"%s\":", entry->words[i].key);
        said_json(entry->words[i].value);
    }
    if (l->known)
        printf(",\"incidents\":%" PRIu64 ",\"flows\":%" PRIu64, use->incidents, use->flows);
    if (use->last_us != 0) {
        char when[WHEN_SIZE];
        (void)fputs(",\"last\":", stdout);
        said_json(when_text(use->last_us, when));
    }
    (void)putchar('}');
}

static int list_entry(const eddy_entry *entry, void *user)
{
    struct listing *l = user;
    struct rule_use use = use_of(l, entry->id);
    bool expired = entry->expires_us <= l->now_us;
    l->count++;
    l->expired += expired;
    l->never += l->known && use.incidents == 0;
    if (l->s->json)
        print_json(l, entry, &use, expired);
    else
        print_text(l, entry, &use, expired);
    return 0;
}

/* A list without counts is better than none. */
static int read_history(struct listing *l)
{
    char path[4096];
    struct suppress *s = l->s;
    if (s->said.in_count == 0) {
        struct stat info;
        int status = said_setting(&s->said, "history.path", path, sizeof path);
        if (status != EXIT_FINE || path[0] == '\0' || stat(path, &info) != 0)
            return status;
    }
    l->known = true;
    return said_incidents(&s->said, &l->store);
}

static void print_sum(const struct listing *l, const char *path)
{
    if (l->count == 0)
        printf("No suppressions in %s.\n", path);
    else
        printf("%zu %s in %s, %zu expired", l->count,
               l->count == 1 ? "suppression" : "suppressions", path, l->expired);
    if (l->count > 0 && l->known)
        printf(", %zu never hit", l->never);
    if (l->count > 0)
        printf(".%s\n", l->known ? "" : " Hits are counted in the history: set history.path.");
}

int suppress_list(struct suppress *s)
{
    char path[4096], *text = NULL;
    eddy_error err = {0};
    struct listing l = {.s = s, .now_us = (int64_t)time(NULL) * 1000000, .comma = ""};
    int status = said_path(&s->said, "suppress.path", path, sizeof path);
    if (status == EXIT_FINE)
        status = read_history(&l);
    if (status == EXIT_FINE &&
        (said_file_read(path, &text, &err) != EDDY_OK ||
         eddy_said_check(EDDY_SUPPRESSIONS, path, text, NULL, NULL, &err) != EDDY_OK)) {
        complain(&s->run.progress, "%s", err.message);
        status = EXIT_FAULT;
    }
    if (status == EXIT_FINE) {
        if (s->json)
            (void)putchar('[');
        (void)eddy_said_check(EDDY_SUPPRESSIONS, path, text, list_entry, &l, &err);
        if (s->json)
            (void)puts("]");
        else if (!s->run.quiet)
            print_sum(&l, path);
        status = finish_output();
    }
    free(text);
    store_done(&l.store);
    return status;
}
