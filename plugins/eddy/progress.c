/* SPDX-License-Identifier: MIT */
/* progress.c - one line on the terminal about long work, and messages that do not tear it. */
#include "progress.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SHORT_WORK_US INT64_C(1000000)
#define REDRAW_US     INT64_C(200000)

static int64_t now_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void progress_begin(struct progress *progress, bool wanted, uint64_t total)
{
    const char *term = getenv("TERM");
    bool dumb = term == NULL || strcmp(term, "dumb") == 0;
    *progress = (struct progress){.on = wanted && !dumb && isatty(STDERR_FILENO) == 1,
                                  .label = "scoring",
                                  .total = total,
                                  .began_us = now_us()};
}

const char *with_commas(uint64_t n, char buf[32])
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, n);
    char *to = buf;
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = '\0';
    return buf;
}

static void draw(struct progress *progress, double seconds)
{
    char flows[32], rate[32], ahead[48] = "";
    if (progress->total > 0 && progress->done > 0) {
        double part = (double)progress->done / (double)progress->total;
        part = part < 1 ? part : 1; /* a log that grows while it is read */
        (void)snprintf(ahead, sizeof ahead, "%3.0f %%, %.0f s left, ", part * 100,
                       seconds / part - seconds);
    }
    (void)fprintf(stderr, "\r\033[K%s: %s%.0f MB read, %s flows, %s flows/s", progress->label,
                  ahead, (double)progress->done / 1e6, with_commas(progress->flows, flows),
                  with_commas((uint64_t)((double)progress->flows / seconds), rate));
    progress->drawn = true;
}

void progress_add(struct progress *progress, uint64_t bytes, uint64_t flows)
{
    progress->done += bytes;
    progress->flows += flows;
    if (!progress->on)
        return;
    int64_t now = now_us();
    if (now - progress->began_us < SHORT_WORK_US || now - progress->looked_us < REDRAW_US)
        return;
    progress->looked_us = now;
    draw(progress, (double)(now - progress->began_us) / 1e6);
}

void progress_clear(struct progress *progress)
{
    if (progress->drawn)
        (void)fputs("\r\033[K", stderr);
    progress->drawn = false;
}

/* How many bytes at `text` a terminal shows as they are; 0: the first is a control, of C0 or C1, or
 * no UTF-8. */
static size_t plain(const unsigned char *text)
{
    size_t length = *text < 0x80 ? 1 : *text < 0xC2 ? 0 : *text < 0xE0 ? 2 : *text < 0xF0 ? 3 : 4;
    if (*text < 0x20 || *text == 0x7F || *text >= 0xF5 || (*text == 0xC2 && text[1] < 0xA0))
        return 0;
    for (size_t i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    return length;
}

void say_safely(const char *format, va_list args)
{
    char text[4096 + 1024]; /* of a path and what is wrong with it; what is longer is cut */
    (void)vsnprintf(text, sizeof text, format, args);
    for (const char *at = text; *at != '\0';) {
        size_t length = plain((const unsigned char *)at);
        if (length == 0)
            (void)fprintf(stderr, "\\x%02x", (unsigned)(unsigned char)*at);
        else
            (void)fwrite(at, 1, length, stderr);
        at += length > 0 ? length : 1;
    }
}

void complain(struct progress *progress, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    progress_clear(progress);
    (void)fputs("eddy: ", stderr);
    say_safely(format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}
