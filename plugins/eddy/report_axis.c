/* SPDX-License-Identifier: MIT */
/* report_axis.c - from numbers to places in a plot, and the ticks beside them. */
#include "report_axis.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define WANTED 5 /* ticks, about */

struct axis axis_over(double low, double high, enum axis_unit unit, bool may_be_logarithmic)
{
    bool logarithmic = may_be_logarithmic && low > 0 && high / low > 50;
    if (!(high > low)) {
        double bit = unit == AXIS_TIME ? 60 : high != 0 ? fabs(high) * 0.1 : 1;
        low -= bit;
        high += bit;
    }
    return (struct axis){.low = low, .high = high, .unit = unit, .logarithmic = logarithmic};
}

double axis_at(const struct axis *axis, double value)
{
    double share = axis->logarithmic ? log(value / axis->low) / log(axis->high / axis->low)
                                     : (value - axis->low) / (axis->high - axis->low);
    return axis->from + share * (axis->to - axis->from);
}

/* The smallest round step with no more ticks than wanted. */
static double step_of(const struct axis *axis)
{
    static const double times[] = {1,      2,      5,       10,      15,      30,
                                   60,     120,    300,     600,     900,     1800,
                                   3600,   7200,   10800,   21600,   43200,   86400,
                                   172800, 604800, 1209600, 2592000, 7776000, 31536000};
    double least = (axis->high - axis->low) / WANTED;
    if (axis->unit != AXIS_NUMBER && least > 0.5)
        for (size_t i = 0; i < sizeof times / sizeof *times; i++)
            if (times[i] >= least)
                return times[i];
    double power = pow(10, floor(log10(least)));
    return least <= power       ? power
           : least <= 2 * power ? 2 * power
           : least <= 5 * power ? 5 * power
                                : 10 * power;
}

static size_t decades(const struct axis *axis, double ticks[AXIS_TICKS])
{
    int first = (int)ceil(log10(axis->low) - 1e-9), last = (int)floor(log10(axis->high) + 1e-9);
    int step = (last - first) / (WANTED + 1) + 1;
    size_t count = 0;
    for (int power = first; power <= last && count < AXIS_TICKS; power += step)
        ticks[count++] = pow(10, power);
    return count;
}

size_t axis_ticks(const struct axis *axis, double ticks[AXIS_TICKS])
{
    if (axis->logarithmic)
        return decades(axis, ticks);
    double step = step_of(axis), first = ceil(axis->low / step - 1e-9);
    size_t count = 0;
    for (; count < AXIS_TICKS; count++) {
        double at = (first + (double)count) * step;
        if (at > axis->high + step * 1e-9)
            break;
        ticks[count] = at == 0 ? 0 : at; /* no -0 */
    }
    return count;
}

static void label_time(const struct axis *axis, double value, char buf[32])
{
    double span = axis->high - axis->low;
    time_t seconds = (time_t)value;
    struct tm utc;
    if (gmtime_r(&seconds, &utc) == NULL)
        utc = (struct tm){.tm_mday = 1};
    bool midnight = utc.tm_hour == 0 && utc.tm_min == 0 && utc.tm_sec == 0;
    if (span > 300 * 86400.0)
        (void)strftime(buf, 32, "%b %Y", &utc);
    else if (midnight)
        (void)strftime(buf, 32, "%e %b", &utc);
    else if (span < 600)
        (void)strftime(buf, 32, "%H:%M:%S", &utc);
    else
        (void)strftime(buf, 32, "%H:%M", &utc);
}

void axis_label(const struct axis *axis, double value, char buf[32])
{
    double size = fabs(value);
    if (axis->unit == AXIS_TIME)
        label_time(axis, value, buf);
    else if (axis->unit == AXIS_SECONDS && size >= 86400 * 2)
        (void)snprintf(buf, 32, "%.3g d", value / 86400);
    else if (axis->unit == AXIS_SECONDS && size >= 3600 * 2)
        (void)snprintf(buf, 32, "%.3g h", value / 3600);
    else if (axis->unit == AXIS_SECONDS && size >= 120)
        (void)snprintf(buf, 32, "%.3g min", value / 60);
    else if (axis->unit == AXIS_SECONDS)
        (void)snprintf(buf, 32, "%.3g s", value);
    else if (size >= 1e9)
        (void)snprintf(buf, 32, size < 1e12 ? "%.3g G" : "%.2g", size < 1e12 ? value / 1e9 : value);
    else if (size >= 1e6)
        (void)snprintf(buf, 32, "%.3g M", value / 1e6);
    else if (size >= 1e4)
        (void)snprintf(buf, 32, "%.3g k", value / 1e3);
    else if (size >= 100)
        (void)snprintf(buf, 32, "%.0f", value);
    else
        (void)snprintf(buf, 32, "%.3g", value);
}

double axis_label_at(double at, const char *label, double width)
{
    double half = 3.6 * (double)strlen(label); /* of 12 px letters, generously */
    return fmax(half, fmin(at, width - half));
}
