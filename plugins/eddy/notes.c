/* SPDX-License-Identifier: MIT */
/* notes.c - what people wrote of incidents and rules, by id: the files of marks and suppressions.
 */
#include "notes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "history_path.h"
#include "said_file.h"
#include "when.h"

static void note_done(struct note *note)
{
    free(note->id);
    free(note->verdict);
    free(note->who);
    free(note->why);
}

void notes_done(struct notes *notes)
{
    for (size_t i = 0; i < notes->count; i++)
        note_done(&notes->notes[i]);
    free(notes->notes);
    *notes = (struct notes){0};
}

static char *word_of(const eddy_entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->word_count; i++)
        if (strcmp(entry->words[i].key, key) == 0)
            return strdup(entry->words[i].value);
    return strdup("");
}

static bool make_room(struct notes *notes)
{
    if (notes->count < notes->room)
        return true;
    size_t room = notes->room > 0 ? 2 * notes->room : 64;
    struct note *more = realloc(notes->notes, room * sizeof *more);
    if (more == NULL)
        return false;
    notes->notes = more;
    notes->room = room;
    return true;
}

static int add(const eddy_entry *entry, void *user)
{
    struct notes *notes = user;
    notes->out_of_memory = 1;
    if (!make_room(notes))
        return 1;
    char *verdict = word_of(entry, "verdict");
    bool mark = verdict != NULL && verdict[0] != '\0';
    char *marked = word_of(entry, "marked");
    struct note *note = &notes->notes[notes->count++];
    *note = (struct note){.id = strdup(entry->id),
                          .verdict = verdict,
                          .who = word_of(entry, mark ? "by" : "owner"),
                          .why = word_of(entry, "why"),
                          .when_us = entry->expires_us,
                          .order = notes->count};
    bool whole = marked != NULL && note->id != NULL && note->verdict != NULL && note->who != NULL &&
                 note->why != NULL;
    if (whole && mark && !when_parse(marked, &note->when_us))
        note->when_us = INT64_MIN;
    free(marked);
    notes->out_of_memory = !whole;
    return !whole;
}

static int compare(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    int order = strcmp(x->id, y->id);
    return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* The last one of each id counts. */
static void settle(struct notes *notes)
{
    size_t kept = 0;
    if (notes->count > 1)
        qsort(notes->notes, notes->count, sizeof *notes->notes, compare);
    for (size_t i = 0; i < notes->count; i++) {
        struct note *note = &notes->notes[i];
        bool last = i + 1 == notes->count || strcmp(note->id, note[1].id) != 0;
        if (last && strcmp(note->verdict, "none") != 0)
            notes->notes[kept++] = *note;
        else
            note_done(note);
    }
    notes->count = kept;
}

int notes_read(struct notes *notes, eddy_said which, const char *path, eddy_error *err)
{
    char *text = NULL;
    if (path[0] == '\0')
        return EDDY_OK;
    int status = said_file_read(path, &text, err);
    if (status == EDDY_OK)
        status = eddy_said_check(which, path, text, add, notes, err);
    free(text);
    if (notes->out_of_memory) {
        err->code = EDDY_ENOMEM;
        (void)snprintf(err->message, sizeof err->message, "out of memory");
        notes_done(notes);
        return EDDY_ENOMEM;
    }
    settle(notes);
    return status < 0 ? status : EDDY_OK;
}

int notes_of_config(struct notes *notes, eddy_said which, const char *config_path, eddy_error *err)
{
    char path[4096];
    const char *key = which == EDDY_MARKS ? "feedback.path" : "suppress.path";
    if (config_path == NULL && access(EDDY_CONF, R_OK) != 0)
        return EDDY_OK;
    int status = config_text(config_path, key, path, sizeof path, err);
    return status == EDDY_OK ? notes_read(notes, which, path, err) : status;
}

static int compare_id(const void *id, const void *note)
{
    return strcmp(id, ((const struct note *)note)->id);
}

const struct note *notes_find(const struct notes *notes, const char *id)
{
    return notes->count == 0
               ? NULL
               : bsearch(id, notes->notes, notes->count, sizeof *notes->notes, compare_id);
}

void notes_mark_text(const struct note *note, char *out, size_t size)
{
    char when[WHEN_SIZE];
    bool timed = note->when_us != INT64_MIN;
    (void)snprintf(out, size, "%s%s%s%s%s%s%s", note->verdict, note->who[0] != '\0' ? ", by " : "",
                   note->who, timed ? " at " : "", timed ? when_text(note->when_us, when) : "",
                   note->why[0] != '\0' ? ": " : "", note->why);
}
