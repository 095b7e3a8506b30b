/* SPDX-License-Identifier: MIT */
/* context.c - what a sensor saw beside the flows: names asked for, called, or certified. */
#include "context.h"

#include <string.h>

#include "util/addr.h"

void context_begin(struct context *c)
{
    c->kind = CONTEXT_NONE;
    c->name[0] = c->ja3[0] = c->ja4[0] = '\0';
    c->answered = c->no_domain = c->carries = false;
    c->answers = 0;
}

/* ---- Text --------------------------------------------------------------- */

/* Can be seen, and needs no quoting in CSV or HTML. A backslash stays: sensors write what is not
 * printable as \xHH or \ddd. */
static bool is_plain(char c)
{
    return c > ' ' && c < 0x7f && c != '"' && c != '\'' && c != ',' && c != '<' && c != '>' &&
           c != '&';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void context_name(struct context *context, const char *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    enum { MOST = CONTEXT_NAME - 1, ESCAPE = 4 };
    if (length > 0 && text[length - 1] == '.')
        length--;
    /* From the end, where the domain is; what does not fit is left out in front. */
    size_t room = MOST, at = length;
    char *name = context->name;
    while (at > 0) {
        char c = text[at - 1];
        size_t needs = is_plain(c) ? 1 : ESCAPE;
        if (needs > room)
            break;
        room -= needs;
        if (needs == 1) {
            name[room] = lower(c);
        } else {
            name[room] = '\\';
            name[room + 1] = 'x';
            name[room + 2] = digits[(unsigned char)c >> 4];
            name[room + 3] = digits[(unsigned char)c & 15];
        }
        at--;
    }
    memmove(name, name + room, MOST - room);
    name[MOST - room] = '\0';
}

/* Only of these letters, digits and underscores. */
static void fingerprint(char *out, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = lower(text[i]);
        if ((c < '0' || c > '9') && (c < 'a' || c > 'z') && c != '_')
            return;
    }
    for (size_t i = 0; i < length; i++)
        out[i] = lower(text[i]);
    out[length] = '\0';
}

void context_ja3(struct context *context, const char *text, size_t length)
{
    if (length == CONTEXT_JA3 - 1)
        fingerprint(context->ja3, text, length);
}

void context_ja4(struct context *context, const char *text, size_t length)
{
    if (length >= 10 && length < CONTEXT_JA4)
        fingerprint(context->ja4, text, length);
}

/* ---- DNS ---------------------------------------------------------------- */

static bool same(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && memcmp(text, word, length) == 0;
}

void context_type(struct context *context, const char *text, size_t length)
{
    if (same(text, length, "TXT") || same(text, length, "NULL"))
        context->carries = true;
}

void context_rcode(struct context *context, const char *text, size_t length)
{
    context->answered = true;
    if (same(text, length, "NXDOMAIN"))
        context->no_domain = true;
}

void context_answer(struct context *context, const char *text, size_t length)
{
    context->answered = true;
    if (context->answers == CONTEXT_ANSWERS ||
        !addr_parse(text, length, context->answer[context->answers]))
        return; /* another name, or text: CNAME, TXT, ... */
    const uint8_t *last = context->answer[context->answers];
    for (unsigned i = 0; i < context->answers; i++)
        if (memcmp(context->answer[i], last, 16) == 0)
            return;
    context->answers++;
}

bool context_says(const struct context *context)
{
    return context->name[0] != '\0' || context->ja3[0] != '\0' || context->ja4[0] != '\0';
}
