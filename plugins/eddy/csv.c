/* SPDX-License-Identifier: MIT */
/* csv.c - fields of CSV on standard output. */
#include "csv.h"

#include <stdio.h>
#include <string.h>

void csv_id(const eddy_flow *flow)
{
    char text[sizeof flow->id + 1] = ""; /* a full one has no NUL */
    const char *id = memcpy(text, flow->id, sizeof flow->id);
    if (strpbrk(id, ",\"\r\n") == NULL) {
        (void)fputs(id, stdout);
        return;
    }
    (void)putchar('"');
    for (; *id != '\0'; id++) {
        if (*id == '"')
            (void)putchar('"');
        (void)putchar(*id);
    }
    (void)putchar('"');
}
