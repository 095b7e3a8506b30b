/* SPDX-License-Identifier: MIT */
/* when.c - points in time as people and incidents write them. */
#include "when.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)
#define MINUTE (60 * SECOND)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, after
 * https://howardhinnant.github.io/date_algorithms.html#days_from_civil */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

/* Exactly `count` digits, no more than `max`. Returns what follows, or NULL. */
static const char *digits(const char *at, int count, int64_t max, int64_t *out)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++) {
        if (at == NULL || !isdigit((unsigned char)at[i]))
            return NULL;
        value = value * 10 + (at[i] - '0');
    }
    *out = value;
    return value <= max ? at + count : NULL;
}

static const char *literal(const char *at, char wanted)
{
    return at != NULL && *at == wanted ? at + 1 : NULL;
}

/* "03:04", "03:04:05", "03:04:05.123456". */
static const char *time_of_day(const char *at, int64_t *out_us)
{
    int64_t hour = 0, minute = 0, second = 0, unit = SECOND / 10;
    at = digits(at, 2, 23, &hour);
    at = digits(literal(at, ':'), 2, 59, &minute);
    if (at == NULL)
        return NULL;
    *out_us = hour * HOUR + minute * MINUTE;
    if (*at != ':')
        return at;
    at = digits(at + 1, 2, 60, &second); /* 60: a leap second */
    *out_us += second * SECOND;
    if (at == NULL || *at != '.')
        return at;
    at++;
    if (!isdigit((unsigned char)*at))
        return NULL;
    for (; isdigit((unsigned char)*at); at++, unit /= 10)
        *out_us += (*at - '0') * unit; /* below a microsecond: nothing */
    return at;
}

/* "Z", "+0100", "-01:00" or nothing. */
static const char *zone(const char *at, int64_t *out_us)
{
    int64_t hour = 0, minute = 0;
    if (*at == 'Z')
        return at + 1;
    if (*at != '+' && *at != '-')
        return at;
    int64_t sign = *at == '-' ? -1 : 1;
    at = digits(at + 1, 2, 23, &hour);
    if (at != NULL && *at == ':')
        at++;
    at = digits(at, 2, 59, &minute);
    *out_us = sign * (hour * HOUR + minute * MINUTE);
    return at;
}

bool when_parse(const char *text, int64_t *out_us)
{
    static const int64_t lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t year = 0, month = 0, day = 0, of_day = 0, ahead = 0;
    const char *at = digits(text, 4, 9998, &year); /* in any zone, four digits in UTC */
    at = digits(literal(at, '-'), 2, 12, &month);
    at = digits(literal(at, '-'), 2, 31, &day);
    if (at == NULL || year < 1 || month < 1 || day < 1 || day > lengths[month - 1])
        return false;
    if (*at == 'T' || *at == ' ')
        at = time_of_day(at + 1, &of_day);
    if (at != NULL)
        at = zone(at, &ahead);
    if (at == NULL || *at != '\0')
        return false;
    *out_us = days_of(year, month, day) * DAY + of_day - ahead;
    return true;
}

bool when_parse_span(const char *text, int64_t *out_us)
{
    static const struct {
        char letter;
        int64_t us;
    } units[] = {{'s', SECOND}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', 7 * DAY}};
    int64_t value = 0;
    size_t length = strspn(text, "0123456789");
    if (length < 1 || length > 6 || text[length] == '\0' || text[length + 1] != '\0')
        return false;
    (void)digits(text, (int)length, INT64_MAX, &value); /* they are digits, and few */
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (units[i].letter == text[length]) {
            *out_us = value * units[i].us;
            return true;
        }
    }
    return false;
}

const char *when_text(int64_t us, char buf[WHEN_SIZE])
{
    time_t seconds = (time_t)(us / SECOND - (us % SECOND < 0));
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL ||
        strftime(buf, WHEN_SIZE, "%Y-%m-%d %H:%M:%S", &utc) == 0)
        (void)snprintf(buf, WHEN_SIZE, "?");
    return buf;
}

const char *when_span(int64_t us, char buf[WHEN_SIZE])
{
    if (us < 2 * MINUTE)
        (void)snprintf(buf, WHEN_SIZE, "%" PRId64 "s", us / SECOND);
    else if (us < 2 * HOUR)
        (void)snprintf(buf, WHEN_SIZE, "%" PRId64 "m", us / MINUTE);
    else if (us < 2 * DAY)
        (void)snprintf(buf, WHEN_SIZE, "%" PRId64 "h %" PRId64 "m", us / HOUR, us / MINUTE % 60);
    else
        (void)snprintf(buf, WHEN_SIZE, "%" PRId64 "d %" PRId64 "h", us / DAY, us / HOUR % 24);
    return buf;
}
