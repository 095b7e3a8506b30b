/* SPDX-License-Identifier: MIT */
/* report_html.c - writes HTML. The one place where text from outside becomes markup. */
#include "report_html.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "progress.h"

#define REPLACEMENT "\xEF\xBF\xBD" /* U+FFFD */

void html(FILE *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vfprintf(to, format, args); /* failures stay in ferror() until the end */
    va_end(args);
}

/* Length of the UTF-8 character that begins `text`, and which it is; 0 if there is none. The text
 * ends in NUL, which is no continuation. */
static size_t character(const unsigned char *text, uint32_t *out)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80             ? 1
                    : (text[0] & 0xE0) == 0xC0 ? 2
                    : (text[0] & 0xF0) == 0xE0 ? 3
                    : (text[0] & 0xF8) == 0xF0 ? 4
                                               : 0;
    if (length < 2) {
        *out = text[0];
        return length;
    }
    uint32_t code = text[0] & (0x7FU >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3F);
    }
    *out = code;
    return code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000) ? 0
                                                                                        : length;
}

/* Controls, and what turns the direction of the text around it (Unicode UAX 9). */
static int is_treacherous(uint32_t code)
{
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || (code >= 0x200B && code <= 0x200F) ||
           (code >= 0x2028 && code <= 0x202E) || (code >= 0x2066 && code <= 0x2069) ||
           code == 0xFEFF;
}

static void put_character(FILE *to, const char *at, size_t length, uint32_t code)
{
    switch (code) {
    case '&':
        (void)fputs("&amp;", to);
        break;
    case '<':
        (void)fputs("&lt;", to);
        break;
    case '>':
        (void)fputs("&gt;", to);
        break;
    case '"':
        (void)fputs("&quot;", to);
        break;
    case '\'':
        (void)fputs("&#39;", to);
        break;
    default:
        if (is_treacherous(code))
            (void)fputs(REPLACEMENT, to);
        else
            (void)fwrite(at, 1, length, to);
        break;
    }
}

void html_text(FILE *to, const char *text, size_t most)
{
    for (size_t count = 0; *text != '\0'; count++) {
        uint32_t code = 0;
        size_t length = character((const unsigned char *)text, &code);
        if (most > 0 && count == most) {
            (void)fputs("…", to);
            return;
        }
        if (length > 0)
            put_character(to, text, length, code);
        else
            (void)fputs(REPLACEMENT, to);
        text += length > 0 ? length : 1;
    }
}

void html_count(FILE *to, uint64_t count)
{
    char buf[32];
    (void)fputs(with_commas(count, buf), to);
}

void html_number(FILE *to, double number)
{
    if (!isfinite(number))
        (void)fputs("–", to);
    else if (number >= 1e4 && number < 1e15)
        html_count(to, (uint64_t)(number + 0.5));
    else if (fabs(number) >= 100 && fabs(number) < 1e4)
        html(to, "%.0f", number);
    else
        html(to, "%.3g", number);
}

void html_bytes(FILE *to, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;
    if (!(bytes >= 0 && bytes < 1e15)) {
        html_number(to, bytes);
        return;
    }
    for (; bytes >= 999.5 && unit < 4; unit++)
        bytes /= 1000;
    html(to, bytes < 9.95 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

void html_time(FILE *to, int64_t us)
{
    char text[64];
    time_t seconds = (time_t)(us / 1000000 - (us % 1000000 < 0));
    struct tm utc;
    if (gmtime_r(&seconds, &utc) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ\">%e %b %Y %H:%M:%S", &utc) > 0)
        html(to, "<time datetime=\"%s</time>", text);
    else
        (void)fputs("–", to);
}
