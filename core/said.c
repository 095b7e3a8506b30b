/* SPDX-License-Identifier: MIT */
/* said.c - the public view of what people write: suppressions and marks. */
#include <stdlib.h>
#include <string.h>

#include "engine.h"
#include "util/error.h"
#include "vet/marks.h"
#include "vet/rules.h"

struct visit {
    eddy_said which;
    eddy_entry_fn *each;
    void *user;
    int stopped; /* what `each` returned */
};

static int check_whole(eddy_said which, const struct entries *entries, eddy_error *err)
{
    struct rules *rules = NULL;
    struct marks *marks = NULL;
    int status = which == EDDY_SUPPRESSIONS ? rules_new(entries, &rules, err)
                                            : marks_new(entries, &marks, err);
    rules_free(rules);
    marks_free(marks);
    return status;
}

/* The file is known to be good; what can fail here is memory. */
static int visit_entry(const struct entry *entry, void *user, eddy_error *err)
{
    struct visit *visit = user;
    struct rule rule = {.expires_us = INT64_MAX};
    struct mark mark;
    char text[ENTRY_LINE + 1];
    int status = visit->which == EDDY_SUPPRESSIONS ? rule_read(entry, &rule, err)
                                                   : mark_read(entry, &mark, err);
    if (status != EDDY_OK || visit->stopped != 0)
        return status;
    memcpy(text, entry->text, entry->length);
    text[entry->length] = '\0';
    eddy_entry out = {.id = visit->which == EDDY_SUPPRESSIONS ? rule.id : mark.incident,
                      .line = entry->line,
                      .text = text,
                      .words = entry->word,
                      .word_count = entry->count,
                      .expires_us = rule.expires_us};
    visit->stopped = visit->each(&out, visit->user);
    return EDDY_OK;
}

int eddy_said_check(eddy_said which, const char *name, const char *text, eddy_entry_fn *each,
                    void *user, eddy_error *err)
{
    if (which != EDDY_SUPPRESSIONS && which != EDDY_MARKS)
        return error_set(err, EDDY_EUSAGE, "eddy_said_check: no such file: %d", (int)which);
    struct entries entries = {.name = name, .text = text, .length = strlen(text)};
    int status = check_whole(which, &entries, err);
    if (status != EDDY_OK || each == NULL)
        return status;
    struct visit visit = {.which = which, .each = each, .user = user};
    status = entries_each(&entries, visit_entry, &visit, err);
    return status != EDDY_OK ? status : visit.stopped;
}

int eddy_engine_rules(eddy_engine *e, eddy_rule_fn *each, void *user, uint64_t *flows)
{
    pthread_mutex_lock(&e->lock);
    struct rules *rules = e->vet.rules;
    size_t count = rules == NULL ? 0 : rules->count;
    struct rule *copies = count > 0 ? malloc(count * sizeof *copies) : NULL;
    if (copies != NULL)
        memcpy(copies, rules->rule, count * sizeof *copies);
    if (flows != NULL)
        *flows = rules == NULL ? 0 : rules->flows;
    pthread_mutex_unlock(&e->lock);
    if (count > 0 && copies == NULL)
        return EDDY_ENOMEM;
    int stop = 0;
    for (size_t i = 0; i < count && stop == 0; i++) {
        eddy_rule rule = {.id = copies[i].id,
                          .line = copies[i].line,
                          .hits = copies[i].hits,
                          .flows = copies[i].flows,
                          .last_us = copies[i].last_us};
        stop = each(&rule, user);
    }
    free(copies);
    return stop;
}
