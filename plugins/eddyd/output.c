/* SPDX-License-Identifier: MIT */
/* output.c - eddyd's log: lines on standard error, for a person or for the journal. */
#include "output.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* journald names its pipe in JOURNAL_STREAM=DEV:INODE; a redirected standard error is not it. */
void *output_style(void)
{
    static char journal[] = "journal"; /* only its address matters */
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
        return NULL;
    char own[48];
    (void)snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    for (size_t i = 0; own[i] == stream[i]; i++)
        if (own[i] == '\0')
            return journal;
    return NULL;
}

void output_line(int level, const char *message, void *user)
{
    char line[1100];
    int length = user != NULL ? snprintf(line, sizeof line - 1, "<%d>%s", level, message)
                              : snprintf(line, sizeof line - 1, "eddyd: %s", message);
    if (length < 0)
        return;
    if ((size_t)length > sizeof line - 2)
        length = (int)sizeof line - 2;
    line[length] = '\n';
    /* One write, so that lines of threads do not mix; there is nowhere to tell a failure. */
    if (write(STDERR_FILENO, line, (size_t)length + 1) < 0)
        return;
}
