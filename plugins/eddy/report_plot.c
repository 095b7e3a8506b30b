/* SPDX-License-Identifier: MIT */
/* report_plot.c - what is plotted of an incident, as inline SVG.
 *
 *     y name                     names and scales are text, so that they are read aloud and found;
 *     10 |      .  .             colours and widths are in report_style.h
 *      5 |  . .
 *      0 +-----------
 *         0   5  10   x name
 */
#include "report_plot.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report_axis.h"
#include "report_html.h"
#include "when.h"

#define WIDTH      640
#define LEFT       56.0
#define RIGHT      (WIDTH - 14.0)
#define HIGH       26.0
#define POINTS_MAX 512 /* of evidence; store_line.c takes no more */

struct plot {
    FILE *to;
    struct axis x, y;
    double bottom; /* of the field */
};

/* ---- the frame ---- */

static void begin_svg(FILE *to, const char *kind, size_t number, int height)
{
    html(to,
         "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-labelledby=\"%s%zut %s%zud\">"
         "<title id=\"%s%zut\">",
         WIDTH, height, kind, number, kind, number, kind, number);
}

static void put_y_ticks(const struct plot *p)
{
    double ticks[AXIS_TICKS];
    size_t count = axis_ticks(&p->y, ticks);
    for (size_t i = 0; i < count; i++) {
        char label[32];
        double at = axis_at(&p->y, ticks[i]);
        axis_label(&p->y, ticks[i], label);
        html(p->to, "<path class=\"g\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, at, RIGHT);
        html(p->to, "<text class=\"t e\" x=\"%.1f\" y=\"%.1f\">%s</text>", LEFT - 7, at + 4, label);
    }
}

static void put_x_ticks(const struct plot *p)
{
    double ticks[AXIS_TICKS];
    size_t count = axis_ticks(&p->x, ticks);
    html(p->to, "<path class=\"a\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, p->bottom, RIGHT);
    for (size_t i = 0; i < count; i++) {
        char label[32];
        double at = axis_at(&p->x, ticks[i]);
        axis_label(&p->x, ticks[i], label);
        html(p->to, "<path class=\"a\" d=\"M%.1f %.1fv4\"/>", at, p->bottom);
        html(p->to, "<text class=\"t m\" x=\"%.1f\" y=\"%.1f\">%s</text>",
             axis_label_at(at, label, WIDTH), p->bottom + 17, label);
    }
}

static enum axis_unit unit_of(const char *name)
{
    return strncmp(name, "seconds", 7) == 0 ? AXIS_SECONDS : AXIS_NUMBER;
}

/* The ticks of a length of time have their own units, which may be minutes. */
static void put_name(FILE *to, const char *name)
{
    bool seconds = unit_of(name) == AXIS_SECONDS;
    html(to, "%s", seconds ? "time" : "");
    html_text(to, name + (seconds ? strlen("seconds") : 0), 80);
}

static void put_names(const struct plot *p, const char *x_name, const char *y_name)
{
    html(p->to, "<text class=\"n\" x=\"0\" y=\"12\">");
    put_name(p->to, y_name);
    html(p->to, "</text><text class=\"n e\" x=\"%.1f\" y=\"%.1f\">", RIGHT, p->bottom + 34);
    put_name(p->to, x_name);
    if (p->x.unit == AXIS_SECONDS && fabs(p->x.high) < 1e9) {
        char span[WHEN_SIZE];
        html(p->to, ", over %s", when_span((int64_t)((p->x.high - p->x.low) * 1e6), span));
    }
    html(p->to, "</text>");
}

/* ---- what is in the field ---- */

static bool is_point(const eddy_evidence *e, size_t i)
{
    return isfinite(e->x[i]) && isfinite(e->y[i]);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the points' y; NAN if there are none. */
static double median(const eddy_evidence *e)
{
    double sorted[POINTS_MAX];
    size_t count = 0;
    for (size_t i = 0; i < e->count && count < POINTS_MAX; i++)
        if (is_point(e, i))
            sorted[count++] = (double)e->y[i];
    if (count == 0)
        return NAN;
    qsort(sorted, count, sizeof *sorted, compare);
    return count % 2 == 1 ? sorted[count / 2] : (sorted[count / 2 - 1] + sorted[count / 2]) / 2;
}

static void put_points(const struct plot *p, const eddy_evidence *e)
{
    double middle = median(e);
    char label[32];
    axis_label(&p->y, middle, label);
    double at = axis_at(&p->y, middle);
    html(p->to, "<path class=\"k\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, at, RIGHT);
    for (size_t i = 0; i < e->count; i++)
        if (is_point(e, i))
            html(p->to, "<circle class=\"p\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>",
                 axis_at(&p->x, (double)e->x[i]), axis_at(&p->y, (double)e->y[i]));
    /* Above the field, where no point is. */
    html(p->to, "<text class=\"w e\" x=\"%.1f\" y=\"12\">median %s</text>", RIGHT, label);
}

/* What holds until the next point. */
static void put_steps(const struct plot *p, const eddy_evidence *e)
{
    bool any = false;
    double last = 0;
    html(p->to, "<path class=\"s\" d=\"");
    for (size_t i = 0; i < e->count; i++) {
        if (!is_point(e, i))
            continue;
        last = axis_at(&p->y, (double)e->y[i]);
        double x = axis_at(&p->x, (double)e->x[i]);
        html(p->to, any ? "H%.1fV%.1f" : "M%.1f %.1f", x, last);
        any = true;
    }
    html(p->to, "\"/>");
    for (size_t i = 0; i < e->count; i++)
        if (is_point(e, i))
            html(p->to, "<circle class=\"p\" cx=\"%.1f\" cy=\"%.1f\" r=\"2.5\"/>",
                 axis_at(&p->x, (double)e->x[i]), axis_at(&p->y, (double)e->y[i]));
}

/* An area down to the axis, and where on it this incident is. */
static void put_distribution(const struct plot *p, const eddy_evidence *e)
{
    bool any = false;
    double x = 0;
    html(p->to, "<path class=\"d\" d=\"");
    for (size_t i = 0; i < e->count; i++) {
        if (!is_point(e, i) || (p->x.logarithmic && !(e->x[i] > 0)))
            continue;
        x = axis_at(&p->x, (double)e->x[i]);
        double y = p->y.logarithmic && !(e->y[i] > 0) ? p->bottom : axis_at(&p->y, (double)e->y[i]);
        if (!any)
            html(p->to, "M%.1f %.1fV%.1f", x, p->bottom, y);
        else
            html(p->to, "L%.1f %.1f", x, y);
        any = true;
    }
    html(p->to, any ? "V%.1fZ\"/>" : "M0 %.1f\"/>", p->bottom);
    if (!isfinite(e->mark))
        return;
    double at = axis_at(&p->x, e->mark);
    bool late = at > (LEFT + RIGHT) / 2;
    html(p->to, "<path class=\"k\" d=\"M%.1f %.1fV%.1f\"/>", at, HIGH - 4, p->bottom);
    html(p->to, "<circle class=\"p\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/>", at, p->bottom);
    html(p->to, "<text class=\"w%s\" x=\"%.1f\" y=\"%.1f\">this incident</text>", late ? " e" : "",
         late ? at - 7 : at + 7, HIGH + 8);
}

/* ---- evidence ---- */

struct extent {
    double low, high, smallest; /* above zero; INFINITY if none is */
};

static struct extent extent_of(const float *values, size_t count, double also)
{
    struct extent extent = {INFINITY, -INFINITY, INFINITY};
    for (size_t i = 0; i <= count; i++) {
        double value = i < count ? (double)values[i] : also;
        if (!isfinite(value))
            continue;
        extent.low = fmin(extent.low, value);
        extent.high = fmax(extent.high, value);
        if (value > 0)
            extent.smallest = fmin(extent.smallest, value);
    }
    return extent;
}

/* A distribution may be logarithmic on both sides; zeros of its y lie on the axis then. */
static bool make_axes(struct plot *p, const eddy_evidence *e, bool distribution)
{
    struct extent x = extent_of(e->x, e->count, distribution ? e->mark : NAN),
                  y = extent_of(e->y, e->count, NAN);
    if (!(x.high >= x.low) || !(y.high >= y.low))
        return false;
    bool deep = distribution && y.low >= 0 && isfinite(y.smallest) && y.high / y.smallest > 1000;
    p->x = axis_over(x.low, x.high, unit_of(e->x_name), distribution);
    p->y = axis_over(deep ? y.smallest / 2 : fmin(0, y.low), y.high > 0 || y.low < 0 ? y.high : 1,
                     unit_of(e->y_name), deep);
    p->x.from = LEFT + (distribution ? 0 : 6);
    p->x.to = RIGHT - 6;
    p->y.from = p->bottom;
    p->y.to = HIGH + 4;
    return true;
}

int plot_evidence(FILE *to, const eddy_evidence *e, size_t number)
{
    struct plot p = {.to = to, .bottom = 168};
    bool gaps = strcmp(e->kind, "gaps") == 0, distribution = strcmp(e->kind, "distribution") == 0;
    if ((e->count < 2 && !distribution) || !make_axes(&p, e, distribution))
        return 0; /* one point is no plot */
    html(to, "<figure class=\"plot\">");
    begin_svg(to, "e", number, 208);
    put_name(to, e->y_name);
    html(to, "</title><desc id=\"e%zud\">%zu points over ", number, e->count);
    put_name(to, e->x_name);
    html(to, "</desc>");
    put_y_ticks(&p);
    put_x_ticks(&p);
    put_names(&p, e->x_name, e->y_name);
    if (gaps)
        put_points(&p, e);
    else if (distribution)
        put_distribution(&p, e);
    else
        put_steps(&p, e);
    html(to, "</svg></figure>\n");
    return 1;
}

/* ---- activity ---- */

static void put_bars(const struct plot *p, const eddy_incident *i)
{
    double width = (RIGHT - LEFT) / (double)i->activity_count;
    for (size_t n = 0; n < i->activity_count; n++) {
        if (i->activity[n] == 0)
            continue;
        double top = fmin(axis_at(&p->y, (double)i->activity[n]), p->bottom - 1.5);
        html(p->to, "<rect class=\"b\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
             LEFT + width * (double)n, top, fmax(width - 1.5, 1), p->bottom - top);
    }
}

int plot_activity(FILE *to, const eddy_incident *i, size_t number)
{
    struct plot p = {.to = to, .bottom = 78};
    uint32_t most = 0;
    char step[WHEN_SIZE];
    for (size_t n = 0; n < i->activity_count; n++)
        most = i->activity[n] > most ? i->activity[n] : most;
    if (most == 0 || i->activity_count < 2)
        return 0;
    double start = (double)i->activity_start_us * 1e-6, step_s = (double)i->activity_step_us * 1e-6;
    p.x = axis_over(start, start + step_s * (double)i->activity_count, AXIS_TIME, false);
    p.x.from = LEFT;
    p.x.to = RIGHT;
    p.y = axis_over(0, most, AXIS_NUMBER, false);
    p.y.from = p.bottom;
    p.y.to = HIGH;
    char from[WHEN_SIZE], until[WHEN_SIZE];
    int64_t last_us = i->activity_start_us + i->activity_step_us * (int64_t)i->activity_count;
    when_span(i->activity_step_us, step);
    when_text(i->activity_start_us, from);
    when_text(last_us, until);
    html(to, "<figure class=\"plot\">");
    begin_svg(to, "a", number, 100);
    html(to, "Flows over time</title><desc id=\"a%zud\">At most %" PRIu32 " in %s.</desc>", number,
         most, step);
    put_x_ticks(&p);
    put_bars(&p, i);
    html(to,
         "<text class=\"n\" x=\"0\" y=\"12\">flows in each %s, %s to %s</text><text class=\"t e\" "
         "x=\"%.1f\" "
         "y=\"%.1f\">%" PRIu32 "</text></svg></figure>\n",
         step, from, until, LEFT - 7, HIGH + 4, most);
    return 1;
}
