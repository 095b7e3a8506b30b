/* SPDX-License-Identifier: MIT */
/* log.c - lines for the sensor's operator, through the host's hook or to standard error. */
#include "log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_SIZE 1024

/* Names and records from logs end up here; they must not forge a second line, nor steer a terminal:
 * beyond ASCII there are control characters too (C1, U+0080 to U+009F). */
static void make_one_line(char *line)
{
    for (; *line != '\0'; line++) {
        if ((unsigned char)*line < 0x20 || (unsigned char)*line >= 0x7F)
            *line = '?';
    }
}

static void hand_over(const struct log *log, int level, char *line)
{
    make_one_line(line);
    if (log->hook != NULL) {
        log->hook(level, line, log->user);
        return;
    }
    char out[LINE_SIZE + 8];
    int n = snprintf(out, sizeof out, "eddy: %s\n", line);
    if (n > 0) /* one write, so that threads' lines do not mix; nobody to tell if it fails */
        (void)!write(STDERR_FILENO, out, (size_t)n < sizeof out ? (size_t)n : sizeof out - 1);
}

void log_line(struct log *log, int level, const char *format, ...)
{
    char line[LINE_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    hand_over(log, level, line);
}

static int64_t monotonic_us(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);                    /* cannot fail on Linux */
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + 1; /* never 0 */
}

static bool may_speak(struct log_slot *slot)
{
    int64_t now = monotonic_us();
    int64_t spoke = atomic_load_explicit(&slot->spoke_us, memory_order_relaxed);
    if ((spoke == 0 || now - spoke >= LOG_INTERVAL_US) &&
        atomic_compare_exchange_strong_explicit(&slot->spoke_us, &spoke, now, memory_order_relaxed,
                                                memory_order_relaxed))
        return true;
    atomic_fetch_add_explicit(&slot->kept, 1, memory_order_relaxed);
    return false;
}

bool log_limited(struct log *log, unsigned slot, int level, const char *format, ...)
{
    struct log_slot *s = &log->slots[slot % LOG_SLOTS];
    if (!may_speak(s))
        return false;
    char line[LINE_SIZE];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, sizeof line, format, args);
    va_end(args);
    uint64_t kept = atomic_exchange_explicit(&s->kept, 0, memory_order_relaxed);
    if (kept > 0) {
        size_t length = strlen(line);
        (void)snprintf(line + length, sizeof line - length,
                       " (and %" PRIu64 " more like it before)", kept);
    }
    hand_over(log, level, line);
    return true;
}
