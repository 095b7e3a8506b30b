/* SPDX-License-Identifier: MIT */
/* suppress_twins.c - rules of a file that match the same as a new one: these are renewed. */
#include "suppress_twins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
    struct twins *twins;
    const char *text;
    const eddy_entry *mine;
    char id[24];
};

static bool is_field(const char *key)
{
    static const char *const others[] = {"id", "expires", "owner", "why"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(key, others[i]) == 0)
            return false;
    return true;
}

static size_t count_fields(const eddy_entry *entry)
{
    size_t count = 0;
    for (size_t i = 0; i < entry->word_count; i++)
        count += is_field(entry->words[i].key);
    return count;
}

/* No key is there twice. */
static bool has_fields(const eddy_entry *entry, const eddy_entry *of)
{
    for (size_t i = 0; i < of->word_count; i++) {
        const eddy_word *word = &of->words[i];
        bool found = !is_field(word->key);
        for (size_t k = 0; k < entry->word_count && !found; k++)
            found = strcmp(entry->words[k].key, word->key) == 0 &&
                    strcmp(entry->words[k].value, word->value) == 0;
        if (!found)
            return false;
    }
    return count_fields(entry) == count_fields(of);
}

static int compare_old(const eddy_entry *entry, void *user)
{
    struct search *search = user;
    struct twins *twins = search->twins;
    if (twins->count == TWINS_MAX || !has_fields(entry, search->mine))
        return 0;
    if (twins->count == 0) {
        (void)snprintf(twins->first, sizeof twins->first, "%s", entry->text);
        (void)snprintf(search->id, sizeof search->id, "%s", entry->id);
    }
    twins->line[twins->count++] = entry->line;
    return 0;
}

static int compare_all(const eddy_entry *entry, void *user)
{
    struct search *search = user;
    eddy_error err = {0};
    search->mine = entry;
    (void)eddy_said_check(EDDY_SUPPRESSIONS, "", search->text, compare_old, search, &err);
    return 0;
}

void twins_take(struct twins *out, const char *text, struct said_line *line, bool keep_id)
{
    struct search search = {.twins = out, .text = text};
    char whole[SAID_LINE + 2];
    eddy_error err = {0};
    out->count = 0;
    (void)snprintf(whole, sizeof whole, "%s\n", line->text);
    (void)eddy_said_check(EDDY_SUPPRESSIONS, "", whole, compare_all, &search, &err);
    const char *rest = strchr(line->text, ' ');
    if (out->count == 0 || !keep_id || strncmp(line->text, "id=", 3) != 0 || rest == NULL)
        return;
    struct said_line kept = {0};
    said_add(&kept, "id", search.id);
    kept.length +=
        (size_t)snprintf(kept.text + kept.length, sizeof kept.text - kept.length, "%s", rest);
    *line = kept;
}

char *twins_put(const struct twins *twins, const char *text, const struct said_line *line)
{
    if (twins->count == 0)
        return line != NULL ? said_append(text, line) : strdup(text);
    char *out = malloc(strlen(text) + SAID_LINE + 2), *to = out;
    size_t twin = 0;
    for (unsigned number = 1; out != NULL && *text != '\0'; number++) {
        size_t length = strcspn(text, "\n");
        length += text[length] == '\n';
        if (twin < twins->count && number == twins->line[twin]) {
            if (twin++ == 0 && line != NULL) {
                size_t size = strlen(line->text);
                memcpy(to, line->text, size);
                to[size] = '\n';
                to += size + 1;
            }
        } else {
            memcpy(to, text, length);
            to += length;
        }
        text += length;
    }
    if (out != NULL)
        *to = '\0';
    return out;
}
