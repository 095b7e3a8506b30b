/* SPDX-License-Identifier: MIT */
/* report_timeline.c - all incidents over time, a row for each detector, as inline SVG.
 *
 *     beacon   ====      =====
 *                 ====               bars that overlap lie below each other, in up to LANES lanes
 *     fanout  |  |
 *             07:00    08:00
 */
#include "report_timeline.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "report_axis.h"
#include "report_html.h"

#define WIDTH  960
#define LEFT   92.0
#define RIGHT  (WIDTH - 10.0)
#define ROWS   24 /* detectors; further ones share the last row */
#define LANES  6
#define LANE   15.0 /* high */
#define SPACE  12.0 /* between rows */
#define LABELS 40   /* bars; more than that have no host beside them */
#define LETTER 6.2  /* wide; of the label's font, at most */
#define SHORT  5.0  /* the least width of a bar */

struct row {
    const char *detector;
    double end[LANES]; /* where the last bar in it ends */
    size_t lanes;
    double top;
};

struct bar {
    size_t number; /* of the incident */
    int64_t start_us;
    size_t row, lane;
    double x, width;
    bool inside;  /* the label has no room beside the bar */
    double label; /* where the host is written; 0: there is no room */
};

struct timeline {
    bool labels; /* few enough bars to say whose each is */
    struct row rows[ROWS];
    size_t row_count;
    struct axis x;
};

static size_t row_of(struct timeline *t, const char *detector)
{
    for (size_t i = 0; i < t->row_count; i++)
        if (strcmp(t->rows[i].detector, detector) == 0)
            return i;
    if (t->row_count == ROWS)
        return ROWS - 1;
    t->rows[t->row_count] = (struct row){.detector = detector};
    return t->row_count++;
}

/* The first lane with room; when all are taken, the one that gets free first. */
static void place(struct timeline *t, struct bar *bar, const struct stored *stored)
{
    const eddy_incident *incident = &stored->incident;
    bar->row = row_of(t, incident->detector);
    struct row *row = &t->rows[bar->row];
    double label = LETTER * (double)strlen(stored->host) + 8;
    bar->x = axis_at(&t->x, (double)incident->start_us * 1e-6);
    bar->width = axis_at(&t->x, (double)incident->end_us * 1e-6) - bar->x;
    bar->width = bar->width < SHORT ? SHORT : bar->width;
    bool late = bar->x + bar->width + label > RIGHT; /* then it is written before the bar */
    double from = t->labels && late && bar->x - label > LEFT ? bar->x - label : bar->x;
    for (size_t i = 0; i < LANES; i++) {
        if (i == row->lanes || row->end[i] + 2 < from) {
            bar->lane = i;
            break;
        }
        if (row->end[i] < row->end[bar->lane])
            bar->lane = i;
    }
    row->lanes = bar->lane >= row->lanes ? bar->lane + 1 : row->lanes;
    if (t->labels && row->end[bar->lane] < from)
        bar->label = late ? from + (from < bar->x ? 0 : 6) : bar->x + bar->width + 5;
    bar->inside = late && !(from < bar->x);
    double end = bar->x + bar->width + (t->labels && !late ? label : 0);
    if (end > row->end[bar->lane])
        row->end[bar->lane] = end;
}

static void put_bar(FILE *to, const struct timeline *t, const struct bar *bar,
                    const struct stored *stored, size_t linked)
{
    static const double heights[] = {0, 5, 8, 11}; /* by severity: low, medium, high */
    const eddy_incident *i = &stored->incident;
    double height = heights[i->severity];
    double y = t->rows[bar->row].top + LANE * (double)bar->lane + (LANE - height) / 2;
    if (bar->number < linked)
        html(to, "<a href=\"#i%zu\">", bar->number);
    html(to,
         "<rect class=\"%s%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
         "rx=\"2\"><title>",
         i->withheld ? "h h" : "v v", i->severity, bar->x, y, bar->width, height);
    html_text(to, i->summary, 300);
    html(to, "</title></rect>%s", bar->number < linked ? "</a>" : "");
    if (bar->label > 0)
        html(to, "<text class=\"t%s\" x=\"%.1f\" y=\"%.1f\">%s</text>", bar->inside ? " w" : "",
             bar->label, t->rows[bar->row].top + LANE * (double)bar->lane + 11.5, stored->host);
}

static double make_rows(struct timeline *t)
{
    double top = 8;
    for (size_t i = 0; i < t->row_count; i++) {
        t->rows[i].top = top;
        top += LANE * (double)t->rows[i].lanes + SPACE;
    }
    return top;
}

static void put_frame(FILE *to, const struct timeline *t, double bottom)
{
    double ticks[AXIS_TICKS];
    size_t count = axis_ticks(&t->x, ticks);
    for (size_t i = 0; i < count; i++) {
        char label[32];
        double at = axis_at(&t->x, ticks[i]);
        axis_label(&t->x, ticks[i], label);
        html(to, "<path class=\"g\" d=\"M%.1f 2V%.1f\"/>", at, bottom);
        html(to, "<text class=\"t m\" x=\"%.1f\" y=\"%.1f\">%s</text>",
             axis_label_at(at, label, WIDTH), bottom + 17, label);
    }
    html(to, "<path class=\"a\" d=\"M%.1f %.1fH%.1f\"/>", LEFT, bottom, RIGHT);
    for (size_t i = 0; i < t->row_count; i++) {
        html(to, "<text class=\"l\" x=\"0\" y=\"%.1f\">", t->rows[i].top + 12);
        html_text(to, t->rows[i].detector, 12);
        html(to, "</text>");
    }
}

static void put_svg(FILE *to, struct timeline *t, const struct stored *const *incidents,
                    const struct bar *bars, size_t count, size_t linked)
{
    double bottom = make_rows(t);
    html(
        to,
        "<figure class=\"plot\"><svg class=\"wide\" viewBox=\"0 0 %d %.0f\" role=\"img\" "
        "aria-labelledby=\"tt td\"><title id=\"tt\">Incidents over time</title><desc id=\"td\">%zu "
        "incidents in %zu rows, one for each detector; times are UTC.</desc>",
        WIDTH, bottom + 24, count, t->row_count);
    put_frame(to, t, bottom);
    for (size_t i = 0; i < count; i++)
        put_bar(to, t, &bars[i], incidents[bars[i].number], linked);
    html(to, "</svg></figure>\n");
}

/* By start, so that lanes fill from the left. */
static int compare(const void *a, const void *b)
{
    const struct bar *x = a, *y = b;
    if (x->start_us != y->start_us)
        return x->start_us < y->start_us ? -1 : 1;
    return x->number < y->number ? -1 : x->number > y->number;
}

int plot_timeline(FILE *to, const struct stored *const *incidents, size_t count, size_t linked)
{
    struct timeline t = {0};
    int64_t low = INT64_MAX, high = INT64_MIN;
    count = count < TIMELINE_MAX ? count : TIMELINE_MAX;
    struct bar *bars = calloc(count + 1, sizeof *bars);
    if (bars == NULL)
        return 0;
    for (size_t i = 0; i < count; i++) {
        const eddy_incident *incident = &incidents[i]->incident;
        low = incident->start_us < low ? incident->start_us : low;
        high = incident->end_us > high ? incident->end_us : high;
        bars[i] = (struct bar){.number = i, .start_us = incident->start_us};
    }
    qsort(bars, count, sizeof *bars, compare);
    t.x = axis_over((double)low * 1e-6, (double)high * 1e-6, AXIS_TIME, false);
    t.labels = count <= LABELS;
    t.x.from = LEFT + 4;
    t.x.to = RIGHT - SHORT - 4;
    for (size_t i = 0; i < count; i++)
        place(&t, &bars[i], incidents[bars[i].number]);
    if (count > 0)
        put_svg(to, &t, incidents, bars, count, linked);
    free(bars);
    return 1;
}
