/* SPDX-License-Identifier: MIT */
/* when.c - times as people write them: a day, or a time of day. */
#include "vet/when.h"

#include <stdio.h>
#include <string.h>

#include "ingest/timestamp.h"

bool when_read(const char *text, int64_t *out)
{
    char day[] = "0000-00-00T00:00:00";
    int64_t us;
    size_t length = strlen(text);
    if (length == 10) {
        memcpy(day, text, length);
        text = day;
        length = sizeof day - 1;
    }
    if (!timestamp_parse(text, length, &us) || us <= 0)
        return false;
    *out = us;
    return true;
}
