/* SPDX-License-Identifier: MIT */
/* entry.c - reads the files that people write: one entry a line, words `key=value`. */
#include "vet/entry.h"

#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/text.h"

/* One line under way: what is still to be read, and room for the words. */
struct cursor {
    const char *at, *end;
    char *room;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* What nobody can see in a line, or NULL. C1 controls (U+0080 to U+009F) are C2 80 to C2 9F. */
static const char *find_fault(const char *at, const char *end)
{
    while (at < end) {
        unsigned char c = (unsigned char)*at;
        if ((c < 0x20 && c != '\t') || c == 0x7F)
            return "has a control character";
        size_t length = text_utf8(at, (size_t)(end - at));
        if (length == 0)
            return "is not UTF-8";
        if (length == 2 && c == 0xC2 && (unsigned char)at[1] < 0xA0)
            return "has a control character";
        at += length;
    }
    return NULL;
}

static void keep(struct cursor *c, char byte)
{
    *c->room++ = byte;
}

static int take_key(struct cursor *c, const char **out, eddy_error *err)
{
    const char *begin = c->at;
    *out = c->room;
    while (c->at < c->end && ((*c->at >= 'a' && *c->at <= 'z') || *c->at == '_'))
        keep(c, *c->at++);
    keep(c, '\0');
    if (c->at > begin && c->at < c->end && *c->at == '=') {
        c->at++;
        return EDDY_OK;
    }
    size_t length = 0;
    while (begin + length < c->end && !is_blank(begin[length]) && length < 40)
        length++;
    return error_set(err, EDDY_ECONFIG, "'%.*s': not key=value", (int)length, begin);
}

static int take_quoted(struct cursor *c, const char *key, eddy_error *err)
{
    for (c->at++; c->at < c->end && *c->at != '"'; c->at++) {
        if (*c->at == '\\') {
            c->at++;
            if (c->at == c->end || (*c->at != '"' && *c->at != '\\'))
                return error_set(err, EDDY_ECONFIG, "%s: after \\ comes \" or \\", key);
        }
        keep(c, *c->at);
    }
    if (c->at == c->end)
        return error_set(err, EDDY_ECONFIG, "%s: a \" without its end", key);
    c->at++;
    if (c->at < c->end && !is_blank(*c->at))
        return error_set(err, EDDY_ECONFIG, "%s: text after the closing \"", key);
    return EDDY_OK;
}

static int take_value(struct cursor *c, const char *key, const char **out, eddy_error *err)
{
    *out = c->room;
    int status = EDDY_OK;
    if (c->at < c->end && *c->at == '"') {
        status = take_quoted(c, key, err);
    } else {
        for (; c->at < c->end && !is_blank(*c->at); c->at++) {
            if (*c->at == '"')
                return error_set(err, EDDY_ECONFIG, "%s: a \" inside a word", key);
            keep(c, *c->at);
        }
    }
    keep(c, '\0');
    if (status == EDDY_OK && (*out)[0] == '\0')
        return error_set(err, EDDY_ECONFIG, "%s has no value", key);
    return status;
}

const char *entry_find(const struct entry *entry, const char *key)
{
    for (size_t i = 0; i < entry->count; i++)
        if (strcmp(entry->word[i].key, key) == 0)
            return entry->word[i].value;
    return NULL;
}

static int take_word(struct entry *entry, struct cursor *c, eddy_error *err)
{
    const char *key, *value;
    if (entry->count == ENTRY_WORDS)
        return error_set(err, EDDY_ECONFIG, "more than %d words", ENTRY_WORDS);
    int status = take_key(c, &key, err);
    if (status == EDDY_OK && entry_find(entry, key) != NULL)
        return error_set(err, EDDY_ECONFIG, "%s twice", key);
    if (status == EDDY_OK)
        status = take_value(c, key, &value, err);
    if (status == EDDY_OK)
        entry->word[entry->count++] = (eddy_word){.key = key, .value = value};
    return status;
}

/* The words of one line; none for a blank one or a comment. */
static int read_line(struct entry *entry, const char *at, const char *end, eddy_error *err)
{
    if (end > at && end[-1] == '\r')
        end--;
    if (end - at > ENTRY_LINE)
        return error_set(err, EDDY_ECONFIG, "longer than %d bytes", ENTRY_LINE);
    const char *fault = find_fault(at, end);
    if (fault != NULL)
        return error_set(err, EDDY_ECONFIG, "%s", fault);
    struct cursor c = {.at = at, .end = end, .room = entry->room};
    entry->count = 0;
    entry->text = NULL;
    for (;;) {
        const char *last = c.at;
        while (c.at < end && is_blank(*c.at))
            c.at++;
        if (entry->text == NULL)
            entry->text = c.at;
        else
            entry->length = (size_t)(last - entry->text);
        if (c.at == end || *c.at == '#')
            return EDDY_OK;
        int status = take_word(entry, &c, err);
        if (status != EDDY_OK)
            return status;
    }
}

static int fail(const struct entries *entries, unsigned line, const eddy_error *why,
                eddy_error *err)
{
    return error_set(err, why->code, "%s:%u: %s", entries->name, line, why->message);
}

int entries_each(const struct entries *entries, entry_fn *each, void *user, eddy_error *err)
{
    const char *at = entries->text, *end = at + entries->length;
    eddy_error why = {0};
    if (entries->length > ENTRIES_FILE)
        return error_set(err, EDDY_ECONFIG, "%s: larger than %d MiB", entries->name,
                         ENTRIES_FILE / 1024 / 1024);
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return error_nomem(err);
    int status = EDDY_OK;
    for (size_t count = 0; at < end && status == EDDY_OK;) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        entry->line++;
        if (newline == NULL)
            status = error_set(&why, EDDY_ECONFIG,
                               "the last line has no newline: is the file complete?");
        else
            status = read_line(entry, at, newline, &why);
        if (status == EDDY_OK && entry->count > 0)
            status = count++ < ENTRIES_MAX
                         ? each(entry, user, &why)
                         : error_set(&why, EDDY_ECONFIG, "more than %d entries", ENTRIES_MAX);
        at = newline == NULL ? end : newline + 1;
    }
    if (status != EDDY_OK)
        status = status == EDDY_ENOMEM ? error_nomem(err) : fail(entries, entry->line, &why, err);
    free(entry);
    return status;
}
