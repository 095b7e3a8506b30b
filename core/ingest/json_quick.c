/* SPDX-License-Identifier: MIT */
/* json_quick.c - reads the plain JSON that sensors write, several times faster than yajl, which
 * looks at each byte in a state machine. Not looser than yajl: tests/fuzz/fuzz_json.c compares. */
#include "json_quick.h"

#include <stdint.h>
#include <string.h>

#include "json_walk.h"

/* ---- May it be read so? ------------------------------------------------- */

#define EACH_BYTE UINT64_C(0x0101010101010101)
#define HIGH_BITS (EACH_BYTE * 0x80)

/* High bit set for each byte that is below 0x20, above 0x7f or a backslash; and, harmlessly, for
 * some bytes above such a one (Mycroft's test for a zero byte, and its form for "less than"). */
static uint64_t unfit(uint64_t word)
{
    uint64_t low = (word - EACH_BYTE * 0x20) & ~word;
    uint64_t other = word ^ (EACH_BYTE * '\\');
    uint64_t backslash = (other - EACH_BYTE) & ~other;
    return (low | backslash | word) & HIGH_BITS;
}

bool json_quick_can(const char *line, size_t length)
{
    uint64_t found = 0, word = EACH_BYTE * ' ';
    size_t at = 0;
    for (; length - at >= sizeof word; at += sizeof word) {
        memcpy(&word, line + at, sizeof word);
        found |= unfit(word);
    }
    word = EACH_BYTE * ' ';
    memcpy(&word, line + at, length - at);
    return (found | unfit(word)) == 0;
}

/* ---- Tokens ------------------------------------------------------------- */

struct cursor {
    const char *at, *end;
};

/* The next byte, 0 at the end: the line has no NUL. */
static char next(const struct cursor *c)
{
    return c->at < c->end ? *c->at : '\0';
}

/* The next byte that is not a space; the only blank that json_quick_can() lets through. */
static char next_token(struct cursor *c)
{
    while (c->at < c->end && *c->at == ' ')
        c->at++;
    return next(c);
}

/* A string without its quotes, NULL if it has no end. */
static const char *take_string(struct cursor *c, size_t *length)
{
    const char *text = c->at + 1;
    const char *close = memchr(text, '"', (size_t)(c->end - text));
    if (close == NULL)
        return NULL;
    *length = (size_t)(close - text);
    c->at = close + 1;
    return text;
}

/* At least one digit. */
static bool take_digits(struct cursor *c)
{
    const char *start = c->at;
    while (next(c) >= '0' && next(c) <= '9')
        c->at++;
    return c->at > start;
}

/* RFC 8259, section 6. */
static bool take_number(struct cursor *c)
{
    if (next(c) == '-')
        c->at++;
    if (next(c) == '0')
        c->at++;
    else if (!take_digits(c))
        return false;
    if (next(c) == '.') {
        c->at++;
        if (!take_digits(c))
            return false;
    }
    if (next(c) == 'e' || next(c) == 'E') {
        c->at++;
        if (next(c) == '+' || next(c) == '-')
            c->at++;
        if (!take_digits(c))
            return false;
    }
    return true;
}

static bool take_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* ---- Values ------------------------------------------------------------- */

static bool take_scalar(struct cursor *c, const struct json_walk *walk)
{
    const char *text = c->at;
    size_t length;
    switch (next(c)) {
    case '"':
        text = take_string(c, &length);
        if (text == NULL)
            return false;
        json_walk_value(walk, text, length);
        return true;
    case 't':
    case 'f':
        if (!take_word(c, *text == 't' ? "true" : "false"))
            return false;
        break;
    case 'n':
        return take_word(c, "null");
    default:
        if (!take_number(c))
            return false;
        break;
    }
    json_walk_value(walk, text, (size_t)(c->at - text));
    return true;
}

/* "key": */
static bool take_key(struct cursor *c, struct json_walk *walk)
{
    size_t length;
    if (next_token(c) != '"')
        return false;
    const char *text = take_string(c, &length);
    if (text == NULL || next_token(c) != ':')
        return false;
    c->at++;
    json_walk_key(walk, text, length);
    return true;
}

/* One value, or, of an object or array, its beginning. `closed`: it is complete. */
static bool take_value(struct cursor *c, struct json_walk *walk, bool *closed)
{
    char open = next_token(c);
    *closed = true;
    if (open != '{' && open != '[')
        return take_scalar(c, walk);
    c->at++;
    if (next_token(c) == (open == '{' ? '}' : ']')) { /* empty; it may not be too deep, either */
        c->at++;
        return walk->depth < JSON_DEPTH_MAX;
    }
    *closed = false;
    return json_walk_enter(walk, open == '[');
}

/* What follows a complete value: ends of what it is in, then a comma. */
static bool take_ends(struct cursor *c, struct json_walk *walk)
{
    while (walk->depth > 0) {
        char close = walk->inside[walk->depth] == JSON_IN_ARRAY ? ']' : '}';
        char sign = next_token(c);
        if (sign != ',' && sign != close)
            return false;
        c->at++;
        if (sign == ',')
            return true;
        walk->depth--;
    }
    (void)next_token(c);
    return c->at == c->end;
}

bool json_quick(const char *line, size_t length, const struct json_format *format, void *user)
{
    struct cursor c = {line, line + length};
    struct json_walk walk;
    json_walk_init(&walk, format, user);
    if (next_token(&c) != '{')
        return false;
    do {
        bool in_object = walk.depth > 0 && walk.inside[walk.depth] != JSON_IN_ARRAY;
        bool closed;
        if (in_object && !take_key(&c, &walk))
            return false;
        if (!take_value(&c, &walk, &closed))
            return false;
        if (closed && !take_ends(&c, &walk))
            return false;
    } while (walk.depth > 0);
    return true;
}
