/* SPDX-License-Identifier: MIT */
/* timestamp.c - reads ISO 8601 times; by hand, for strptime and timegm cost seven times as much. */
#include "timestamp.h"

#define SECOND_US 1000000

/* Exactly `digits` decimal digits, and the sign that follows them unless it is 0. */
static bool take(const char **at, const char *end, int digits, char after, int *out)
{
    int value = 0;
    if (end - *at < digits + (after != 0))
        return false;
    for (int i = 0; i < digits; i++) {
        char c = (*at)[i];
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *at += digits;
    if (after != 0 && *(*at)++ != after)
        return false;
    *out = value;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar, counted in years that begin in March (Howard
 * Hinnant, chrono-Compatible Low-Level Date Algorithms: days_from_civil, for years >= 0). */
static int64_t days_of(int year, int month, int day)
{
    int64_t y = year - (month <= 2) + 400; /* 400 years repeat: keeps year 0 positive */
    int64_t era = y / 400, of_era = y % 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return (era - 1) * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in(int year, int month)
{
    static const int8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month] + (month == 2 && leap);
}

static bool take_date(const char **at, const char *end, int64_t *days)
{
    int year, month, day;
    if (!take(at, end, 4, '-', &year) || !take(at, end, 2, '-', &month) ||
        !take(at, end, 2, 0, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

static bool take_clock(const char **at, const char *end, int64_t *us)
{
    int hour, minute, second;
    if (!take(at, end, 2, ':', &hour) || !take(at, end, 2, ':', &minute) ||
        !take(at, end, 2, 0, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
        return false;
    *us = (hour * INT64_C(3600) + minute * INT64_C(60) + second) * SECOND_US;
    if (*at == end || **at != '.')
        return true;
    (*at)++;
    int digits = 0;
    for (int64_t unit = SECOND_US / 10; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        *us += (**at - '0') * unit;
        unit /= 10; /* 0 from the seventh digit on */
        digits++;
    }
    return digits <= 9;
}

/* The rest of the text: an offset from UTC, or nothing. */
static bool take_offset(const char *at, const char *end, int64_t *us)
{
    *us = 0;
    if (at == end || (*at == 'Z' && at + 1 == end))
        return true;
    char sign = *at++;
    int hours, minutes = 0;
    if ((sign != '+' && sign != '-') || !take(&at, end, 2, 0, &hours))
        return false;
    at += at < end && *at == ':';
    if (at < end && !take(&at, end, 2, 0, &minutes))
        return false;
    if (at != end || hours > 23 || minutes > 59)
        return false;
    *us = (hours * INT64_C(3600) + minutes * INT64_C(60)) * SECOND_US * (sign == '-' ? -1 : 1);
    return true;
}

bool timestamp_parse(const char *text, size_t length, int64_t *out)
{
    const char *at = text, *end = text + length;
    int64_t days, clock, offset;
    if (!take_date(&at, end, &days))
        return false;
    if (at == end || (*at != 'T' && *at != ' '))
        return false;
    at++;
    if (!take_clock(&at, end, &clock) || !take_offset(at, end, &offset))
        return false;
    *out = days * 86400 * SECOND_US + clock - offset;
    return true;
}
