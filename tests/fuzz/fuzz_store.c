/* SPDX-License-Identifier: MIT */
/* fuzz_store.c - any bytes as a line of recorded incidents: what is read can be written and read
 * again, and plotted. */
#include "fuzz.h"

#include <stdio.h>

#include "../../plugins/common/json_visit.c"
#include "../../plugins/common/say.c"
#include "../../plugins/eddy/report_axis.c"
#include "../../plugins/eddy/report_html.c"
#include "../../plugins/eddy/report_plot.c"
#include "../../plugins/eddy/store_field.c"
#include "../../plugins/eddy/store_line.c"
#include "../../plugins/eddy/when.c"

enum { LONGEST = 65536 };

/* Of progress.c, which is about terminals. */
const char *with_commas(uint64_t n, char buf[32])
{
    (void)snprintf(buf, 32, "%" PRIu64, n);
    return buf;
}

static void plot(struct stored *stored)
{
    static FILE *nowhere;
    if (nowhere == NULL)
        nowhere = fopen("/dev/null", "w");
    promise(nowhere != NULL);
    html_text(nowhere, stored->incident.summary, 1000);
    if (stored->evidence.count > 0)
        (void)plot_evidence(nowhere, &stored->evidence, 0);
    (void)plot_activity(nowhere, &stored->incident, 0);
}

/* Writes the incident and reads it again. Returns the length of what was written. */
static int again(struct store_reader *reader, struct stored *stored, char *line, size_t size)
{
    struct stored fresh;
    eddy_error err;
    int length = eddy_incident_json(&stored->incident, line, size);
    promise(length > 0 && (size_t)length < size);
    promise(store_line_read(reader, line, (size_t)length, &fresh, &err) == 1);
    stored_done(stored);
    *stored = fresh;
    stored->incident.evidence = stored->evidence.count > 0 ? &stored->evidence : NULL;
    return length;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct store_reader *reader;
    static char first[2 * LONGEST], second[2 * LONGEST];
    struct stored stored;
    eddy_error err;
    if (reader == NULL)
        reader = store_reader_new();
    promise(reader != NULL);
    if (size > LONGEST / 8)
        return 0;
    int status = store_line_read(reader, (const char *)data, size, &stored, &err);
    promise(status == 1 || status == 0 || status == EDDY_EINPUT);
    if (status != 1)
        return 0;
    promise(strlen(stored.incident.id) > 0 && strlen(stored.json) <= size);
    stored.incident.evidence = stored.evidence.count > 0 ? &stored.evidence : NULL;
    plot(&stored);
    /* Six digits may round to a whole number, which is written in full: the second writing stays.
     */
    (void)again(reader, &stored, first, sizeof first);
    int length = again(reader, &stored, first, sizeof first);
    promise(again(reader, &stored, second, sizeof second) == length);
    promise(memcmp(first, second, (size_t)length) == 0);
    stored_done(&stored);
    return 0;
}
